"""torch.save and torch.load: PyTorch's bytes both ways, and files that mean harm."""

from __future__ import annotations

import base64
import collections
import copy
import io
import pickle
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_tests.forged import same, saved, zipped

DTYPES = [
    "float32", "float64", "float16", "bfloat16", "complex64", "complex128", "bool", "uint8",
    "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
]  # fmt: skip


def grid(torch):
    return torch.arange(24.0).reshape(4, 6)


def trained(torch):
    """A small network and its optimizer after a step, with numbers that are exact anywhere."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.ReLU())
    with torch.no_grad():
        net[0].weight.copy_(torch.arange(6.0).reshape(2, 3))
        net[0].bias.zero_()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.5)
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return net, optimizer


OBJECTS = {
    **{
        name: lambda torch, name=name: torch.tensor([[0, 1, 1], [1, 0, 1]]).to(getattr(torch, name))
        for name in DTYPES
    },
    "scalar": lambda torch: torch.tensor(1.5),
    "empty": lambda torch: [torch.empty(0), torch.empty(2, 0, 3)],
    "views": lambda torch: (lambda g: [g, g[1:3], g.t(), g[:, 2], g[::2, ::3], g[1, 2]])(
        grid(torch)
    ),
    "part first": lambda torch: (lambda g: [g[1:3], g])(grid(torch)),
    "transposed": lambda torch: grid(torch).t(),
    "permuted": lambda torch: torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
    "expanded": lambda torch: torch.tensor([1.0, 2.0]).expand(3, 2),
    "parameter": lambda torch: torch.nn.Parameter(torch.ones(2, 2)),
    "frozen": lambda torch: torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "leaf": lambda torch: torch.ones(2, requires_grad=True),
    "meta": lambda torch: torch.empty(2, 3, device="meta"),
    "model state": lambda torch: trained(torch)[0].state_dict(),
    "optimizer state": lambda torch: trained(torch)[1].state_dict(),
    "not tensors": lambda torch: {
        "numbers": [1, -5, 2**100, 2.5, float("inf"), 1 + 2j, True, None],
        "text": ["é", "\ud800", b"bytes", bytearray(b"xy")],
        "more": ((), (1,), {1, 2}, collections.OrderedDict(a=1), collections.Counter("aab")),
        3: [torch.float32, torch.bool, torch.Size([1, 2]), torch.device("cpu"), torch.strided],
    },
    "many": lambda torch: {"ints": list(range(300)), "names": [f"layer{i}" for i in range(300)]},
}


def records(file) -> dict[str, str]:
    """The records of a file, by name; all but the one that is a hash."""
    archive = zipfile.ZipFile(file)
    return {name: text(archive.read(name)) for name in archive.namelist() if "_id" not in name}


def text(data: bytes) -> str:
    return base64.b85encode(zlib.compress(data, 9)).decode()


def untext(data: str) -> bytes:
    return zlib.decompress(base64.b85decode(data))


def recorded(golden, value):
    """The value that PyTorch gave when the golden was recorded."""
    if golden.mode == "record":
        golden(value)
        return value
    golden.seen.append(None)
    return golden.known[len(golden.seen) - 1]


# ----- the format -----


@pytest.mark.parametrize("name", OBJECTS)
def test_writes_what_pytorch_writes(torch, golden, name):
    golden(records(saved(torch, OBJECTS[name](torch))))


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("weights_only", [True, False])
def test_reads_what_pytorch_writes(torch, golden, name, weights_only):
    file = untext(recorded(golden, text(saved(torch, OBJECTS[name](torch)).read())))
    assert same(torch.load(io.BytesIO(file), weights_only=weights_only), OBJECTS[name](torch))


@pytest.mark.parametrize("name", [n for n in OBJECTS if not n.startswith("uint") or n == "uint8"])
@pytest.mark.parametrize("weights_only", [True, False])
def test_reads_the_old_format(torch, golden, name, weights_only):
    """PyTorch itself can not read back uint16, uint32 and uint64 in this format."""
    options = {"_use_new_zipfile_serialization": False}
    file = untext(recorded(golden, text(saved(torch, OBJECTS[name](torch), **options).read())))
    assert same(torch.load(io.BytesIO(file), weights_only=weights_only), OBJECTS[name](torch))


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=str)
def test_round_trip(torch, name, options):
    if options and re.match("uint(16|32|64)", name):
        pytest.skip("PyTorch does not read its own file")
    obj = OBJECTS[name](torch)
    assert same(torch.load(saved(torch, obj, **options)), obj)


def test_layout_is_pytorchs(torch, golden):
    """Alignment, padding, descriptors, directory: all bytes but the hash in the last record."""
    tensors = [torch.ones(0), torch.ones(2), torch.arange(100)]
    file = saved(torch, tensors).read()
    start = file.rindex(b"Z", 0, file.index(b"PK\1\2")) + 1
    checksum = struct.pack("<L", zlib.crc32(file[start : start + 40]))
    golden(text(file.replace(file[start : start + 40], b"").replace(checksum, b"")))


def test_views_share_memory_after_loading(torch):
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        g = grid(torch)
        whole, rows, turned = torch.load(saved(torch, [g, g[1:3], g.t()], **options))
        rows[0, 0] = 100
        assert whole[1, 0] == 100 == turned[0, 1]
        whole.zero_()
        assert rows.sum() == 0 == turned.sum()


def test_big_endian_files(torch):
    for dtype in ("int16", "float64", "complex64"):
        tensor = torch.tensor([1, 2, 3]).to(getattr(torch, dtype))
        archive = zipfile.ZipFile(saved(torch, tensor))
        swapped = io.BytesIO()
        with zipfile.ZipFile(swapped, "w") as out:
            for name in archive.namelist():
                data = archive.read(name)
                if name.endswith("byteorder"):
                    data = b"big"
                elif name.endswith("data/0"):
                    width = tensor.element_size() // (2 if tensor.is_complex() else 1)
                    data = np.frombuffer(data, f"u{width}").byteswap().tobytes()
                out.writestr(name, data)
        swapped.seek(0)
        assert same(torch.load(swapped), tensor)


def test_files_without_byte_order(torch):
    archive = zipfile.ZipFile(saved(torch, torch.arange(3, dtype=torch.int32)))
    data = struct.pack("<3i", 0, 1, 2)
    file = zipped(archive.read("archive/data.pkl"), {"data/0": data})
    serialization = torch.serialization
    assert torch.load(io.BytesIO(file)).tolist() == [0, 1, 2]
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    try:
        assert torch.load(io.BytesIO(file)).tolist() == [0, 1 << 24, 2 << 24]
    finally:
        serialization.set_default_load_endianness(None)
    assert serialization.get_default_load_endianness() is None


def test_checksums_can_be_left_out(torch):
    torch.serialization.set_crc32_options(False)
    try:
        file = saved(torch, torch.arange(5))
    finally:
        torch.serialization.set_crc32_options(True)
    assert {info.CRC for info in zipfile.ZipFile(file).infolist()} == {0}
    file.seek(0)
    assert same(torch.load(file), torch.arange(5))


def test_skip_data(torch):
    with torch.serialization.skip_data():
        file = saved(torch, torch.ones(3))
    assert torch.load(file).tolist() == [0, 0, 0]
    full = saved(torch, torch.ones(3))
    with torch.serialization.skip_data():
        assert torch.load(full).shape == (3,)


# ----- modules and classes -----


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


def test_whole_modules(torch):
    net, _ = trained(torch)
    back = torch.load(saved(torch, net), weights_only=False)
    assert type(back) is type(net) and repr(back) == repr(net)
    assert same(back.state_dict(), net.state_dict())
    out, expected = back(torch.ones(2, 3)), net(torch.ones(2, 3))
    assert out.tolist() == expected.tolist()


def test_modules_are_no_weights(torch, golden):
    golden.error(torch.load, saved(torch, torch.nn.Linear(1, 1)))
    golden.error(torch.load, saved(torch, [torch.nn.functional.relu]))


def test_module_pickles_name_pytorchs_classes(torch, golden):
    """So that PyTorch reads them, and so that its files are read."""
    nn = torch.nn
    kinds = [nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.LSTM, nn.ReLU, nn.Sequential, nn.MSELoss]
    kinds += [nn.Embedding, nn.LayerNorm, nn.Dropout, nn.MaxPool2d, nn.TransformerEncoder]
    kinds += [torch.optim.Adam, torch.nn.functional.relu, torch.Tensor, nn.Parameter, torch.Size]
    golden(records(saved(torch, kinds)))
    archive = zipfile.ZipFile(saved(torch, kinds))
    assert torch.load(saved(torch, kinds), weights_only=False) == kinds
    assert b"torchlike" not in archive.read("archive/data.pkl")


def test_safe_globals(torch):
    file = saved(torch, Point(1, torch.ones(2)))
    serialization = torch.serialization
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global: GLOBAL .*Point was not"):
        torch.load(file)
    file.seek(0)
    assert any("Point" in name for name in serialization.get_unsafe_globals_in_checkpoint(file))
    with serialization.safe_globals([Point]):
        assert Point in serialization.get_safe_globals()
        file.seek(0)
        assert torch.load(file).y.tolist() == [1, 1]
    assert Point not in serialization.get_safe_globals()
    before = serialization.get_safe_globals()
    serialization.add_safe_globals([(dict, f"{Point.__module__}.Point")])
    assert len(serialization.get_safe_globals()) == len(before) + 1
    serialization.clear_safe_globals()
    assert serialization.get_safe_globals() == []
    serialization.add_safe_globals(before)


def test_safe_globals_are_checked(torch, golden):
    file = saved(torch, Point(1, 2))
    for wrong in [(Point,), (Point, 5)]:
        with torch.serialization.safe_globals([wrong]):
            golden.error(torch.load, io.BytesIO(file.getvalue()))


def test_allowed_module(torch):
    """PyTorch's own classes can be allowed too, whatever path they are defined at."""
    net = torch.nn.Linear(2, 1)
    with torch.serialization.safe_globals([torch.nn.Linear, set]):
        back = torch.load(saved(torch, net))
    assert same(back.state_dict(), net.state_dict())


def test_attributes_and_subclasses(torch):
    plain = torch.ones(2)
    plain.note = "kept"
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.note = [1]
    for tensor in (plain, parameter):
        back = torch.load(saved(torch, tensor))
        assert back.note == tensor.note and type(back) is type(tensor)
    kind = type("TaggedTensor", (torch.Tensor,), {"__module__": __name__})
    globals()["TaggedTensor"] = kind
    tensor = torch.ones(2).as_subclass(kind)
    tensor.note = 3
    file = saved(torch, tensor)
    assert torch.load(file, weights_only=False).note == 3
    file.seek(0)
    with torch.serialization.safe_globals([kind]):
        assert type(torch.load(file)) is kind


def test_plain_pickle_and_copy(torch):
    tensor = torch.arange(6.0).reshape(2, 3).t()
    for value in (tensor, torch.nn.Parameter(tensor), torch.ones(2, dtype=torch.bfloat16)):
        assert same(pickle.loads(pickle.dumps(value)), value)
        assert copy.deepcopy(value).tolist() == value.tolist()


def test_hooks_are_not_saved(torch):
    tensor = torch.ones(2, requires_grad=True)
    tensor.register_hook(print)
    with pytest.warns(UserWarning, match="backward hook .* on tensor will not be serialized"):
        saved(torch, tensor)


# ----- against PyTorch itself -----


@st.composite
def layouts(draw):
    """dtype, shape, permutation and slices of a tensor."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4).map(tuple))
    order = draw(st.permutations(range(len(shape))))
    slices = [slice(draw(st.integers(0, n)), None, draw(st.integers(1, 2))) for n in shape]
    return draw(st.sampled_from(DTYPES)), shape, order, slices


def arranged(torch, dtype, shape, order, slices):
    count = int(np.prod(shape))
    base = torch.arange(count).reshape(shape).to(getattr(torch, dtype))
    return [base.permute(order), base[tuple(slices)]] if shape else [base]


@settings(max_examples=100, deadline=None)
@given(layouts(), st.booleans())
def test_files_travel_both_ways(layout, old):
    real, ours = pytest.importorskip("torch"), pytest.importorskip("torchlike")
    options = {"_use_new_zipfile_serialization": not old}
    if old and re.match("uint(16|32|64)", layout[0]):
        return
    for writer, reader in ((real, ours), (ours, real)):
        file = saved(writer, arranged(writer, *layout), **options)
        assert same(reader.load(file), arranged(reader, *layout))
