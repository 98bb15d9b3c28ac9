"""Pipes of files."""

import fnmatch
import os

from ._decorator import functional_datapipe
from .datapipe import IterDataPipe


class _OfLength(IterDataPipe):
    length = -1

    def __len__(self) -> int:
        if self.length == -1:
            raise TypeError(f"{type(self).__name__} instance doesn't have valid length")
        return self.length


@functional_datapipe("list_files")
class FileLister(_OfLength):
    """The paths of files in directories, in order, that match one of the masks."""

    def __init__(
        self, root=".", masks="", *, recursive=False, abspath=False, non_deterministic=False,
        length=-1,
    ) -> None:  # fmt: skip
        self.datapipe = [root] if isinstance(root, str) else root
        self.masks, self.recursive, self.abspath = masks, recursive, abspath
        self.non_deterministic, self.length = non_deterministic, length

    def _matches(self, name: str) -> bool:
        masks = [self.masks] if isinstance(self.masks, str) else self.masks
        return not self.masks or any(fnmatch.fnmatch(name, mask) for mask in masks)

    def __iter__(self):
        for root in self.datapipe:
            yield from self._below(root)

    def _below(self, root: str):
        if os.path.isfile(root):
            path = os.path.abspath(root) if self.abspath else root
            if self._matches(os.path.basename(path)):
                yield path
            return
        for place, folders, files in os.walk(root):
            folders.sort() if not self.non_deterministic else None
            place = os.path.abspath(place) if self.abspath else place
            for name in files if self.non_deterministic else sorted(files):
                if self._matches(name):
                    yield os.path.join(place, name)
            if not self.recursive:
                return


@functional_datapipe("open_files")
class FileOpener(_OfLength):
    """Pairs of a path and its opened file."""

    def __init__(self, datapipe, mode="r", encoding=None, length=-1) -> None:
        if mode not in ("b", "t", "rb", "rt", "r"):
            raise ValueError(f"Invalid mode {mode}")
        if "b" in mode and encoding is not None:
            raise ValueError("binary mode doesn't take an encoding argument")
        self.datapipe, self.mode, self.encoding, self.length = datapipe, mode, encoding, length

    def __iter__(self):
        mode = "r" + self.mode.removeprefix("r")
        for path in self.datapipe:
            if not isinstance(path, str):
                raise TypeError(f"Expected string type for pathname, but got {type(path)}")
            yield path, open(path, mode, encoding=self.encoding)


@functional_datapipe("read_from_stream")
class StreamReader(IterDataPipe):
    """Pairs of a path and a piece of its file, `chunk` long; the file is closed at its end."""

    def __init__(self, datapipe, chunk=None) -> None:
        self.datapipe, self.chunk = datapipe, chunk

    def __iter__(self):
        for path, stream in self.datapipe:
            while piece := stream.read(self.chunk):
                yield path, piece
            stream.close()
