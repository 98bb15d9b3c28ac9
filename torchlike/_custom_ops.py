"""torch._custom_ops: an older spelling of torch.library."""

from . import library


def impl(qualname, *, device_types=("cpu", "cuda"), func=None):
    """The function of an op for types of devices."""
    if func is None:
        return lambda func: impl(qualname, device_types=device_types, func=func)
    return library.register_kernel(qualname, device_types, func)


def impl_abstract(qualname, *, func=None):
    """What tells the result's shape on the device meta."""
    return library.register_fake(qualname, func)
