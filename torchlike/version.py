"""`torch.version`: the release of PyTorch whose API and semantics torchlike has."""

import re
from collections.abc import Iterable
from functools import partialmethod

RELEASE = "2.13.0+torchlike"

cuda = hip = rocm = xpu = None
debug = False
git_version = "torchlike"

_PARTS = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre_n>\d*))?"
    r"(?:-(?P<post_m>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_PHASES = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_FIRST, _LAST = ("",), ("~",)


def _key(version) -> tuple | None:
    """The sort key of PEP 440; None where the text is no version."""
    if isinstance(version, Iterable) and not isinstance(version, str):
        version = ".".join(map(str, version))
    elif not isinstance(version, str) and not hasattr(version, "release"):
        return None
    found = _PARTS.fullmatch(str(version).strip())
    if not found:
        return None
    part = found.groupdict()
    release = tuple(map(int, re.sub(r"(\.0+)+$", "", part["release"]).split(".")))
    has_post = part["post"] or part["post_m"]
    post = int(part["post_m"] or part["post_n"] or 0) if has_post else -1
    if part["pre"]:
        phase = part["pre"].lower()
        pre = _PHASES.get(phase, phase), int(part["pre_n"] or 0)
    else:
        pre = _FIRST if part["dev"] and not has_post else _LAST
    dev = (0, int(part["dev_n"] or 0)) if part["dev"] else (1, 0)
    local = tuple(
        (1, int(piece), "") if piece.isdigit() else (0, 0, piece.lower())
        for piece in re.split("[-_.]", part["local"] or "") if piece
    )
    return int(part["epoch"] or 0), release, pre, post, dev, local


class TorchVersion(str):
    """A version that prints as text and compares as a version, with text, tuples and `Version`s."""

    def _compare(self, method: str, other):
        mine, theirs = _key(self), _key(other)
        if mine is None or theirs is None:
            return getattr(str, method)(self, other)
        return getattr(tuple, method)(mine, theirs)

    __lt__ = partialmethod(_compare, "__lt__")
    __le__ = partialmethod(_compare, "__le__")
    __gt__ = partialmethod(_compare, "__gt__")
    __ge__ = partialmethod(_compare, "__ge__")
    __eq__ = partialmethod(_compare, "__eq__")
    __hash__ = str.__hash__


__version__ = TorchVersion(RELEASE)
