"""torch.load on files that mean harm or were damaged: refused, and nothing is run."""

from __future__ import annotations

import io
import pickle
import re
import struct
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_tests.forged import (
    CODES,
    HARDENED,
    REFUSED,
    Call,
    Name,
    Stored,
    forged,
    saved,
    tensor_call,
    zipped,
)


@pytest.fixture
def quiet_place(tmp_path, monkeypatch):
    """Where nothing may appear."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", REFUSED)
def test_refused(torch, golden, quiet_place, name):
    golden.error(torch.load, io.BytesIO(zipped(forged(REFUSED[name]))))


@pytest.mark.parametrize("name", CODES)
def test_refused_codes(torch, golden, quiet_place, name):
    golden.error(torch.load, io.BytesIO(zipped(CODES[name])))


@pytest.mark.parametrize("name", HARDENED)
def test_hardened(name, quiet_place):
    torch = pytest.importorskip("torchlike")
    with pytest.raises((pickle.UnpicklingError, RuntimeError, TypeError)):
        torch.load(io.BytesIO(zipped(forged(HARDENED[name]))))


def test_refused_in_the_old_format(torch, golden, quiet_place):
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    head = b"".join(pickle.dumps(part, 2) for part in parts)
    for payload in (REFUSED["os.system"], REFUSED["nested"]):
        golden.error(torch.load, io.BytesIO(head + forged(payload)))
        golden.error(torch.load, io.BytesIO(forged(payload)))


def test_old_format_storages_are_bounded():
    torch = pytest.importorskip("torchlike")
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    storage = Stored("storage", Name("torch:FloatStorage"), "0", "cpu", 2**50, None)
    call = Call("torch._utils:_rebuild_tensor", storage, 0, (1,), (1,))
    data = b"".join(pickle.dumps(part, 2) for part in parts) + forged(call)
    with pytest.raises(RuntimeError, match="larger than the file"):
        torch.load(io.BytesIO(data + pickle.dumps(["0"], 2)))


def test_deep_nesting(torch):
    depth = 100_000
    loaded = torch.load(io.BytesIO(zipped(b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b".")))
    while loaded:
        (loaded,) = loaded


def test_keys_are_not_nested_deep():
    """Hashing such a key would overflow the C stack."""
    torch = pytest.importorskip("torchlike")
    key = b"\x80\x02}" + b")" + b"\x85" * 1_000_000
    with pytest.raises(pickle.UnpicklingError):
        torch.load(io.BytesIO(zipped(key + b"K\x01s.")))


def test_compressed_files_are_read_unless_they_explode(torch):
    small = zipped(forged(tensor_call()), None, zipfile.ZIP_DEFLATED)
    assert torch.load(io.BytesIO(small)).sum() == 6
    if hasattr(torch, "_C"):
        return
    bomb = bytearray(small)
    entry = bomb.rindex(b"PK\1\2")
    bomb[entry + 24 : entry + 28] = struct.pack("<L", 1 << 30)
    with pytest.raises(RuntimeError, match="bomb"):
        torch.load(io.BytesIO(bytes(bomb)))


def test_overlapping_records():
    torch = pytest.importorskip("torchlike")
    data = bytearray(zipped(forged(tensor_call()), {f"data/{i}": bytes(5000) for i in range(9)}))
    places = [m.start() for m in re.finditer(b"PK\1\2", data)]
    first = data[places[3] + 42 : places[3] + 46]
    for place in places[4:]:
        data[place + 42 : place + 46] = first
    end = places[3] - 30_000
    with pytest.raises(RuntimeError, match="corrupted"):
        torch.load(io.BytesIO(bytes(data[:end] + data[places[0] :])))


def test_flipped_bits_are_noticed():
    torch = pytest.importorskip("torchlike")
    file = bytearray(saved(torch, torch.arange(100.0)).getvalue())
    file[file.index(struct.pack("<f", 50.0)) + 1] ^= 1
    with pytest.raises(RuntimeError, match="invalid checksum"):
        torch.load(io.BytesIO(bytes(file)))


def test_zip_structure(torch, golden):
    good = forged(tensor_call())
    golden.error(torch.load, io.BytesIO(zipped(good, root="a/b")))
    golden.error(torch.load, io.BytesIO(zipped(good, {"constants.pkl": b""})))
    golden.error(torch.load, io.BytesIO(zipped(good, {"byteorder": b"middle"})))
    golden.error(torch.load, io.BytesIO(zipped(good, method=zipfile.ZIP_BZIP2)))
    file = saved(torch, torch.arange(10)).getvalue()
    for length in (4, 10, 100, len(file) - 30, len(file) - 1):
        golden.error(torch.load, io.BytesIO(file[:length]))
    assert torch.load(io.BytesIO(zipped(good, root=".."))).sum() == 6


FINE = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, LookupError,
    AttributeError, struct.error, AssertionError, NotImplementedError,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1), st.data())
def test_damaged_files_fail_cleanly(old, data):
    torch = pytest.importorskip("torchlike")
    options = {"_use_new_zipfile_serialization": not old}
    obj = {"a": torch.arange(6.0), "b": [1, 2.5, "x"], "p": torch.nn.Parameter(torch.ones(2))}
    file = bytearray(saved(torch, obj, **options).getvalue())
    place = data.draw(st.integers(0, len(file) - 1))
    cut, put = data.draw(st.integers(0, 20)), data.draw(st.binary(max_size=8))
    file[place : place + cut] = put
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.load(io.BytesIO(bytes(file)))
        except FINE:
            pass
