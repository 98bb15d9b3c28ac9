"""torch.utils.hooks: handles of hooks."""

import warnings

from ..core.hooks import RemovableHandle as RemovableHandle
from ..core.hooks import unserializable_hook as unserializable_hook


def warn_if_has_hooks(tensor) -> None:
    """Warns of each hook that will be lost when the tensor is saved."""
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, "
                "you can decorate the function with @torch.utils.hooks.unserializable_hook to "
                "suppress this warning",
                stacklevel=2,
            )
