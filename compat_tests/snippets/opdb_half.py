"""Half precision where PyTorch's kernels are particular."""

# In [half precision]
import warnings; warnings.simplefilter('ignore')
x = torch.tensor([[0.25, 0.5], [0.125, -0.25]], dtype=torch.bfloat16)
h = torch.ones(2, 3, dtype=torch.float16) * 200
print(torch.histc(x, 4), torch.matrix_exp(x).dtype, torch.linalg.vector_norm(h), torch.dist(h, h * 0), h.norm(), (h / 100).norm(3))
i, s = torch.tensor([0, 0, 1, 1]), torch.tensor([1.01, 2, 3, 4]).bfloat16()
z = torch.zeros(4, dtype=torch.bfloat16)
for r in ('mean', 'amax', 'amin', 'prod'): print(z.scatter_reduce(0, i, s, r), z.index_reduce(0, i, s, r, include_self=False))
one = torch.ones(2)
for w in (one.bfloat16(), one): print([t.dtype for t in torch.native_batch_norm(x, w, None, w * 0, w, True, .1, 1e-5)])
print([t.dtype for t in torch.native_batch_norm(x, None, None, None, None, True, .1, 1e-5)])
torch.manual_seed(0)
for d in (torch.bfloat16, torch.float16):
    q, m = torch.randn(2, 5, 8).to(d), torch.randn(5, 5).to(d)
    print(F.scaled_dot_product_attention(q, q, q)[0, 0], F.scaled_dot_product_attention(q, q, q, attn_mask=m)[0, 0])
    q, m = torch.randn(1, 2, 5, 8).to(d).requires_grad_(), torch.randn(5, 5).to(d).requires_grad_()
    o = F.scaled_dot_product_attention(q, q, q, attn_mask=m); o.sum().backward(); print(o[0, 0, 0], m.grad.dtype, o.grad_fn)
    print(F.soft_margin_loss(torch.tensor([200., -30.]).to(d), torch.tensor([-1., 1.]).to(d)))
print(F.soft_margin_loss(torch.tensor([200.]), torch.tensor([-1.])))

# Each [softmax]
torch.tensor([[1.5, -2., 3.], [0., 4.25, 1.]]).bfloat16().log_softmax(1)
torch.tensor([[1.5, -2., 3.], [0., 4.25, 1.]]).half().log_softmax(0)
torch.nn.functional.cross_entropy(torch.tensor([[1.5, -2., 3.], [0., 4.25, 1.]]).half(), torch.tensor([0, 2]))
torch.autograd.grad((x := torch.tensor([[1.5, -2., 3.], [0., 4.25, 1.]]).half().requires_grad_()).log_softmax(1).float().square().sum(), x)
torch.autograd.grad((x := torch.tensor([[1.5, -2., 3.], [0., 4.25, 1.]]).bfloat16().requires_grad_()).softmax(1).float().square().sum(), x)

# In [rounded once]
x = (torch.arange(24.) / 7 - 1.5).view(4, 6)
for k in (torch.bfloat16, torch.float16):
    h = x.to(k); t = (x.t().reshape(4, 6) + 0.3).to(k)
    print(h * .1, h / .3, h + .1, torch.addcmul(h, h, t, value=.3), torch.addcdiv(h, t, h, value=.3), torch.lerp(h, t, .3))
    print(h ** 3, h.cumsum(1), torch.nn.functional.leaky_relu(h, .1), torch.nn.functional.softplus(h, .7), torch.nn.functional.glu(h), torch.addmm(h[0, :4], h, t.t()), torch.baddbmm(h[None, :, :4], h[None], t.t()[None], beta=.5, alpha=.3))
    for f in (torch.nn.functional.gelu, torch.nn.functional.silu, torch.nn.functional.mish, torch.tanh):
        y = h.clone().requires_grad_(); f(y).backward(t); print(y.grad)
