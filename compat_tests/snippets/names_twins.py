"""Names of `torch` that no other test calls: values, dtype, grad_fn, and a wrong call each."""

# In [in place functions]
def tell(call, **names):
    try: found = eval(call, {"torch": torch, **names})
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
    same = "same" if found is names["x"] else "other"
    return f"{same} {[round(v, 4) for v in found.flatten().tolist()]} {found.dtype} {found.grad_fn and found.grad_fn.name()}"
for call in """
torch.abs_ torch.acos_ torch.acosh_ torch.arccos_ torch.arccosh_ torch.arcsin_ torch.arcsinh_
torch.arctan_ torch.arctanh_ torch.asin_ torch.asinh_ torch.atan_ torch.atanh_ torch.ceil_
torch.celu_ torch.conj_physical_ torch.cos_ torch.cosh_ torch.deg2rad_ torch.erf_ torch.erfc_
torch.exp2_ torch.exp_ torch.expm1_ torch.fix_ torch.floor_ torch.frac_ torch.i0_ torch.log10_
torch.log1p_ torch.log2_ torch.log_ torch.logit_ torch.nan_to_num_ torch.neg_ torch.negative_
torch.rad2deg_ torch.reciprocal_ torch.relu_ torch.round_ torch.rrelu_ torch.rsqrt_ torch.selu_
torch.sigmoid_ torch.sin_ torch.sinc_ torch.sinh_ torch.sqrt_ torch.square_ torch.tan_ torch.tanh_
torch.trunc_ torch.detach_
""".split():
    x = torch.tensor([0.25, -0.5, 1.5], requires_grad=True)
    print(call, tell(f"{call}(x)", x=x * 1))
    print("  leaf", tell(f"{call}(x)", x=x))
    print("  int", tell(f"{call}(x)", x=torch.tensor([1, 2])))
    print("  bool", tell(f"{call}(x)", x=torch.tensor([True, False])))
    print("  number", tell(f"{call}(2.)", x=x))
    print("  none", tell(f"{call}()", x=x))
    print("  more", tell(f"{call}(x, foo=1)", x=x * 1))

# In [in place functions with arguments]
def tell(call, **names):
    try: found = eval(call, {"torch": torch, **names})
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
    same = "same" if found is names["x"] else "other"
    return f"{same} {[round(v, 4) for v in found.flatten().tolist()]} {found.dtype} {found.grad_fn and found.grad_fn.name()}"
i = torch.tensor([4, 6])
for call in """
torch.clamp_(x, -0.3, 1)
torch.clamp_(x)
torch.clamp_(x, x, 1)
torch.clamp_(x, min=x + 1)
torch.clamp_(x, 'a')
torch.clamp_max_(x, 0)
torch.clamp_max_(x, x - 1)
torch.clamp_max_(x)
torch.clamp_min_(x, 0)
torch.clamp_min_(x, 1 + x)
torch.clamp_min_(x, None)
torch.clip_(x, -0.3, 1)
torch.clip_(x, max=1)
torch.clip_(x)
torch.fill_(x, 2)
torch.fill_(x, torch.tensor(3))
torch.fill_(x, torch.ones(2))
torch.fill_(x)
torch.gcd_(i, 2)
torch.gcd_(i, torch.tensor([2, 3]))
torch.gcd_(x, x)
torch.lcm_(i, torch.tensor([2, 3]))
torch.lcm_(x, x)
torch.ldexp_(x, torch.tensor([1, 2, 3]))
torch.ldexp_(x, 2)
torch.index_put_(x, (torch.tensor([0, 0]),), torch.tensor([5., 7.]), accumulate=True)
torch.index_put_(x, (torch.tensor([0]),), torch.tensor(5.))
torch.index_put_(x, (torch.tensor([9]),), torch.tensor(5.))
torch.index_put_(x, torch.tensor([0]), torch.tensor(5.))
torch.threshold_(x, 0, 9)
torch.threshold_(x, 0)
torch.threshold_(i, 5, 1)
torch.xlogy_(x, torch.tensor([1., 2., 3.]))
torch.xlogy_(x, 2)
torch.xlogy_(2, x)
torch.celu_(x, alpha=2)
torch.celu_(x, alpha=0)
torch.celu_(x, 'a')
torch.logit_(x, eps=0.1)
torch.nan_to_num_(x, 1, 2, 3)
torch.round_(x, decimals=1)
torch.round_(x, 1)
torch.rrelu_(x, 0.25, 0.25)
torch.rrelu_(x, 0.5, 0.25)
torch.rrelu_(x, 0.1, 0.3, True)
torch.embedding_renorm_(x.detach().view(3, 1), torch.tensor([0, 2]), 0.5, 2.)
torch.embedding_renorm_(x.detach().view(3, 1), torch.tensor([0., 2]), 0.5, 2.)
torch.as_strided_(x, (2, 2), (1, 1))
torch.as_strided_(x, (2, 2), (1, 1), 0)
torch.as_strided_(x, (2, 2), (1,))
torch.as_strided_(x, (4,), (1,))
torch.as_strided_(x, (1,), (-1,))
""".strip().splitlines():
    torch.manual_seed(0)
    x = torch.tensor([0.25, -0.5, 1.5], requires_grad=True)
    print(call, tell(call, x=x * 1, i=i.clone()))

# In [gradients of in place functions]
for name in ("clamp_", "ldexp_", "xlogy_", "threshold_", "celu_", "rrelu_"):
    torch.manual_seed(0)
    x = torch.tensor([0.25, -0.5, 1.5], requires_grad=True)
    more = {"clamp_": (-0.3, 1), "ldexp_": (torch.tensor([1, 2, 3]),), "xlogy_": (torch.tensor([2., 2, 3]),),
            "threshold_": (0, 9), "celu_": (2.,), "rrelu_": (0.1, 0.3, True)}[name]
    y = getattr(torch, name)(x * 2, *more)
    y.sum().backward()
    print(name, y.detach(), x.grad)

# In [kernels of activations]
x = torch.tensor([0.25, -0.5, 1.5], requires_grad=True)
for call in """
F.elu_(x)
F.elu_(x, 2)
F.elu_(x, 2, 3, 0.5)
F.elu_(x, alpha='a')
F.elu_(x, inplace=True)
torch.celu(x, 2, True)
torch.selu(x, True)
torch.threshold(x, 0, 1, True)
torch.threshold(x, 0, 1, out=torch.empty(3))
F.celu_(x)
F.celu_(x, 0)
F.celu_(2.)
F.leaky_relu_(x, 0.5)
F.leaky_relu_(x, 0.5, True)
F.leaky_relu_(2.)
F.hardtanh_(x, -.1, .1)
F.hardtanh_(x, 1, -1)
F.hardtanh_(x > 1, 0, 1)
F.hardtanh_(x.long() * 1, 0, 1)
F.rrelu_(x)
F.rrelu_(x, 0.1, 0.3, True, torch.Generator().manual_seed(3))
F.rrelu_(x, 0.1, 0.3, inplace=True)
torch.rrelu(x, 0.1, 0.3, True, torch.Generator().manual_seed(3))
torch.rrelu(x, 0.1, 0.3, True, 3)
torch.rrelu(x, 0.5, 0.3)
F.selu_(x)
F.selu_(3.)
F.threshold_(x, 0, 3)
F.threshold_(x, 0)
F.relu_(x)
F.relu_(x, True)
""".strip().splitlines():
    try:
        r = eval(call, {"torch": torch, "x": x * 1, "F": F})
        print(call, r.tolist(), r.dtype, r.grad_fn)
    except Exception as e: print(call, f"{type(e).__name__}: {e}")

# In [other names of functions tell their own]
x = torch.tensor([[0.25, 0.5], [0.1, 0.2]])
for call in """
torch.arccos torch.special.expit torch.special.erf torch.special.logsumexp torch.special.gammainc
torch.special.logit torch.linalg.matmul torch.moveaxis torch.arctan2 torch.concat torch.row_stack
torch.ger torch.trapz torch.spmm torch.dsmm torch.multiply torch.subtract torch.divide
torch.greater torch.absolute torch.clip torch.special.polygamma torch.special.psi
""".split():
    for args in ("2.", "", "x, foo=1", "x, 'a'", "x, x, x, x"):
        try: r = eval(f"{call}({args})").shape
        except Exception as e: r = f"{type(e).__name__}: {str(e).splitlines()[0]}"
        print(call, args, r)
for call in "arccos clip negative multiply subtract arctan2 divide multiply_ subtract_ divide_ fix_".split():
    for args in ("'a'", "", "x, foo=1", "x, x, x, x"):
        try: r = eval(f"x.clone().{call}({args})").shape
        except Exception as e: r = f"{type(e).__name__}: {str(e).splitlines()[0]}"
        print(call, args, r)
