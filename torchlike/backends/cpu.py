"""torch.backends.cpu: what the processor can do."""

import functools
from pathlib import Path

# what PyTorch's kernels for a capability need, the most capable first
_NEEDS = {"AVX512": {"avx512f", "avx512vl", "avx512bw", "avx512dq", "fma"}, "AVX2": {"avx2", "fma"}}


@functools.cache
def get_cpu_capability() -> str:
    """AVX512, AVX2 or DEFAULT: the vector instructions of this machine (XLA uses what there is)."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return "DEFAULT"
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    flags = set(line.split())
    return next((name for name, needed in _NEEDS.items() if needed <= flags), "DEFAULT")
