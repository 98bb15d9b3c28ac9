"""Borrowing an optimizer for other parameters and state, for the length of a `with` block."""

from collections import defaultdict
from contextlib import contextmanager

from ..core.tensor import Tensor

NAME = "swap_in_optimizer_params_and_state"
STYLE = f"{NAME} requires optimizer.state_dict()-style"


def _checked_state(state):
    if not isinstance(state, dict):
        raise RuntimeError(
            f"{NAME} requires swapin_optim_state['state'] to be a dict mapping packed parameter "
            f"ids to per-param state dicts, got {type(state).__name__}."
        )
    if any(isinstance(key, Tensor) for key in state):
        raise RuntimeError(f"{STYLE} state keyed by packed parameter ids.")
    if any(isinstance(key, int) and not isinstance(held, dict) for key, held in state.items()):
        raise RuntimeError(
            f"{NAME} requires per-parameter optimizer state entries to be dictionaries."
        )
    return state


def _checked_groups(optimizer, groups):
    if not isinstance(groups, list):
        raise RuntimeError(
            f"{NAME} requires swapin_optim_state['param_groups'] to be a list of param-group "
            f"dicts, got {type(groups).__name__}."
        )
    if len(optimizer.param_groups) != len(groups):
        raise RuntimeError(
            "swapin_optim_state has a different number of parameter groups than the live optimizer."
        )
    for i, (live, new) in enumerate(zip(optimizer.param_groups, groups)):
        _check_group(i, live, new)
    return groups


def _check_group(i, live, new):
    if not isinstance(new, dict):
        raise RuntimeError(f"{NAME} requires each optimizer param group to be a dictionary.")
    ids = new.get("params")
    if not isinstance(ids, list) or not all(isinstance(number, int) for number in ids):
        raise RuntimeError(
            f"{STYLE} param_groups[*]['params'] entries keyed by packed parameter ids."
        )
    if len(live["params"]) != len(ids):
        raise RuntimeError(
            f"swapin_optim_state param group {i} has a different number of params than the live "
            "optimizer param group."
        )
    only_new, only_live = [k for k in new if k not in live], [k for k in live if k not in new]
    if only_new or only_live:
        raise RuntimeError(
            f"{STYLE} param group keys to exactly match the live optimizer group keys for group "
            f"{i}. Keys only in swap-in: {only_new}. Keys only in live: {only_live}."
        )


def _check_ids(state, groups, parameters):
    ids = [number for group in groups for number in group["params"]]
    if len(ids) > len(parameters):
        raise RuntimeError(
            f"{NAME} requires the explicit parameter state to match optimizer.param_groups "
            "ordering."
        )
    extra = [key for key in state if key not in ids]
    if extra:
        raise RuntimeError(
            f"{NAME} requires swapin_optim_state['state'] to be keyed only by packed parameter ids "
            f"from param_groups[*]['params']; got extra keys {extra!r}."
        )


@contextmanager
def swap_in_optimizer_params_and_state(optimizer, swapin_parameters, swapin_optim_state):
    """Inside, the optimizer works on these parameters with this state; afterwards as before."""
    if not optimizer.state:
        raise RuntimeError(f"{NAME} requires initialized optimizer state.")
    if not isinstance(swapin_optim_state, dict):
        raise RuntimeError(f"{NAME} requires a DCP-style optimizer state_dict.")
    state = _checked_state(swapin_optim_state.get("state"))
    groups = _checked_groups(optimizer, swapin_optim_state.get("param_groups"))
    parameters = list(swapin_parameters.values())
    _check_ids(state, groups, parameters)
    old_state, old_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        optimizer.state = _swap(optimizer.param_groups, groups, iter(parameters), state)
        yield
    finally:
        for group, old in zip(optimizer.param_groups, old_groups):
            group.clear()
            group.update(old)
        optimizer.state = old_state


def _swap(live_groups, groups, parameters, state):
    """Put options and parameters into the live groups; the state those parameters have."""
    swapped = defaultdict(dict)
    for live, new in zip(live_groups, groups):
        chosen = [next(parameters) for _ in new["params"]]
        live.update({**new, "params": chosen})
        for param, number in zip(chosen, new["params"]):
            swapped[param] = dict(state.get(number, {}))
    return swapped
