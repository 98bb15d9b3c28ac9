"""torch.save and torch.load: PyTorch's files, written and read without PyTorch.

Differences: a path is replaced only by a finished file, so a failing save leaves the old one; and
records' checksums are verified. With weights_only=True nothing from the file is ever called.
"""

from __future__ import annotations

import contextlib
import io
import mmap as memory_map
import os
import pickle
import re
import sys
import warnings
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.device import META, device
from ..core.tensor import Tensor, from_host
from . import legacy, unpickle
from .archive import VERSION, Reader, Writer
from .memory import Memory, TypedStorage
from .persistent import check_one_dtype, parse_id, swapped
from .pickler import make_pickler
from .places import location_tag, restorer
from .rebuild import LOCATION, find_torch
from .settings import SKIP_DATA, LoadEndianness, config

DEFAULT_PROTOCOL = 2
ZIP_MARK = b"PK\3\4"
UNSAFE = (
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` "
    "from `False` to `True`. Re-running `torch.load` with `weights_only` set to `False` will "
    "likely succeed, but it can result in arbitrary code execution. Do it only if you got the "
    "file from a trusted source."
)
SEE_DOCS = (
    "\n\nCheck the documentation of torch.load to learn more about types accepted by default with "
    "weights_only https://pytorch.org/docs/stable/generated/torch.load.html."
)


# ----- saving -----


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object to a path or file object, in the format PyTorch reads and writes."""
    path = os.fspath(f) if isinstance(f, (str, os.PathLike)) else None
    if path is None and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )
    if not _use_new_zipfile_serialization:
        if SKIP_DATA.on:
            raise RuntimeError(
                "Cannot use skip_data=True with _use_new_zipfile_serialization=False"
            )
        with _open_to_write(f, path) as file:
            legacy.save(obj, file, pickle_module, pickle_protocol)
        return
    root = "archive" if path is None else _root_of(path)
    if path is None and not callable(f.write):
        kind = str(type(f)).strip("<>")
        raise TypeError(f"Buffer of {kind} has no callable attribute 'write'")
    storages: dict[str, Memory] = {}
    data = _pickled(obj, storages, pickle_module, pickle_protocol)
    with _open_to_write(f, path) as file:
        writer = Writer(file, root, config.save.compute_crc32, config.save.storage_alignment)
        writer.record("data.pkl", data)
        writer.record(".format_version", b"1")
        writer.record(".storage_alignment", str(config.save.storage_alignment).encode())
        if not _disable_byteorder_record:
            writer.record("byteorder", sys.byteorder.encode())
        for key, memory in storages.items():
            if SKIP_DATA.on:
                writer.blank(f"data/{key}", memory.nbytes())
            else:
                writer.record(f"data/{key}", memory.read())
        writer.record("version", b"%d\n" % VERSION)
        if _disable_byteorder_record:  # PyTorch writes it nevertheless, later
            writer.record("byteorder", sys.byteorder.encode())
        writer.close()


def _root_of(path: str) -> str:
    """The archive's top folder: the file's name without its last suffix."""
    name = os.path.basename(path)
    root = name.rpartition(".")[0] if "." in name else name
    if not path.isascii():
        return "archive"
    if not root:
        raise RuntimeError(f"invalid file name: {path}")
    return root


def _pickled(obj: Any, storages: dict[str, Memory], pickle_module: Any, protocol: int) -> bytes:
    """The pickle of an object; its storages are put aside under their keys."""
    keys: dict[int, str] = {}
    seen: dict[int, Any] = {}

    def persistent_id(storage: TypedStorage) -> tuple[Any, ...]:
        check_one_dtype(seen, storage)
        key = keys.setdefault(storage.memory.data_ptr(), str(len(keys)))
        storages[key] = storage.memory
        return "storage", storage.kind, key, location_tag(storage.memory), storage.size()

    buffer = io.BytesIO()
    make_pickler(pickle_module, buffer, protocol, persistent_id).dump(obj)
    return buffer.getvalue()


@contextlib.contextmanager
def _open_to_write(f: Any, path: str | None):
    """The file to write to: the caller's own, or a fresh one that replaces `path` at the end."""
    if path is None:
        yield f
        f.flush()
        return
    target = os.path.realpath(path)
    parent = os.path.dirname(path)
    if parent and not os.path.isdir(parent):
        raise RuntimeError(f"Parent directory {parent} does not exist.")
    if os.path.exists(target) and not os.path.isfile(target):
        with _opened(target) as file:  # a device or a pipe: there is nothing to replace
            yield file
        return
    with _replacement(target) as file:
        yield file


def _opened(path: str) -> Any:
    try:
        return open(path, "wb")
    except OSError as error:
        raise RuntimeError(
            "[enforce fail at inline_container.cc:747] . open file failed with strerror: "
            f"{error.strerror}"
        ) from None


@contextlib.contextmanager
def _replacement(target: str):
    temporary = f"{target}.{os.urandom(6).hex()}.tmp"
    try:
        file = open(temporary, "xb")
    except OSError:  # a folder without write permission may hold a file that has it
        with _opened(target) as file:
            yield file
        return
    try:
        with file:
            if os.path.exists(target):
                os.chmod(temporary, os.stat(target).st_mode & 0o7777)
            yield file
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


# ----- loading -----


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what torch.save wrote, here or in PyTorch."""
    weights_only = _decide(weights_only, pickle_module)
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if pickle_load_args and weights_only:
        warnings.warn("pickle_load_args only works if `weights_only=False`.")
    pickle_load_args.setdefault("encoding", "utf-8")
    mmap = config.load.mmap if mmap is None else mmap
    is_path = isinstance(f, (str, os.PathLike))
    if is_path and os.fspath(f).endswith(".safetensors"):
        return _load_safetensors(os.fspath(f), map_location)
    unpickler = unpickle.Unpickler if weights_only else _full_unpickler(pickle_module or pickle)
    with open(f, "rb") if is_path else contextlib.nullcontext(f) as file:
        _check_seekable(file)
        with _explained() if weights_only else contextlib.nullcontext():
            if not _is_zip(file):
                _check_legacy(f, file, mmap, weights_only)
                return legacy.load(file, restorer(map_location), unpickler, pickle_load_args)
            archive = Reader(file)
            _check_zip(archive, weights_only)
            mapped = _map(f, is_path) if mmap else None
            return _load_zip(archive, mapped, map_location, unpickler, pickle_load_args)


def _decide(weights_only: bool | None, pickle_module: Any) -> bool:
    """weights_only after PyTorch's two environment variables had their say."""
    names = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    yes = ("1", "y", "yes", "true")
    force, force_not = (os.environ.get(name, "0").lower() in yes for name in names)
    if force and force_not:
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` "
            "should be set, but both were set."
        )
    if force:
        return True
    if weights_only is not None:
        return weights_only
    if force_not:
        warnings.warn(
            "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the"
            "`weights_only` argument was not explicitly passed to `torch.load`, forcing "
            "weights_only=False."
        )
        return False
    return pickle_module is None


@contextlib.contextmanager
def _explained():
    """Tell with the unpickler's complaint what the user can do about it."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(_explanation(str(error))) from None


def _explanation(message: str) -> str:
    if re.search(r"GLOBAL (\S+) was not an allowed global by default.", message):
        return (
            "Weights only load failed. This file can still be loaded, to do so you have two "
            "options, \033[1mdo those steps only if you trust the source of the checkpoint"
            f"\033[0m. \n\t(1) {UNSAFE}\n\t(2) Alternatively, to load with `weights_only=True` "
            "please check the recommended steps in the following error message.\n\t"
            f"WeightsUnpickler error: {message}{SEE_DOCS}"
        )
    text = f"Weights only load failed. {UNSAFE}\n"
    if not re.search(r"whose module (\S+) is blocked", message):
        text += (
            "Please file an issue with the following so that we can make `weights_only=True` "
            "compatible with your use case: WeightsUnpickler error: "
        )
    return f"{text}\n\n{message}{SEE_DOCS}"


def _check_seekable(file: Any) -> None:
    try:
        file.seek(file.tell())
    except (io.UnsupportedOperation, AttributeError) as error:
        if "seek" not in str(error) and "tell" not in str(error):
            raise
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the "
            "data into a buffer like io.BytesIO and try to load from it instead."
        ) from None


def _is_zip(file: Any) -> bool:
    start = file.tell()
    mark = file.read(len(ZIP_MARK))
    file.seek(start)
    return mark == ZIP_MARK


def _check_zip(archive: Reader, weights_only: bool) -> None:
    if "constants.pkl" not in archive:
        return
    warnings.warn(
        "'torch.load' received a zip file that looks like a TorchScript archive dispatching to "
        "'torch.jit.load' (call 'torch.jit.load' directly to silence this warning)"
    )
    if weights_only:
        raise RuntimeError(
            "Cannot use ``weights_only=True`` with TorchScript archives passed to ``torch.load``. "
            + UNSAFE
        )
    raise NotImplementedError("torch.load: TorchScript archives are not supported")


def _check_legacy(f: Any, file: Any, mmap: bool, weights_only: bool) -> None:
    if mmap:
        name = f"{f}, " if isinstance(f, str) else ""
        raise RuntimeError(
            "mmap can only be used with files saved with "
            f"`torch.save({name}_use_new_zipfile_serialization=True), please torch.save your "
            "checkpoint with this option in order to use mmap."
        )
    start = file.tell()
    is_tar = file.read(265)[257:262] in (b"ustar", "ustar")
    file.seek(start)
    if is_tar and weights_only:
        raise RuntimeError(
            "Cannot use ``weights_only=True`` with files saved in the legacy .tar format. " + UNSAFE
        )
    if is_tar:
        raise NotImplementedError("torch.load: the legacy .tar format is not supported")


def _map(f: Any, is_path: bool) -> memory_map.mmap:
    """The whole file as memory; writes stay private unless MAP_SHARED was asked for."""
    if not is_path:
        raise ValueError("f must be a file path in order to use the mmap argument")
    shared = config.load.mmap_flags == memory_map.MAP_SHARED
    with open(f, "r+b" if shared else "rb") as file:
        access = memory_map.ACCESS_WRITE if shared else memory_map.ACCESS_COPY
        return memory_map.mmap(file.fileno(), 0, access=access)


def _full_unpickler(pickle_module: Any) -> Any:
    """pickle_module's Unpickler, but `torch.…` in a file means torchlike."""

    class Unpickler(pickle_module.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            found = find_torch(module, name)
            return super().find_class(module, name) if found is None else found

    return Unpickler


def _load_zip(
    archive: Reader, mapped: Any, map_location: Any, unpickler: Any, arguments: dict[str, Any]
) -> Any:
    restore = restorer(map_location)
    on_meta = is_meta(map_location)
    order = _byte_order(archive)
    storages: dict[Any, TypedStorage] = {}

    def read(name: str, count: int) -> np.ndarray:
        if on_meta:
            return np.broadcast_to(np.uint8(0), count)  # takes no memory
        if SKIP_DATA.on or not count:
            return np.zeros(count, np.uint8)
        if mapped is not None:
            return np.frombuffer(mapped, np.uint8, count, archive.offset(name))
        return archive.read(name)

    def persistent_load(saved_id: Any) -> TypedStorage:
        kind, key, location, count = parse_id(saved_id, 4)
        if key not in storages:
            name, size = f"data/{key}", count * kind.dtype.itemsize
            _check_size(archive.size(name), size)
            memory = Memory(swapped(read(name, size), kind.dtype, order))
            place = memory.to(META) if on_meta else restore(memory, location)
            storages[key] = TypedStorage(place, kind.dtype)
        return storages[key]

    reader = unpickler(io.BytesIO(archive.read("data.pkl").tobytes()), **arguments)
    reader.persistent_load = persistent_load
    LOCATION.map_location = map_location
    try:
        return reader.load()
    finally:
        LOCATION.map_location = None


def _check_size(found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(
            f"record size ({found} bytes) does not match expected size ({expected} bytes = "
            f"{expected} elements * 1 bytes/element) for dtype Byte"
        )


def _byte_order(archive: Reader) -> str:
    if "byteorder" in archive:
        order = archive.read("byteorder").tobytes().decode("latin1")
        if order not in ("little", "big"):
            raise ValueError(f"Unknown endianness type: {order}")
        return order
    if config.load.endianness is LoadEndianness.NATIVE:
        return sys.byteorder
    return "big" if config.load.endianness is LoadEndianness.BIG else "little"


def is_meta(map_location: Any) -> bool:
    """Whether all storages go to the meta device, so that none need be read."""
    return map_location == "meta" or (isinstance(map_location, device) and map_location is META)


def _load_safetensors(path: str, map_location: Any) -> dict[str, Tensor]:
    """A .safetensors file, as PyTorch's load takes it too."""
    if isinstance(map_location, dict) or callable(map_location):
        kind = "dict" if isinstance(map_location, dict) else "callable"
        raise RuntimeError(
            f"Loading safetensors file with {kind} map_location is not supported. Use a device "
            "string or torch.device instead."
        )
    try:
        import safetensors
    except ImportError as error:
        raise RuntimeError(
            "Attempting to load a safetensors file but safetensors is not installed. Please "
            "install safetensors with: pip install safetensors"
        ) from error
    with open(path, "rb") as file:
        entries = safetensors.deserialize(file.read())
    place = "cpu" if map_location is None else map_location
    return {name: from_host(_safetensor(**entry), place) for name, entry in entries}


def _safetensor(dtype: str, shape: list[int], data: Any) -> np.ndarray:
    names = {"F": "float", "I": "int", "U": "uint", "C": "complex", "BF": "bfloat"}
    special = {"BOOL": "bool", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
    letters = dtype.rstrip("0123456789")
    name = special.get(dtype) or names[letters] + dtype[len(letters) :]
    kind = dtypes.to_numpy(dtypes.PUBLIC[name])
    return np.frombuffer(bytearray(data), np.uint8).view(kind).reshape(shape)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a file that weights_only=True would refuse."""
    with open(f, "rb") if isinstance(f, (str, os.PathLike)) else contextlib.nullcontext(f) as file:
        if not _is_zip(file):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        archive = Reader(file)
        if "constants.pkl" in archive:
            raise ValueError(
                "Expected input to be a checkpoint returned by torch.save but got a torchscript "
                "checkpoint"
            )
        data = io.BytesIO(archive.read("data.pkl").tobytes())
    return unpickle.unsafe_globals(data)
