"""`import torch` means torchlike: a finder in first place, and one table of PyTorch's paths."""

import importlib
import importlib.metadata
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from . import children
from .version import RELEASE

HERE = __package__

# PyTorch's path, then the modules of torchlike whose names it shows (parents before children).
PATHS = """
_C._nn                           nn.functional
autograd.anomaly_mode            autograd.anomaly
autograd.variable                autograd
_tensor                          serialize.rebuild
_tensor_str                      printing
_utils                           serialize.rebuild ops.dense
_weights_only_unpickler          serialize.unpickle
functional                       ops
nn.common_types                  nn.sizes
nn.modules                       nn
nn.modules.activation            nn.activations nn.transformer
nn.modules.adaptive              nn.adaptive
nn.modules.batchnorm             nn.norm nn.lazy
nn.modules.channelshuffle        nn.padding
nn.modules.container             nn.containers
nn.modules.conv                  nn.conv nn.lazy
nn.modules.distance              nn.layers
nn.modules.dropout               nn.layers
nn.modules.flatten               nn.layers
nn.modules.fold                  nn.padding
nn.modules.instancenorm          nn.norm nn.lazy
nn.modules.lazy                  nn.lazy
nn.modules.linear                nn.layers nn.lazy
nn.modules.loss                  nn.loss
nn.modules.module                nn.module nn.hooks nn.state
nn.modules.normalization         nn.norm
nn.modules.padding               nn.padding
nn.modules.pixelshuffle          nn.padding
nn.modules.pooling               nn.pooling
nn.modules.rnn                   nn.rnn
nn.modules.sparse                nn.layers
nn.modules.transformer           nn.transformer
nn.modules.upsampling            nn.padding
nn.modules.utils                 nn.sizes
nn.parallel.data_parallel        nn.parallel
nn.parallel.distributed          nn.parallel
nn.parallel.scatter_gather       nn.parallel
nn.utils.clip_grad               nn.utils.gradients
nn.utils.convert_parameters      nn.utils.gradients
nn.utils.init                    nn.utils.fusion
nn.utils.spectral_norm           nn.utils.hooked_norms
nn.utils.weight_norm             nn.utils.hooked_norms
optim.adadelta                   optim.adaptive
optim.adagrad                    optim.adaptive
optim.adam                       optim.adaptive
optim.adamax                     optim.adaptive
optim.adamw                      optim.adaptive
optim.asgd                       optim.descent
optim.nadam                      optim.adaptive
optim.radam                      optim.adaptive
optim.rmsprop                    optim.adaptive
optim.rprop                      optim.descent
optim.sgd                        optim.descent
optim.sparse_adam                optim.adaptive
signal                           signals
signal.windows                   signals.windows
storage                          ops.memory serialize.plain
random                           seeding
torch_version                    version
utils.benchmark.utils            utils.benchmark
utils.benchmark.utils.common     utils.benchmark.measure
utils.benchmark.utils.compare    utils.benchmark.compare
utils.benchmark.utils.timer      utils.benchmark.timer
utils.checkpoint                 autograd.checkpoint
types                            typenames
utils.data.dataloader            utils.data.loader utils.data.collate utils.data.worker
utils.data._utils                utils.data
utils.data._utils.collate        utils.data.collate
utils.data._utils.fetch          utils.data.fetch
utils.data._utils.pin_memory     utils.data.collate
utils.data._utils.worker         utils.data.worker
utils.data.datapipes.iter.combinatorics utils.data.datapipes.order
utils.data.datapipes.iter.combining utils.data.datapipes.branches
utils.data.datapipes.iter.sharding utils.data.datapipes.order
utils.dlpack                     ops.dlpack
_jit_internal                    scripting
multiprocessing                  processes
multiprocessing.reductions       processes.reductions
multiprocessing.spawn            processes.spawn
jit._script                      scripting
jit._trace                       scripting
jit.annotations                  scripting
cpu.amp                          amp.for_cpu
cpu.amp.autocast_mode            amp.for_cpu
cpu.amp.grad_scaler              amp.for_cpu
cuda.amp                         amp.for_cuda
cuda.amp.autocast_mode           amp.for_cuda
cuda.amp.common                  amp.for_cuda
cuda.amp.grad_scaler             amp.for_cuda
"""


# ----- PyTorch's module paths --------------------------------------------------------------------

def populate() -> None:
    """Makes the modules of the table, as attributes and for `import`."""
    for row in PATHS.strip().splitlines():
        path, *sources = row.split()
        name = f"{HERE}.{path}"
        shown = ModuleType(name)
        shown.__spec__ = ModuleSpec(name, None)
        shown.__file__ = importlib.import_module(f"{HERE}.{sources[0]}").__file__
        if f"\n{path}." in PATHS:
            shown.__path__ = shown.__spec__.submodule_search_locations = []
        for source in sources:
            public = list(vars(importlib.import_module(f"{HERE}.{source}")).items())
            vars(shown).update((key, value) for key, value in public if key[:2] != "__")
        sys.modules[name] = shown
        parent, _, leaf = name.rpartition(".")
        # nn.utils.weight_norm is the function, and stays it
        if isinstance(getattr(sys.modules[parent], leaf, shown), ModuleType):
            setattr(sys.modules[parent], leaf, shown)


def _show_table() -> None:
    """Puts the table's modules under their names; `import` would set attributes."""
    for row in PATHS.strip().splitlines():
        path = row.split()[0]
        if f"{HERE}.{path}" in sys.modules:  # populated
            sys.modules[f"torch.{path}"] = sys.modules[f"{HERE}.{path}"]


def _own_name(name: str) -> str | None:
    """torchlike's name for a module of PyTorch; None where there is none."""
    own = HERE + name.removeprefix("torch")
    if own in sys.modules:
        return own
    parent, _, leaf = own.rpartition(".")
    try:
        if importlib.util.find_spec(own) is not None:
            return own
    except ModuleNotFoundError:  # its parent is no package
        return None
    if isinstance(found := getattr(sys.modules.get(parent), leaf, None), ModuleType):
        sys.modules[own] = found
        return own
    return None


# ----- names of classes and modules ---------------------------------------------------------------

_OWN_MODULE: dict[type, str] = {}
_seen: set[str] = set()


def name_classes() -> None:
    """Where torchlike is torch, `print(type(x))` says so: classes get PyTorch's module names.

    Only those that can be imported from there, so that pickle finds them again.
    """
    files = sys.modules.get(f"{HERE}.serialize.rebuild")  # last to be there while all is loaded
    if files is None or not is_installed():
        return
    for name in list(sys.modules):  # a list at once: threads import, too
        if name.startswith(f"{HERE}.") and name not in _seen:
            _seen.add(name)
            _name_module(sys.modules[name], name)
            for thing in list(vars(sys.modules[name]).values()):
                if isinstance(thing, type) and thing.__module__ == name:
                    _name_class(thing, *files.torch_path(thing))


def _name_class(thing: type, path: str, name: str) -> None:
    own = _own_name(path)
    if own is not None and getattr(sys.modules.get(own), name, None) is thing:
        _OWN_MODULE[thing], thing.__module__ = thing.__module__, path


_SPEAKING: list[ModuleType] = []


def _name_module(module: ModuleType, name: str) -> None:
    """What is not in the module is not in PyTorch's; found attributes cost what they did."""
    if "__getattr__" in vars(module):
        return
    path = name.partition(".")[2]
    shown = vars(sys.modules[HERE]).items()
    path = next((k for k, v in shown if v is module and k != path), path)  # serialization

    def missing(attribute: str) -> None:
        text = f"module 'torch.{path}' has no attribute '{attribute}'"
        raise AttributeError(text, name=attribute, obj=module)

    vars(module)["__getattr__"] = missing
    _SPEAKING.append(module)


def _unname_classes() -> None:
    _seen.clear()
    while _SPEAKING:
        del vars(_SPEAKING.pop())["__getattr__"]
    while _OWN_MODULE:
        thing, module = _OWN_MODULE.popitem()
        thing.__module__ = module


# ----- the finder --------------------------------------------------------------------------------

class _Distribution(importlib.metadata.Distribution):
    """What `importlib.metadata` tells about torch."""

    _TEXTS = {
        "METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {RELEASE}\n",
        "top_level.txt": "torch\n",
    }

    def read_text(self, filename) -> str | None:
        return self._TEXTS.get(str(filename))

    def locate_file(self, path) -> Path:
        return Path(__file__).parent.parent / path


class _Finder:
    """Answers for torch and its submodules."""

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != "torch" and not name.startswith("torch."):
            return None
        own = _own_name(name)
        if own is None:
            return None
        module = importlib.import_module(own)
        found = ModuleSpec(name, self, origin=getattr(module, "__file__", None))
        if hasattr(module, "__path__"):
            found.submodule_search_locations = list(module.__path__)
        return found

    def create_module(self, spec) -> None:
        return None  # importlib marks the module that it makes, and torchlike's is marked already

    def exec_module(self, module) -> None:
        name = module.__spec__.name
        sys.modules[name] = importlib.import_module(_own_name(name))
        name_classes()

    def find_distributions(self, context=None):
        name = getattr(context, "name", None)
        return [_Distribution()] if name is None or name.lower() == "torch" else []


FINDER = _Finder()


class _Installation:
    """Leaving its `with` block undoes the install() that gave it."""

    def __init__(self, undo: bool) -> None:
        self.undo = undo

    def __enter__(self) -> ModuleType:
        return sys.modules[HERE]

    def __exit__(self, *error) -> None:
        if self.undo:
            uninstall()


def install() -> _Installation:
    """From here on `import torch` gives torchlike, in child processes too; `with` takes it back."""
    if sys.modules.get("torch", sys.modules[HERE]) is not sys.modules[HERE]:
        raise RuntimeError(
            "torchlike.install(): the real torch is already imported in this process; "
            "call install() before anything imports torch"
        )
    first = not is_installed()
    if first:
        sys.meta_path.insert(0, FINDER)
        sys.modules["torch"] = sys.modules[HERE]
        sys.modules[HERE].__name__ = "torch"  # libraries compare it with the path they were given
        _show_table()
        name_classes()
        children.tell(True)
    return _Installation(undo=first)


def uninstall() -> None:
    """`import torch` gives again what is installed under that name."""
    if is_installed():
        sys.meta_path.remove(FINDER)
        sys.modules[HERE].__name__ = HERE
        _unname_classes()
        for name in [name for name in list(sys.modules) if name.split(".")[0] == "torch"]:
            del sys.modules[name]
        children.tell(False)


def is_installed() -> bool:
    return FINDER in sys.meta_path
