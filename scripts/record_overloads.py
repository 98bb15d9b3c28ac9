"""Writes core/overloads.txt: how PyTorch's functions may be called, for the texts of wrong calls.

Runs where torch 2.13 and PyYAML are installed (its generator of bindings reads YAML).
"""

import re
from pathlib import Path

import torch
import torchgen
from torchgen.gen import parse_native_yaml
from torchgen.packaged.autograd import gen_python_functions as bindings

TARGET = Path(__file__).resolve().parent.parent / "torchlike" / "core" / "overloads.txt"
PACKAGED = Path(torchgen.__file__).parent / "packaged"

# Bindings PyTorch writes by hand, by place.
BY_HAND = {
    "torch": """
tensor(PyObject* data, *, ScalarType dtype=None, Device? device=None, bool pin_memory=False, \
bool requires_grad=False, DimnameList? names=None)
as_tensor(PyObject* data, *, ScalarType dtype=None, Device? device=None)
numel(Tensor input)
get_device(Tensor input)
nonzero(Tensor input, *, bool as_tuple=False, Tensor out=None)
""",
    "Tensor": """
size(int64_t? dim=None)
stride(int64_t? dim=None)
item()
numel()
dim()
ndimension()
tolist()
nelement()
element_size()
data_ptr()
contiguous(*, MemoryFormat? memory_format=contiguous_format)
requires_grad_(bool requires_grad=True)
copy_(Tensor other, bool non_blocking=False)
copy_(Tensor other, bool async=False)|deprecated
get_device()
storage_offset()
untyped_storage()
is_contiguous(*, MemoryFormat memory_format=contiguous_format)
nonzero()
nonzero(*, bool as_tuple)
type(PyObject* dtype=None, bool non_blocking=False, *, MemoryFormat? memory_format=None)
type(PyObject* dtype=None, bool async=False, *, MemoryFormat? memory_format=None)|deprecated
numpy(*, bool force=False)
cpu(*, MemoryFormat? memory_format=None)
new_ones(SymIntArrayRef size, *, ScalarType dtype=None, Device? device=None, \
bool pin_memory=False, bool requires_grad=False)
new_tensor(PyObject* data, *, ScalarType dtype=None, Device? device=None, \
bool pin_memory=False, bool requires_grad=False)
to(Device device=None, ScalarType dtype=None, bool non_blocking=False, bool copy=False, *, \
MemoryFormat? memory_format=None)
to(ScalarType dtype, bool non_blocking=False, bool copy=False, *, \
MemoryFormat? memory_format=None)
to(Tensor tensor, bool non_blocking=False, bool copy=False, *, \
MemoryFormat? memory_format=None)
""" + "".join(
        f"{name}(*, MemoryFormat? memory_format=None)\n"
        for name in ("bfloat16", "bool", "byte", "char", "double", "float", "half", "int", "long",
                     "short", "cfloat", "cdouble")
    ),
}  # fmt: skip


def places():
    """(place, bindings are methods, which functions belong there, where to find the result)."""
    yield "torch", False, bindings.is_py_torch_function, torch
    yield "Tensor", True, bindings.is_py_variable_method, torch.Tensor
    yield "nn.functional", False, bindings.is_py_nn_function, torch.nn.functional
    yield "fft", False, bindings.is_py_fft_function, torch.fft
    yield "linalg", False, bindings.is_py_linalg_function, torch.linalg
    yield "special", False, bindings.is_py_special_function, torch.special


def signatures(functions, method, belongs) -> dict[str, list[str]]:
    """Overloads by name, in the order in which PyTorch tries them."""
    deprecated = str(PACKAGED / "autograd" / "deprecated.yaml")
    pairs = bindings.load_signatures(functions, deprecated, method=method)
    groups = bindings.group_filter_overloads(pairs, belongs)
    return {
        str(name): [o.signature.signature_str() for o in bindings.group_overloads(overloads)]
        for name, overloads in groups.items()
    }


def behind(table: dict[str, list[str]]) -> list[str]:
    """Functions that PyTorch's own Python calls, under another name or with other arguments."""
    code = Path(torch.functional.__file__).read_text() + Path(torch._tensor.__file__).read_text()
    called = re.findall(r"(?:_VF|_VariableFunctions|torch)\.(\w+)\(", code)
    builtin = type(torch.sin)
    return [
        line
        for name in sorted(set(called) & set(table))
        if type(getattr(torch, name, None)) is not builtin or name.startswith("_")
        for line in table[name]
    ]


def main() -> None:
    """Write the file."""
    native = PACKAGED / "ATen" / "native"
    parsed = parse_native_yaml(str(native / "native_functions.yaml"), str(native / "tags.yaml"))
    functions = [f for f in parsed.native_functions if bindings.should_generate_py_binding(f)]
    lines, builtin = [], type(torch.sin)
    tables = {place: signatures(functions, method, of) for place, method, of, _ in places()}
    found_in = {place: home for place, _, _, home in places()}
    for name in dir(torch.nn.functional):  # some are PyTorch's own under another place
        if type(getattr(torch.nn.functional, name)) is builtin and name in tables["torch"]:
            tables["nn.functional"].setdefault(name, tables["torch"][name])
    for place, table in tables.items():
        lines.append(f"[{place}]")
        for name, overloads in sorted(table.items()):
            written_in_c = getattr(found_in[place], name.removeprefix(f"{place}_"), None)
            plain = isinstance(written_in_c, (builtin, type(torch._C.TensorBase.add)))
            if plain and not name.startswith(("_", "sym_", "cudnn", "miopen", "mkldnn", "fbgemm")):
                lines += overloads
        lines += BY_HAND.get(place, "").strip().splitlines()
    lines += ["[behind]", *behind(tables["torch"])]
    TARGET.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{TARGET.name}: {len(lines)} lines")


if __name__ == "__main__":
    main()
