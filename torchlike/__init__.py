"""torchlike: PyTorch's API and semantics on JAX, with no PyTorch installed.

Use it as `import torchlike as torch`, or run an unmodified script: `python -m torchlike script.py`.
"""

import gc as _gc
import importlib as _importlib
import sys as _sys

if _sys.argv[:1] == ["-m"]:  # perhaps `python -m torchlike`: what follows takes a second
    from .restart import restart as _restart

    _restart()

_collecting = _gc.isenabled()
_gc.disable()  # what is loaded stays: looking through it over and over takes 15 % of the import
try:
    from . import amp, func, jit, nn, ops, optim, utils
finally:
    _gc.freeze()  # nor later: a full collection takes 11 ms without these objects, 87 with them
    if _collecting:
        _gc.enable()

from .core import dtypes as _dtypes
from .core import layouts as _layouts
from .core import run as _run
from .core.device import device as device
from .core.device import get_default_device as get_default_device
from .core.device import set_default_device as set_default_device
from .core.dtypes import dtype as dtype
from .core.dtypes import finfo as finfo
from .core.dtypes import get_default_dtype as get_default_dtype
from .core.dtypes import iinfo as iinfo
from .core.dtypes import promote_types as promote_types
from .core.dtypes import set_default_dtype as set_default_dtype
from .core.layouts import layout as layout
from .core.layouts import memory_format as memory_format
from .core.explain import explain as explain
from .core.explain import op_times as op_times
from .core.rng import Generator as Generator
from .core.storage import Size as Size
from .core.tape import enable_grad as enable_grad
from .core.tape import inference_mode as inference_mode
from .core.tape import is_grad_enabled as is_grad_enabled
from .core.tape import is_inference_mode_enabled as is_inference_mode_enabled
from .core.tape import no_grad as no_grad
from .core.tape import set_grad_enabled as set_grad_enabled
from .core.tensor import Tensor as Tensor
from .core.tensor import is_tensor as is_tensor
from .device_streams import Event as Event
from .device_streams import Stream as Stream
from .ops import PUBLIC as _PUBLIC
from .ops import return_types as return_types
from .ops import underscored as _underscored
from .ops.data import LEGACY as _LEGACY
from .ops.memory import TypedStorage as TypedStorage
from .ops.memory import UntypedStorage as UntypedStorage
from .ops.storages import LEGACY_STORAGES as _LEGACY_STORAGES

globals().update(_PUBLIC)
legacy_contiguous_format = _layouts.contiguous_format
globals().update(_dtypes.PUBLIC)
globals().update(_LEGACY)
globals().update(_LEGACY_STORAGES)
Storage = _LEGACY_STORAGES["FloatStorage"]
_storage_classes = {UntypedStorage, TypedStorage, *_LEGACY_STORAGES.values()}
for _name in (
    "contiguous_format", "preserve_format", "channels_last", "channels_last_3d", "strided",
    "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged",
):  # fmt: skip
    globals()[_name] = getattr(_layouts, _name)

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from . import autograd as autograd
from .autograd.anomaly import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from .autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from .autograd.anomaly import set_anomaly_enabled as set_anomaly_enabled
from . import accelerator as accelerator
from . import backends as backends
from . import cpu as cpu
from . import cuda as cuda
from . import fft as fft
from . import linalg as linalg
from . import masked as masked
from . import seeding as random
from . import signals as signal
from . import sparse as sparse
from . import special as special
from . import version as version
from .backends import get_float32_matmul_precision as get_float32_matmul_precision
from .backends import set_float32_matmul_precision as set_float32_matmul_precision
from .core.rng import default_generator as default_generator
from .printing import format_value as _format_value
from .printing import parameter_text as _parameter_text
from .printing import set_printoptions as set_printoptions
from .printing import tensor_text as _tensor_text
from .version import __version__ as __version__

from . import _C as _C
from . import overrides as overrides

from . import nn as nn
from . import optim as optim
from . import serialize as serialization
from . import utils as utils
from .serialize import load as load
from .serialize.reading import PyTorchFileReader as PyTorchFileReader
from .serialize import save as save

from . import compiler as compiler
from . import misc as _misc
from .compiler import compile as compile

globals().update({_name: getattr(_misc, _name) for _name in _misc.__all__})
globals().update(_underscored.UNDERSCORED)
from . import func as func  # noqa: E402
from .func import from_jax as from_jax  # noqa: E402
from .func import vmap as vmap  # noqa: E402

from . import amp as amp
from . import jit as jit
from .scripting import ScriptFunction as ScriptFunction
from .scripting import ScriptModule as ScriptModule
from .amp import GradScaler as GradScaler
from .amp import autocast as autocast
from .amp import autocast_mode as _autocast_mode

globals().update(
    {_name: _f for _name, _f in vars(_autocast_mode).items() if _name in _autocast_mode.TOP}
)
newaxis = None
Tensor.__repr__ = _tensor_text  # type: ignore[method-assign]
nn.Parameter.__repr__ = _parameter_text  # type: ignore[method-assign]
Tensor.__format__ = _format_value  # type: ignore[method-assign]
_tensor_text.__name__, _format_value.__name__ = "__repr__", "__format__"
Tensor.__module__, nn.Parameter.__module__ = "torch", "torch.nn.parameter"

from .alias import install as install
from .alias import name_classes as _name_classes
from .alias import populate as _populate
from .alias import uninstall as uninstall

_populate()
_gc.freeze()
torch = _sys.modules[__name__]  # PyTorch's package holds itself, too
step_boundary = _run.step_boundary

_LAZY = (
    "__config__", "_custom_ops", "_dynamo", "_higher_order_ops", "_subclasses", "ao",
    "distributed", "distributions", "export", "futures", "fx", "hub", "library", "monitor", "mps",
    "nested", "onnx", "package", "profiler", "quasirandom", "testing", "xpu",
)  # fmt: skip  (imported when first asked for)


def __getattr__(name):
    if name in _LAZY or name == "ops":  # torch.ops holds the namespaces of custom ops
        module = _importlib.import_module(f".{name}", __package__)
        _name_classes()
        return module
    if name == "Future":
        return _importlib.import_module(".futures", __package__).Future
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
