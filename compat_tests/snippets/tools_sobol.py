# torch.quasirandom.

# In [sobol]
from torch.quasirandom import SobolEngine
e = SobolEngine(5)
print(e, e.draw(3), e.draw(), e.draw(2, dtype=torch.double), e.num_generated)
e.reset()
print(e.draw(1), e.fast_forward(5).draw(2), e.reset().fast_forward(1).draw(1), e.reset().fast_forward(4).draw(1))
print(SobolEngine(3).draw_base2(2), torch.quasirandom.SobolEngine.MAXDIM, e.sobolstate[2, :4])
out = torch.empty(0)
print(SobolEngine(2).draw(2, out=out) is out, out)
for wrong in (lambda: SobolEngine(0), lambda: SobolEngine(21202), lambda: (e.reset().draw(3), e.draw_base2(2))):
    try:
        wrong()
    except ValueError as error:
        print(error)
print(SobolEngine(1200).draw(300)[-1, ::100])

# In [scrambled sobol]
from torch.quasirandom import SobolEngine
e = SobolEngine(4, scramble=True, seed=3)
print(e, e.draw(4), e.draw(1), e.shift)
torch.manual_seed(5)
print(SobolEngine(2, scramble=True).draw(3), torch.rand(2))
