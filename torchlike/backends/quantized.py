"""torch.backends.quantized: there are no kernels for quantized tensors."""

from types import ModuleType

from ._switches import Setting, become

_ENGINES = {"fbgemm": "FBGEMM", "qnnpack": "QNNPACK", "onednn": "ONEDNN", "x86": "X86"}


def _choose(engine: str | None) -> None:
    if engine in ("none", "", None):
        return
    if engine not in _ENGINES:
        raise RuntimeError(f"{engine} is not a valid value for quantized engine")
    raise RuntimeError(f"quantized engine {_ENGINES[engine]} is not supported")


class QuantizedEngine(ModuleType):
    """The module, with its settings as attributes."""

    engine = Setting(lambda: "none", _choose, freezes=False)
    supported_engines = Setting(lambda: ["none"])


become(__name__, QuantizedEngine)
