"""PyTorch's zip archives: records stored uncompressed, aligned, under one root folder.

The writer lays bytes out as PyTorch does (equal files but for the serialization id). The reader
trusts nothing: every offset and size is checked against the file, and checksums are verified
(PyTorch does not; a checksum of 0 means "none", as set_crc32_options(False) writes it).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Any, BinaryIO, NamedTuple

import numpy as np

LOCAL = struct.Struct("<4s5H3L2H")
ENTRY = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
LIMIT32, UTF8, SIZES_FOLLOW, ENCRYPTED = 0xFFFFFFFF, 0x0800, 0x0008, 0x0001
STORED, DEFLATED = 0, 8
VERSION, OLDEST, NEWEST = 3, 1, 10
CHUNK = 1 << 24
# Compressed records may unpack to this many bytes, or this many times the file's, not to more.
FREE_BYTES, MOST_RATIO = 1 << 28, 100

CORRUPTED = (
    ". This is an internal miniz error. If you are seeing this error, there is a high likelihood "
    "that your checkpoint file is corrupted. This can happen if the checkpoint was not saved "
    "properly, was transferred incorrectly, or the file was modified after saving."
)


def corrupted(what: str) -> RuntimeError:
    return RuntimeError(f"PytorchStreamReader failed {what}{CORRUPTED}")


# ----- writing -----


def _extra64(*numbers: int) -> bytes:
    """The zip64 field for those numbers that do not fit in 32 bits; empty if all do."""
    large = [n for n in numbers if n >= LIMIT32]
    return struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""


class Writer:
    """Writes records to anything with `write`; `close` adds the directory."""

    def __init__(self, file: Any, root: str, checksums: bool = True, alignment: int = 64) -> None:
        self.file, self.root, self.checksums, self.alignment = file, root, checksums, alignment
        self.position = 0
        self.entries: list[bytes] = []
        self.identity = hashlib.sha256()

    def record(self, name: str, data: Any) -> None:
        """Write one record: any bytes-like object."""
        data = memoryview(data).cast("B")
        checksum = zlib.crc32(data) if self.checksums else 0
        self._frame(name, data.nbytes, checksum, lambda: self._write(data))

    def blank(self, name: str, size: int) -> None:
        """Leave room for a record of `size` bytes that somebody else will fill in."""
        zeros = memoryview(bytes(min(size, CHUNK)))

        def fill() -> None:
            for start in range(0, size, CHUNK):
                self._write(zeros[: size - start])

        self._frame(name, size, 0, fill)

    def close(self) -> None:
        """Write the hash that tells files apart, and the directory."""
        number = int(self.identity.hexdigest(), 16) % 10**40
        self.record(".data/serialization_id", b"%040d" % number)
        start, directory, count = self.position, b"".join(self.entries), len(self.entries)
        self._write(directory)
        at = self.position
        made_by = 0x031E, 45  # zip 4.5: the first with 64-bit numbers
        ends = (count, count, len(directory), start)
        self._write(END64.pack(b"PK\6\6", 44, *made_by, 0, 0, *ends))
        self._write(LOCATOR64.pack(b"PK\6\7", 0, at, 1))
        short = min(count, 0xFFFF), min(len(directory), LIMIT32), min(start, LIMIT32)
        self._write(END.pack(b"PK\5\6", 0, 0, short[0], *short, 0))

    def _frame(self, name: str, size: int, checksum: int, fill: Any) -> None:
        path = f"{self.root}/{name}".encode()
        self.identity.update(path + struct.pack("<QL", size, checksum))
        flags = UTF8 | SIZES_FOLLOW if size else UTF8
        start = self.position
        extra = _extra64(size, size, start)
        extra += self._padding(LOCAL.size + len(path) + len(extra))
        none = (0, 0, 0)
        lengths = len(path), len(extra)
        self._write(LOCAL.pack(b"PK\3\4", 0, flags, STORED, 0, 0, *none, *lengths) + path)
        self._write(extra)
        if size:
            fill()
            wide = "Q" if size >= LIMIT32 or start >= LIMIT32 else "L"
            self._write(struct.pack(f"<4sL2{wide}", b"PK\7\x08", checksum, size, size))
        extra = _extra64(size, size, start)
        short, place = min(size, LIMIT32), min(start, LIMIT32)
        numbers = checksum, short, short, len(path), len(extra), 0, 0, 0, 0, place
        entry = ENTRY.pack(b"PK\1\2", 0, 0, flags, STORED, 0, 0, *numbers)
        self.entries.append(entry + path + extra)

    def _padding(self, header: int) -> bytes:
        """A field (PyTorch's, named FB) that makes the data begin at a multiple of alignment."""
        count = -(self.position + header + 4) % self.alignment
        return struct.pack("<2sH", b"FB", count) + b"Z" * count

    def _write(self, data: Any) -> None:
        self.file.write(data)
        self.position += len(data)


# ----- reading -----


class Record(NamedTuple):
    """Where one record lies, as the directory tells it."""

    name: str
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    header: int


class Reader:
    """The records of an archive that begins at the file's position."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.start = file, file.tell()
        file.seek(0, 2)
        self.length = file.tell() - self.start
        self.records = self._directory()
        if not self.records:
            raise corrupted("reading zip archive: not a ZIP archive")
        first = next(iter(self.records))
        self.root, slash, _ = first.partition("/")
        if not slash:
            raise RuntimeError(f"file in archive is not in a subdirectory: {first}")
        self._check_sizes()
        self._check_version()

    def __contains__(self, name: str) -> bool:
        return f"{self.root}/{name}" in self.records

    def size(self, name: str) -> int:
        """How many bytes a record holds."""
        return self._find(name).size

    def offset(self, name: str) -> int:
        """Where an uncompressed record's bytes begin, counted from the archive's beginning."""
        record = self._find(name)
        if record.method != STORED:
            raise RuntimeError(f"record {name} is compressed: it can not be mapped into memory")
        return self._data_offset(record)

    def read(self, name: str) -> np.ndarray:
        """A record's bytes, in memory of their own."""
        record = self._find(name)
        raw = self._bytes(self._data_offset(record), record.packed)
        data = raw if record.method == STORED else _inflate(record, raw)
        if record.checksum and zlib.crc32(data) != record.checksum:
            raise corrupted(f"reading file {name}: invalid checksum")
        return data

    def _check_sizes(self) -> None:
        """Overlapping or endlessly compressed records make a small file read as a big one."""
        records = self.records.values()
        if sum(record.packed for record in records) > self.length:
            raise corrupted("reading zip archive: records overlap")
        unpacked = sum(record.size for record in records if record.method != STORED)
        if unpacked > max(FREE_BYTES, MOST_RATIO * self.length):
            raise RuntimeError(
                f"records would unpack to {unpacked} bytes from a file of {self.length}: refused "
                "as a decompression bomb"
            )

    def _check_version(self) -> None:
        if "version" not in self:
            raise RuntimeError(
                'Expected hasRecord("version") to be true, but got false.  (Could this error '
                "message be improved?  If so, please report an enhancement request to PyTorch.)"
            )
        text = self.read("version").tobytes()[:20].decode("latin1").strip()
        if not text.isdecimal():
            raise RuntimeError(f"Couldn't parse the version {text} as Long Long.")
        if not OLDEST <= int(text) <= NEWEST:
            bound = f"minimum supported version for reading is {OLDEST}."
            if int(text) > NEWEST:
                bound = f"maximum supported version for reading is {NEWEST}."
            raise RuntimeError(
                f"Attempted to read a PyTorch file with version {text}, but the {bound}"
            )

    def _find(self, name: str) -> Record:
        record = self.records.get(f"{self.root}/{name}")
        if record is None:
            raise corrupted(f"locating file {name}: file not found")
        if record.flags & ENCRYPTED or record.method not in (STORED, DEFLATED):
            raise corrupted(f"retrieving file meta-data for {name}: unsupported method")
        if record.method == STORED and record.packed != record.size:
            raise corrupted(f"retrieving file meta-data for {name}: sizes differ")
        return record

    def _data_offset(self, record: Record) -> int:
        head = self._bytes(record.header, LOCAL.size)
        fields = LOCAL.unpack(head)
        if fields[0] != b"PK\3\4":
            raise corrupted(f"reading file {record.name}: invalid header")
        return record.header + LOCAL.size + fields[-2] + fields[-1]

    def _bytes(self, offset: int, count: int) -> np.ndarray:
        if offset < 0 or offset + count > self.length:
            raise corrupted("reading zip archive: file read failed")
        return read_bytes(self.file, self.start + offset, count)

    def _directory(self) -> dict[str, Record]:
        count, length, offset = self._end()
        # The smallest entry is a fixed part and one letter: a lying count can not cost time.
        if offset + length > self.length or count * (ENTRY.size + 1) > length:
            raise corrupted("reading zip archive: invalid header or archive is corrupted")
        data, at, found = self._bytes(offset, length).tobytes(), 0, {}
        for _ in range(count):
            record, at = _entry(data, at)
            found[record.name] = record
        return found

    def _end(self) -> tuple[int, int, int]:
        """Number of entries, length and offset of the directory."""
        reach = min(self.length, END.size + 0xFFFF)
        tail = self._bytes(self.length - reach, reach).tobytes()
        at = tail.rfind(b"PK\5\6")
        if at < 0 or at + END.size > len(tail):
            short = self.length < END.size
            reason = "not a ZIP archive" if short else "failed finding central directory"
            raise corrupted(f"reading zip archive: {reason}")
        place = self.length - reach + at - LOCATOR64.size
        if place >= 0:
            mark, _, wide, _ = LOCATOR64.unpack(self._bytes(place, LOCATOR64.size))
            if mark == b"PK\6\7":
                fields = END64.unpack(self._bytes(wide, END64.size))
                if fields[0] == b"PK\6\6":
                    return fields[-3:]
        return END.unpack_from(tail, at)[4:7]


def read_bytes(file: BinaryIO, offset: int, count: int) -> np.ndarray:
    """`count` bytes of a file, in a writable array; RuntimeError if it is shorter."""
    file.seek(offset)
    data = np.empty(count, np.uint8)
    if hasattr(file, "readinto"):
        view, done = memoryview(data), 0
        while done < count and (got := file.readinto(view[done:])):
            done += got
    else:
        chunk = np.frombuffer(file.read(count), np.uint8)
        done = chunk.size
        data[:done] = chunk
    if done < count:
        raise corrupted("reading zip archive: file read failed")
    return data


def _entry(data: bytes, at: int) -> tuple[Record, int]:
    """The directory entry at a place, and the place after it."""
    if at + ENTRY.size > len(data):
        raise corrupted("reading zip archive: invalid header or archive is corrupted")
    fields = ENTRY.unpack_from(data, at)
    mark, _, _, flags, method, _, _, checksum, packed, size, *rest = fields
    name_length, extra_length, comment_length, _, _, _, header = rest
    path = at + ENTRY.size
    extra = path + name_length
    end = extra + extra_length + comment_length
    if mark != b"PK\1\2" or end > len(data):
        raise corrupted("reading zip archive: invalid header or archive is corrupted")
    size, packed, header = _wide(data[extra : extra + extra_length], size, packed, header)
    try:
        name = data[path:extra].decode("utf-8")
    except UnicodeDecodeError:
        raise corrupted("reading zip archive: a record's name is not UTF-8") from None
    return Record(name, flags, method, checksum, packed, size, header), end


def _wide(extra: bytes, *numbers: int) -> list[int]:
    """Numbers that were too big for their fields, from the zip64 field."""
    wide: list[int] = []
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            body = extra[4 : 4 + length]
            wide = list(struct.unpack_from(f"<{len(body) // 8}Q", body))
        extra = extra[4 + length :]
    return [wide.pop(0) if n == LIMIT32 and wide else n for n in numbers]


def _inflate(record: Record, raw: np.ndarray) -> np.ndarray:
    """Unpack a compressed record (PyTorch writes none, other zip programs do)."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(raw, record.size + 1)
    except zlib.error as error:
        raise corrupted(f"reading file {record.name}: {error}") from None
    if len(data) != record.size:
        raise corrupted(f"reading file {record.name}: unexpected decompressed size")
    return np.frombuffer(bytearray(data), np.uint8)
