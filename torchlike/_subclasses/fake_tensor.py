"""Names of fake tensors: nothing is one."""

from ..core.tensor import Tensor


class FakeTensor(Tensor):
    """A tensor without data of a real device: none is ever made."""

    def __new__(cls, *args, **kwargs):
        raise NotImplementedError("torch._subclasses.FakeTensor is not supported: use meta tensors")


class FakeTensorMode:
    """Not supported: use `torch.device("meta")`."""

    def __init__(self, *args, **kwargs) -> None:
        raise NotImplementedError(
            "torch._subclasses.FakeTensorMode is not supported: use meta tensors"
        )


def is_fake(x) -> bool:
    """Whether a value is a fake tensor: never."""
    return False
