# torch.backends on a machine without accelerators.

# In [cudnn]
import torch.backends.cudnn as cudnn
cudnn.benchmark = True
cudnn.deterministic = True
print(cudnn is torch.backends.cudnn, cudnn.benchmark, cudnn.deterministic, cudnn.enabled, cudnn.benchmark_limit)
with cudnn.flags(enabled=False, benchmark=False):
    print(cudnn.enabled, cudnn.benchmark, cudnn.deterministic)
print(cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.is_available(), cudnn.version())
print(cudnn.set_flags(_benchmark=False, _deterministic=False), cudnn.benchmark)
print(cudnn.is_acceptable(torch.ones(1)), sorted(map(str, cudnn.CUDNN_TENSOR_DTYPES)), cudnn.allow_tf32)
for text in ("cudnn.benchmark = 1", "cudnn.deterministic = None", "cudnn.enabled = 'x'", "cudnn.allow_tf32 = 0",
             "cudnn.depthwise_kernel = 'x'", "cudnn.fp32_precision = 'x'", "cudnn.fp32_precision = 'bf16'", "cudnn.conv.x = 3"):
    try:
        exec(text)
    except Exception as error:
        print(type(error).__name__, error)
print(type(cudnn).__name__, type(torch.backends).__name__, type(torch.backends.mkldnn).__name__)

# In [precision]
import torch.backends.cudnn.rnn
B, cudnn, m = torch.backends, torch.backends.cudnn, torch.backends.mkldnn
def show():
    print(B.fp32_precision, "cuda", cudnn.fp32_precision, B.cuda.matmul.fp32_precision, cudnn.conv.fp32_precision,
          cudnn.rnn.fp32_precision, "mkldnn", m.fp32_precision, m.matmul.fp32_precision, m.conv.fp32_precision)
B.cuda.matmul.fp32_precision = "none"; m.matmul.fp32_precision = "none"  # another test may have set them
show()
B.fp32_precision = "tf32"; show()
B.fp32_precision = "ieee"; show()
B.fp32_precision = "bf16"; show()
B.fp32_precision = "none"; show()
cudnn.fp32_precision = "ieee"; show()
cudnn.fp32_precision = "none"; show()
with B.flags(fp32_precision="ieee"):
    show()
B.cuda.matmul.allow_tf32 = True; show()
print(torch.get_float32_matmul_precision())
B.cuda.matmul.allow_tf32 = False; show()
torch.set_float32_matmul_precision("medium"); show()
print(torch.get_float32_matmul_precision(), B.cuda.matmul.allow_tf32)
torch.set_float32_matmul_precision("high"); show()
torch.set_float32_matmul_precision("highest"); show()
torch.set_float32_matmul_precision("x")
cudnn.allow_tf32 = False; show()
cudnn.allow_tf32 = True; show()
print(cudnn.allow_tf32)
B.cuda.matmul.fp32_precision = "none"; m.matmul.fp32_precision = "none"; show()

# In [cuda]
C = torch.backends.cuda
print(C.is_built(), C.matmul.allow_tf32, C.matmul.allow_fp16_reduced_precision_reduction, C.matmul.allow_fp16_accumulation)
C.matmul.allow_bf16_reduced_precision_reduction = (False, False)
print(C.matmul.allow_bf16_reduced_precision_reduction, C.matmul.allow_bf16_reduced_precision_reduction_split_k)
C.matmul.allow_bf16_reduced_precision_reduction = True
for text in ("C.matmul.allow_tf32 = 1", "C.matmul.x = 1", "C.matmul.x", "C.matmul.allow_fp16_reduced_precision_reduction = 3",
             "C.matmul.allow_fp16_reduced_precision_reduction = (True, False)", "C.matmul.allow_fp16_reduced_precision_reduction = []",
             "C.cufft_plan_cache.max_size = 3", "C.cufft_plan_cache[0]", "C.cufft_plan_cache.size", "C.cufft_plan_cache.clear()",
             "C.preferred_linalg_library('x')", "C.preferred_linalg_library(2.5)",
             "C.preferred_blas_library('x')", "C.enable_flash_sdp(1)", "C.enable_cudnn_sdp"):
    try:
        exec(text)
    except Exception as error:
        print(type(error).__name__, error)
print(repr(C.preferred_linalg_library()), C.is_flash_attention_available(), C.fp16_bf16_reduction_math_sdp_allowed())

# In [kernels of attention]
from torch.nn.attention import SDPBackend, sdpa_kernel
C = torch.backends.cuda
def enabled():
    return C.flash_sdp_enabled(), C.mem_efficient_sdp_enabled(), C.math_sdp_enabled(), C.cudnn_sdp_enabled()
x = torch.ones(1, 1, 2, 2, requires_grad=True)
def attempt():
    try:
        print(enabled(), F.scaled_dot_product_attention(x, x, x).grad_fn.name())
    except RuntimeError as error:
        print(error)
attempt()
with sdpa_kernel(SDPBackend.MATH):
    attempt()
with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
    attempt()
with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
    attempt()
with sdpa_kernel([]):
    attempt()
attempt()
with C.sdp_kernel(enable_flash=False, enable_mem_efficient=False):
    attempt()
C.enable_flash_sdp(False)
attempt()
C.enable_flash_sdp(True)
try:
    with sdpa_kernel((SDPBackend.MATH,)):
        pass
except AssertionError as error:
    print(error)
q = x.detach()
params = C.SDPAParams(q, q, q, None, 0.0, False, False)
print(C.can_use_flash_attention(params, False), C.can_use_cudnn_attention(params), params.dropout, SDPBackend.MATH, repr(SDPBackend.MATH))

# In [other backends]
import torch.backends.mkldnn, torch.backends.mps, torch.backends.openmp, torch.backends.quantized
import torch.backends.opt_einsum, torch.backends.cpu, torch.backends.nnpack, torch.backends.miopen, torch.backends.xnnpack
B = torch.backends
print(B.mps.is_available(), B.mps.is_built(), B.mkldnn.enabled, B.mkldnn.deterministic, B.mkldnn.allow_tf32, B.mkl.VERBOSE_ON)
print(B.mkldnn.set_flags(False), B.mkldnn.enabled, B.mkldnn.set_flags(True))
print(B.mkldnn.enabled, B.nnpack.set_flags(False), B.nnpack.set_flags(True), B.miopen.immediate, B.kleidiai.is_available())
with B.mkldnn.verbose(B.mkldnn.VERBOSE_OFF):
    pass
print(B.cusparselt.is_available(), B.cusparselt.version(), B.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512"))
print(B.opt_einsum.is_available(), B.opt_einsum.get_opt_einsum(), B.mha.get_fastpath_enabled())
for text in ("B.quantized.engine = 'x'", "B.quantized.supported_engines = 1", "B.xnnpack.enabled = True", "B.mps.is_macos13_or_newer()",
             "B.nnpack.set_flags(3)", "B.miopen.immediate = 1", "B.no_such", "B.disable_global_flags; print(B.flags_frozen())",
             "B.opt_einsum.set_flags(True)"):
    try:
        exec(text)
    except Exception as error:
        print(type(error).__name__, error)
print(isinstance(torch.__config__.show(), str), "at::get_num_threads()" in torch.__config__.parallel_info())
