"""Names of `torch` that no other test calls: settings, values, storages, other libraries' memory."""

# In [settings that are read and written]
import warnings
warnings.simplefilter('ignore')
def tell(call):
    try: return repr(eval(call, {"torch": torch}))
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
for call in """
torch.are_deterministic_algorithms_enabled()
torch.is_deterministic_algorithms_warn_only_enabled()
torch.use_deterministic_algorithms(True)
torch.are_deterministic_algorithms_enabled()
torch.get_deterministic_debug_mode()
torch.use_deterministic_algorithms(True, warn_only=True)
torch.is_deterministic_algorithms_warn_only_enabled()
torch.get_deterministic_debug_mode()
torch.set_deterministic_debug_mode('default')
torch.set_deterministic_debug_mode(2)
torch.are_deterministic_algorithms_enabled()
torch.set_deterministic_debug_mode('warn')
torch.get_deterministic_debug_mode()
torch.set_deterministic_debug_mode('loud')
torch.set_deterministic_debug_mode(3)
torch.set_deterministic_debug_mode(1.5)
torch.set_deterministic_debug_mode(0)
torch.are_deterministic_algorithms_enabled()
torch.use_deterministic_algorithms(3)
torch.use_deterministic_algorithms('a')
torch.use_deterministic_algorithms()
torch.get_float32_matmul_precision()
torch.set_float32_matmul_precision('high')
torch.get_float32_matmul_precision()
torch.set_float32_matmul_precision('low')
torch.set_float32_matmul_precision('highest')
torch.is_warn_always_enabled()
torch.set_warn_always(True)
torch.is_warn_always_enabled()
torch.set_warn_always('a')
torch.set_warn_always(False)
torch.is_anomaly_enabled()
torch.set_anomaly_enabled(True)
torch.is_anomaly_enabled()
torch.is_anomaly_check_nan_enabled()
torch.set_anomaly_enabled(True, False)
torch.is_anomaly_check_nan_enabled()
torch.set_anomaly_enabled(False, True)
torch.set_anomaly_enabled('a')
torch.get_default_device()
torch.set_default_device('cpu')
torch.set_default_device('meta')
torch.get_default_device()
torch.ones(2).device
torch.set_default_device(None)
torch.get_default_device()
torch.set_default_device('nope')
torch.set_default_device(3.5)
torch.set_default_tensor_type('torch.DoubleTensor')
torch.ones(2).dtype
torch.set_default_tensor_type(torch.FloatTensor)
torch.set_default_tensor_type('torch.NopeTensor')
torch.set_default_tensor_type(torch.LongTensor)
torch.set_default_tensor_type(3)
torch.set_default_tensor_type(torch.float32)
torch.get_default_dtype()
torch.set_num_threads(0)
torch.set_num_threads(1.5)
torch.set_num_threads('a')
torch.get_num_interop_threads() > 0
torch.get_num_threads() > 0
torch.set_num_interop_threads(0)
torch.set_num_interop_threads('a')
torch.set_flush_denormal('a')
torch.is_autocast_cache_enabled()
torch.set_autocast_cache_enabled(False)
torch.is_autocast_cache_enabled()
torch.set_autocast_cache_enabled(True)
torch.set_autocast_cache_enabled(3)
torch.is_autocast_cpu_enabled()
torch.set_autocast_cpu_enabled(True)
torch.is_autocast_cpu_enabled()
torch.is_autocast_enabled('cpu')
torch.set_autocast_cpu_enabled(False)
torch.set_autocast_cpu_enabled(3)
torch.is_autocast_ipu_enabled()
torch.set_autocast_ipu_enabled(False)
torch.is_autocast_xla_enabled()
torch.set_autocast_xla_enabled(False)
torch.get_autocast_cpu_dtype()
torch.set_autocast_cpu_dtype(torch.float16)
torch.get_autocast_cpu_dtype()
torch.get_autocast_dtype('cpu')
torch.set_autocast_cpu_dtype(torch.bfloat16)
torch.set_autocast_cpu_dtype('a')
torch.get_autocast_gpu_dtype()
torch.set_autocast_gpu_dtype(torch.bfloat16)
torch.get_autocast_gpu_dtype()
torch.set_autocast_gpu_dtype(torch.float16)
torch.get_autocast_ipu_dtype()
torch.set_autocast_ipu_dtype(torch.float16)
torch.get_autocast_xla_dtype()
torch.set_autocast_xla_dtype(torch.bfloat16)
torch.set_autocast_dtype('cpu', torch.float16)
torch.get_autocast_cpu_dtype()
torch.set_autocast_dtype('cpu', torch.bfloat16)
torch.set_autocast_dtype('nope', torch.bfloat16)
torch.set_autocast_dtype('cpu', 3)
torch.autocast_increment_nesting()
torch.autocast_increment_nesting()
torch.autocast_decrement_nesting()
torch.autocast_decrement_nesting()
torch.clear_autocast_cache()
torch.get_device_module(torch.device('cpu')) is torch.cpu
torch.get_device_module() in (torch.cpu, torch.cuda)
torch.get_device_module('nope')
torch.get_device_module(3)
torch.compiled_with_cxx11_abi()
torch.has_lapack
torch.has_mkl
torch.has_openmp
torch.has_spectral
torch.is_vulkan_available()
torch.accelerator.is_available()
torch.accelerator.device_count()
torch.accelerator.current_accelerator()
torch.accelerator.current_device_index()
torch.accelerator.set_device_index(0)
torch.accelerator.synchronize()
torch.accelerator.current_stream()
torch.accelerator.memory_allocated()
torch.xpu.is_available()
torch.xpu.device_count()
torch.mps.is_available()
torch.mps.device_count()
torch.mps.synchronize()
torch.backends.mps.is_available()
torch.backends.cuda.is_built()
torch.backends.cudnn.is_available()
torch.backends.cudnn.enabled
torch.backends.cuda.matmul.allow_tf32
torch.backends.nope
torch.distributed.is_initialized()
torch.version.cuda is None
torch.version.hip is None
torch.torch_version.TorchVersion('2.13.0') > '2.9'
torch.torch_version.TorchVersion('2.13.0+cpu') >= (2, 13)
torch.torch_version.TorchVersion('2.13') == '2.13'
torch.torch_version.TorchVersion('2.13') > 'parrot'
torch.__version__ >= (2, 13)
torch.e, torch.pi, torch.inf, torch.nan, torch.newaxis
torch.preserve_format
torch.channels_last_3d
torch.legacy_contiguous_format
torch.memory_format
torch.layout
torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc
torch.complex32, torch.complex32.itemsize, torch.complex32.is_complex
torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu
torch.float8_e4m3fnuz.is_floating_point, torch.finfo(torch.float8_e5m2fnuz).max
torch.finfo(torch.float8_e4m3fnuz).max, torch.finfo(torch.float8_e8m0fnu).max
torch.tensor([1.5, 300.]).to(torch.float8_e4m3fnuz).float()
torch.tensor([1.5, -300.]).to(torch.float8_e5m2fnuz).float()
torch.tensor([1.5, 300., 0.3]).to(torch.float8_e8m0fnu).float()
""".strip().splitlines():
    print(call, tell(call))

# In [typed tensors and storages]
import warnings
warnings.simplefilter('ignore')
def tell(call):
    try:
        found = eval(call, {"torch": torch, "np": np})
        return f"{found!r} {found.dtype}" if isinstance(found, torch.Tensor) else repr(found)
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
for kind in "BFloat16 Byte Char Double Half Short Int Long Float Bool".split():
    name = f"torch.{kind}Tensor"
    print(name, tell(f"{name}([1, 2])"), tell(f"{name}(2).shape"), tell(f"{name}()"), tell(f"{name}('a')"))
    print(tell(f"isinstance({name}([1]), {name})"), tell(f"isinstance(torch.ones(1).double(), {name})"), tell(f"{name}.dtype"), tell(f"{name}"), tell(f"torch.ones(1).type({name})"))
for call in """
torch.BFloat16Tensor([1.5])
torch.ByteTensor([255, 256])
torch.ByteTensor([-1])
torch.CharTensor([200])
torch.DoubleTensor(2, 3).shape
torch.DoubleTensor(torch.Size([2, 3])).shape
torch.DoubleTensor(torch.ones(2))
torch.HalfTensor(torch.ones(2))
torch.HalfTensor(np.ones(2))
torch.ShortTensor([1.7])
torch.ShortTensor([1, 2], device='cpu')
torch.UntypedStorage(4).nbytes()
torch.UntypedStorage([1, 2, 3])
torch.UntypedStorage(4).fill_(3)
torch.UntypedStorage([1, 2, 3]).tolist()
torch.UntypedStorage([1, 2, 3]).size()
torch.UntypedStorage('a')
torch.UntypedStorage(1.5)
torch.UntypedStorage([1, 2, 3]).device
torch.UntypedStorage([1, 2, 3]).clone().tolist()
torch.UntypedStorage([1, 2, 3]).element_size()
torch.UntypedStorage([1, 2, 3]) == 3
torch.UntypedStorage([1, 2, 3]).is_pinned()
torch.UntypedStorage([1, 2, 3]).is_shared()
torch.UntypedStorage([1, 2, 3, 4, 5, 6, 7, 8]).byteswap(torch.int32)
torch.UntypedStorage.from_buffer(b'abcdefgh', 'native', dtype=torch.int32).tolist()
torch.is_storage(torch.UntypedStorage(2))
torch.is_storage(3)
torch.is_storage(torch.TypedStorage())
torch.TypedStorage([1, 2, 3], dtype=torch.int32)
torch.TypedStorage(3).dtype
torch.TypedStorage([1., 2]).tolist()
torch.TypedStorage([1., 2]).nbytes()
torch.TypedStorage([1., 2])[1]
torch.TypedStorage([1., 2]).untyped()
torch.TypedStorage([1., 2]).pickle_storage_type()
torch.TypedStorage([1., 2]).double().dtype
torch.TypedStorage([1., 2]).size()
torch.TypedStorage('a')
torch.TypedStorage(wrap_storage=torch.UntypedStorage(8), dtype=torch.float32).size()
torch.FloatStorage([1., 2])
torch.FloatStorage([1., 2]).fill_(3).tolist()
torch.LongStorage(2).nbytes()
torch.storage.UntypedStorage is torch.UntypedStorage
torch.storage.TypedStorage is torch.TypedStorage
""".strip().splitlines():
    print(call, tell(call))
torch.save(torch.arange(3.), 'x.pt')
with open('f.bin', 'wb') as f: f.write(np.arange(4, dtype=np.float32).tobytes())
for call in """
torch.from_file('f.bin', size=4)
torch.from_file('f.bin', shared=True, size=2).add_(1)
torch.from_file('f.bin', size=4, dtype=torch.float32)
torch.from_file('f.bin', size=2, dtype=torch.float64).shape
torch.from_file('f.bin', size=9)
torch.from_file('nope.bin', size=2)
torch.from_file('f.bin')
torch.from_file(3)
""".strip().splitlines():
    print(call, tell(call))

# In [symbols, memory and submodules]
import warnings
warnings.simplefilter('ignore')
def tell(call):
    try:
        found = eval(call, {"torch": torch, "np": np})
        return f"{found!r} {found.dtype}" if isinstance(found, torch.Tensor) else repr(found)
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
for call in """
torch.AcceleratorError.__mro__
torch.OutOfMemoryError.__mro__
torch.OutOfMemoryError is torch.cuda.OutOfMemoryError
torch.AcceleratorError('a').args
isinstance(3, torch.SymInt)
isinstance(3., torch.SymFloat), isinstance(True, torch.SymBool)
callable(torch.while_loop)
torch.sym_int(3.7)
torch.sym_int('3')
torch.sym_int(-3.7)
torch.sym_float(3)
torch.sym_float('a')
torch.sym_not(True)
torch.sym_not(0)
torch.sym_max(2, 3.0)
torch.sym_max(4, 3.0)
torch.sym_max('a', 3.0)
torch.sym_min(2, 3.0)
torch.sym_min(2.5, 3)
torch.sym_ite(True, 1, 2)
torch.sym_ite(3, 1, 2)
torch.sym_ite(False, 1, 2.)
torch.sym_sqrt(4)
torch.sym_sqrt(-4)
torch.sym_sum([1, 2, 3])
torch.sym_sum((1, 2.5))
torch.sym_sum([])
torch.sym_sum(3)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.uint8)
torch.frombuffer(bytearray(b'abcdefgh'), dtype=torch.int16, count=2, offset=2)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int32, requires_grad=True)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.float32, requires_grad=True).requires_grad
torch.frombuffer(bytearray(b'abc'), dtype=torch.int32)
torch.frombuffer(bytearray(b''), dtype=torch.int32)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int8, count=0)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int8, count=7)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int8, offset=4)
torch.frombuffer(bytearray(b'abcd'), dtype=torch.int8, offset=-1)
torch.frombuffer('abcd', dtype=torch.int8)
torch.from_dlpack(torch.arange(3))
torch.from_dlpack(np.arange(3))
torch.from_dlpack(torch.utils.dlpack.to_dlpack(torch.arange(3)))
torch.from_dlpack(torch.to_dlpack(torch.arange(3)))
torch.from_dlpack(torch.ones(2, requires_grad=True))
torch.from_dlpack([1])
torch.from_dlpack(3)
torch.to_dlpack([1])
type(torch.to_dlpack(torch.ones(1))).__name__
torch.from_dlpack(torch.ones(2, dtype=torch.bool))
torch.from_dlpack(torch.ones(2, dtype=torch.complex64))
torch.from_dlpack(np.ones(2), copy=True)
torch.from_dlpack(np.ones(2), device='cpu')
torch.functional.norm is torch.norm
torch.functional.split is torch.split
torch.return_types.max
torch.return_types.max((1, 2))
torch.max(torch.ones(2, 2), 0).__class__ is torch.return_types.max
torch.return_types.linalg_svd
torch.types.Number
torch.types.Device
torch.types.Tensor is torch.Tensor
torch.library.Library
torch.library.custom_op
torch.ops.aten.add(torch.ones(1), 2)
torch.ops.aten.add.Tensor(torch.ones(1), torch.ones(1))
torch.ops.aten.nope
torch.hub.get_dir().endswith('hub')
torch.hub.list
torch.hub.load('/nonexistent', 'm', source='local')
torch.hub.load('a/b', 'm', source='nope')
torch.compiler.is_compiling()
torch.compiler.is_dynamo_compiling()
torch.compiler.disable(lambda x: x + 1)(2)
torch.compiler.allow_in_graph(len)
torch.compiler.reset()
torch.compiler.list_backends()
torch.export.export
torch.fx.symbolic_trace
torch.multiprocessing.get_context
torch.profiler.profile
torch.profiler.ProfilerActivity.CPU
torch.profiler.schedule(wait=1, warmup=1, active=2)(3)
torch.cond(False, lambda x: x + 1, lambda x: x - 1, (torch.ones(2),))
torch.compile(lambda x: x + 1)(torch.ones(2))
torch.compile(lambda x: x + 1, backend='eager')(torch.ones(2))
torch.compile(3)
torch.compile(lambda x: x, backend='nope')(torch.ones(2))
torch.compile(lambda x: x, mode='nope')
torch.compile(lambda x: x, mode='default', options={})
torch.sparse_bsr_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1, 2, 2))
torch.sparse_bsc_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1, 2, 2))
torch.sparse_compressed_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1), (1, 1), layout=torch.sparse_csr)
torch.sparse_compressed_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1), layout=torch.strided)
torch.hspmm(torch.eye(2).to_sparse(), torch.ones(2, 2))
torch.smm(torch.eye(2).to_sparse(), torch.ones(2, 2))
torch.sspaddmm(torch.eye(2).to_sparse(), torch.eye(2).to_sparse(), torch.ones(2, 2))
torch.smm(torch.eye(2), torch.ones(2, 2))
""".strip().splitlines():
    print(call, tell(call))
torch.save(torch.arange(3.), 'x.pt')
with open('f.bin', 'wb') as f: f.write(np.arange(4, dtype=np.float32).tobytes())
for call in """
torch.from_file('f.bin', size=4)
torch.from_file('f.bin', shared=True, size=2).add_(1)
torch.from_file('f.bin', size=4, dtype=torch.float32)
torch.from_file('f.bin', size=2, dtype=torch.float64).shape
torch.from_file('f.bin', size=9)
torch.from_file('nope.bin', size=2)
torch.from_file('f.bin')
torch.from_file(3)
""".strip().splitlines():
    print(call, tell(call))
