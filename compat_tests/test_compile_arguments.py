"""torch.compile's arguments: what PyTorch takes and how it refuses the rest."""

import pytest


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_arguments(torch, golden):
    def f(x):
        return x

    def told(call):
        try:
            return str(call())
        except Exception as error:  # which one is what is recorded
            return f"{type(error).__name__}: {error}"

    wrong = [
        {"foo": 1}, {"backend": "nope"}, {"mode": "nope"}, {"mode": "default", "options": {}},
        {"backend": "nope", "disable": True},
    ]  # fmt: skip
    found = [told(lambda kw=kw: torch.compile(f, **kw)) for kw in wrong]
    found.append(told(lambda: torch.compile(3)))
    linear = torch.nn.Linear(2, 2)
    found.append(told(lambda: linear.compile(foo=1)))
    found.append(told(lambda: linear.compile(backend="nope")))
    found.append(torch.compiler.list_backends())
    found.append(list(torch.compile(linear, backend="eager").state_dict()))
    g = torch.compile(backend="eager")(lambda x: x + 1)
    with torch.compiler.set_stance("force_eager"):
        found.append(g(torch.ones(1)).tolist())
    golden(found)
