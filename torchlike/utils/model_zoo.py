"""torch.utils.model_zoo: the old name of `torch.hub.load_state_dict_from_url`."""


def load_url(*args, **kwargs):
    """`torch.hub.load_state_dict_from_url`."""
    from ..hub import load_state_dict_from_url  # a room further down

    return load_state_dict_from_url(*args, **kwargs)
