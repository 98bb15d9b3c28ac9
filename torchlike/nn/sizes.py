"""Sizes given as one number or several, their types, and keys of state dictionaries."""

from collections.abc import Iterable

from ..core.tensor import Tensor


def several(n, value):
    """`value` as a tuple: a number n times, a sequence as it is."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


# ----- torch.nn.modules.utils, which many packages import from -----
def _ntuple(n, name="parse"):
    def parse(x):
        return several(n, x)

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t, n):
    return tuple(x for x in reversed(t) for _ in range(n))


def _list_with_default(out_size, defaults):
    if isinstance(out_size, int):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"Input dimension should be at least {len(out_size) + 1}")
    rest = defaults[-len(out_size):]
    return [default if size is None else size for size, default in zip(out_size, rest)]


def consume_prefix_in_state_dict_if_present(state_dict, prefix):
    """Takes a prefix off the keys that have it, in place."""
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key[len(prefix):]] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", {})
    for key in list(metadata):
        if key and (key == prefix.replace(".", "") or key.startswith(prefix)):
            metadata[key[len(prefix):]] = metadata.pop(key)


# ----- torch.nn.common_types -----
_scalar_or_tuple_any_t = int | tuple[int, ...]
_scalar_or_tuple_1_t = int | tuple[int]
_scalar_or_tuple_2_t = int | tuple[int, int]
_scalar_or_tuple_3_t = int | tuple[int, int, int]
_scalar_or_tuple_4_t = int | tuple[int, int, int, int]
_scalar_or_tuple_5_t = int | tuple[int, int, int, int, int]
_scalar_or_tuple_6_t = int | tuple[int, int, int, int, int, int]
_size_any_t, _size_1_t, _size_2_t = (
    _scalar_or_tuple_any_t, _scalar_or_tuple_1_t, _scalar_or_tuple_2_t
)
_size_3_t, _size_4_t, _size_5_t, _size_6_t = (
    _scalar_or_tuple_3_t, _scalar_or_tuple_4_t, _scalar_or_tuple_5_t, _scalar_or_tuple_6_t
)
_size_any_opt_t = int | None | tuple[int | None, ...]
_size_2_opt_t = int | None | tuple[int | None, int | None]
_size_3_opt_t = int | None | tuple[int | None, int | None, int | None]
_ratio_2_t = float | tuple[float, float]
_ratio_3_t = float | tuple[float, float, float]
_ratio_any_t = float | tuple[float, ...]
_tensor_list_t = Tensor | list[Tensor]
_maybe_indices_t = Tensor | tuple[Tensor, Tensor]


class BroadcastingListCls:
    """`BroadcastingList2[int]`: an int or a list of two, for TorchScript's eyes."""

    def __getitem__(self, types):
        return None


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = BroadcastingListCls()


def assert_int_or_pair(arg, arg_name, message) -> None:
    """AssertionError, with the name in the message, unless it is an int or two of them."""
    assert isinstance(arg, int) or len(arg) == 2, message.format(arg_name)
