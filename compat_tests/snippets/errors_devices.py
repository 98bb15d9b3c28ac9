# Devices that are not there, and what convolutions' gradients refuse.

# Each [cuda]
torch.cuda.manual_seed(0), torch.cuda.seed(), torch.cuda.seed_all(), torch.cuda.empty_cache()
torch.cuda.is_available(), torch.cuda.is_initialized(), torch.cuda.is_bf16_supported()
torch.cuda.memory_allocated(), torch.cuda.memory_reserved(), torch.cuda.max_memory_reserved()
torch.cuda.memory_stats(), torch.cuda.get_rng_state_all(), torch.cuda.default_generators
torch.cuda.get_arch_list(), torch.cuda.is_tf32_supported()
torch.cuda.set_rng_state_all([])
torch.cuda.init()
torch.cuda.current_device()
torch.cuda.current_stream()
torch.cuda.get_device_name(0)
torch.cuda.get_device_properties(0)
torch.cuda.get_device_capability()
torch.cuda.get_rng_state()
torch.cuda.initial_seed()
torch.cuda.ipc_collect()
torch.cuda.mem_get_info()
torch.cuda.set_per_process_memory_fraction(0.5)
torch.cuda.synchronize()
torch.cuda.FloatTensor(3)
torch.cuda.LongTensor([1])
torch.cuda.FloatTensor.dtype, torch.cuda.FloatTensor.is_cuda
isinstance(torch.ones(1), torch.cuda.FloatTensor)
torch.cuda.OutOfMemoryError
torch.set_default_tensor_type(torch.cuda.FloatTensor)
torch.cuda.device(0).__enter__()
torch.cuda.device(-1).__enter__()
torch.cuda.device_of(torch.ones(1)).__enter__()
torch.cuda.stream(None).__enter__()
torch.ones(2, device='cuda')
torch.ones(2).cuda()
torch.cuda.memory_cached()
torch.cuda.nothing

# Each [others]
torch.xpu.manual_seed(0), torch.xpu.manual_seed_all(0), torch.xpu.seed(), torch.xpu.empty_cache()
torch.xpu.is_available(), torch.xpu.device_count(), torch.xpu.is_bf16_supported()
torch.xpu.memory_allocated(), torch.xpu.max_memory_allocated(), torch.xpu.memory_stats()
torch.xpu.get_rng_state_all(), torch.xpu.get_arch_list(), torch.xpu.get_gencode_flags()
torch.xpu.current_device()
torch.xpu.get_device_name()
torch.xpu.get_rng_state()
torch.xpu.set_device(0)
torch.xpu.synchronize()
torch.ones(2, device='xpu')
torch.mps.is_available(), torch.mps.device_count(), torch.mps.manual_seed(0)
torch.mps.empty_cache()
torch.mps.synchronize()
torch.mps.current_allocated_memory()
torch.mps.driver_allocated_memory()
torch.mps.recommended_max_memory()
torch.mps.seed()
torch.mps.get_rng_state()
torch.mps.set_per_process_memory_fraction(0.5)
torch.get_device_module(device='cpu') is torch.cpu, torch.get_device_module() is torch.cpu
torch.set_default_device(device='cpu')
torch.is_tensor(obj=1)

# Each [conv_gradients]
nn.grad.conv1d_input((1, 1, 3), torch.ones(1, 1, 1), torch.ones(1, 1, 3))
nn.grad.conv3d_weight(torch.ones(1, 1, 3, 3, 3), (1, 1, 1, 1, 1), torch.ones(1, 1, 3, 3, 3))
nn.grad.conv1d_input((1, 1, 3), torch.ones(1, 1, 1), torch.ones(1, 1, 4))
nn.grad.conv1d_weight(torch.ones(1, 1, 3), (1, 1, 1), torch.ones(1, 1, 4))
nn.grad.conv2d_weight(torch.ones(1, 1, 3, 3), (1, 1, 1, 1), torch.ones(1, 1, 4, 3))
nn.grad.conv2d_weight(torch.ones(1, 1, 3, 3), (1, 1, 1, 1), torch.ones(1, 2, 3, 3))
nn.grad.conv2d_input((1, 1, 3, 3), torch.ones(1, 1, 1, 1), torch.ones(1, 2, 3, 3))
nn.grad.conv2d_input((1, 2, 3, 3), torch.ones(1, 1, 1, 1), torch.ones(1, 1, 3, 3))
nn.grad.conv2d_input((2, 1, 3, 3), torch.ones(1, 1, 1, 1), torch.ones(1, 1, 3))
nn.grad.conv2d_input((2, 1, 3), torch.ones(1, 1, 1, 1), torch.ones(1, 1, 3, 3))
nn.grad.conv2d_weight(torch.ones(1, 2, 3, 3), (2, 1, 1, 1), torch.ones(1, 2, 3, 3), groups=3)
nn.grad.conv2d_input.__name__

# Each [pinned]
torch.sparse_coo_tensor([[0]], [1.], (2,), pin_memory=True, check_invariants=False)
torch.from_file('/no/such/file', size=2, pin_memory=True)
torch.ones(2).pin_memory()

# In [meta tensors: addresses, files, indices from the CPU, what needs values]
import pickle
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, str(e))
m = torch.empty(2, 3, device='meta'); i = torch.zeros(2, dtype=torch.long, device='meta'); x = torch.ones(2, 3)
attempt('data_ptr', lambda: (m.data_ptr(), m[1].data_ptr(), m.untyped_storage().data_ptr()))
attempt('pickle', lambda: pickle.loads(pickle.dumps(m[:, 1:])).stride())
attempt('pickle', lambda: pickle.loads(pickle.dumps(nn.Parameter(m))))
for other in (m, x, torch.ones(3)): attempt('equal', lambda: torch.equal(m, other))
attempt('one_hot', lambda: F.one_hot(i)); attempt('one_hot', lambda: F.one_hot(i, 5))
for at in (torch.tensor([0, 1]), (torch.tensor([0, 1]), torch.tensor([0, 1])), torch.tensor([True, False]), [0, 1], (torch.tensor([0, 1]), i), (None, torch.tensor([0, 1])), torch.tensor(1), i[0]):
    attempt('index', lambda: m[at])
attempt('put', lambda: m.__setitem__(torch.tensor([0, 1]), 1.)); attempt('put', lambda: m.index_put_((torch.tensor([0, 1]),), m + 1))
attempt('lstsq', lambda: torch.linalg.lstsq(torch.empty(4, 3, device='meta'), torch.empty(4, 2, device='meta')))
attempt('to_sparse', lambda: m.to_sparse())

# In [products of a vector and batches that do not fit]
def attempt(n, f):
    try: print(n, f())
    except Exception as e: print(n, type(e).__name__, str(e))
v = torch.ones(3)
for s in ((2, 5, 2, 2), (5, 2, 4), (0, 2, 4), (2, 4)): attempt(s, lambda: v @ torch.ones(s))
attempt('grad', lambda: v.requires_grad_() @ torch.ones(2, 5, 2, 2))
