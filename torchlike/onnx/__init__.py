"""torch.onnx: exporting is not supported; questions are answered, and what exporters would use
can be registered."""

import sys
from types import ModuleType

from ..core.refusals import refusing


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: never."""
    return False


is_onnxrt_backend_supported = is_in_onnx_export


def export(*args, **kwargs):
    """Not supported."""
    raise NotImplementedError("torch.onnx.export is not supported: see torchlike.export")


_SYMBOLIC = {}  # what export would look in


def register_custom_op_symbolic(symbolic_name, symbolic_fn, opset_version, custom_opsets=None):
    """Keeps how an op is to be exported."""
    _SYMBOLIC[symbolic_name, opset_version] = symbolic_fn


def unregister_custom_op_symbolic(symbolic_name, opset_version):
    """Takes it back."""
    _SYMBOLIC.pop((symbolic_name, opset_version), None)


def _refused(path, name):
    if name.startswith("__"):
        raise AttributeError(f"module '{path}' has no attribute '{name}'")
    return refusing(name, f"torch.onnx.{path.rpartition('.')[2]}.{name} is not supported")


def _symbolic(name: str) -> ModuleType:
    """A module of functions that write pieces of a graph: each refuses when it is called."""
    path = f"{__name__}.{name}"
    made = sys.modules[path] = ModuleType(path)
    made.__file__ = __file__
    made.__getattr__ = lambda name: _refused(path, name)  # type: ignore[method-assign]
    return made


def _parse_args(*arg_descriptors):
    """Marks what the arguments of a symbolic function are: the function stays as it is."""
    return lambda fn: fn


symbolic_helper = _symbolic("symbolic_helper")
symbolic_helper.parse_args = symbolic_helper.quantized_args = _parse_args  # type: ignore
for _opset in range(7, 24):
    globals()[f"symbolic_opset{_opset}"] = _symbolic(f"symbolic_opset{_opset}")
__all__ = [
    "export", "is_in_onnx_export", "register_custom_op_symbolic", "unregister_custom_op_symbolic",
]  # fmt: skip
