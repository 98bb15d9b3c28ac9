"""Lists and dicts among the arguments of nodes: not to be changed in place."""


class immutable_list(list):
    """A list among a node's arguments."""

    def _refuse(self, *args, **kwargs):
        raise NotImplementedError(
            f"'{type(self).__name__}' object does not support mutation. If you are attempting to "
            "modify the kwargs or args of a torch.fx.Node object,\ninstead create a new copy of it "
            "and assign the copy to the node:\n    new_args = ... # copy and mutate args\n"
            "    node.args = new_args\n"
        )

    __setitem__ = __delitem__ = append = extend = insert = pop = remove = clear = _refuse
    __iadd__ = __imul__ = reverse = sort = _refuse

    def __hash__(self):
        return hash(tuple(self))

    def __reduce__(self):
        return type(self), (list(self),)


class immutable_dict(dict):
    """A dict among a node's arguments."""

    __setitem__ = __delitem__ = clear = pop = popitem = update = immutable_list._refuse

    def __hash__(self):
        return hash(frozenset(self.items()))

    def __reduce__(self):
        return type(self), (dict(self),)
