"""torch.ao: of quantization, what models hold while they compute in float."""

from . import quantization as quantization
