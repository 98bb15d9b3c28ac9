"""torch.distributed.tensor: names only; nothing is a DTensor."""

from . import DeviceMesh as DeviceMesh
from . import _Absent, _refused
from . import init_device_mesh as init_device_mesh

_CLASSES = ("DTensor", "Partial", "Placement", "Replicate", "Shard")
_FUNCTIONS = ("distribute_module", "distribute_tensor")
for _name in _CLASSES:
    globals()[_name] = _Absent(_name, (), {"__doc__": "Not supported: a name only."})
for _name in _FUNCTIONS:
    globals()[_name] = _refused(_name)
__all__ = ["DeviceMesh", "init_device_mesh", *_CLASSES, *_FUNCTIONS]
