"""What PyTorch writes into plain pickles: a storage as the bytes of a file of its own."""

import io

from .files import load


def _load_from_bytes(b):
    """The storage in a file's bytes; only plain pickle, which runs anything, asks for this."""
    return load(io.BytesIO(b), weights_only=False)
