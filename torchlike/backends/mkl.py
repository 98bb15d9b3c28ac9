"""torch.backends.mkl: not there."""

VERBOSE_OFF, VERBOSE_ON = 0, 1


def is_available() -> bool:
    """Never: products are XLA's and NumPy's."""
    return False


class verbose:
    """A block in which the library reports; AssertionError where it should: it isn't there."""

    _library = "MKL"

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        if self.enable != VERBOSE_OFF:
            raise AssertionError(
                f"Failed to set {self._library} into verbose mode. Please consider to disable this "
                "verbose scope."
            )

    def __exit__(self, *error: object) -> None:
        return None
