"""torch.nn.quantized: arithmetic as modules, in float."""

from .. import ops
from .functional import relu
from .layers import Identity
from .module import Module


class FloatFunctional(Module):
    """Operations that an observer may watch: each result passes `activation_post_process`."""

    def __init__(self):
        super().__init__()
        self.activation_post_process = Identity()

    def forward(self, x):
        raise RuntimeError(
            "FloatFunctional is not intended to use the forward method: call the operation, as "
            "in .add(x, y)"
        )

    def _seen(self, result):
        return self.activation_post_process(result)

    def add(self, x, y):
        """x + y."""
        return self._seen(ops.add(x, y))

    def add_scalar(self, x, y):
        """x + a number, which is not watched."""
        return ops.add(x, y)

    def mul(self, x, y):
        """x * y."""
        return self._seen(ops.mul(x, y))

    def mul_scalar(self, x, y):
        """x * a number, which is not watched."""
        return ops.mul(x, y)

    def cat(self, x, dim=0):
        """The tensors of a list, joined."""
        return self._seen(ops.cat(x, dim=dim))

    def add_relu(self, x, y):
        """relu(x + y)."""
        return self._seen(relu(ops.add(x, y)))

    def matmul(self, x, y):
        """x @ y."""
        return self._seen(ops.matmul(x, y))
