"""The names inside PyTorch's pickles, and what they stand for here: both directions.

A file names PyTorch's functions and classes: `torch._utils._rebuild_tensor_v2`, `torch.Size`.
`allowed_globals` is the table of those that loading weights may use, `torch_path` its inverse.
"""

from __future__ import annotations

import _codecs
import importlib
import re
import sys
import threading
import warnings
from collections import Counter, OrderedDict
from contextlib import suppress
from functools import cache
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from .. import ops
from ..core import dtypes
from ..core.device import device
from ..core.parameter import Parameter, alias_of
from ..core.storage import Size
from ..core.tensor import Tensor, from_host
from ..ops.sparse_tensor import WORDS as LAYOUTS
from ..ops.sparse_tensor import is_sparse, rebuilt, stored
from ..ops.views import bits_of, with_bits
from .memory import STORAGE_TYPES, UNTYPED, Memory, TypedStorage

HERE = __package__.partition(".")[0]
OVERFLOW, MOST_DIMS = 1 << 63, 64


# ----- PyTorch's rebuild functions -----


def _check_geometry(room: int, offset: Any, size: Any, stride: Any) -> None:
    """Whether a view of that geometry stays inside `room` elements."""
    for number in (offset, *size, *stride):
        if type(number) is not int:
            raise TypeError(f"sizes and strides must be int, but got {type(number).__name__}")
    if len(size) > MOST_DIMS:
        raise RuntimeError(f"tensors of {len(size)} dims are not supported")
    if len(size) != len(stride):
        raise RuntimeError(f"unequal size length ({len(size)}) and stride length ({len(stride)})")
    if any(n < 0 for n in size) or prod(size) >= OVERFLOW:
        raise RuntimeError("numel: integer multiplication overflow")
    if any(s < 0 for s in stride):
        sizes = f"sizes={list(size)} and strides={list(stride)}"
        raise RuntimeError(f"Storage size calculation overflowed with {sizes}")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    last = sum((n - 1) * s for n, s in zip(size, stride))
    if prod(size) and offset + last >= room:
        raise RuntimeError("Trying to resize storage that is not resizable")


def rebuild_tensor(storage, storage_offset, size, stride, dtype=None):
    """A view of a storage's memory as a tensor; RuntimeError where it would look outside."""
    dtype = dtype or storage.dtype
    offset = storage.start + storage_offset
    _check_geometry(storage.memory.nbytes() // dtype.itemsize, offset, size, stride)
    return storage.memory.tensor(dtype, offset, tuple(size), tuple(stride))


def _rebuild_tensor(storage, storage_offset, size, stride):
    return rebuild_tensor(storage, storage_offset, size, stride)


def _rebuild_tensor_v2(
    storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None
):
    # Hooks are not stored: what stands for them is an empty OrderedDict.
    tensor = rebuild_tensor(storage, storage_offset, size, stride)
    return _with_bits(tensor, metadata, requires_grad)


def _rebuild_tensor_v3(
    storage, storage_offset, size, stride, requires_grad, backward_hooks, dtype, metadata=None
):
    tensor = rebuild_tensor(storage, storage_offset, size, stride, dtype)
    return _with_bits(tensor, metadata, requires_grad)


def _with_bits(tensor: Tensor, bits: dict[str, bool] | None, requires_grad: bool) -> Tensor:
    """Conjugated or negated views are stored as they lie in memory."""
    known = [bit for bit in ("conj", "neg") if bits and bits.get(bit)]
    if known:
        tensor = alias_of(with_bits(tensor, known))
    return tensor.requires_grad_() if requires_grad else tensor


def _rebuild_parameter(data, requires_grad, backward_hooks):
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    return set_state(Parameter(data, requires_grad), state)


def _rebuild_from_type_v2(func, new_type, args, state):
    tensor = func(*args)
    if type(tensor) is not new_type:
        tensor = tensor.as_subclass(new_type)
    if new_type.__setstate__ is not Tensor.__setstate__:
        tensor.__setstate__(state)
        return tensor
    return set_state(tensor, state)


def set_state(tensor: Tensor, state: Any) -> Tensor:
    """Give a tensor the Python attributes it had; its own fields are none of them."""
    parts = state if isinstance(state, tuple) else (state,)
    if len(parts) > 2:
        raise RuntimeError(f"Invalid serialized state: {state}")
    for name, value in [item for part in parts if part for item in part.items()]:
        if is_own(name) or name.startswith("__"):
            raise RuntimeError(f"{name} is no attribute that a file may set on a tensor")
        setattr(tensor, name, value)
    return tensor


def is_own(name: str) -> bool:
    """Whether a name belongs to every tensor, as field or method."""
    return name in Tensor.__annotations__ or hasattr(Tensor, name)


def _rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad):
    return ops.empty_strided(size, stride, dtype=dtype, device="meta", requires_grad=requires_grad)


def _rebuild_device_tensor_from_cpu_tensor(data, dtype, device, requires_grad):
    if not isinstance(data, Tensor):
        raise TypeError(f"expected a Tensor, but got {type(data).__name__}")
    return data.to(dtype=dtype, device=LOCATION.get(device)).requires_grad_(requires_grad)


def _rebuild_device_tensor_from_numpy(data, dtype, device, requires_grad):
    if not isinstance(data, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(data).__name__})")
    tensor = from_host(np.array(data)).to(dtype=dtype, device=LOCATION.get(device))
    return tensor.requires_grad_(requires_grad)


class _Location(threading.local):
    """Where tensors go that are stored apart from their storage; torch.load sets it."""

    map_location: Any = None

    def get(self, where: Any) -> Any:
        chosen = self.map_location
        if isinstance(chosen, dict):
            return chosen.get(where, where)
        if chosen is None or isinstance(chosen, (str, device)):
            return where if chosen is None else chosen
        raise RuntimeError(
            "Callable map_location not supported with _rebuild_wrapper_subclass or "
            "_rebuild_device_tensor_from_numpy"
        )


LOCATION = _Location()


def _unsupported(name: str, what: str) -> Any:
    def refuse(*args: Any) -> Any:
        raise NotImplementedError(f"torch.load: {what} are not supported ({name})")

    return refuse


class _Late(threading.local):
    """(tensor, layout, parts) of the sparse tensors read before their bytes; None in new files."""

    sparse: list[Any] | None = None

    def settle(self) -> None:
        """The bytes are there: indices are read again."""
        for made, layout, parts in self.sparse or ():
            made._at = rebuilt(layout, parts)._at


LATE = _Late()


def _rebuild_sparse_tensor(layout, data):
    made = rebuilt(layout, data)
    if LATE.sparse is not None:
        LATE.sparse.append((made, layout, data))
    return made


def _get_layout(name):
    if type(name) is not str:
        raise TypeError(f"a layout's name is a str, but got {type(name).__name__}")
    return {repr(layout): layout for layout in LAYOUTS}[name]


REBUILDERS: dict[str, Any] = {
    f"torch._utils.{function.__name__}": function
    for function in (
        _rebuild_tensor, _rebuild_tensor_v2, _rebuild_tensor_v3, _rebuild_parameter,
        _rebuild_parameter_with_state, _rebuild_meta_tensor_no_storage,
        _rebuild_device_tensor_from_cpu_tensor, _rebuild_device_tensor_from_numpy,
        _rebuild_sparse_tensor,
    )
}  # fmt: skip
REBUILDERS |= {
    f"torch._utils.{name}": _unsupported(name, what)
    for name, what in {
        "_rebuild_qtensor": "quantized tensors",
        "_rebuild_nested_tensor": "nested tensors",
        "_rebuild_wrapper_subclass": "wrapper subclasses",
    }.items()
}
REBUILDERS["torch._tensor._rebuild_from_type_v2"] = _rebuild_from_type_v2


# ----- the table -----


@cache
def allowed_globals() -> dict[str, Any]:
    """Full path -> object, for everything that weights may name."""
    table: dict[str, Any] = {
        "collections.OrderedDict": OrderedDict,
        "collections.Counter": Counter,
        "torch.nn.parameter.Parameter": Parameter,
        "torch.serialization._get_layout": _get_layout,
        "torch.Size": Size,
        "torch.Tensor": Tensor,
        "torch.device": device,
        "_codecs.encode": _codecs.encode,
        "builtins.bytearray": bytearray,
        "builtins.set": set,
        "builtins.complex": complex,
    }
    table |= {str(dtype): dtype for dtype in dtypes.ALL}
    table |= {f"{kind.module}.{kind.name}": kind for kind in (*STORAGE_TYPES.values(), UNTYPED)}
    return table | REBUILDERS


@cache
def _paths() -> dict[int, tuple[str, str]]:
    found = {}
    for path, thing in allowed_globals().items():
        if path.startswith("torch"):
            module, _, name = path.rpartition(".")
            found[id(thing)] = module, name
    return found


# PyTorch defines its layers in many files. The first pattern that matches a class names its file.
NN_FILES = """
adaptive AdaptiveLog.*            | loss .*Loss2?d?                  | pooling .*(Pool|Unpool)\\dd
conv (Lazy)?Conv.*                | batchnorm .*BatchNorm.*          | instancenorm .*InstanceNorm.*
normalization .*(Norm|LRN2d)      | padding .*Pad\\dd                 | dropout .*Dropout.*
rnn (RNN|LSTM|GRU).*              | transformer Transformer.*        | sparse Embedding.*
container .*(Dict|List|Sequential) | container Container           | linear .*[Ll]inear|Identity
upsampling Upsampl.*
pixelshuffle Pixel.*              | channelshuffle ChannelShuffle    | flatten (Unf|F)latten
fold (Unf|F)old                   | distance Cosine.*|Pairwise.*     | module Module
activation .*
"""
NN_ELSEWHERE = dict.fromkeys(
    ("Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer"), "parameter"
) | {
    "DataParallel": "parallel.data_parallel", "DistributedDataParallel": "parallel.distributed",
    "_WrappedHook": "modules.module", "ScalingType": "functional", "SwizzleType": "functional",
    "UninitializedTensorMixin": "parameter",
    "LinearCrossEntropyOptions": "modules.linear_cross_entropy_options",
}  # fmt: skip
# Other modules whose classes are defined elsewhere than where PyTorch shows them, or here.
FILES = """
amp.autocast_mode        | amp.grad_scaler           | autograd.anomaly autograd.anomaly_mode
autograd.checkpoint utils.checkpoint                 | autograd.selective utils.checkpoint
core.gradmode autograd.grad_mode                     | core.tape autograd.graph
export export.exported_program                       | ops.dlpack utils.dlpack
ops.return_types return_types                        | ops.sparse_checks sparse
ops.storages storage     | profiler.events autograd.profiler_util | scripting jit._script
serialize.legacy serialization                       | serialize.memory serialization
serialize.settings serialization                     | serialize.unpickle serialization
utils.data.dataset       | utils.data.distributed    | utils.data.loader utils.data.dataloader
utils.data.sampler       | utils.benchmark.compare utils.benchmark.utils.compare
utils.benchmark.measure utils.benchmark.utils.common
utils.benchmark.timer utils.benchmark.utils.timer
"""


def _cells(table: str) -> list[tuple[str, str]]:
    cells = [cell.split(maxsplit=1) for cell in re.split(r"\s\|\s|\|\s|\n", table) if cell.strip()]
    return [(first, rest[0].strip() if rest else first) for first, *rest in cells]


@cache
def _files() -> dict[str, str]:
    return dict(_cells(FILES))


@cache
def _nn_files() -> list[tuple[str, str]]:
    return _cells(NN_FILES)


SHOWN_IN = (
    "torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.optim.lr_scheduler",
    "torch.utils.data", "torch.distributions.transforms",
    "torch.nn.utils.rnn", "torch.nn.utils.spectral_norm", "torch.utils.hooks", "torch.amp",
)  # fmt: skip


def torch_path(thing: Any) -> tuple[str, str]:
    """The module and name under which PyTorch knows a function or class."""
    known = _paths().get(id(thing))
    if known is not None:
        return known
    module, name = thing.__module__, thing.__qualname__
    if module.split(".")[0] != HERE:
        return module, name
    if isinstance(thing, type) and re.fullmatch(rf"{HERE}\.nn\.\w+", module):
        return _torch_file("torch.nn", name), name
    file = _files().get(module.removeprefix(HERE + "."))
    if file is not None and isinstance(thing, type):
        return f"torch.{file}", name
    for shown in SHOWN_IN:
        if getattr(sys.modules.get(HERE + shown.removeprefix("torch")), name, None) is thing:
            return _torch_file(shown, name), name
    return "torch" + module.removeprefix(HERE), name


def knows(thing: Any) -> bool:
    """Whether a function or class is PyTorch's, so that files name it by PyTorch's path."""
    if id(thing) in _paths():
        return True
    module = getattr(thing, "__module__", None) or ""
    if module.split(".")[0] not in (HERE, "torch"):
        return False
    return find_torch(*torch_path(thing), imported=True) is thing


def _torch_file(shown: str, name: str) -> str:
    """Where PyTorch defines what it shows there."""
    if name == "WeightNorm":  # here, in one file with SpectralNorm
        return "torch.nn.utils.weight_norm"
    if shown == "torch.nn" and name not in NN_ELSEWHERE:
        file = next(file for file, pattern in _nn_files() if re.fullmatch(pattern, name))
        return f"torch.nn.modules.{file}"
    if shown == "torch.nn":
        return f"torch.nn.{NN_ELSEWHERE[name]}"
    if shown == "torch.optim" and name not in ("Adafactor", "Muon"):
        return f"torch.optim.{'sparse_adam' if name == 'SparseAdam' else name.lower()}"
    return shown


def find_torch(module: str, name: str, imported: bool = False) -> Any:
    """What PyTorch's module and name mean here, or None. `imported`: without importing anything."""
    known = allowed_globals().get(f"{module}.{name}")
    if known is not None or module.split(".")[0] != "torch":
        return known
    if module == "torch._C._nn":
        module = "torch.nn.functional"
    while module:
        found = _module(HERE + module.removeprefix("torch"), imported)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
        # PyTorch shows nearly everything in the packages above the defining file too.
        module = module.rpartition(".")[0]
    return None


def _module(name: str, imported: bool) -> Any:
    if not imported:
        with suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    parent, _, leaf = name.rpartition(".")  # it may be shown under another name only
    found = sys.modules.get(name, getattr(sys.modules.get(parent), leaf, None))
    return found if isinstance(found, ModuleType) else None


# ----- what a tensor is pickled as -----


def reduce_tensor(tensor: Tensor, protocol: Any = 2) -> tuple[Any, ...]:
    """The function and arguments that PyTorch's files hold for a tensor."""
    if is_sparse(tensor):
        return _rebuild_sparse_tensor, stored(tensor)
    state = {name: value for name, value in vars(tensor).items() if not is_own(name)}
    _warn_of_hooks(tensor)
    if type(tensor) is Parameter:
        arguments = (alias_of(tensor), tensor.requires_grad, OrderedDict())
        if not state:
            return _rebuild_parameter, arguments
        return _rebuild_parameter_with_state, (*arguments, state)
    function, arguments = _plain_reduce(tensor)
    if type(tensor) is Tensor and not state:
        return function, arguments
    return _rebuild_from_type_v2, (function, type(tensor), arguments, state or None)


def _plain_reduce(tensor: Tensor) -> tuple[Any, tuple[Any, ...]]:
    size, stride = (*tensor.shape,), (*tensor.stride(),)  # PyTorch makes fresh ones too
    where, dtype = tensor.device.type, tensor.dtype
    if where == "meta":
        return _rebuild_meta_tensor_no_storage, (dtype, size, stride, tensor.requires_grad)
    if where == "xla":
        arguments = (tensor.cpu(), dtype, str(tensor.device), tensor.requires_grad)
        return _rebuild_device_tensor_from_cpu_tensor, arguments
    bits = (bits_of(tensor),) if bits_of(tensor) else ()
    geometry = (tensor.storage_offset(), size, stride, tensor.requires_grad, OrderedDict())
    if dtype in STORAGE_TYPES:
        return _rebuild_tensor_v2, (TypedStorage(Memory.of(tensor), dtype), *geometry, *bits)
    storage = TypedStorage(Memory.of(tensor), dtypes.uint8, untyped=True)
    return _rebuild_tensor_v3, (storage, *geometry, dtype, *bits)


def _warn_of_hooks(tensor: Tensor) -> None:
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, "
                "you can decorate the function with @torch.utils.hooks.unserializable_hook to "
                "suppress this warning"
            )
