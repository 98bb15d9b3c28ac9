"""torch.utils.cpp_extension: there is no C++ of PyTorch to build against, so all of it refuses.

Its constants say that nothing was found, so that packages which ask first go on without.
"""

import os
import shutil
import sys

from ..core.refusals import refusing

CUDA_HOME = ROCM_HOME = SYCL_HOME = HIP_HOME = ROCM_VERSION = None
CUDNN_HOME = os.environ.get("CUDNN_HOME") or os.environ.get("CUDNN_PATH")
IS_HIP_EXTENSION = False
IS_WINDOWS, IS_MACOS = sys.platform == "win32", sys.platform.startswith("darwin")
IS_LINUX = sys.platform.startswith("linux")
COMMON_NVCC_FLAGS: list[str] = []
_WHY = "torchlike has no C++ to build against"


def get_cxx_compiler() -> str:
    """The compiler that the environment names."""
    return os.environ.get("CXX", "cl" if IS_WINDOWS else "c++")


def is_ninja_available() -> bool:
    """Whether the program ninja is there."""
    return shutil.which("ninja") is not None


def verify_ninja_availability() -> None:
    """RuntimeError unless the program ninja is there."""
    if not is_ninja_available():
        raise RuntimeError("Ninja is required to load C++ extensions (pip install ninja to get it)")


class BuildExtension:
    """Refuses: a setup.py that names it can be read, but builds nothing."""

    def __init__(self, *args, **kwargs) -> None:
        raise NotImplementedError(f"torch.utils.cpp_extension.BuildExtension: {_WHY}")

    @classmethod
    def with_options(cls, **options):
        """The class; it refuses whatever the options."""
        return cls


_REFUSED = (
    "CUDAExtension", "CppExtension", "SyclExtension", "check_compiler_is_gcc",
    "check_compiler_ok_for_platform", "get_compiler_abi_compatibility_and_version",
    "get_default_build_root", "include_paths", "library_paths", "load", "load_inline",
    "remove_extension_h_precompiler_headers",
)  # fmt: skip
for _name in _REFUSED:
    globals()[_name] = refusing(_name, f"torch.utils.cpp_extension.{_name}: {_WHY}")

__all__ = ["BuildExtension", "get_cxx_compiler", "is_ninja_available", "verify_ninja_availability",
           *_REFUSED]  # fmt: skip
