"""Moving and casting a module: everything that replaces the values of parameters and buffers."""

import warnings

from .. import _C, ops
from ..core.device import device as Device
from ..core.dtypes import dtype as Dtype
from ..core.parameter import Parameter
from ..core.tape import no_grad
from ..core.tensor import Tensor

_COMPLEX = (
    "Complex modules are a new feature under active development whose design may change, and some "
    "modules might not work as expected when using complex tensors as parameters or buffers. "
    "Please file an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml "
    "if a complex module does not work as expected."
)
_FROM_META = "Cannot copy out of meta tensor; no data!"
_OPTIONS = (
    "bool non_blocking = False, bool copy = False, *, "
    "torch.memory_format memory_format = None"
)
_SIGNATURES = (
    f"torch.device device = None, torch.dtype dtype = None, {_OPTIONS}",
    f"torch.dtype dtype, {_OPTIONS}",
    f"Tensor tensor, {_OPTIONS}",
)


def parse_to(*args, **kwargs):
    """(device, dtype, non_blocking, memory_format) of the arguments of a `to` method."""
    for names, kinds in _FORMS:
        given = _bound(names, kinds, args, kwargs)
        if given is not None:
            break
    else:
        raise TypeError(_no_such_form(args, kwargs))
    if given.get("copy"):
        raise RuntimeError(".to() does not accept copy argument")
    device, dtype = given.get("device"), given.get("dtype")
    if "tensor" in given:
        device, dtype = given["tensor"].device, given["tensor"].dtype
    device = Device(device) if device is not None else None
    return device, dtype, given.get("non_blocking", False), given.get("memory_format")


_C._nn._parse_to = parse_to  # where PyTorch keeps it


def _is(*types, none=False):
    return lambda value: isinstance(value, types) or none and value is None


def _is_format(value):
    return value is None or type(value).__name__ == "memory_format"


_TAIL = {"non_blocking": _is(bool), "copy": _is(bool), "memory_format": _is_format}
_FORMS = [
    (("device", "dtype", "non_blocking", "copy"),
     {"device": _is(Device, str, int, none=True), "dtype": _is(Dtype, none=True)} | _TAIL),
    (("dtype", "non_blocking", "copy"), {"dtype": _is(Dtype)} | _TAIL),
    (("tensor", "non_blocking", "copy"), {"tensor": _is(Tensor)} | _TAIL),
]


def _bound(names, kinds, args, kwargs):
    """The arguments by name if they fit this form; else None."""
    given = dict(zip(names, args))
    if len(args) > len(names) or given.keys() & kwargs.keys():
        return None
    given |= kwargs
    fits = all(name in kinds and kinds[name](value) for name, value in given.items())
    return given if fits and (names[0] == "device" or names[0] in given) else None


def _type_name(value):
    kind = type(value)
    known = {Device: "torch.device", Dtype: "torch.dtype"}
    return known.get(kind) or ("Tensor" if isinstance(value, Tensor) else kind.__name__)


def _no_such_form(args, kwargs):
    got = ", ".join(
        [*map(_type_name, args), *(f"{name}={_type_name(v)}" for name, v in kwargs.items())]
    )
    listed = "".join(f" * ({signature})\n" for signature in _SIGNATURES)
    comma = ", " if kwargs and not args else ""
    return (
        f"to() received an invalid combination of arguments - got ({got}{comma}), "
        f"but expected one of:\n{listed}"
    )


def _applied_parameter(fn, param):
    """The parameter after `fn`: the same object with new data, except from or to meta."""
    with no_grad():
        data = fn(param)
        grad = None if param.grad is None else fn(param.grad)
    if (data.device.type == "meta") != (param.device.type == "meta"):
        old_grad, param = param.grad, Parameter(data, param.requires_grad)
        if grad is not None:
            param.grad = grad.requires_grad_(old_grad.requires_grad)
        return param
    param.data = data
    if grad is not None:
        param.grad.data = grad
    return param


class Convertible:
    """The part of Module that moves and casts."""

    def _apply(self, fn, recurse=True):
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, param in self._parameters.items():
            if param is not None:
                self._parameters[name] = _applied_parameter(fn, param)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """Moves and casts in place: to(device, dtype), to(dtype) or to(tensor)."""
        device, dtype, non_blocking, memory_format = parse_to(*args, **kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                    f"dtype={dtype}"
                )
            if dtype.is_complex:
                warnings.warn(_COMPLEX, stacklevel=2)

        def convert(t):
            target = dtype if t.is_floating_point() or t.is_complex() else None
            options = {}
            if memory_format is not None and t.dim() in (4, 5):
                options["memory_format"] = memory_format
            try:
                return t.to(device, target, non_blocking, **options)
            except NotImplementedError as error:
                if str(error) != _FROM_META:
                    raise
                raise NotImplementedError(
                    f"{error} Please use torch.nn.Module.to_empty() instead of "
                    "torch.nn.Module.to() when moving module from meta to a different device."
                ) from None

        return self._apply(convert)

    def to_empty(self, *, device, recurse=True):
        """Moves to a device without copying the values."""
        return self._apply(lambda t: ops.empty_like(t, device=device), recurse=recurse)

    def type(self, dst_type):
        """Casts all parameters and buffers."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self):
        """Casts floating point parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self):
        """Casts floating point parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self):
        """Casts floating point parameters and buffers to float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self):
        """Casts floating point parameters and buffers to bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def cpu(self):
        """Moves to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device=None):
        """Moves to a GPU."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self, device=None):
        """Not supported: there is no such device here."""
        raise NotImplementedError("Module.xpu is not supported")

    def ipu(self, device=None):
        """Not supported: there is no such device here."""
        raise NotImplementedError("Module.ipu is not supported")

    def mtia(self, device=None):
        """Not supported: there is no such device here."""
        raise NotImplementedError("Module.mtia is not supported")

    def share_memory(self):
        """Parameters, buffers and gradients move to memory that processes share; see
        `Tensor.share_memory_`."""
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.share_memory_()
            if tensor.grad is not None:
                tensor.grad.share_memory_()
        return self
