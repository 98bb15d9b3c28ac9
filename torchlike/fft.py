"""torch.fft: its functions, from the op table."""

from .ops import TABLE

__all__ = sorted(name for where, name in TABLE if where == "fft")
globals().update({name: TABLE["fft", name] for name in __all__})
