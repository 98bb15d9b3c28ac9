"""ModuleTracker: the modules that are running, by name."""

import weakref

from ..nn.hooks import register_module_forward_hook, register_module_forward_pre_hook


class ModuleTracker:
    """Inside its `with` block `parents` names the modules whose forward runs, and "Global".

    The backward pass is not followed: there `parents` is {"Global"}.
    """

    def __init__(self) -> None:
        self.parents = {"Global"}
        self._names: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self._handles: list = []

    def _name(self, module) -> str:
        """The class of the outermost module, and the path from there."""
        if module not in self._names:
            self._names[module] = type(module).__name__
        for path, child in module.named_children():
            if child not in self._names:
                self._names[child] = f"{self._names[module]}.{path}"
        return self._names[module]

    def _enter(self, module, args) -> None:
        self.parents.add(self._name(module))

    def _leave(self, module, args, output) -> None:
        self.parents.discard(self._name(module))

    def __enter__(self) -> "ModuleTracker":
        self._handles = [register_module_forward_pre_hook(self._enter),
                         register_module_forward_hook(self._leave)]  # fmt: skip
        return self

    def __exit__(self, *error) -> None:
        for handle in self._handles:
            handle.remove()


__all__ = ["ModuleTracker"]
