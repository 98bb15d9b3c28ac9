"""torch.distributed: not available, and says so. Its names are there to be imported.

`is_available()` is False; classes can be named in annotations and `isinstance`, but not made, and
what would communicate raises NotImplementedError.
"""

from datetime import timedelta
from typing import Any

from ..core.refusals import refusing

default_pg_timeout = timedelta(seconds=1800)


def is_available() -> bool:
    """Whether there is a distributed package: not yet."""
    return False


def is_initialized() -> bool:
    """Whether a process group has been made: never."""
    return False


def is_backend_available(backend: str) -> bool:
    """Whether a backend can be used: never."""
    return False


def _never() -> bool:
    """Whether a backend can be used: never."""
    return False


is_gloo_available = is_mpi_available = is_nccl_available = is_ucc_available = _never
is_xccl_available = is_torchelastic_launched = _never


class _Absent(type):
    """Classes of a package that is not there: importable, never made."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"torch.distributed.{cls.__name__} is not supported")


class ReduceOp(metaclass=_Absent):
    """The reductions' names, for default arguments."""

    SUM, AVG, PRODUCT, MIN, MAX = "SUM", "AVG", "PRODUCT", "MIN", "MAX"
    BAND, BOR, BXOR = "BAND", "BOR", "BXOR"


reduce_op = ReduceOp


class group(metaclass=_Absent):
    """The groups' names: there is no default one."""

    WORLD = None


class GroupMember(metaclass=_Absent):
    """The groups' names: there is no default one."""

    WORLD = None
    NON_GROUP_MEMBER = -100


_CLASSES = """
Backend BackendConfig DeviceMesh DistBackendError DistError DistNetworkError DistStoreError
FileStore GradBucket HashStore P2POp PrefixStore ProcessGroup ProcessGroupGloo Store TCPStore Work
""".split()
_FUNCTIONS = """
all_gather all_gather_coalesced all_gather_into_tensor all_gather_object all_reduce
all_reduce_coalesced all_to_all all_to_all_single barrier batch_isend_irecv broadcast
broadcast_object_list destroy_process_group gather gather_object get_backend get_backend_config
get_debug_level get_default_backend_for_device get_global_rank get_group_rank get_node_local_rank
get_process_group_ranks get_rank get_world_size init_device_mesh init_process_group irecv isend
monitored_barrier new_group new_subgroups new_subgroups_by_enumeration recv recv_object_list reduce
reduce_scatter reduce_scatter_tensor scatter scatter_object_list send send_object_list
set_debug_level split_group
""".split()


def _refused(name: str) -> Any:
    return refusing(name, f"torch.distributed.{name} is not supported")


for _name in _CLASSES:
    globals()[_name] = _Absent(_name, (), {"__doc__": "Not supported: a name only."})
for _name in _FUNCTIONS:
    globals()[_name] = _refused(_name)
__all__ = [
    "GroupMember", "ReduceOp", "group", "is_available", "is_backend_available",
    "is_initialized", "is_torchelastic_launched", "reduce_op", *_CLASSES, *_FUNCTIONS,
]  # fmt: skip

from . import absent as _absent  # noqa: E402 (its modules show the names above)

_absent.make(__name__, _Absent, _refused)
