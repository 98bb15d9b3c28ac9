"""torch.ao.quantization: the stubs of float models. Observing and converting is not supported."""

from ..core.refusals import refusing
from ..nn import Module


class QuantStub(Module):
    """Where an input would be quantized: the input itself."""

    def __init__(self, qconfig=None):
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x):
        return x


class DeQuantStub(QuantStub):
    """Where a quantized result would become float: the result itself."""


class QuantWrapper(Module):
    """A module between the two stubs."""

    def __init__(self, module):
        super().__init__()
        self.add_module("quant", QuantStub(getattr(module, "qconfig", None)))
        self.add_module("dequant", DeQuantStub(getattr(module, "qconfig", None)))
        self.add_module("module", module)
        self.train(module.training)

    def forward(self, X):
        return self.dequant(self.module(self.quant(X)))


_FUNCTIONS = """
convert fuse_modules fuse_modules_qat get_default_qat_qconfig get_default_qconfig
get_default_qat_qconfig_mapping get_default_qconfig_mapping prepare prepare_qat propagate_qconfig_
quantize quantize_dynamic quantize_qat disable_observer enable_observer disable_fake_quant
enable_fake_quant QConfig QConfigMapping
""".split()
for _name in _FUNCTIONS:
    globals()[_name] = refusing(_name, f"torch.ao.quantization.{_name} is not supported")
__all__ = ["DeQuantStub", "QuantStub", "QuantWrapper", *_FUNCTIONS]
