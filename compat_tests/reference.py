"""What real torch gives for a case: recorded in goldens/ops.npz, or computed now if torch is here.

A result is plain data: {"out": leaves, "grads": leaves, "nodes": names, …} or
{"error": [type, text]}; a leaf is {"value": array, "dtype": name, "stride": list} for a tensor and
{"repr": text} for anything else.
"""

import functools
import io
import json
import warnings
import zlib

import numpy as np

from compat_tests import rows, subject, transcript

PATH = transcript.GOLDENS / "ops.npz"


def evaluate(torch, case) -> dict:
    """What the case gives on `torch`: as a function, its gradients, and its other forms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = call(torch, case)
        except Exception as error:
            return {"error": [type(error).__name__, str(error)]}
        result = {"out": leaves(torch, out), "inplace": in_place(torch, case)}
        forms = {form.__name__: _works(form, torch, case) for form in (as_method, as_out, on_meta)}
        return result | _gradients(torch, case) | forms


def find(torch, name: str):
    """torch.<dotted name>."""
    return functools.reduce(getattr, name.split("."), torch)


def call(torch, case, **more):
    """The op as a function, from seed 0."""
    args, kwargs, _ = case.build(torch)
    torch.manual_seed(0)
    return find(torch, case.op)(*args, **kwargs, **more)


def flat(value) -> list:
    """The leaves of tuples, lists and named results."""
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def leaves(torch, value) -> list[dict]:
    """The result as plain data."""
    return [leaf(torch, item) for item in flat(value)]


def leaf(torch, item) -> dict:
    """One tensor or other value as plain data."""
    if not isinstance(item, torch.Tensor):
        return {"repr": repr(item)}
    dense = item.detach()
    dense = dense.float() if dense.dtype is torch.bfloat16 else dense
    value = np.array(dense.resolve_conj().resolve_neg().numpy())
    return {"value": value, "dtype": str(item.dtype)[6:], "stride": list(item.stride())}


def weights(torch, outputs) -> list:
    """A fixed cotangent for every differentiable output."""
    chosen = [t for t in outputs if isinstance(t, torch.Tensor) and t.requires_grad]
    drawn = []
    for place, tensor in enumerate(chosen):
        values = np.random.default_rng(place).uniform(0.5, 1.5, tuple(tensor.shape))
        drawn.append((tensor, torch.tensor(values).to(tensor.dtype)))
    return drawn


def traced(torch, case, double=False):
    """(floating inputs, a scalar that depends on every differentiable output) or None."""
    args, kwargs, tensors = case.build(torch, double)
    inputs = [t.requires_grad_() for t in tensors if t.is_floating_point() or t.is_complex()]
    torch.manual_seed(0)
    outputs = flat(find(torch, case.op)(*args, **kwargs))
    parts = [(tensor * weight).sum() for tensor, weight in weights(torch, outputs)]
    if not inputs or not parts:
        return None
    return inputs, sum(part.real if part.is_complex() else part for part in parts), outputs


def _gradients(torch, case) -> dict:
    try:
        found = traced(torch, case)
        if found is None:
            return {"grads": [], "nodes": []}
        inputs, total, outputs = found
        grads = torch.autograd.grad(total, inputs, allow_unused=True)
    except (RuntimeError, NotImplementedError, ValueError) as error:
        return {"grad_error": [type(error).__name__, str(error)]}
    nodes = [t.grad_fn.name() for t in outputs if isinstance(t, torch.Tensor) and t.grad_fn]
    return {"grads": leaves(torch, grads), "nodes": nodes}


# ----- the other forms of an op; each raises where there is no such form -----


def as_method(torch, case):
    """x.op(…) for torch.op(x, …)."""
    args, kwargs, _ = case.build(torch)
    if "." in case.op or not isinstance(args[0], torch.Tensor) or case.op == "where":
        raise TypeError("no method of these arguments")
    torch.manual_seed(0)
    return getattr(args[0], case.op)(*args[1:], **kwargs)


def as_out(torch, case):
    """What out= received, after checking that it is also returned."""
    like = call(torch, case)
    if not isinstance(like, torch.Tensor) or case.op.startswith("nn."):
        raise TypeError("no one out= for this")
    given = torch.empty(0, dtype=like.dtype)
    if call(torch, case, out=given) is not given:
        raise TypeError("out= was not returned")
    return given


def on_meta(torch, case):
    """The op on tensors without values."""
    args, kwargs, tensors = case.build(torch)
    moved = {id(t): t.to("meta") for t in tensors}

    def mapped(value):
        if isinstance(value, tuple):
            return tuple(map(mapped, value))
        return moved.get(id(value), value)

    out = find(torch, case.op)(*map(mapped, args), **{k: mapped(v) for k, v in kwargs.items()})
    if any(isinstance(t, torch.Tensor) and t.device.type != "meta" for t in flat(out)):
        raise TypeError("not a function of tensors")
    return out


def in_place(torch, case):
    """What the `_` twin leaves in its tensor: a leaf, an error, or None if there is no twin."""
    args, kwargs, _ = case.build(torch)
    if "." in case.op or not args or not isinstance(args[0], torch.Tensor):
        return None
    twin = getattr(args[0], f"{case.op}_", None)
    if twin is None:
        return None
    try:
        torch.manual_seed(0)
        twin(*args[1:], **kwargs)
        return leaf(torch, args[0])
    except Exception as error:
        return {"error": [type(error).__name__, str(error)]}


def _works(form, torch, case) -> bool:
    try:
        form(torch, case)
    except Exception:
        return False
    return True


# ----- the recorded file: one blob of numbers and an index -----


def key(case) -> str:
    """The case by name and by all that decides its numbers."""
    return f"{case}#{zlib.crc32(repr((case.args, case.kwargs)).encode()):x}"


def record(torch) -> int:
    """Write down every case."""
    blob = io.BytesIO()

    def packed(value):
        if isinstance(value, np.ndarray):
            start = blob.tell()
            blob.write(value.tobytes())
            return {"at": start, "kind": value.dtype.str, "shape": list(value.shape)}
        raise TypeError(type(value))

    results = {key(case): evaluate(torch, case) for case in rows.all_cases()}
    index = json.dumps(results, default=packed).encode()
    np.savez_compressed(PATH, index=np.frombuffer(index, np.uint8),
                        blob=np.frombuffer(blob.getvalue(), np.uint8))
    return len(results)


@functools.cache
def _recorded() -> dict:
    if not PATH.exists():
        return {}
    with np.load(PATH) as stored:
        blob = stored["blob"].tobytes()

        def unpacked(value):
            if value.keys() == {"at", "kind", "shape"}:
                count = int(np.prod(value["shape"]))
                flat = np.frombuffer(blob, value["kind"], count, value["at"])
                return flat.reshape(value["shape"])
            return value

        return json.loads(stored["index"].tobytes(), object_hook=unpacked)


def expected(case) -> dict:
    """What real torch gives: as recorded, or asked now where it is installed."""
    known = _recorded().get(key(case))
    if known is None and subject.oracle is not None:
        known = evaluate(subject.oracle, case)
    if known is None:
        raise LookupError(f"{case} is not recorded: run scripts/record.py ops with torch 2.13")
    return known
