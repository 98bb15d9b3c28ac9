"""How tensors and their memory are pickled for another process."""

from multiprocessing.reduction import DupFd, ForkingPickler

from ..core.parameter import Parameter
from ..core.tensor import Tensor
from ..ops.memory import TypedStorage, UntypedStorage
from ..ops.shape import whole
from ..ops.sharing import from_segment, segment_of

_NOT_A_LEAF = (
    "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not "
    "support crossing process boundaries.  If you just want to transfer the data, call detach() on "
    "the tensor before serializing (e.g., putting it on the queue)."
)


def reduce_tensor(tensor):
    """The memory, which moves to where processes share it, and how the tensor looks at it."""
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(_NOT_A_LEAF)
    if tensor.is_conj() or tensor.is_neg():
        raise NotImplementedError(
            "torch.multiprocessing: conjugate or negative views can't be sent: resolve_conj() and "
            "resolve_neg() make tensors of their own"
        )
    segment, base = segment_of(tensor), whole(tensor.detach())
    memory = base._aval.np, tuple(base.shape), tuple(base.geometry().stride)
    at = tensor.geometry()
    looks = tuple(at.shape), tuple(at.stride), at.offset
    kind = "Parameter" if isinstance(tensor, Parameter) else "Tensor"
    return _rebuild, (DupFd(segment.fd), segment.nbytes, memory, looks, kind, tensor.requires_grad)


def _rebuild(fd, nbytes, memory, looks, kind, requires_grad):
    base = from_segment(fd.detach(), nbytes, *memory)
    shape, stride, offset = looks
    if (shape, stride, offset) != (*memory[1:], 0):
        base = base.as_strided(shape, stride, offset).detach()
    if kind == "Parameter":
        return Parameter(base, requires_grad)
    base.requires_grad = requires_grad
    return base


def reduce_storage(storage):
    """A storage, by the memory behind it."""
    return _rebuild_storage, (type(storage), storage._base)


def _rebuild_storage(cls, base):
    return cls(base)


def init_reductions() -> None:
    """Processes and queues send tensors in this way from now on."""
    for cls in (Tensor, Parameter):
        ForkingPickler.register(cls, reduce_tensor)
    for cls in (UntypedStorage, TypedStorage):
        ForkingPickler.register(cls, reduce_storage)
