"""Data parallelism, as far as one device goes."""

from ...core.device import count, device
from ..module import Module


class DataParallel(Module):
    """Calls its module; more than one device is not supported."""

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module, self.device_ids = module, []
        if not count("cuda"):
            return
        ids = range(count("cuda")) if device_ids is None else device_ids
        self.device_ids = [device("cuda", i).index if isinstance(i, int) else device(i).index or 0
                           for i in ids]
        if len(self.device_ids) > 1:
            raise NotImplementedError(
                f"DataParallel: device_ids={self.device_ids} is not supported, only one device is"
            )
        self.dim = dim
        self.output_device = self.device_ids[0] if output_device is None else output_device
        self.src_device_obj = device("cuda", self.device_ids[0])
        self.module.to(self.src_device_obj)

    def forward(self, *inputs, **kwargs):
        if self.device_ids:
            inputs, kwargs = (_moved(given, self.src_device_obj) for given in (inputs, kwargs))
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """There to be imported and for `isinstance`; no process group is there to make one."""

    def __init__(self, module, *args, **kwargs):
        raise NotImplementedError(
            "DistributedDataParallel is not supported: torch.distributed is not available"
        )


# ----- PyTorch's pieces, for one device or none -----
def _only(function, devices):
    if len(devices) > 1:
        raise NotImplementedError(f"{function}: {len(devices)} devices are not supported, one is")
    return devices[0]


def scatter(inputs, target_gpus, dim=0):
    """What each device gets: all of it, for the one device."""
    return (_moved(inputs, device(_only("scatter", target_gpus))),)


def gather(outputs, target_device, dim=0):
    """The one device's result, on the target."""
    return _moved(_only("gather", outputs), device(target_device))


def _moved(value, to):
    if hasattr(value, "to"):
        return value.to(to)
    if isinstance(value, dict):
        return type(value)((key, _moved(one, to)) for key, one in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_moved(one, to) for one in value))
    if isinstance(value, list | tuple):
        return type(value)(_moved(one, to) for one in value)
    return value


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """DataParallel(module)'s result, once."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return DataParallel(module, device_ids, output_device, dim)(*inputs, **(module_kwargs or {}))
