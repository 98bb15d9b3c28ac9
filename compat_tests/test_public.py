"""COMPAT.md is that of the source: every public name, and none called missing that is there."""

import types

import torchlike
from compat_tests import public


def test_compat_page_lists_every_name():
    assert [row[:3] for row in public.rows(public.PAGE.read_text())] == public.names()


def test_help_says_how_an_op_is_called():
    spaces = [torchlike, torchlike.nn.functional, torchlike.Tensor]
    untold = [name for space in spaces for name, f in vars(space).items()
              if name[0] != "_" and isinstance(f, types.FunctionType) and not f.__doc__]
    assert not untold
    assert torchlike.atan2.__doc__ == "atan2(input, other, *, out=None), as in PyTorch."


def test_compat_page_knows_what_is_there():
    """After a public name came or went: `python scripts/compat.py --names`."""
    rows = public.rows(public.PAGE.read_text())
    stale = [f"{space}.{name}" for space, name, _, state, why in rows
             if (state != "missing" or bool(why)) != public.exists(torchlike, space, name)]
    assert not stale, "run `python scripts/compat.py --names`"
