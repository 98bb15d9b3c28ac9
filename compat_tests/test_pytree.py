"""torch.utils._pytree and torch.utils.hooks, as in PyTorch."""

import copy
import importlib
from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

Point = namedtuple("Point", "x y")


@pytest.fixture
def tree(torch):
    return importlib.import_module(f"{torch.__name__}.utils._pytree")


TREES = {
    "leaf": 1,
    "none": None,
    "empty": [],
    "nested": {"b": [1, (2, None)], "a": OrderedDict(x=1), "c": deque([1], 3)},
    "default": defaultdict(list, q=1),
    "named": [Point(1, [2]), (3,)],
    "text": "ab",
}


@pytest.mark.parametrize("name", TREES)
def test_flatten(tree, golden, name):
    leaves, spec = tree.tree_flatten(TREES[name])
    golden([leaves, repr(spec), spec.num_leaves, spec.num_nodes, spec.num_children])
    rebuilt = tree.tree_unflatten(leaves, spec)
    assert rebuilt == TREES[name] and type(rebuilt) is type(TREES[name])
    assert tree.tree_structure(rebuilt) == spec and hash(tree.tree_structure(rebuilt)) == hash(spec)
    golden([[tree.keystr(path), leaf] for path, leaf in tree.tree_leaves_with_path(TREES[name])])
    assert all(
        tree.key_get(TREES[name], path) is leaf
        for path, leaf in tree.tree_leaves_with_path(TREES[name])
    )


MAPS = {
    "two": lambda t: t.tree_map(lambda a, b: (a, b), [1, 2], [1, [3]]),
    "dicts": lambda t: t.tree_map(lambda a, b: (a, b), {"a": 1, "b": 2}, OrderedDict(b=3, a=4)),
    "is_leaf": lambda t: t.tree_map(repr, [1, [2]], is_leaf=lambda x: x == [2]),
    "only a type": lambda t: t.tree_map_only(int, lambda x: x + 1, [1, "a", 2.0]),
    "only types": lambda t: t.tree_map_only((int, float), lambda x: x + 1, [1, "a", 2.0]),
    "only where": lambda t: t.tree_map_only(lambda x: x == 1, lambda x: x + 1, [1, "a", 2.0]),
    "with path": lambda t: t.tree_map_with_path(lambda p, x: t.keystr(p) + str(x), {"a": [1, 2]}),
    "in place": lambda t: t.tree_map_(lambda x: 0, [1]),
    "all": lambda t: [t.tree_all(bool, [1, 0]), t.tree_any(bool, [1, 0])],
    "all of a type": lambda t: t.tree_all_only(int, lambda x: x > 0, [1, "a"]),
    "broadcast": lambda t: t._broadcast_to_and_flatten((0, [1]), t.tree_structure(([1, 2], [3]))),
    "broadcast not": lambda t: t._broadcast_to_and_flatten((0,), t.tree_structure(([1, 2], [3]))),
    "length": lambda t: t.tree_map(lambda a, b: 0, [1, 2], [1]),
    "kind": lambda t: t.tree_map(lambda a, b: 0, [1, 2], (1, 2)),
    "keys": lambda t: t.tree_map(lambda a, b: 0, {"a": 1}, {"b": 2}),
    "no filter": lambda t: t.tree_map_only(3, lambda x: x, [1]),
    "few leaves": lambda t: t.tree_unflatten([1], t.tree_structure([1, [2]])),
    "no spec": lambda t: t.tree_unflatten([1], 3),
    "prefix": lambda t: t.tree_structure([1, 2]).flatten_up_to([[1], (2,)]),
}


@pytest.mark.parametrize("name", MAPS)
def test_map(tree, golden, name):
    try:
        golden(MAPS[name](tree))
    except Exception as error:
        if isinstance(error, AssertionError):
            raise
        golden(error)


def test_register(tree, golden):
    class Pair:
        def __init__(self, one, other):
            self.one, self.other = one, other

    def flatten(pair):
        return [pair.one, pair.other], "context"

    tree.register_pytree_node(Pair, flatten, lambda parts, context: Pair(*parts))
    doubled = tree.tree_map(lambda x: 2 * x, {"a": Pair(1, [2])})
    assert doubled["a"].one == 2 and doubled["a"].other == [4]
    golden(repr(tree.tree_structure(doubled)))
    with pytest.raises(ValueError, match="already registered as pytree node"):
        tree.register_pytree_node(Pair, flatten, None)
    with pytest.raises(ValueError, match="Did not find a flatten_with_keys_fn for type"):
        tree.tree_leaves_with_path(Pair(1, 2))


def test_removable_handle(torch):
    kind = torch.utils.hooks.RemovableHandle
    hooks, extra = OrderedDict(), OrderedDict()
    handle = kind(hooks, extra_dict=extra)
    hooks[handle.id], extra[handle.id] = "hook", "flag"
    other = kind(hooks, extra_dict=[extra])
    assert other.id == handle.id + 1 == kind.next_id - 1
    with other:
        hooks[other.id] = "another"
    assert list(hooks) == [handle.id]
    copied = copy.copy(handle)
    copied.remove()
    assert copied.id == handle.id and not hooks and not extra
    handle.remove()
    del hooks
    handle.remove()
    assert handle.__getstate__()[0] is None
