"""`python -m torchlike PROGRAM` becomes `python PROGRAM`, in which `import torch` means torchlike.

A program that Python itself starts has Python's frames, warnings and `__main__`. Where that can't
be (Windows, -E, a debugger in front) `torchlike.__main__` runs the program in this process.
"""

import os
import sys

from . import children


def restart() -> None:
    """Start the interpreter anew if it was asked to run torchlike; before all imports that cost."""
    program = sys.argv[1:]
    asked, options = sys.orig_argv[: len(sys.orig_argv) - len(program)], []
    if asked[-1:] != [__package__] or not _is_program(program) or not _can_restart():
        return
    *options, flag = asked[1:-1]
    if flag.startswith("--") or not flag.endswith("m"):
        return
    if flag != "-m":  # several in one, as in -um
        options.append(flag[:-1])
    children.tell(True)
    os.execv(sys.executable, [sys.orig_argv[0], *options, *program])


def _is_program(words: list[str]) -> bool:
    """Whether it is something to run: help and wrong options are left to `__main__`."""
    first = words[0] if words else "--help"
    return len(words) > 1 if first in ("-c", "-m") else first == "-" or not first.startswith("-")


def _can_restart() -> bool:
    return os.name == "posix" and bool(sys.executable) and not sys.flags.ignore_environment
