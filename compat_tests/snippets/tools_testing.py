# torch.testing: comparing tensors, and making them.

# In [assert_close of tensors]
from torch.testing import assert_close
def attempt(*args, **kwargs):
    try:
        print(assert_close(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error, sep=": ")
a = torch.tensor([1.0, 2.0, 3.0])
attempt(a, a + 1e-7)
attempt(a, torch.tensor([1.0, 4.0, 5.5]))
attempt(a, a + 1, rtol=0, atol=0)
attempt(a, a + 1, rtol=0.5, atol=0.25)
attempt(a, a + 1, rtol=0.5)
attempt(a, a + 1, atol=0.5)
attempt(a.int(), a.int() * 2)
attempt(a > 1, a > 2)
attempt(a.cfloat(), a.cfloat() * 1j)
attempt(torch.ones(2, 3), torch.ones(2, 3).index_fill(1, torch.tensor([1]), 7))
attempt(torch.tensor(1.0), torch.tensor(2.0))
attempt(torch.tensor(1.0), torch.tensor(0.0))
attempt(torch.tensor(1), torch.tensor(3))
attempt(torch.tensor([0, 200], dtype=torch.uint8), torch.tensor([255, 0], dtype=torch.uint8))

# In [assert_close of nan and inf]
from torch.testing import assert_close
def attempt(*args, **kwargs):
    try:
        print(assert_close(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error, sep=": ")
n = torch.tensor([float("nan"), 1.0, float("inf")])
attempt(n, n)
attempt(n, n.clone(), equal_nan=True)
attempt(n, torch.zeros(3), equal_nan=True)
attempt(n[0], n[0])
attempt(float("nan"), float("nan"))
attempt(float("nan"), float("nan"), equal_nan=True)
attempt(float("inf"), 1.0)
attempt(float("inf"), float("inf"))

# In [assert_close of attributes]
from torch.testing import assert_close
def attempt(*args, **kwargs):
    try:
        print(assert_close(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error, sep=": ")
a = torch.arange(6.0).reshape(2, 3)
attempt(a, a.flatten())
attempt(a, a.double())
attempt(a, a.double(), check_dtype=False)
attempt(a, a.half() + 1, check_dtype=False)
attempt(a.to(torch.uint16), a.long(), check_dtype=False)
attempt(a, a.t().contiguous().t(), check_stride=True)
attempt(a, a.t().contiguous().t())
attempt(a, a.to_sparse())
attempt(a, a.to_sparse(), check_layout=False)
attempt(a, a.to("meta"))
attempt(a, a.to("meta"), check_device=False)
attempt(nn.Parameter(a), a)
attempt(nn.Parameter(a), a, allow_subclasses=False)
attempt(a.numpy(), a)
attempt(a, [1.0])
attempt(np.ones(2), np.zeros(2))
attempt("a", "a")

# In [assert_close of scalars, sequences and mappings]
from collections import OrderedDict
from torch.testing import assert_close
def attempt(*args, **kwargs):
    try:
        print(assert_close(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, str(error).split(" If you")[0], sep=": ")
attempt(1e-9, 1e-10, rtol=0, atol=0)
attempt(1, 2)
attempt(1, 1.0)
attempt(1, 1.0, check_dtype=False)
attempt(1j, 2.0, check_dtype=False)
attempt(np.float32(1), 1.5)
attempt(True, False)
attempt(np.bool_(True), True)
attempt(True, 1)
attempt(None, None)
attempt(None, 1)
attempt([1.0, (2.0, torch.ones(2))], (1.0, [2.0, torch.zeros(2)]))
attempt([1.0], [1.0, 2.0])
attempt([[1.0], [1.0]], [[1.0], []])
attempt({"a": 1, "b": [1.0, 2.0]}, OrderedDict(b=[1.0, 3.0], a=1))
attempt({"a": 1, "b": 2}, {"a": 1, "c": 3})
attempt({1: {"x": 1}, 2: 0}, {1: {"y": 1}, 2: 0})
attempt([1.0, None], [1.0, "x"])
attempt([1.0], [2.0], msg="own text")
attempt([1.0], [2.0], msg=lambda text: f"Head\n\n{text}\n\nFoot")
attempt(1.0, "x", msg="unused: no pair")

# In [assert_close of sparse tensors]
import warnings
warnings.simplefilter("ignore")
from torch.testing import assert_close
def attempt(*args, **kwargs):
    try:
        print(assert_close(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error, sep=": ")
a = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
for change in ("to_sparse", "to_sparse_csr", "to_sparse_csc"):
    attempt(getattr(a, change)(), getattr(a, change)())
    attempt(getattr(a, change)(), getattr(a * 2, change)())
    attempt(getattr(a, change)(), getattr(a.t(), change)())
    attempt(getattr(a, change)(), getattr(a.flip(0), change)())
    attempt(getattr(a, change)(), getattr(a + 1, change)())
attempt(a.to_sparse(), a.to_sparse(1))

# In [assert_allclose and the tolerances]
from torch.testing._comparison import default_tolerances, not_close_error_metas, ObjectPair
torch.testing.assert_allclose([1.0, 2.0], torch.tensor([1.0, 2.00001]))
try:
    torch.testing.assert_allclose(torch.ones(2), [1.0, 2.0], msg="")
except AssertionError as error:
    print(error)
for dtype in (torch.half, torch.bfloat16, torch.float, torch.double, torch.cfloat, torch.cdouble, torch.int):
    print(dtype, default_tolerances(dtype), default_tolerances(torch.half, dtype))
try:
    default_tolerances(3)
except TypeError as error:
    print(error)
print([meta.msg for meta in not_close_error_metas([1, "a"], [1, "b"])], ObjectPair(1, 2, id=(3,)))

# In [make_tensor]
from torch.testing import make_tensor
kinds = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.half, torch.bfloat16,
         torch.float, torch.double, torch.cfloat, torch.cdouble)
for dtype in kinds:
    print(make_tensor(2, 2, dtype=dtype, device="cpu"))
for dtype in kinds[1:]:
    print(make_tensor((4,), dtype=dtype, device="cpu", low=2, high=4, exclude_zero=True))
print(make_tensor((4,), dtype=torch.double, device="cpu", low=-1e308, high=1.7e308))
print(make_tensor((4,), dtype=torch.uint8, device="cpu", low=-5, high=1000))
print(make_tensor((30,), dtype=torch.int, device="cpu", low=0, high=3, exclude_zero=True))

# In [make_tensor's arguments]
from torch.testing import make_tensor
def attempt(*args, dtype=torch.float, **kwargs):
    try:
        t = make_tensor(*args, dtype=dtype, device="cpu", **kwargs)
        print(t.shape, t.stride(), t.storage_offset(), t.requires_grad, t.sum())
    except Exception as error:
        print(type(error).__name__, error, sep=": ")
attempt(2, 3, requires_grad=True)
attempt((2, 3), noncontiguous=True)
attempt([1], noncontiguous=True)
attempt((2, 3, 4, 5), memory_format=torch.channels_last)
attempt((2, 3, 4, 5), memory_format=torch.channels_last, noncontiguous=True)
attempt(2, dtype=torch.int, requires_grad=True)
attempt(())
attempt(0)
attempt(2, low=3, high=2)
attempt(2, low=3, high=3)
attempt(2, low=3, high=3, dtype=torch.int)
attempt(2, low=float("nan"))
attempt(2, low=300, high=400, dtype=torch.uint8)
attempt(2, low=2, high=4, dtype=torch.bool)
attempt(2, low=1e5, high=1e6, dtype=torch.half)
attempt(2, low=0.5, high=1.5, dtype=torch.int)
attempt(2, dtype=torch.float8_e8m0fnu)
