"""Hand-made files: pickles that call what they should not, zips that lie."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile


def same(a, b) -> bool:
    """Equal in every respect that a file keeps."""
    if hasattr(a, "requires_grad"):
        facts = "dtype", "shape", "device", "requires_grad"
        if type(a) is not type(b) or any(getattr(a, f) != getattr(b, f) for f in facts):
            return False
        if a.stride() != b.stride() or a.storage_offset() != b.storage_offset():
            return False
        return a.device.type == "meta" or a.detach().tolist() == b.detach().tolist()
    if isinstance(a, dict):
        return type(a) is type(b) and same(list(a.items()), list(b.items()))
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def saved(torch, obj, **options) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(obj, file, **options)
    file.seek(0)
    return file


class Name:
    """A global of a hand-made pickle."""

    def __init__(self, path):
        self.path = path


class Call:
    """A call in a hand-made pickle."""

    def __init__(self, function, *args):
        self.function, self.args = Name(function), args


class Stored:
    """A storage in a hand-made pickle."""

    def __init__(self, *saved_id):
        self.saved_id = saved_id


class Forger(pickle._Pickler):
    def persistent_id(self, obj):
        return obj.saved_id if isinstance(obj, Stored) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Name):
            module, _, name = obj.path.rpartition(":")
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.args)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def forged(obj) -> bytes:
    file = io.BytesIO()
    Forger(file, 2).dump(obj)
    return file.getvalue()


def zipped(data: bytes, parts=None, method=zipfile.ZIP_STORED, root="archive") -> bytes:
    parts = {"version": b"3\n", "data/0": struct.pack("<3f", 1, 2, 3)} | (parts or {})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, part in {"data.pkl": data, **parts}.items():
            archive.writestr(f"{root}/{name}", part)
    return file.getvalue()


def tensor_call(count=3, offset=0, size=(3,), stride=(1,), key="0", location="cpu"):
    storage = Stored("storage", Name("torch:FloatStorage"), key, location, count)
    hooks = Call("collections:OrderedDict")
    return Call("torch._utils:_rebuild_tensor_v2", storage, offset, size, stride, False, hooks)


# Each does the same in PyTorch: same type, same text.
REFUSED = {
    "os.system": Call("os:system", "touch ran"),
    "posix.system": Call("posix:system", "touch ran"),
    "eval": Call("builtins:eval", "open('ran', 'w')"),
    "python 2 eval": Call("__builtin__:eval", "open('ran', 'w')"),
    "exec": Call("builtins:exec", "open('ran', 'w')"),
    "import": Call("builtins:__import__", "os"),
    "getattr": Name("builtins:getattr"),
    "popen": Call("subprocess:Popen", ["touch", "ran"]),
    "torch.load": Call("torch:load", "x"),
    "dotted": Name("collections:OrderedDict.__class__"),
    "path through torch": Name("torch.serialization:os.system"),
    "numpy": Name("numpy._core.multiarray:scalar"),
    "nested": [{"a": (Call("collections:OrderedDict"), Call("os:system", "touch ran"))}],
    "as state": {"x": Call("operator:attrgetter", "system")},
    "size beyond": tensor_call(size=(4,)),
    "offset beyond": tensor_call(offset=1),
    "offset negative": tensor_call(offset=-1),
    "stride negative": tensor_call(stride=(-1,), offset=2),
    "size negative": tensor_call(size=(-1,)),
    "size endless": tensor_call(size=(2**62, 2**62), stride=(0, 0)),
    "stride missing": tensor_call(stride=(1, 1)),
    "storage too long": tensor_call(count=1000),
    "storage too short": tensor_call(count=2, size=(2,)),
    "storage endless": tensor_call(count=2**60),
    "storage missing": tensor_call(key="7"),
    "storage elsewhere": tensor_call(key="../../etc/passwd"),
    "location unknown": tensor_call(location="../x"),
    "device unknown": Call("torch:device", "nonsense"),
    "size of text": Call("torch:Size", ("a",)),
    "id of text": Stored("storage"),
}
# Hand-made opcodes, refused with PyTorch's type and text.
CODES = {
    "build int": b"\x80\x02K\x05}b.",
    "build dict": b"\x80\x02}}b.",
    "append to int": b"\x80\x02K\x05K\x06a.",
    "extend dict": b"\x80\x02}(K\x01K\x02e.",
    "setitem of list": b"\x80\x02]K\x01K\x02s.",
    "new int": b"\x80\x02K\x05)\x81.",
    "inst": b'\x80\x02(S"x"\nios\nsystem\n.',
    "obj": b"\x80\x02(cos\nsystem\no.",
    "stack global": b"\x80\x02\x8c\x02os\x8c\x06system\x93.",
    "extension": b"\x80\x02\x82\x01.",
    "call text": b"\x80\x02X\x01\x00\x00\x00a)R.",
    "no end": b"\x80\x02",
    "empty stack": b"\x80\x02.",
    "no memo": b"\x80\x02h\x05.",
    "id other": b"\x80\x02X\x06\x00\x00\x00module\x85Q.",
}
# PyTorch lets these pass or fails by accident: here they are refused outright.
HARDENED = {
    "bytearray of a size": Call("builtins:bytearray", 10**15),
    "any codec": Call("_codecs:encode", "abc", "zlib"),
    "tensor of a size": Call("torch:Tensor", 10**14),
    "typed from any function": Call(
        "torch._tensor:_rebuild_from_type_v2",
        Name("collections:OrderedDict"),
        Name("torch:Tensor"),
        (),
        {},
    ),
    "fields of a tensor": Call(
        "torch._tensor:_rebuild_from_type_v2",
        Name("torch._utils:_rebuild_tensor_v2"),
        Name("torch:Tensor"),
        tensor_call().args,
        {"_storage": 5},
    ),
    "class of a tensor": Call(
        "torch._tensor:_rebuild_from_type_v2",
        Name("torch._utils:_rebuild_tensor_v2"),
        Name("torch:Tensor"),
        tensor_call().args,
        {"__class__": Name("collections:OrderedDict")},
    ),
    "size as text": tensor_call(count="3"),
    "size in elements of text": tensor_call(size=("3",)),
}
