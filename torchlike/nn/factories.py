"""factory_kwargs: the arguments that a layer's tensors are made with."""

_KNOWN = ("device", "dtype", "memory_format")


def factory_kwargs(kwargs):
    """device, dtype and memory_format among `kwargs`, beside those in its `factory_kwargs`."""
    if kwargs is None:
        return {}
    own = {key: value for key, value in kwargs.items() if key in _KNOWN}
    rest = kwargs.keys() - {*_KNOWN, "factory_kwargs"}
    if rest:
        raise TypeError(f"unexpected kwargs {rest}")
    given = dict(kwargs.get("factory_kwargs", {}))
    for key in own:
        if key in given:
            raise TypeError(f"{key} specified twice, in **kwargs and in factory_kwargs")
    return given | own
