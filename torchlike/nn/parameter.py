"""Parameters and buffers, and the ones whose shape is not known yet."""

import sys

from .. import ops
from ..core.parameter import Parameter, alias_of
from ..core.storage import Aval
from ..core.tensor import Tensor

_NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens "
    "in `load_state_dict` when trying to load an uninitialized parameter into an initialized one. "
    "Call `forward` to initialize the parameters before accessing their attributes."
)
_NO_SHARING = (
    "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the "
    "parameters before calling `module.share_memory()`."
)


class _BufferMeta(type(Tensor)):
    # a Buffer is a tensor with a mark, not an instance of its own class
    def __instancecheck__(cls, instance):
        if cls is Buffer:
            return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)
        return super().__instancecheck__(instance)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that becomes a buffer when it is assigned to an attribute of a module."""

    def __new__(cls, data=None, *, persistent=True):
        data = ops.empty(0) if data is None else data
        tensor = data.detach().requires_grad_(data.requires_grad)
        tensor.persistent = persistent
        tensor._is_buffer = True
        return tensor


class UninitializedTensorMixin:
    """A tensor that has a dtype and a device, but no shape until `materialize`."""

    def materialize(self, shape, device=None, dtype=None):
        """Becomes an ordinary parameter or buffer of this shape, with unspecified values."""
        device = self.device if device is None else device
        dtype = self.dtype if dtype is None else dtype
        Tensor.data.fset(self, ops.empty(shape, device=device, dtype=dtype))
        self.__class__ = self.cls_to_become

    @property
    def shape(self):
        """Not known yet: raises."""
        raise RuntimeError(_NO_SHAPE)

    @property
    def data(self):
        """An empty tensor of its dtype and device."""
        return ops.empty(0, device=self.device, dtype=self.dtype)

    @data.setter
    def data(self, new):
        Tensor.data.fset(self, new)
        _without_shape(self)

    def share_memory_(self):
        """Nothing to share yet: raises."""
        raise RuntimeError(_NO_SHARING)

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, proto):
        return type(self), (self.requires_grad,)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return memo[id(self)]


_CONVERTED = "half float double char short int long cuda cpu to".split()
_TAKEN = frozenset("""
size copy_ is_complex is_floating_point get_device
untyped_storage storage_offset stride backward register_hook retain_grad
register_post_accumulate_grad_hook data_ptr
""".split())
_OPERATORS = "add radd sub rsub mul rmul truediv rtruediv matmul neg getitem setitem len".split()


def _unusable(function, kind="UninitializedParameter"):
    return ValueError(
        f"Attempted to use an uninitialized parameter in {function}. This error happens when you "
        f"are using a `LazyModule` or explicitly manipulating `torch.nn.parameter.{kind}` objects. "
        "When using LazyModules Call `forward` with a dummy batch to initialize the parameters "
        "before calling torch functions"
    )


def _refused(name):
    def method(self, *args, **kwargs):
        raise _unusable(getattr(Tensor, name), type(self).__name__)

    method.__name__ = name
    return method


def _converted(name):
    def method(self, *args, **kwargs):
        like = getattr(self.data, name)(*args, **kwargs)
        return type(self)(self.requires_grad, like.device, like.dtype)

    method.__name__ = name
    return method


class _NoShape(Aval):
    """A dtype and a device only: an op that wants to know more raises, so no op takes it."""

    __slots__ = ()

    def __init__(self, aval: Aval) -> None:
        self.dtype, self.device, self.np = aval.dtype, aval.device, aval.np

    @property
    def _raised(self):
        frame = sys._getframe(1)
        inside = __name__.partition(".")[0]
        while frame.f_back and frame.f_back.f_globals.get("__name__", "").startswith(inside):
            frame = frame.f_back
        raise _unusable(f"<function {frame.f_code.co_name}>")

    shape = ndim = size = struct = _raised


def _without_shape(tensor):
    tensor._aval = _NoShape(tensor._aval)
    return tensor


for _name, _method in vars(Tensor).items():
    operator = _name.strip("_") in _OPERATORS and _name.endswith("__")
    if operator or callable(_method) and _name[0] != "_" and _name not in _TAKEN:
        if _name not in vars(UninitializedTensorMixin):
            made = (_converted if _name in _CONVERTED else _refused)(_name)
            setattr(UninitializedTensorMixin, _name, made)


def is_lazy(param):
    """Whether the parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape follows from the first input."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        data = ops.empty(0, device=device, dtype=dtype)
        return _without_shape(Tensor.requires_grad_(alias_of(data, cls), requires_grad))


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape follows from the first input."""

    cls_to_become = Tensor

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        data = ops.empty(0, device=device, dtype=dtype)
        buffer = Tensor.requires_grad_(alias_of(data, cls), requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return _without_shape(buffer)


def fresh(shape, device, dtype, wanted=True):
    """A new parameter with unspecified values; None where it is not wanted."""
    return Parameter(ops.empty(shape, device=device, dtype=dtype)) if wanted else None
