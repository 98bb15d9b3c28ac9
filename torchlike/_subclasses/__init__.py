"""torch._subclasses: fake tensors, which do not exist here (`device="meta"` does)."""

from .fake_tensor import FakeTensor as FakeTensor
from .fake_tensor import FakeTensorMode as FakeTensorMode
