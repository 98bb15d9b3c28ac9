"""torch.onnx: exporting is not supported; questions are answered."""


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: never."""
    return False


is_onnxrt_backend_supported = is_in_onnx_export


def export(*args, **kwargs):
    """Not supported."""
    raise NotImplementedError("torch.onnx.export is not supported: see torchlike.export")


__all__ = ["export", "is_in_onnx_export"]
