# Names that libraries take from PyTorch beside what its manual shows.

# In [foreach]
a = [torch.ones(2), torch.full((2, 2), 2.0)]
for name, args in [("add", (1,)), ("add", (a,)), ("add", ([1.0, 2.0],)), ("add", (torch.tensor(2.0),)),
                   ("mul", (torch.tensor(3.0),)), ("div", (a,)), ("sub", (a,)), ("pow", ([1, 2],)),
                   ("lerp", (a, 0.5)), ("lerp", (a, a)), ("maximum", (1,)), ("minimum", (a,)),
                   ("addcmul", (a, a)), ("addcdiv", (a, a, [1.0, 2.0])), ("norm", ()), ("norm", (1,)),
                   ("addcdiv", (a, a, torch.tensor([1.0, 2.0]))), ("max", ()), ("sqrt", ()), ("clone", ())]:
    print(name, getattr(torch, f"_foreach_{name}")(a, *args))
print(torch._foreach_add(a, a, alpha=2), torch._foreach_addcmul(a, a, a, value=2), torch._foreach_pow(2.0, a))
b = [t.clone() for t in a]
print(torch._foreach_mul_(b, 2), torch._foreach_copy_(b, a), torch._foreach_zero_(b), b)
x = [torch.ones(2, requires_grad=True)]
torch._foreach_mul(x, [3.0])[0].sum().backward()
print(x[0].grad)
for wrong in (lambda: torch._foreach_add(a, a[:1]), lambda: torch._foreach_add(a, [1.0]),
              lambda: torch._foreach_add([], 1), lambda: torch._foreach_sqrt(3),
              lambda: torch._foreach_mul(a, torch.tensor([1.0, 2.0])), lambda: torch._foreach_add_(x, 1),
              lambda: torch._foreach_sub(a, 1, alpha=2)):
    try:
        print(wrong())
    except Exception as error:
        print(type(error).__name__, error)

# In [checks]
for wrong in (lambda: torch._check(True), lambda: torch._check(False), lambda: torch._check(False, lambda: "no"),
              lambda: torch._check(1), lambda: torch._check(False, "text"), lambda: torch._check(torch.tensor(True)),
              lambda: torch._check_index(False, lambda: 3), lambda: torch._check_value(False, lambda: "v"),
              lambda: torch._check_type(False), lambda: torch._check_not_implemented(False),
              lambda: torch._check_with(OSError, False, lambda: "q"), lambda: torch._check_is_size(-1),
              lambda: torch._check_is_size(3), lambda: torch._check_is_size(3, max=2),
              lambda: torch._check_tensor_all(torch.tensor([True, False])),
              lambda: torch._check_tensor_all(torch.tensor([1])), lambda: torch._assert_async(torch.tensor(0), "msg"),
              lambda: torch._assert_async(torch.tensor(0)), lambda: torch._assert_async(torch.ones(2))):
    try:
        print(wrong())
    except Exception as error:
        print(type(error).__name__, error)

# In [shapes and indices]
import warnings
print(torch._shape_as_tensor(torch.ones(2, 3)), torch._cast_Long(torch.ones(2)), torch._cast_Half(torch.ones(2)))
print(torch._convert_indices_from_coo_to_csr(torch.tensor([0, 0, 2]), 4))
print(torch._convert_indices_from_coo_to_csr(torch.tensor([0, 0, 2]), 4, out_int32=True))
edges, columns = torch.tensor([0, 2, 2, 3]), torch.tensor([1, 0, 2])
print(torch._convert_indices_from_csr_to_coo(edges, columns))
print(torch._convert_indices_from_csr_to_coo(edges, columns, out_int32=True, transpose=True))
warnings.simplefilter("ignore")
print(torch.sparse_csr_tensor(crow_indices=edges, col_indices=columns, values=torch.ones(3)).to_dense())
print(torch.sparse_csc_tensor(ccol_indices=edges, row_indices=columns, values=torch.ones(3)).to_dense())
print(torch._segment_reduce(torch.arange(6.0), "sum", lengths=torch.tensor([2, 4])))

# In [several as one]
from torch._utils import _element_size, _flatten_dense_tensors, _get_device_index, _unflatten_dense_tensors
parts = [torch.ones(2), torch.zeros(2, 2)]
flat = _flatten_dense_tensors(parts)
print(flat, _unflatten_dense_tensors(flat, parts), _element_size(torch.float16))
for given in (("cpu", False, True), ("cpu",), (2,), (None,), ("cuda:1",), ("cuda",), (1.5,)):
    try:
        print(_get_device_index(*given))
    except Exception as error:
        print(type(error).__name__, error)
to = torch._C._nn._parse_to
print(to("cpu", torch.float16), to(torch.ones(1), non_blocking=True), to(dtype=torch.half), torch._C._get_default_device())

# In [modules to import]
from torch.ao.quantization import DeQuantStub, QuantStub
from torch.distributed._composable.fsdp import FSDPModule
from torch.distributed.fsdp import FullyShardedDataParallel, MixedPrecisionPolicy, fully_shard
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.distributed.tensor.experimental import implicit_replication
from torch.nn.parallel.distributed import DistributedDataParallel
from torch.nn.parallel.scatter_gather import gather, scatter
from torch.onnx import register_custom_op_symbolic, symbolic_opset11
from torch.onnx.symbolic_helper import parse_args
from torch.serialization import DEFAULT_PROTOCOL
from torch._dynamo import OptimizedModule
from torch._tensor_str import _add_suffixes, _str_intern, _tensor_str
from torch.utils.data._utils.collate import np_str_obj_array_pattern
from torch.utils.data.dataloader import _collate_fn_t
model = nn.Linear(1, 1)
print(isinstance(model, FSDPModule), isinstance(model, DistributedDataParallel), DEFAULT_PROTOCOL)
print(isinstance(torch.optim.SGD(model.parameters()), ZeroRedundancyOptimizer), isinstance(torch.compile(model), OptimizedModule))
print(_tensor_str(torch.arange(3), 7), _add_suffixes("x(1", ["a=1", "b=2"], 2, False), torch.jagged)
print(bool(np_str_obj_array_pattern.search("U5")), torch.layout, isinstance(torch.futures.Future(), torch.Future))
def f(x) -> torch.futures.Future[torch.Tensor]: ...
print(isinstance(torch.ones(1), torch._C._TensorMeta), torch.ops.aten.alias.default, torch.ops.aten.slice.Tensor)

# In [float quantized modules]
q = nn.quantized.FloatFunctional()
x, y = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0])
print(q, q.add(x, y), q.mul(x, y), q.add_relu(x, y), q.cat([x, y]), q.add_scalar(x, 2.0), q.matmul(x, y))
m = nn.Sequential(torch.ao.quantization.QuantStub(), nn.ReLU(), torch.ao.quantization.DeQuantStub())
print(m, m(x))
try:
    q(x)
except RuntimeError as error:
    print("RuntimeError")

# In [keys of autocast]
K, S = torch._C.DispatchKey, torch._C.DispatchKeySet
keys = S(K.AutocastCPU) | S(K.AutocastCUDA)
print(K.AutocastCPU, keys, keys.has(K.AutocastCUDA), keys == S(K.AutocastCUDA).add(K.AutocastCPU))
from torch.library import Library
lib = Library("h2keys", "FRAGMENT")
lib.define("double(Tensor x) -> Tensor")
lib.impl("double", lambda x: x * 2, "CPU")
def around(x):
    print("autocast")
    with torch._C._ExcludeDispatchKeyGuard(keys):
        return torch.ops.h2keys.double(x.float())
lib.impl("double", around, "AutocastCPU")
print(torch.ops.h2keys.double(torch.ones(1, dtype=torch.half)))
with torch.autocast("cpu"):
    print(torch.ops.h2keys.double(torch.ones(1, dtype=torch.half)))

# In [records of a file]
import io
file = io.BytesIO()
torch.save({"a": torch.arange(3)}, file)
reader = torch.PyTorchFileReader(io.BytesIO(file.getvalue()))
print(sorted(reader.get_all_records()), reader.has_record("data/0"), reader.has_record("x"), len(reader.get_record("data/0")))

# In [numpy's names]
x = torch.arange(6.0).reshape(2, 3)
print(torch.sum(x, axis=0), x.sum(axis=-1, keepdims=True), x.mean(axis=0), torch.mean(x, axis=(0, 1), keepdims=True))
print(x.max(axis=0), torch.cat([x, x], axis=1), torch.add(x1=x, x2=x), torch.exp(x=x), torch.sort(x, axis=0).indices)
print(x.sum(axis=0, dtype=torch.float64), torch.stack([x, x], axis=0).shape, x.argmax(axis=1, keepdims=True), x.std(axis=1))
print(x.norm(), torch.linalg.norm(x, axis=0), x.min(axis=1, keepdims=True), x.squeeze(axis=0).shape, x.chunk(2, axis=0))
print(x.diff(axis=0), x.unbind(axis=0), x.amax(axis=0), x.cumsum(axis=0), x.all(axis=0), torch.sum(a=x), torch.sub(x, x2=x))
for wrong in (lambda: x.sum(dim=1, axis=0), lambda: x.sum(axes=0), lambda: torch.cat([x], dim=1, axis=0)):
    try:
        print(wrong())
    except TypeError as error:
        print("TypeError")

# In [attributes of a tensor]
import copy
x=torch.arange(3.); x.a=1; x.b=[2]
print(vars(x), x.__dict__, list(torch.ones(2).__dict__))
y=torch.ones(2); y.__dict__.update(x.__dict__); print(y, y.a, y.b is x.b)
y.__dict__={"c":3}; print(y, vars(y), hasattr(y,"a"))
y.__dict__["d"]=4; print(y.d, y.__dict__.pop("c"), vars(y), "d" in y.__dict__, y.__dict__==dict(d=4))
del y.__dict__["d"]; print(vars(y)); y.__dict__.setdefault("z",1); d=y.__dict__; d|={"q":2}; print(sorted(vars(y)), y.z)
y.__dict__.clear(); print(vars(y), y)
print(copy.deepcopy(x.__dict__), copy.deepcopy(x).b, dict(x.__dict__), {**x.__dict__})
w=torch.ones(2,requires_grad=True); l=(w*2).sum(); l.backward(); print(vars(w), vars(l), vars(torch.nn.Parameter(w)))
class S(torch.Tensor):
    def meta(self): return self.__dict__
s=x.as_subclass(S); s.k=2; t=s+1; t.__dict__.update(s.__dict__); print(type(t), t.k, t)
print(sorted(vars(copy.copy(x))), torch.ones(3)[1:].__dict__, isinstance(x.__dict__, dict))
