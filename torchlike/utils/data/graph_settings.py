"""torch.utils.data.graph_settings: what a DataLoader tells the pipes of its dataset."""

import warnings

from ...core.rng import Generator
from .datapipes.datapipe import IterDataPipe, MapDataPipe
from .sampler import random_seed

_PIPES = IterDataPipe, MapDataPipe


def get_all_graph_pipes(graph) -> list:
    """The pipe and those it reads from, each once."""
    found: dict[int, object] = {}
    waiting = [graph]
    while waiting:
        x = waiting.pop()
        if id(x) in found:
            continue
        if isinstance(x, _PIPES):
            found[id(x)] = x
            waiting += reversed(list(vars(x).values()))
        elif isinstance(x, (list, tuple)):
            waiting += reversed(x)
        elif isinstance(x, dict):
            waiting += reversed(list(x.values()))
    return list(found.values())


def apply_shuffle_settings(datapipe, shuffle: bool | None = None):
    """Turns the pipe's shufflers on or off; adds one where there is none to be turned on."""
    if shuffle is None:
        return datapipe
    all_pipes = get_all_graph_pipes(datapipe)
    shufflers = [pipe for pipe in all_pipes if hasattr(type(pipe), "set_shuffle")]
    if not shufflers and shuffle:
        warnings.warn(
            "`shuffle=True` was set, but the datapipe does not contain a `Shuffler`. Adding one "
            "at the end. Be aware that the default buffer size might not be sufficient for your "
            "task.",
            stacklevel=5,
        )
        datapipe = datapipe.shuffle()
        shufflers = [datapipe]
    for shuffler in shufflers:
        shuffler.set_shuffle(shuffle)
    return datapipe


def apply_random_seed(datapipe, rng: Generator):
    """A seed from `rng` for each pipe that takes one."""
    for pipe in get_all_graph_pipes(datapipe):
        if hasattr(type(pipe), "set_seed"):
            pipe.set_seed(random_seed(rng))
    return datapipe


def apply_sharding(datapipe, num_of_instances: int, instance_id: int, *group):
    """Says to the pipes that divide their items which part is theirs; one a branch."""
    for pipe in get_all_graph_pipes(datapipe):
        if hasattr(type(pipe), "apply_sharding"):
            pipe.apply_sharding(num_of_instances, instance_id, *group)
    return datapipe


def seed_pipes(dataset, generator: Generator | None) -> int | None:
    """Draws the seed that all workers share, and seeds the pipes from it; None without pipes."""
    if not isinstance(dataset, IterDataPipe):
        return None
    seed = random_seed(generator)
    reseed(dataset, seed)
    return seed


def reseed(dataset, seed: int | None) -> None:
    """The pipes' seeds from the shared one."""
    if seed is not None:
        apply_random_seed(dataset, Generator().manual_seed(seed))
