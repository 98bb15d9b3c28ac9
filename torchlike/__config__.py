"""torch.__config__: what torchlike is built on, answered truthfully."""

import os
import sys
from importlib.metadata import version

from .backends.cpu import get_cpu_capability
from .misc import get_num_interop_threads, get_num_threads
from .version import RELEASE

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")


def show() -> str:
    """The packages that compute, and what the processor can do."""
    names = ("jax", "jaxlib", "numpy", "ml_dtypes")
    lines = [f"{name} {version(name)}" for name in names]
    lines += [f"Python {sys.version.split()[0]}", f"CPU capability usage: {get_cpu_capability()}"]
    return f"torchlike, PyTorch {RELEASE}'s API, on:\n" + "".join(f"  - {x}\n" for x in lines)


def parallel_info() -> str:
    """The numbers of threads: asked for, and there; XLA sizes its own pools."""
    lines = ["ATen/Parallel:", f"\tat::get_num_threads() : {get_num_threads()}",
             f"\tat::get_num_interop_threads() : {get_num_interop_threads()}",
             f"std::thread::hardware_concurrency() : {os.cpu_count()}",
             "Environment variables:"]  # fmt: skip
    lines += [f"\t{name} : {os.environ.get(name, '[not set]')}" for name in _VARIABLES]
    return "\n".join([*lines, "ATen parallel backend: XLA's and NumPy's threads", ""])


def _cxx_flags() -> str:
    """No flags: there is no C++ to compile."""
    return ""
