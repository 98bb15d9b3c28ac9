"""torch.backends.cudnn.rnn: the precision that cuDNN's recurrent layers were asked for."""

from types import ModuleType

from .._switches import become, of_precision


class CudnnRNNModule(ModuleType):
    """The module, with its setting as attribute."""

    fp32_precision = of_precision("cuda", "rnn")


become(__name__, CudnnRNNModule)
