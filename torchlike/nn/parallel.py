"""Data parallelism, as far as one device goes."""

from ..core.device import count, device
from .module import Module


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
            inputs = tuple(self._moved(one) for one in inputs)
            kwargs = {name: self._moved(one) for name, one in kwargs.items()}
        return self.module(*inputs, **kwargs)

    def _moved(self, value):
        return value.to(self.src_device_obj) if hasattr(value, "to") else value


class DistributedDataParallel(Module):
    """There to be imported and for `isinstance`; no process group is there to make one."""

    def __init__(self, module, *args, **kwargs):
        raise NotImplementedError(
            "DistributedDataParallel is not supported: torch.distributed is not available"
        )
