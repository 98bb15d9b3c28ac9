"""torch.PyTorchFileReader: the records of a saved file, by name."""

from __future__ import annotations

from typing import BinaryIO

from .archive import Reader


class PyTorchFileReader:
    """A file that torch.save wrote, by its path or open for reading."""

    def __init__(self, source: str | BinaryIO) -> None:
        self._file = open(source, "rb") if isinstance(source, str) else source
        self._reader = Reader(self._file)

    def get_record(self, name: str) -> bytes:
        """A record's bytes; RuntimeError for a name that isn't there."""
        return self._reader.read(name).tobytes()

    def has_record(self, name: str) -> bool:
        """Whether there is a record of this name."""
        return name in self._reader

    def get_all_records(self) -> list[str]:
        """All names, in the order of the file."""
        return [name.partition("/")[2] for name in self._reader.records]

    def get_record_offset(self, name: str) -> int:
        """Where a record's bytes begin."""
        return self._reader.offset(name)
