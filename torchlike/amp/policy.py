"""What autocast does to each op: PyTorch's lists for the CPU and for CUDA, and the casts.

Names are ATen's. Public functions made of several ops are intercepted by name, so that what they
call inside is left alone; every other op is met in dispatch.
"""

from collections.abc import Sequence
from functools import cache

from ..core import dtypes
from ..core.dispatch import call, call_view
from ..core.intercept import intercept
from ..core.mutate import inplace
from ..core.op import OPS, TABLE
from ..core.record import LOCAL
from ..core.tensor import Tensor

# In ATen lstm, einsum and chains are made of listed ops on the CPU: so they are listed here.
LISTS = {
    "cpu": {
        "lower": """
            conv1d conv2d conv3d bmm mm linalg_vecdot baddbmm addmm addbmm linear _convolution
            matmul conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d prelu
            scaled_dot_product_attention lstm einsum chain_matmul linalg_multi_dot""",
        "float32": """
            avg_pool3d binary_cross_entropy grid_sampler polar prod quantile nanquantile stft cdist
            trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr
            ormqr pinverse max_pool3d max_unpool2d max_unpool3d adaptive_avg_pool3d
            reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d replication_pad3d
            mse_loss cosine_embedding_loss nll_loss nll_loss2d hinge_embedding_loss
            poisson_nll_loss smooth_l1_loss cross_entropy_loss l1_loss huber_loss
            margin_ranking_loss soft_margin_loss triplet_margin_loss multi_margin_loss ctc_loss
            kl_div multilabel_margin_loss binary_cross_entropy_with_logits fft_fft fft_ifft
            fft_fft2 fft_ifft2 fft_fftn fft_ifftn fft_rfft fft_irfft fft_rfft2 fft_irfft2 fft_rfftn
            fft_irfftn fft_hfft fft_ihfft linalg_cond linalg_matrix_rank linalg_solve
            linalg_cholesky linalg_svdvals linalg_eigvals linalg_eigvalsh linalg_inv
            linalg_householder_product linalg_tensorinv linalg_tensorsolve geqrf _lu_with_info qr
            svd triangular_solve fractional_max_pool2d fractional_max_pool3d adaptive_max_pool3d
            linalg_qr linalg_cholesky_ex linalg_svd linalg_eig linalg_eigh linalg_lstsq
            linalg_inv_ex""",
        "promote": "stack cat index_copy",
    },
    "cuda": {
        "lower": """
            conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d
            _convolution prelu addmm addmv addr matmul einsum mm mv linalg_vecdot linear addbmm
            baddbmm bmm chain_matmul linalg_multi_dot lstm_cell gru_cell rnn_tanh_cell
            rnn_relu_cell scaled_dot_product_attention""",
        "float32": """
            acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow
            softplus layer_norm rms_norm group_norm cosine_similarity poisson_nll_loss
            cosine_embedding_loss nll_loss nll_loss2d hinge_embedding_loss kl_div l1_loss
            smooth_l1_loss huber_loss mse_loss margin_ranking_loss multilabel_margin_loss
            soft_margin_loss triplet_margin_loss multi_margin_loss
            binary_cross_entropy_with_logits dist pdist cdist renorm logsumexp upsample prod
            softmax log_softmax cumprod cumsum linalg_vector_norm linalg_matrix_norm sum norm""",
        "promote": """
            addcdiv addcmul atan2 bilinear cross dot vdot grid_sampler index_put tensordot
            scatter_add""",
        "banned": "binary_cross_entropy",
    },
}  # fmt: skip

# ATen's name of an op whose name here is another one
ATEN = {
    "linear_affine": "addmm", "linear_product": "mm", "pow_base": "pow", "pow_scalar": "pow",
    "pow_static": "pow", "pow_tensor": "pow", "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm", "grid_sampler_2d": "grid_sampler",
    "grid_sampler_3d": "grid_sampler", "linalg_cross": "cross", "upsample_to": "upsample",
    "max_pool3d_with_indices": "max_pool3d", "flash_attention": "scaled_dot_product_attention",
    "trilinear": "bilinear", "replication_pad": "replication_pad2d",
}  # fmt: skip
# ATen's name of a public function whose name here is another one
PUBLIC_ATEN = {
    "cross_entropy": "cross_entropy_loss", "grid_sample": "grid_sampler",
    "interpolate": "upsample",
}  # fmt: skip

BANNED = (
    "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
    "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    "In this case, combine the two layers using torch.nn.functional.binary_cross_entropy_with_"
    "logits\nor torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and BCEWithLogits "
    "are\nsafe to autocast."
)


@cache
def policies(device_type: str) -> dict[str, str]:
    """Policy by ATen name; devices PyTorch has no list of its own for here take CUDA's."""
    lists = LISTS["cpu" if device_type == "cpu" else "cuda"]
    return {name: policy for policy, names in lists.items() for name in names.split()}


# ----- casting -----
class Casting:
    """What stands between callers and dispatch while a thread is in an autocast region."""

    def __init__(self, settings, outer) -> None:
        self.settings, self.outer = settings, outer

    def __call__(self, op, inputs: Sequence, statics):
        state = LOCAL.state
        state.interposed = self.outer
        try:
            if not _in_place():
                inputs = self.cast(_name_of(op, inputs), inputs)
            return (call_view if op.view else call)(op, inputs, statics)
        finally:
            state.interposed = self

    def cast(self, name: str, inputs: Sequence) -> Sequence:
        """The tensors among the arguments in the dtype the op's policy asks for."""
        for device_type, (fast, cache_of) in self.settings.active():
            policy = policies(device_type).get(name)
            if policy == "banned":
                raise RuntimeError(BANNED)
            if policy is not None:
                to = _target(policy, inputs, device_type, fast)
                inputs = [_cast(x, device_type, to, fast, cache_of) for x in inputs]
        return inputs


def _in_place() -> bool:
    """Whether dispatch was called for an in-place variant: those keep their tensor's dtype."""
    import sys

    return sys._getframe(2).f_code is inplace.__code__


def _name_of(op, inputs: Sequence) -> str:
    if op.name == "einsum" and len(inputs) < 2:  # nothing is multiplied
        return "sum"
    if op.name == "reflection_pad":  # PyTorch casts for one and two dims only
        return "reflection_pad2d" if inputs[0].ndim < 5 else op.name
    return ATEN.get(op.name, op.name)


def eligible(x, device_type: str) -> bool:
    """Whether autocast of this device type touches the argument."""
    return (
        isinstance(x, Tensor) and x.device.type == device_type and x.is_floating_point()
        and x.dtype is not dtypes.float64
    )  # fmt: skip


def _target(policy: str, inputs: Sequence, device_type: str, fast):
    if policy == "float32":
        return dtypes.float32
    if policy == "lower":
        return fast
    parts = [t for x in inputs for t in (x if isinstance(x, list | tuple) else (x,))]
    found = [t.dtype for t in parts if eligible(t, device_type)]
    return dtypes.float32 if dtypes.float32 in found else fast


def _cast(x, device_type: str, to, fast, cache_of):
    if isinstance(x, list | tuple):
        return type(x)([_cast(part, device_type, to, fast, cache_of) for part in x])
    if not eligible(x, device_type) or x.dtype is to:
        return x
    # a parameter used twice is cast once, and its gradients meet in the cast; as in PyTorch the
    # cast is found again by the parameter alone, whatever happened to it in between
    if cache_of is None or to is not fast or x.dtype is not dtypes.float32:
        return x.to(to)
    if not (x.requires_grad and x.is_leaf and LOCAL.state.grad_enabled) or x._is_view():
        return x.to(to)
    held = cache_of.get(id(x))
    if held is None:
        held = cache_of[id(x)] = x, x.to(to)
    return held[1]


# ----- public functions of several ops -----
def _around(original, function, args, kwargs):
    casting = LOCAL.state.interposed
    if casting.__class__ is not Casting:
        return original(*args, **kwargs)
    values = casting.cast(_guarded[function], [*args, *kwargs.values()])
    args, kwargs = values[: len(args)], dict(zip(kwargs, values[len(args) :], strict=True))
    LOCAL.state.interposed = casting.outer
    try:
        return original(*args, **kwargs)
    finally:
        LOCAL.state.interposed = casting


_guarded: dict = {}


def guard() -> None:
    """Intercept the listed public functions that are no op by themselves (once)."""
    if _guarded:
        return
    listed = {*policies("cpu"), *policies("cuda")}
    for (where, public), function in list(TABLE.items()):
        prefix = "" if where in ("torch", "nn.functional") else f"{where}_"
        name = PUBLIC_ATEN.get(public, prefix + public)
        made = OPS.get(public)
        if name in listed and function not in _guarded and not (made and made.public is function):
            _guarded[function] = name
            intercept(function, _around)
