"""torch.amp: autocast's dtypes and graph, GradScaler's course, losses in mixed precision."""

import warnings

import pytest

CALLS = """
    m(x) | x @ m.weight.t() | F.conv2d(image, kernel) | torch.nn.LSTM(4, 4)(x[None])[0]
    torch.nn.GRU(4, 4)(x[None])[0] | torch.nn.MultiheadAttention(4, 2)(x, x, x)[0]
    F.cross_entropy(y, target) | F.softmax(y, -1) | F.layer_norm(y, (5,)) | torch.einsum('ij,kj', x, x)
    x.detach().addmm_(x[:, :3], x) | F.binary_cross_entropy(y.sigmoid(), y.sigmoid())
    torch.cat([y, x[:, :1]], 1) | torch.stack([y, y.float()]) | y + x.new_zeros(3, 5)
    torch.index_copy(torch.zeros(3, 3), 0, target[:1], y[:1, :3]) | F.pad(y[None], (1, 1))
    F.pad(y[None], (1, 1), mode='reflect') | F.pad(y[None], (1, 1), mode='replicate')
    torch.linalg.norm(y) | y.norm() | y.prod() | y.double() @ y.double().t() | torch.fft.rfft(y[:, :4])
    torch.nn.BatchNorm1d(5)(y) | F.scaled_dot_product_attention(q, q, q) | F.bilinear(x, x, cube)
    torch.cdist(y, y) | F.interpolate(image.bfloat16(), scale_factor=2) | torch.linalg.inv(y[:3, :3])
    F.mse_loss(y, y) | F.l1_loss(y, y) | F.prelu(x, y[0, :1].float()) | torch.baddbmm(cube, cube, cube)
    torch.outer(x[0], x[0]) | torch.dot(x[0], x[0]) | torch.mv(x, x[0]) | torch.addmv(x[:, 0], x, x[0])
    torch.linalg.multi_dot([x, x.t()]) | torch.tensordot(x, x) | torch.kron(x, x) | y.exp() | y ** 2
    torch.linalg.vecdot(x, x) | torch.mm(x, x.t(), out=torch.empty(0)) | F.kl_div(y, y) | y.sum()
"""  # noqa: E501


def dtype_of(torch, call, space):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(call, space).dtype
    except RuntimeError as error:
        return error


@pytest.mark.parametrize("lower", ["bfloat16", "float16"])
def test_dtypes(torch, golden, lower):
    torch.manual_seed(0)
    space = {
        "torch": torch, "F": torch.nn.functional, "m": torch.nn.Linear(4, 5),
        "x": torch.randn(3, 4), "image": torch.randn(1, 2, 5, 5), "q": torch.randn(1, 2, 4, 8),
        "kernel": torch.randn(3, 2, 3, 3), "cube": torch.randn(4, 4, 4),
        "target": torch.tensor([1, 0, 2]),
    }  # fmt: skip
    with torch.autocast("cpu", dtype=getattr(torch, lower)):
        space["y"] = space["m"](space["x"]).detach()
        for call in (part.strip() for line in CALLS.splitlines() for part in line.split("|")):
            if call and not ("LSTM" in call and lower == "float16"):  # oneDNN's has none
                golden([call, dtype_of(torch, call, space)])


def test_graph(torch, golden):
    m, x = torch.nn.Linear(4, 5), torch.randn(3, 4, requires_grad=True)
    with torch.autocast("cpu"):
        y, again = m(x), m(x)
        with torch.autocast("cpu", enabled=False):
            golden([m(x).dtype, torch.is_autocast_enabled("cpu")])
    golden([node.name() for node, _ in y.grad_fn.next_functions])
    cast = [out.grad_fn.next_functions[0][0] for out in (y, again)]
    golden(cast[0] is cast[1])
    golden([m(x).dtype, torch.is_autocast_enabled("cpu")])
    (y.sum() + again.sum()).backward()
    golden([m.weight.grad.dtype, x.grad.dtype])


def test_cast_parameters_are_remembered(torch, golden):
    m, x = torch.nn.Linear(4, 5), torch.ones(3, 4)
    with torch.autocast("cpu"):
        with torch.no_grad():
            m(x)
        kept = m(x)
        with torch.no_grad():
            m.weight.zero_(), m.bias.zero_()
        golden([kept.requires_grad, bool((m(x) == kept).all())])
    with torch.autocast("cpu", cache_enabled=False):
        golden(m(x))


def test_state(torch, golden):
    kinds = ("cpu", "cuda", "xpu", "mps", "xla", "mtia", "hpu")
    golden([torch.get_autocast_dtype(kind) for kind in kinds])
    for wrong in ("foo", "meta", 3):
        golden.error(torch.autocast, wrong)
    golden.error(torch.is_autocast_enabled, "foo")
    golden.error(torch.autocast("cpu"), 3)
    with pytest.warns(UserWarning) as caught:
        golden([torch.autocast("cpu", dtype=torch.float32)._enabled])
    golden([str(one.message) for one in caught])
    for make in (torch.cpu.amp.autocast, torch.cpu.amp.GradScaler):
        with pytest.warns(FutureWarning) as caught:
            make()
        golden([str(one.message) for one in caught])
    torch.set_autocast_enabled("cpu", True)
    golden([torch.mm(torch.ones(2, 2), torch.ones(2, 2)).dtype, torch.is_autocast_enabled("cpu")])
    torch.set_autocast_enabled("cpu", False)
    golden(torch.mm(torch.ones(2, 2), torch.ones(2, 2)).dtype)


def test_without_a_gpu(torch):
    if torch.cuda.is_available():
        pytest.skip("a GPU is there")
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert not torch.autocast("cuda")._enabled
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert not torch.amp.GradScaler().is_enabled()


def test_custom_function(torch, golden):
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            seen.append((a.dtype, torch.is_autocast_enabled("cpu")))
            return a @ b

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            seen.append((grad.dtype, torch.is_autocast_enabled("cpu")))
            return grad @ b.t(), a.t() @ grad

    a = torch.randn(2, 2, requires_grad=True)
    with torch.autocast("cpu"):
        Product.apply(a.bfloat16(), a).sum().backward()
    golden([seen, a.grad.dtype])


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoint(torch, golden, reentrant):
    from importlib import import_module

    checkpoint = import_module(f"{torch.__name__}.utils.checkpoint").checkpoint
    m, x = torch.nn.Linear(4, 5), torch.randn(3, 4, requires_grad=True)
    with torch.autocast("cpu"):
        y = checkpoint(lambda x: m(x).relu(), x, use_reentrant=reentrant)
    y.sum().backward()
    golden([y.dtype, x.grad.dtype, m.weight.grad.dtype])


# ----- training: PyTorch's losses at the last of eight steps -----
LAST = {
    ("mlp", "bfloat16"): 0.34169, ("mlp", "float16"): 0.34119, ("cnn", "bfloat16"): 0.08147,
    ("cnn", "float16"): 0.08114,
}  # fmt: skip


def network(torch, kind):
    nn = torch.nn
    if kind == "mlp":
        parts = nn.Linear(8, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 3)
        return nn.Sequential(*parts), torch.randn(12, 8)
    parts = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    return nn.Sequential(*parts, nn.Linear(36, 3)), torch.randn(6, 1, 8, 8)


@pytest.mark.parametrize("kind,lower", LAST)
def test_training(torch, golden, kind, lower):
    torch.manual_seed(1)
    model, x = network(torch, kind)
    target = torch.arange(len(x)) % 3
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    for step in range(8):
        optimizer.zero_grad()
        with torch.autocast("cpu", getattr(torch, lower)):
            loss = torch.nn.functional.cross_entropy(model(x), target)
        scaler.scale(loss).backward()
        if step == 4:
            model[0].weight.grad[0, 0] = float("inf")
        if step % 2:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        golden([scaler.state_dict(), loss.dtype])
    assert loss.item() == pytest.approx(LAST[kind, lower], rel=0.01)


def test_scaler(torch, golden):
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([p], 0.5)
    for call in (lambda: scaler.step(optimizer), scaler.update, lambda: scaler.unscale_(optimizer)):
        golden.error(call)
    golden.error(scaler.scale, 3)
    golden.error(torch.amp.GradScaler, "cpu", growth_factor=1.0)
    golden.error(torch.amp.GradScaler, "cpu", backoff_factor=1.0)
    parts = scaler.scale([p.sum(), (p * 2).sum()])
    golden([part.item() for part in parts])
    sum(parts).backward()
    golden.error(scaler.step, optimizer, closure=None)
    scaler.unscale_(optimizer)
    golden(p.grad)
    golden.error(scaler.unscale_, optimizer)
    scaler.step(optimizer)
    golden.error(scaler.step, optimizer)
    golden.error(scaler.__getstate__)
    scaler.update()
    scaler.update(3.0)
    golden([p, scaler.get_scale(), scaler.state_dict()])
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    golden([other.get_scale(), other.__getstate__()["_init_scale"]])
    golden.error(other.load_state_dict, {})
    half = torch.nn.Parameter(torch.ones(2, dtype=torch.float16))
    scaler.scale(half.sum()).backward()
    golden.error(scaler.unscale_, torch.optim.SGD([half], 0.5))


def test_fused_step_unscales_by_itself(torch, golden):
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = torch.optim.SGD([p], 0.5, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for bad in (False, True):
        optimizer.zero_grad()
        scaler.scale((p * p).sum()).backward()
        if bad:
            p.grad[0] = float("nan")
        scaler.step(optimizer)
        scaler.update()
        golden([p, scaler.get_scale()])


def test_arguments_of_the_settings(torch, golden):
    """Device strings with an index, what is no bool or no device, and the old names' warnings."""
    for kind in ("cpu:0", "foo", 3, torch.device("cpu")):
        for function, *more in [
            (torch.amp.is_autocast_available,),
            (torch.is_autocast_enabled,),
            (torch.get_autocast_dtype,),
            (torch.set_autocast_dtype, torch.bfloat16),
            (torch.set_autocast_enabled, False),
            (lambda kind: torch.autocast(kind).device,),
        ]:
            try:
                golden(function(kind, *more))
            except (RuntimeError, TypeError, ValueError) as error:
                golden(error)
    golden.error(torch.set_autocast_enabled, "cpu", 3)
    golden.error(torch.set_autocast_enabled, None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.is_autocast_cpu_enabled()
        torch.set_autocast_gpu_dtype(torch.float16)
    golden([[one.category.__name__, str(one.message).partition(" (Trig")[0]] for one in caught])
