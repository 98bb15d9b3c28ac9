"""torch.utils.collect_env: what a bug report needs to tell about the machine, truthfully.

Run `python -m torchlike.utils.collect_env`. The lines are PyTorch's, so that tools read them.
"""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from .. import cuda, version
from ..backends.cpu import get_cpu_capability
from ..core.device import count

__all__ = ["get_env_info", "get_pretty_env_info", "main"]
_PACKAGES = ("torchlike", "jax", "jaxlib", "numpy", "ml-dtypes", "opt-einsum", "optax", "scipy",
             "triton", "torch", "torchvision")  # fmt: skip
_UNKNOWN = "Could not collect"


class SystemEnv(NamedTuple):
    """What is known about the machine; None where nothing is."""

    torch_version: str
    is_debug_build: bool
    cuda_compiled_version: str | None
    os: str
    libc_version: str
    python_version: str
    python_platform: str
    is_cuda_available: bool
    cuda_runtime_version: str | None
    nvidia_gpu_models: str | None
    is_xpu_available: bool
    cpu_info: str
    pip_packages: str


def _os() -> str:
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.release()}"
    return f"{found['PRETTY_NAME']} ({platform.machine()})"


def _cpu() -> str:
    """What the kernel tells of the first processor, and the vector instructions."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or _UNKNOWN
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    number = len(re.findall(r"^processor\s*:", text, re.MULTILINE))
    name = model[1] if model else platform.machine()
    return f"CPU(s): {number}\nModel name: {name}\nCapability: {get_cpu_capability()}"


def _packages() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"[pip3] {name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return "\n".join(found) or "No relevant packages"


def _gpus() -> str | None:
    names = [f"GPU {i}: {cuda.get_device_name(i)}" for i in range(cuda.device_count())]
    return "\n".join(names) or None


def get_env_info() -> SystemEnv:
    """The facts."""
    bits = sys.maxsize.bit_length() + 1
    return SystemEnv(
        torch_version=str(version.__version__), is_debug_build=version.debug,
        cuda_compiled_version=version.cuda, os=_os(), libc_version="-".join(platform.libc_ver()),
        python_version=f"{sys.version} ({bits}-bit runtime)".replace("\n", ""),
        python_platform=platform.platform(), is_cuda_available=cuda.is_available(),
        cuda_runtime_version=None, nvidia_gpu_models=_gpus(),
        is_xpu_available=count("xpu") > 0, cpu_info=_cpu(), pip_packages=_packages(),
    )  # fmt: skip


_TEXT = """\
PyTorch version: {torch_version}
Is debug build: {is_debug_build}
CUDA used to build PyTorch: {cuda_compiled_version}
ROCM used to build PyTorch: N/A

OS: {os}
Libc version: {libc_version}

Python version: {python_version}
Python platform: {python_platform}
Is CUDA available: {is_cuda_available}
CUDA runtime version: {cuda_runtime_version}
GPU models and configuration: {nvidia_gpu_models}
Is XPU available: {is_xpu_available}

CPU:
{cpu_info}

Versions of relevant libraries:
{pip_packages}"""


def get_pretty_env_info() -> str:
    """The facts as a text."""
    facts = get_env_info()._asdict()
    return _TEXT.format(**{k: _UNKNOWN if v is None else v for k, v in facts.items()})


def main() -> None:
    """Prints the text."""
    print("Collecting environment information...")
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
