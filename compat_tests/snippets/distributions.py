# Each [argument errors]
torch.distributions.Normal(0., -1.)
torch.distributions.Normal(torch.tensor([0., 1.]), torch.tensor([1., -1.]))
torch.distributions.Normal("a", 1.)
torch.distributions.Bernoulli(probs=1.5)
torch.distributions.Bernoulli()
torch.distributions.Bernoulli(probs=.5, logits=0.)
torch.distributions.Binomial(2.5, .5)
torch.distributions.Categorical(torch.tensor(.5))
torch.distributions.Categorical(torch.tensor([-1., 2.]))
torch.distributions.Categorical(torch.ones(3)).log_prob(torch.tensor(3))
torch.distributions.Categorical(torch.ones(3)).log_prob(torch.tensor(1.5))
torch.distributions.Dirichlet(torch.tensor(1.))
torch.distributions.Dirichlet(torch.ones(3)).log_prob(torch.tensor([.5, .2, .2]))
torch.distributions.Geometric(torch.tensor([0., .5]))
torch.distributions.Independent(torch.distributions.Normal(0., 1.), 1)
torch.distributions.LKJCholesky(1)
torch.distributions.LowRankMultivariateNormal(torch.zeros(2), torch.zeros(3, 1), torch.ones(2))
torch.distributions.MixtureSameFamily(torch.distributions.Normal(0., 1.), torch.distributions.Normal(0., 1.))
torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(3)), torch.distributions.Normal(torch.zeros(2), 1.))
torch.distributions.Multinomial(torch.tensor(3), torch.ones(2))
torch.distributions.MultivariateNormal(torch.zeros(2))
torch.distributions.MultivariateNormal(torch.zeros(2), torch.tensor([[1., 2.], [2., 1.]]))
torch.distributions.MultivariateNormal(torch.zeros(2), scale_tril=torch.ones(2, 2))
torch.distributions.TransformedDistribution(torch.distributions.Normal(0., 1.), [torch.exp])
torch.distributions.TransformedDistribution(torch.distributions.Normal(0., 1.), torch.distributions.StickBreakingTransform())
torch.distributions.Uniform(1., 1.)
torch.distributions.Uniform(0., 1.).log_prob(torch.tensor(2.))
torch.distributions.Wishart(1., torch.eye(3))
torch.distributions.Normal(0., 1.).sample(3)
torch.distributions.Normal(0., 1.).enumerate_support()
torch.distributions.Normal(0., 1., validate_args=False).log_prob(torch.tensor(float("nan")))
torch.distributions.Distribution.set_default_validate_args(2)
torch.distributions.Distribution(validate_args=True)
torch.distributions.kl_divergence(torch.distributions.Normal(0., 1.), torch.distributions.Poisson(1.))
torch.distributions.Normal(0., 1.).sample_n(2)
# In [a subclass]
from torch.distributions import Normal, Distribution, constraints, kl_divergence, register_kl

class Own(Normal):
    def __init__(self, loc):
        super().__init__(loc, torch.ones_like(loc))

own = Own(torch.zeros(2))
print(own, own.batch_shape, kl_divergence(own, Normal(torch.ones(2), 1.)))
register_kl(Own, Normal)(lambda p, q: "own")
print(kl_divergence(own, Normal(0., 1.)), kl_divergence(own, own))
register_kl(Normal, Own)(lambda p, q: "other")
print(kl_divergence(own, own))
own.expand((3, 2))
# In [without constraints]
class Bare(torch.distributions.Distribution):
    def log_prob(self, value):
        self._validate_sample(value)
        return value

Bare().log_prob(torch.ones(2))
# In [modules]
import torch.distributions as dist
from torch.distributions.normal import Normal
from torch.distributions.utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from torch.distributions.constraint_registry import biject_to
from torch.distributions import kl, transforms, constraints, studentT, lowrank_multivariate_normal
print(dist.Normal is Normal, torch.distributions is dist, Normal.__name__, kl.kl_divergence is dist.kl_divergence)
print(broadcast_all(1, torch.zeros(2, dtype=torch.double)), broadcast_all(1, 2.5))
print(type(dist.Bernoulli.probs), isinstance(dist.Bernoulli.probs, property))
# In [constraints]
from torch.distributions import constraints as c
x = torch.tensor([[.2, .8], [-1., 2.], [0., 1.], [1.5, -.5]])
for region in [c.boolean, c.real, c.positive, c.nonnegative, c.unit_interval, c.simplex, c.one_hot,
               c.nonnegative_integer, c.positive_integer, c.real_vector, c.greater_than(1.),
               c.greater_than_eq(1), c.less_than(.5), c.interval(0, 1), c.half_open_interval(0., 1.),
               c.integer_interval(0, 2), c.multinomial(3), c.independent(c.positive, 1),
               c.cat([c.positive, c.real], -1), c.stack([c.positive, c.real], -1)]:
    print(repr(region), region.event_dim, region.is_discrete, region.check(x).tolist())
m = torch.stack([torch.eye(2), torch.tensor([[1., 2.], [2., 1.]]), torch.tensor([[1., 0.], [.6, .8]])])
for region in [c.lower_triangular, c.lower_cholesky, c.corr_cholesky, c.square, c.symmetric,
               c.positive_semidefinite, c.positive_definite]:
    print(repr(region), region.event_dim, region.check(m).tolist())
print(c.square.check(torch.ones(2, 3)), c.is_dependent(c.dependent), c.dependent_property)
# Each [constraint errors]
torch.distributions.constraints.dependent.event_dim
torch.distributions.constraints.dependent.check(torch.ones(2))
torch.distributions.constraints.dependent(event_dim=1).event_dim
torch.distributions.constraints.independent(1, 1)
torch.distributions.constraints.independent(torch.distributions.constraints.real, -1)
torch.distributions.constraints.independent(torch.distributions.constraints.real, 2).check(torch.ones(2))
torch.distributions.constraints.Constraint().check(1)
torch.distributions.constraints.cat([1])
torch.distributions.Normal.support
torch.distributions.Uniform.support.event_dim
torch.distributions.Binomial.support.is_discrete
torch.distributions.biject_to(torch.distributions.constraints.boolean)
torch.distributions.biject_to(torch.distributions.constraints.lower_cholesky)
torch.distributions.biject_to.register(3, 4)
# In [transforms]
from torch.distributions import transforms as t
x = torch.tensor([[-.5, .3], [1.2, -2.]])
for f in [t.ExpTransform(), t.SigmoidTransform(), t.TanhTransform(), t.SoftplusTransform(), t.AbsTransform(),
          t.AffineTransform(1., -2.), t.AffineTransform(torch.ones(2), torch.tensor([2., -3.]), event_dim=1),
          t.SoftmaxTransform(), t.StickBreakingTransform(), t.identity_transform,
          t.ComposeTransform([t.AffineTransform(0., 2.), t.ExpTransform()]),
          t.IndependentTransform(t.ExpTransform(), 1), t.ReshapeTransform((2,), (1, 2)),
          t.CatTransform([t.ExpTransform(), t.identity_transform], dim=-1),
          t.StackTransform([t.ExpTransform(), t.TanhTransform()], dim=-1), t.LowerCholeskyTransform(),
          t.CumulativeDistributionTransform(torch.distributions.Normal(0., 1.)), t.ExpTransform().inv]:
    y = f(x.abs() if "Inverse" in repr(f) else x)
    print(f, f.bijective, f.domain, f.codomain, y, f.inv(y))
    print(f.forward_shape(x.shape), f.inverse_shape(y.shape))
    try:
        print(f.sign)
    except NotImplementedError:
        print("no sign")
    try:
        print(f.log_abs_det_jacobian(x, y))
    except NotImplementedError:
        print("no jacobian")
# In [power and matrices]
from torch.distributions import transforms as t
p = t.PowerTransform(torch.tensor([2., -1.]))
print(p(torch.tensor([3., 4.])), p.inv(torch.tensor([9., .5])), p.sign, p == t.PowerTransform(torch.tensor([2., -1.])))
print(p.log_abs_det_jacobian(torch.tensor([3., 4.]), p(torch.tensor([3., 4.]))))
v = torch.tensor([.3, -1., .5])
k = t.CorrCholeskyTransform()
y = k(v)
print(y, k.inv(y), k.log_abs_det_jacobian(v, y), k.forward_shape((3,)), k.inverse_shape((3, 3)))
d = t.PositiveDefiniteTransform()
m = d(torch.tensor([[.1, 5.], [.3, -.2]]))
print(m, d.inv(m))
# In [cache]
from torch.distributions import transforms as t
e = t.ExpTransform(cache_size=1)
x = torch.ones(2)
y = e(x)
print(e(x) is y, e.inv(y) is x, e.inv.inv is e, e.with_cache(1) is e, e.with_cache(0) == e)
c = t.ComposeTransform([t.ExpTransform(), t.AffineTransform(0., 2.)], cache_size=1)
y = c(x)
print(c(x) is y, c.inv(y) is x, c.with_cache(0)._cache_size, c == t.ComposeTransform([t.ExpTransform(), t.AffineTransform(0., 2.)]))
d = torch.distributions.TransformedDistribution(torch.distributions.Normal(torch.zeros(2), 1.), c)
z = d.rsample()
print(d.log_prob(z))
# Each [transform errors]
torch.distributions.ExpTransform(cache_size=2)
torch.distributions.ReshapeTransform((2,), (3,))
torch.distributions.ReshapeTransform((2,), (1, 2)).forward_shape((3,))
torch.distributions.SoftmaxTransform().forward_shape(())
torch.distributions.CorrCholeskyTransform().forward_shape((4,))
torch.distributions.CorrCholeskyTransform().inverse_shape((3, 4))
torch.distributions.CatTransform([torch.distributions.ExpTransform()], lengths=[1, 2])
torch.distributions.CatTransform([torch.distributions.ExpTransform()])(torch.ones(2))
torch.distributions.StackTransform([torch.distributions.ExpTransform()])(torch.ones(2))
torch.distributions.StackTransform([torch.exp])
torch.distributions.Transform()(1)
torch.distributions.Transform().log_abs_det_jacobian(1, 2)
torch.distributions.IndependentTransform(torch.distributions.ExpTransform(), 2)(torch.ones(3))
# In [registry]
from torch.distributions import constraints as c, biject_to, transform_to
x = torch.tensor([[.3, -1.], [2., .5]])
for region in [c.real, c.positive, c.nonnegative, c.greater_than(2.), c.less_than(-1.), c.interval(-1., 3.),
               c.unit_interval, c.half_open_interval(0., 2.), c.simplex, c.real_vector, c.independent(c.positive, 1),
               c.cat([c.positive, c.unit_interval], -1), c.stack([c.real, c.positive], 0)]:
    for registry in (biject_to, transform_to):
        f = registry(region)
        y = f(x)
        print(region, f, y, region.check(y).all())
for region in [c.lower_cholesky, c.positive_definite, c.corr_cholesky]:
    f = transform_to(region)
    print(f, f(torch.ones(3) if region is c.corr_cholesky else x))
# In [factors that are no matrices]
for region in (torch.distributions.constraints.lower_cholesky, torch.distributions.constraints.corr_cholesky):
    try: region.check(torch.tensor([1., 0.]))
    except Exception as e: print(type(e).__name__, e)
try: torch.distributions.LKJCholesky(3, torch.ones(2)).expand((5,))
except Exception as e: print(type(e).__name__, e)
# In [a VAE step]
q = torch.distributions.Normal(torch.zeros(3, requires_grad=True), torch.ones(3))
z = q.rsample()
loss = torch.distributions.kl_divergence(q, torch.distributions.Normal(1., 2.)).sum() - torch.distributions.Bernoulli(logits=z).log_prob(torch.tensor([0., 1., 1.])).sum()
loss.backward()
print(loss, q.loc.grad, z)
# In [saved]
import pickle, copy, io
d = torch.distributions.Gamma(torch.tensor([1., 2.]), 3.)
print(pickle.loads(pickle.dumps(d)), copy.deepcopy(d).rate, pickle.loads(pickle.dumps(torch.distributions.ExpTransform().inv)))
f = io.BytesIO(); torch.save(torch.distributions.StudentT(torch.tensor(2.)), f); f.seek(0)
print(torch.load(f, weights_only=False).log_prob(torch.tensor(1.)))
