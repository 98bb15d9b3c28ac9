"""torch.utils.model_zoo: the old name of `torch.hub.load_state_dict_from_url`."""


try:
    from tqdm.auto import tqdm as tqdm
except ImportError:

    class tqdm:  # type: ignore[no-redef]
        """What stands for tqdm where it is not installed: it counts and shows nothing."""

        def __init__(self, iterable=None, total=None, disable=None, **kwargs):
            self.iterable, self.total, self.disable, self.n = iterable, total, disable, 0

        def __iter__(self):
            for item in self.iterable:
                yield item
                self.n += 1

        def update(self, n=1):
            """Counts."""
            self.n += n

        def set_description(self, *args, **kwargs):
            """Shows nothing."""

        def close(self):
            """There is nothing to close."""

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.close()


def load_url(*args, **kwargs):
    """`torch.hub.load_state_dict_from_url`."""
    from ..hub import load_state_dict_from_url  # a room further down

    return load_state_dict_from_url(*args, **kwargs)
