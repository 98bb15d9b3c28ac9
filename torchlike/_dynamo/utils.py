"""torch._dynamo.utils: what libraries ask before they compile."""


def is_compile_supported(device_type) -> bool:
    """Whether PyTorch's compiler makes kernels for the device: never."""
    return False
