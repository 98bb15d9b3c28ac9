"""What test_distributions.py compares with PyTorch: each distribution's numbers, texts, gradients.

Everything takes `torch` as an argument, so that it runs on real PyTorch too.
"""

import contextlib
import math
import warnings

T = "torch.tensor"
MATRIX = f"{T}([[2., .5], [.5, 1.]])"
# constructor, then its tensor arguments: these require gradients
CASES = """
Bernoulli(probs=x) | [.3, .8, .5]
Bernoulli(logits=x) | [-1., 2.]
Bernoulli(.25) |
Beta(x, y) | [.5, 2., 9.] | [.7, 3., 8.]
Beta(2, 3) |
Binomial(5, probs=x) | [.3, .8]
Binomial(torch.tensor([5., 12.]), logits=x) | [-1., 2.]
Categorical(probs=x) | [[.2, .3, .5], [.1, .1, .8]]
Categorical(logits=x) | [.2, -.3, .5, 1.]
Cauchy(x, y) | [.5, -1.] | [1., 2.]
Chi2(x) | [1.5, 4.]
ContinuousBernoulli(probs=x) | [.3, .5, .9]
ContinuousBernoulli(logits=x) | [-1., 2.]
Dirichlet(x) | [[.5, 2., 3.], [9., 8., 12.]]
Exponential(x) | [.5, 3.]
FisherSnedecor(x, y) | [3., 5.] | [5., 2.]
Gamma(x, y) | [.5, 3., 20.] | [1., 2., .5]
GeneralizedPareto(x, y, torch.tensor([.3, 0., -.4])) | [0., 1., 2.] | [1., 2., .5]
Geometric(probs=x) | [.3, .8]
Geometric(logits=x) | [-1., .2]
Gumbel(x, y) | [.5, -1.] | [1., 2.]
Gumbel(0., 2.) |
HalfCauchy(x) | [1., 2.]
HalfNormal(x) | [1., 2.]
Independent(D.Normal(x, y), 1) | [[.5, -1.], [2., 3.]] | [[1., 2.], [1., 2.]]
InverseGamma(x, y) | [1.5, 3.] | [1., 2.]
Kumaraswamy(x, y) | [1.5, 3.] | [1.2, 2.]
LKJCholesky(3, x) | [1., 2.]
Laplace(x, y) | [.5, -1.] | [1., 2.]
LogNormal(x, y) | [.5, -1.] | [1., .5]
LogisticNormal(x, y) | [.5, -1.] | [1., .5]
LowRankMultivariateNormal(x, torch.tensor([[1.], [2.], [0.]]), y) | [.5, -1., 0.] | [1., .5, 2.]
MixtureSameFamily(D.Categorical(x), D.Normal(y, torch.ones(3))) | [.2, .3, .5] | [-1., 0., 3.]
MixtureSameFamily(D.Categorical(x), D.Independent(D.Normal(y, 1.), 1)) | [.4, .6] | [[1.], [3.]]
Multinomial(7, probs=x) | [.2, .3, .5]
Multinomial(4, logits=x) | [[.2, .3, .5], [1., 0., 2.]]
MultivariateNormal(x, MATRIX) | [.5, -1.]
MultivariateNormal(x, precision_matrix=MATRIX) | [[.5, -1.], [0., 2.]]
MultivariateNormal(torch.zeros(2), scale_tril=x) | [[[2., 0.], [.5, 1.]], [[1., 0.], [-1., 3.]]]
NegativeBinomial(x, probs=y) | [5., 3.5] | [.3, .6]
NegativeBinomial(4, logits=x) | [-1., .5]
Normal(x, y) | [.5, -1.] | [1., 2.]
Normal(0., 1.) |
OneHotCategorical(probs=x) | [[.2, .3, .5], [.1, .1, .8]]
OneHotCategorical(logits=x) | [.2, -.3, .5]
OneHotCategoricalStraightThrough(probs=x) | [.2, .3, .5]
Pareto(x, y) | [1., 2.] | [3., 1.5]
Poisson(x) | [.5, 30.]
RelaxedBernoulli(torch.tensor(.7), probs=x) | [.3, .8]
RelaxedOneHotCategorical(torch.tensor(.7), logits=x) | [.2, -.3, .5]
StudentT(x, y) | [1.5, 4.] | [0., 1.]
TransformedDistribution(D.Normal(x, 1.), [D.TanhTransform(), D.AffineTransform(1., -3.)]) | [.1, .2]
TransformedDistribution(D.Uniform(x, y), D.SigmoidTransform().inv) | [.1, .2] | [.5, .9]
Uniform(x, y) | [.5, -1.] | [1., 2.]
VonMises(x, y) | [.5, -1.] | [1., 4.]
Weibull(x, y) | [.5, 1.] | [1., 2.]
Wishart(torch.tensor([3., 5.]), MATRIX) |
""".strip().splitlines()  # fmt: skip

READ = (
    "batch_shape event_shape support has_rsample has_enumerate_support mean mode variance stddev"
).split()


def build(torch, case):
    """The distribution and the leaves that it was made of."""
    text, *given = [part.strip() for part in case.replace("MATRIX", MATRIX).split("|")]
    # `[..] | [..]` separates rows too, but no row of a case holds a bar
    leaves = [torch.tensor(eval(g)).requires_grad_() for g in given if g]
    names = dict(zip("xy", leaves)) | {"torch": torch, "D": torch.distributions}
    return eval(f"D.{text}", names), leaves


def seen(torch, value):
    """The value in JSON's terms: tensors as shape, dtype and numbers of seven digits."""
    if isinstance(value, torch.Tensor):
        flat = value.detach().reshape(-1).double().tolist()
        return [list(value.shape), str(value.dtype), " ".join(f"{v:.7g}" for v in flat)]
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}".replace("torchlike.", "torch.")
    return repr(value)


class Notes(dict):
    """Values by name; what raises is noted as its error."""

    def __init__(self, torch):
        super().__init__()
        self.torch = torch

    def note(self, name, function):
        try:
            value = function()
        except Exception as error:
            self[name] = seen(self.torch, error)
            return None
        self[name] = seen(self.torch, value)
        return value


def observe(torch, case):
    """All that a distribution tells, draws and differentiates."""
    found = Notes(torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dist, leaves = build(torch, case)
        found["repr"] = repr(dist)
        for name in READ:
            found.note(name, lambda name=name: getattr(dist, name))
        torch.manual_seed(3)
        drawn = found.note("sample", lambda: dist.sample((2,)))
        found.note("log_prob", lambda: dist.log_prob(drawn))
        for name in ("entropy", "enumerate_support"):
            found.note(name, getattr(dist, name))
        found.note("cdf", lambda: dist.cdf(drawn))
        found.note("icdf", lambda: dist.icdf(torch.full((2, *dist.batch_shape), 0.3)))
        found.note("outside", lambda: dist.log_prob(drawn + math.nan))
        found.note("wrong shape", lambda: dist.log_prob(torch.ones(7, 5)))
        found.note("not a tensor", lambda: dist.log_prob("1"))
        _expand(torch, found, dist)
        _gradients(torch, found, dist, leaves, drawn)
    return dict(found)


def _expand(torch, found, dist):
    wide = found.note("expand", lambda: dist.expand((3, *dist.batch_shape)))
    if wide is not None:
        found["expand batch"] = repr(wide.batch_shape)
        torch.manual_seed(4)
        drawn = found.note("expand sample", wide.sample)
        found.note("expand log_prob", lambda: wide.log_prob(drawn))


def _gradients(torch, found, dist, leaves, drawn):
    def of(function):
        total = function()
        grads = torch.autograd.grad(total.sum(), leaves, allow_unused=True, retain_graph=True)
        return torch.cat([torch.zeros(1) if g is None else g.reshape(-1) for g in grads])

    if not leaves:
        return
    found.note("log_prob grad", lambda: of(lambda: dist.log_prob(drawn)))
    found.note("entropy grad", lambda: of(dist.entropy))
    torch.manual_seed(5)
    with contextlib.suppress(NotImplementedError):
        if dist.has_rsample:
            weights = torch.arange(1.0, 1 + 2 * math.prod(dist._extended_shape()))
            shape = (2, *dist._extended_shape())
            found.note("rsample grad", lambda: of(
                lambda: dist.rsample((2,)) * weights.reshape(shape)))  # fmt: skip
            found["rsample node"] = type(dist.rsample().grad_fn).__name__


# ----- divergences -----

KINDS = dict(
    Bernoulli="Bernoulli(torch.tensor([.3, .9]))",
    Beta="Beta(torch.tensor([.5, 2.]), torch.tensor([1.5, 3.]))",
    Binomial="Binomial(5, torch.tensor([.3, .9]))",
    Categorical="Categorical(torch.tensor([[.2, .3, .5], [.5, .5, 0.]]))",
    Cauchy="Cauchy(torch.tensor([.5, -1.]), torch.tensor([1., 2.]))",
    ContinuousBernoulli="ContinuousBernoulli(torch.tensor([.3, .9]))",
    Dirichlet="Dirichlet(torch.tensor([[.5, 2., 3.], [1., 1., 1.]]))",
    Exponential="Exponential(torch.tensor([.5, 2.]))",
    Gamma="Gamma(torch.tensor([.5, 2.]), torch.tensor([1., 3.]))",
    Geometric="Geometric(torch.tensor([.3, .9]))",
    Gumbel="Gumbel(torch.tensor([.5, -1.]), torch.tensor([1., 2.]))",
    HalfNormal="HalfNormal(torch.tensor([.5, 2.]))",
    Independent="Independent(D.Normal(torch.tensor([.5, -1.]), torch.tensor([1., 2.])), 1)",
    Laplace="Laplace(torch.tensor([.5, -1.]), torch.tensor([1., 2.]))",
    LogNormal="LogNormal(torch.tensor([.5, -1.]), torch.tensor([1., 2.]))",
    LowRankMultivariateNormal="LowRankMultivariateNormal(torch.tensor([.5, -1.]), "
    "torch.tensor([[1.], [2.]]), torch.tensor([1., .5]))",
    MultivariateNormal=f"MultivariateNormal(torch.tensor([1., -1.]), {MATRIX})",
    Normal="Normal(torch.tensor([.5, -1.]), torch.tensor([1., 2.]))",
    OneHotCategorical="OneHotCategorical(torch.tensor([[.2, .3, .5], [.5, .5, 0.]]))",
    Pareto="Pareto(torch.tensor([1., 2.]), torch.tensor([3., 1.5]))",
    Poisson="Poisson(torch.tensor([.5, 3.]))",
    Uniform="Uniform(torch.tensor([.2, -1.]), torch.tensor([.7, 2.]))",
    Wishart=f"Wishart(torch.tensor(3.), {MATRIX})",
)  # fmt: skip
OTHERS = dict(
    Bernoulli="Bernoulli(torch.tensor([0., 1.]))",
    Binomial="Binomial(3, torch.tensor([.4, .8]))",
    Categorical="Categorical(torch.tensor([[.5, .5, 0.], [.2, .3, .5]]))",
    Normal="Normal(torch.tensor([.5, 1.]), torch.tensor([2., .3]))",
    Uniform="Uniform(torch.tensor([0., -3.]), torch.tensor([1., 2.]))",
    Independent="Independent(D.Normal(torch.tensor([0., 1.]), torch.tensor([3., 1.])), 1)",
    MultivariateNormal="MultivariateNormal(torch.tensor([[0., 1.]]), torch.eye(2)[None])",
    Gamma="Gamma(torch.tensor([2.5, 1.]), torch.tensor([2., .3]))",
    Beta="Beta(torch.tensor([2.5, 1.]), torch.tensor([2., .3]))",
)


def divergences(torch):
    """KL(p || q) of every pair of kinds, or the error."""
    names = {"torch": torch, "D": torch.distributions}
    firsts = {kind: eval(f"D.{text}", names) for kind, text in KINDS.items()}
    seconds = {kind: eval(f"D.{text}", names) for kind, text in (KINDS | OTHERS).items()}
    found = Notes(torch)
    for one, p in firsts.items():
        for other, q in seconds.items():
            name = f"{one} {other}"
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found.note(name, lambda p=p, q=q: torch.distributions.kl_divergence(p, q))
            if caught:
                found[name] = [found[name], str(caught[0].message)]
    return dict(found)
