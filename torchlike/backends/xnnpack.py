"""torch.backends.xnnpack: not there."""

from types import ModuleType

from ._switches import Setting, become


class XNNPACKEngine(ModuleType):
    """The module, with its setting as attribute."""

    enabled = Setting(lambda: False)


become(__name__, XNNPACKEngine)
