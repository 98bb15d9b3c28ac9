"""`import torch` as torchlike, and `python -m torchlike` beside `python`."""

import importlib
import importlib.metadata
import importlib.util
import itertools
import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import torchlike
from compat_tests import subject
from torchlike import alias
from torchlike.version import TorchVersion

PACKAGE = Path(torchlike.__file__).parent
REAL_INSTALLED = subject.oracle is not None
hides_real = pytest.mark.skipif(REAL_INSTALLED, reason="the real torch is imported here")


@pytest.fixture
def installed():
    """torchlike as torch, also where the real one is imported already."""
    with subject.imported_as_torch(torchlike):
        yield


# ----- import ------------------------------------------------------------------------------------

def test_same_modules(installed):
    import torch
    import torch.nn.functional as functional
    from torch.utils.data import DataLoader

    assert torch is torchlike and sys.modules["torch"] is torchlike
    assert functional is torchlike.nn.functional
    assert DataLoader is torchlike.utils.data.DataLoader
    assert torchlike.nn.__spec__.name == "torchlike.nn"


def test_find_spec(installed):
    assert importlib.util.find_spec("torch") is not None
    assert importlib.util.find_spec("torch.nn").submodule_search_locations
    assert importlib.util.find_spec("torch.no_such_thing") is None
    importlib.import_module("torch")
    assert importlib.util.find_spec("torch") is not None
    assert torchlike.__file__ and torchlike.__path__


@pytest.mark.parametrize("row", alias.PATHS.strip().splitlines(), ids=lambda row: row.split()[0])
def test_deep_path(installed, row):
    path, *sources = row.split()
    shown = importlib.import_module(f"torch.{path}")
    assert shown is importlib.import_module(f"torchlike.{path}")
    for source in sources:
        for name, value in vars(importlib.import_module(f"torchlike.{source}")).items():
            if name[:2] != "__" and not isinstance(value, ModuleType):
                assert getattr(shown, name) is value


@pytest.mark.parametrize(
    "name, text",
    [
        ("torch.no_such_thing", "No module named 'torch.no_such_thing'"),
        ("torch.nn.no_such_thing", "No module named 'torch.nn.no_such_thing'"),
        (
            "torch.utils.data.dataset.x",
            "No module named 'torch.utils.data.dataset.x'; "
            "'torch.utils.data.dataset' is not a package",
        ),
    ],
)
def test_missing_submodule(installed, name, text):
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(name)
    assert str(caught.value) == text and caught.value.name == name


def test_distribution(installed):
    assert importlib.metadata.version("torch") == "2.13.0+torchlike"
    distribution = importlib.metadata.distribution("torch")
    assert distribution.metadata["Name"] == "torch"
    assert distribution.read_text("top_level.txt") == "torch\n"
    assert distribution.files is None and distribution.requires is None
    assert "torch" in {one.metadata["Name"] for one in importlib.metadata.distributions()}


@hides_real
def test_install_and_uninstall():
    environ = dict(os.environ)
    with torchlike.install() as torch:
        assert torch is torchlike and importlib.import_module("torch.nn") is torchlike.nn
        with torchlike.install():  # inside another one: changes nothing, and undoes nothing
            pass
        assert alias.is_installed() and os.environ != environ
    assert not alias.is_installed() and dict(os.environ) == environ
    assert not [name for name in sys.modules if name.split(".")[0] == "torch"]
    torchlike.uninstall()


def test_refuses_beside_the_real_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", os)
    with pytest.raises(RuntimeError, match="real torch is already imported"):
        torchlike.install()


def test_pickles_by_both_names(installed):
    from torch.utils.data import TensorDataset

    data = pickle.dumps(TensorDataset)
    assert pickle.loads(data) is TensorDataset
    real = b"ctorch.utils.data.dataset\nTensorDataset\n."  # as PyTorch names it
    assert pickle.loads(real) is TensorDataset


CLASSES = """
torch.Size torch.dtype torch.device torch.finfo torch.layout torch.nn.parameter.Parameter
torch.nn.modules.linear.Linear torch.nn.modules.container.Sequential torch.nn.modules.module.Module
torch.nn.modules.transformer.TransformerEncoder torch.nn.modules.loss.CrossEntropyLoss
torch.optim.adam.Adam torch.optim.sgd.SGD torch.optim.lr_scheduler.StepLR
torch.amp.autocast_mode.autocast
torch.utils.data.dataloader.DataLoader torch.utils.data.dataset.TensorDataset
torch.utils.data.sampler.RandomSampler torch.autograd.grad_mode.no_grad torch.return_types.max
torch.distributions.normal.Normal torch.fx.graph_module.GraphModule torch.storage.UntypedStorage
""".split()  # as real torch 2.13 prints them


@hides_real
@pytest.mark.parametrize("path", CLASSES)
def test_class_names(path):
    module, _, name = path.rpartition(".")
    own = getattr(importlib.import_module("torchlike" + module.removeprefix("torch")), name)
    before = repr(own)
    with torchlike.install():
        found = getattr(importlib.import_module(module), name)
        assert found is own and repr(found) == f"<class '{path}'>"
        assert pickle.loads(pickle.dumps(found)) is found
    assert repr(own) == before


@hides_real
@pytest.mark.parametrize("value", [
    torchlike.Size([1, 2]), torchlike.float32, torchlike.bool, torchlike.device("cpu"),
    torchlike.device("cuda:1"), torchlike.strided, torchlike.channels_last,
], ids=str)  # fmt: skip
def test_plain_pickle_without_torch(value):
    assert importlib.util.find_spec("torch") is None
    assert type(value).__module__ == "torch"
    assert pickle.loads(pickle.dumps(value)) == value


@hides_real
@pytest.mark.parametrize("path", [
    "torch", "torch.nn", "torch.nn.functional", "torch.nn.modules.conv", "torch.optim.lr_scheduler",
    "torch.utils.data", "torch.serialization", "torch.return_types", "torch.fx",
])  # fmt: skip
def test_missing_attribute(path):
    own = importlib.import_module("torchlike" + path.removeprefix("torch"))
    with pytest.raises(AttributeError, match="module 'torchlike"):
        own.nowhere
    with torchlike.install():
        with pytest.raises(AttributeError) as told:
            importlib.import_module(path).nowhere
    assert str(told.value) == f"module '{path}' has no attribute 'nowhere'"
    with pytest.raises(AttributeError, match="module 'torchlike"):
        own.nowhere


# ----- the version -------------------------------------------------------------------------------

VERSIONS = ["2.13.0+torchlike", "2.13", "2.8", "2.13.1", "2.13.0a0+git1", "1.10.post1", "1.10.dev3"]
VERSIONS += ["1.10rc1", "10.0", "1!1.0", "parrot"]


def test_version_compares_as_a_version():
    version = torchlike.__version__
    assert isinstance(version, str) and version == "2.13.0+torchlike"
    assert version >= "2.8" and version > (2, 12) and version >= (2, 13, 0) and version < "2.13.1"
    assert torchlike.version.cuda is None and torchlike.version.hip is None
    assert hash(version) == hash("2.13.0+torchlike")
    with pytest.raises(TypeError):
        _ = version < 5


def test_version_order():
    packaging = pytest.importorskip("packaging.version")
    known = [text for text in VERSIONS if text != "parrot"]
    for one, other in itertools.product(known, known):
        expected = packaging.Version(one) < packaging.Version(other)
        assert (TorchVersion(one) < other) is expected
        assert (TorchVersion(one) < packaging.Version(other)) is expected
    assert TorchVersion("parrot") > "1.0"


# ----- python -m torchlike -----------------------------------------------------------------------

WHO = (
    "import sys\n"
    "main = sys.modules['__main__'].__dict__ is globals()\n"
    "print(sys.argv, sys.path[0], __name__, __spec__ and __spec__.name, __package__, __doc__,\n"
    "      globals().get('__file__'), sorted(globals()), main)\n"
    "print(getattr(__loader__, '__name__', type(__loader__).__name__))\n"
)
FILES = {
    "who.py": "'a doc'\n" + WHO,
    "pkg/__init__.py": "",
    "pkg/__main__.py": WHO,
    "pkg/mod.py": WHO + "def f():\n    1 / 0\nif 'boom' in sys.argv:\n    f()\n",
    "folder/__main__.py": WHO,
    "boom.py": """
        def f(x):
            return 1 / x
        try:
            f(0)
        except ZeroDivisionError as e:
            raise ValueError('x') from e
    """,
    "syntax.py": "x = = 1\n",
    "exit.py": "import sys\nsys.exit(int(sys.argv[1]) if sys.argv[1].isdigit() else sys.argv[1])\n",
    "interrupt.py": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)\n",
    "hook.py": """
        import sys
        sys.excepthook = lambda *a: print(a[0], a[2].tb_frame.f_code.co_name, a[2].tb_next)
        1 / 0
    """,
    "ends.py": """
        import atexit, threading
        def f():
            1 / 0
        t = threading.Thread(target=f, name='t')
        t.start()
        t.join()
        atexit.register(lambda: print('bye', __name__, f.__name__))
    """,
    "group.py": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n",
    "missing.py": "import no_such_module\n",
    "pickles.py": """
        import pickle
        class A:
            pass
        import __main__
        print(type(pickle.loads(pickle.dumps(A()))) is A, __main__.A is A)
    """,
    "latin.py": b"# -*- coding: latin-1 -*-\nprint('\xe9')\n",
    "future.py": "from __future__ import annotations\nx: undefined\nprint(__annotations__)\n",
}
STACKS = """
    import inspect, sys, traceback, warnings
    class C:
        pass
    def f():
        traceback.print_stack()
        print([frame.function for frame in inspect.stack()])
        warnings.warn('here', stacklevel=2)
    f()
    warnings.warn('above all frames', stacklevel=2)
    print(inspect.getsource(C), sys.orig_argv[1:])
"""
SPAWNED = """
    import multiprocessing
    class K:
        pass
    def give(queue):
        queue.put((K(), __name__))
    if __name__ == '__main__':
        queue = multiprocessing.get_context('spawn').Queue()
        process = multiprocessing.get_context('spawn').Process(target=give, args=(queue,))
        process.start()
        given, name = queue.get()
        process.join()
        print(type(given) is K, name, process.exitcode)
"""
FILES |= {"stacks.py": STACKS, "spawned.py": SPAWNED}
COMMANDS = [
    ["who.py", "a", "-b"], ["./who.py"], ["../files/who.py"], ["-c", WHO, "x", "-y"],
    ["-m", "pkg.mod", "q"], ["-m", "pkg"], ["-m", "pkg.mod", "boom"], ["-m", "who"],
    ["-m", "nope"], ["-m", "pkg.nope"], ["folder", "q"], ["zipped.zip", "q"], ["nope.py"],
    ["boom.py"], ["syntax.py"], ["exit.py", "3"], ["exit.py", "0"], ["exit.py", "message"],
    ["interrupt.py"], ["-c", "1/0"], ["-c", "x = = 1"], ["-c", "raise KeyboardInterrupt"],
    ["hook.py"], ["ends.py"], ["group.py"], ["missing.py"], ["pickles.py"], ["latin.py"],
    ["future.py"], ["-", "x"], ["spawned.py"],
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Programs, and beside them the runner of torchlike over an empty package, fast to start."""
    place = tmp_path_factory.mktemp("runner")
    for name, source in FILES.items():
        path = place / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = source if isinstance(source, bytes) else textwrap.dedent(source).encode()
        path.write_bytes(data)
    with zipfile.ZipFile(place / "files" / "zipped.zip", "w") as archive:
        archive.writestr("__main__.py", WHO)
    for kind, first in (("light", RESTART), ("staying", "")):
        light = place / kind / "torchlike"
        light.mkdir(parents=True)
        for name in ("alias.py", "version.py", "__main__.py", "children", "restart.py"):
            (light / name).symlink_to(PACKAGE / name)
        (light / "__init__.py").write_text(
            first + "from .alias import install as install, uninstall as uninstall\n"
            "from .version import __version__ as __version__\n"
        )
    return place


RESTART = re.search(  # what the package begins with
    r"import sys as _sys\n\nif .*\n(?:    .*\n|\n)+", (PACKAGE / "__init__.py").read_text()
)[0]


def run(place, *command, input="", **environ):
    return subprocess.run(
        [sys.executable, *command],
        cwd=place / "files",
        env={**os.environ, "PYTHONPATH": str(place / "light"), **environ},
        input=input,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command)[:30])
@pytest.mark.parametrize("kind", ["light", "staying"])
def test_runs_as_python_does(place, command, kind):
    """Started anew, and where that can't be, in the same process."""
    plain = run(place, *command, input=WHO)
    under = run(place, "-m", "torchlike", *command, input=WHO, PYTHONPATH=str(place / kind))
    assert under.stdout == plain.stdout
    assert under.stderr == plain.stderr
    assert under.returncode == plain.returncode


@pytest.mark.parametrize("options", [["-m"], ["-um"], ["-X", "utf8", "-W", "error", "-m"]])
def test_no_frames_but_the_programs(place, options):
    *plain, last = options
    plain += [last[:-1]] if last != "-m" else []
    program = ["stacks.py", "a"]
    want, got = run(place, *plain, *program), run(place, *options, "torchlike", *program)
    assert got.stdout == want.stdout
    assert got.stderr == want.stderr


def test_interrupt_is_a_signal(place):
    assert run(place, "-m", "torchlike", "interrupt.py").returncode == -signal.SIGINT


@pytest.mark.parametrize("command", [[], ["-h"], ["--help"]])
def test_help(place, command):
    shown = run(place, "-m", "torchlike", *command)
    assert shown.returncode == 0 and shown.stdout.startswith("usage: python -m torchlike")


@pytest.mark.parametrize("command", [["-m"], ["-c"], ["--no-such-option"]])
def test_wrong_options(place, command):
    shown = run(place, "-m", "torchlike", *command)
    assert shown.returncode == 2 and "usage: python -m torchlike" in shown.stderr


CHILDREN = """
    import multiprocessing, os, subprocess, sys, torch
    from importlib.metadata import version
    def name(queue):
        import torch
        queue.put(torch.__name__)
    if __name__ == '__main__':
        context = multiprocessing.get_context('spawn')
        queue = context.Queue()
        process = context.Process(target=name, args=(queue,))
        process.start()
        print(queue.get())
        process.join()
        code = '''
    import sys
    from importlib.metadata import version
    print("torchlike" in sys.modules, version("torch"))
    import torch, sitecustomize
    print(torch.__name__, sitecustomize.hidden)
    '''
        subprocess.run([sys.executable, '-c', code.replace('\\n    ', '\\n')])
"""


def test_children_have_the_alias(place, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("hidden = 'still run'\n")
    (place / "files" / "children.py").write_text(textwrap.dedent(CHILDREN))
    paths = os.pathsep.join([str(place / "light"), str(tmp_path)])
    shown = run(place, "-m", "torchlike", "children.py", PYTHONPATH=paths)
    assert shown.stdout.splitlines() == [
        "torch", "False 2.13.0+torchlike", "torch still run"
    ], shown.stderr  # fmt: skip


def test_a_whole_program(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, torch\n"
        "print(torch.ones(2) + 1, torch.__version__)\n"
        "print(torch.__name__, sys.modules['torchlike'] is torch is sys.modules['torch'])\n"
    )
    shown = subprocess.run(
        [sys.executable, "-m", "torchlike", str(script)],
        cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert shown.stdout == "tensor([2., 2.]) 2.13.0+torchlike\ntorch True\n", shown.stderr
    assert not re.search("Warning", shown.stderr)
