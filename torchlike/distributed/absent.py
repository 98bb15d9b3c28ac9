"""The modules below torch.distributed that libraries import from: their names, to be imported.

Names with a capital are classes, that `isinstance` may ask for; the others are functions.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MODULES = """
_composable
_composable.fsdp          CPUOffloadPolicy FSDPModule MixedPrecisionPolicy OffloadPolicy fully_shard
_tensor                   DTensor Partial Placement Replicate Shard distribute_tensor
_tensor.experimental      context_parallel implicit_replication local_map
algorithms                Join JoinHook Joinable
checkpoint                FileSystemReader FileSystemWriter StorageReader StorageWriter load save
constants                 default_pg_timeout
device_mesh               DeviceMesh init_device_mesh
distributed_c10d          ProcessGroup ReduceOp Work
fsdp                      BackwardPrefetch CPUOffload CPUOffloadPolicy FSDPModule
fsdp                      FullStateDictConfig
fsdp                      FullOptimStateDictConfig FullyShardedDataParallel MixedPrecision
fsdp                      MixedPrecisionPolicy OffloadPolicy ShardingStrategy StateDictType
fsdp                      fully_shard register_fsdp_forward_method
optim                     DistributedOptimizer PostLocalSGDOptimizer ZeroRedundancyOptimizer
rpc                       RRef TensorPipeRpcBackendOptions WorkerInfo init_rpc remote rpc_async
rpc                       rpc_sync shutdown
tensor.experimental       context_parallel implicit_replication local_map
"""


def _module(name: str) -> ModuleType:
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None, is_package=True)
    made.__path__ = []
    made.__file__ = __file__
    parent, _, leaf = name.rpartition(".")
    setattr(sys.modules[parent], leaf, made)
    return made


def make(package: str, absent: Any, refused: Any) -> None:
    """Puts the modules under `package`; a name that it or its `tensor` has is that one.

    Other classes are made by `absent(name, (), {})`, other functions by `refused(name)`.
    """
    importlib.import_module(f"{package}.tensor")
    sys.modules[f"{package}.tensor"].__path__ = []  # a file here, a package in PyTorch
    known = vars(sys.modules[package]) | vars(sys.modules[f"{package}.tensor"])
    for row in _MODULES.strip().splitlines():
        path, *names = row.split()
        full = f"{package}.{path}"
        if full not in sys.modules:
            sys.modules[full] = _module(full)
        for name in names:
            made = known.get(name)
            if made is None:
                made = absent(name, (), {}) if name[0].isupper() else refused(name)
            known[name] = made
            setattr(sys.modules[full], name, made)
