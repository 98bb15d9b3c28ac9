"""COMPAT.md is that of the source: every public name, and none called missing that is there."""

import torchlike
from compat_tests import public


def test_compat_page_lists_every_name():
    assert [row[:3] for row in public.rows(public.PAGE.read_text())] == public.names()


def test_compat_page_knows_what_is_there():
    """After a public name came or went: `python scripts/compat.py --names`."""
    rows = public.rows(public.PAGE.read_text())
    stale = [f"{space}.{name}" for space, name, _, state, why in rows
             if (state != "missing" or bool(why)) != public.exists(torchlike, space, name)]
    assert not stale, "run `python scripts/compat.py --names`"
