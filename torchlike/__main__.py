"""python -m torchlike: runs a program in which `import torch` means torchlike."""

import io
import os
import pkgutil
import runpy
import sys
import zipfile
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType

from . import alias

USAGE = """\
usage: python -m torchlike SCRIPT [ARG ...]       run a file, directory or zip archive
       python -m torchlike -m MODULE [ARG ...]    run a module or package
       python -m torchlike -c CODE [ARG ...]      run a piece of code
       python -m torchlike - [ARG ...]            run what standard input holds

The program finds torchlike wherever it imports torch, and so do the processes it starts.
Apart from that it runs as under `python`.
"""


def main(args: list[str]) -> None:
    if not args or args[0] in ("-h", "--help"):
        print(USAGE, end="")
        return
    first, *rest = args
    if first in ("-c", "-m"):
        if not rest:
            _refuse(f"Argument expected for the {first} option\n{USAGE}")
        value, *rest = rest
        run = _code_runner(value) if first == "-c" else _module_runner(value)
        sys.argv[:] = [first, *rest]
    elif first.startswith("-") and first != "-":
        _refuse(f"unknown option {first}\n{USAGE}")
    else:
        run = _stdin_runner() if first == "-" else _file_runner(first)
        sys.argv[:] = args
    alias.install()
    _run(run)


def _refuse(text: str) -> None:
    print(text, end="" if text.endswith("\n") else "\n", file=sys.stderr)
    sys.exit(2)


# ----- what to run: functions that set up sys.path and return the code, or run it ----------------

def _set_first_path(path: str) -> None:
    if not sys.flags.safe_path:  # -P: Python has put nothing in first place
        sys.path[0] = path


def _fresh_main(loader=BuiltinImporter, **names) -> ModuleType:
    main = ModuleType("__main__")
    if "__annotations__" in globals():  # given to every __main__ until Python 3.13
        names["__annotations__"] = {}
    vars(main).update(__builtins__=__builtins__, __loader__=loader, **names)
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:  # what multiprocessing calls it
        sys.modules["__mp_main__"] = main
    return main


def _code_runner(source: str):
    _set_first_path("")
    return lambda: _execute(compile(source, "<string>", "exec"), _fresh_main())


def _stdin_runner():
    _set_first_path("")

    def run() -> None:
        main = _fresh_main(__file__="<stdin>", __cached__=None)
        _execute(compile(sys.stdin.read(), "<stdin>", "exec"), main)

    return run


def _module_runner(name: str):
    # what `python -m` itself calls; its frames belong in a traceback
    def run() -> None:
        _fresh_main()
        runpy._run_module_as_main(name)

    return run


def _file_runner(path: str):
    if os.path.isdir(path) or zipfile.is_zipfile(path):
        _set_first_path(os.path.join(os.getcwd(), path))

        def run() -> None:
            _fresh_main()
            runpy._run_module_as_main("__main__", False)

        return run
    _set_first_path(os.path.dirname(os.path.realpath(path)))
    return lambda: _execute(*_load(path))


def _load(path: str) -> tuple[CodeType, ModuleType]:
    full = os.path.join(os.getcwd(), path)
    try:
        with io.open_code(full) as file:
            code = pkgutil.read_code(file)
            if code is None:
                file.seek(0)
                source = file.read()
    except OSError as error:
        _refuse(
            f"{sys.orig_argv[0]}: can't open file {full!r}: [Errno {error.errno}] {error.strerror}"
        )
    kind = SourceFileLoader if code is None else SourcelessFileLoader
    main = _fresh_main(kind("__main__", full), __file__=full, __cached__=None)
    return code or compile(source, full, "exec"), main


# ----- running it --------------------------------------------------------------------------------

def _execute(code: CodeType, main: ModuleType) -> None:
    exec(code, vars(main))


def _run(run) -> None:
    try:
        run()
    except BaseException as error:
        # Python handles it from here, exit code and signal included; only our frames are hidden
        _hide_frames(error)
        raise


def _hide_frames(error: BaseException) -> None:
    hook, trace = sys.excepthook, _users_part(error.__traceback__)

    def excepthook(kind, value, _) -> None:
        value.__traceback__ = trace
        hook(kind, value, trace)

    sys.excepthook = excepthook


def _users_part(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this file."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


if __name__ == "__main__":
    main(sys.argv[1:])
