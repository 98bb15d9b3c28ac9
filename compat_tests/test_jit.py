"""torch.jit's names: decorated code stays Python and runs."""

from typing import Dict, List, Optional, Tuple, Union  # noqa: UP035

import pytest

# PyTorch's own TorchScript is deprecated and says so
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_what_is_decorated_runs(torch, golden):
    @torch.jit.script
    def scripted(x, n: int = 2):
        return x * n

    @torch.jit.ignore
    def ignored(x):
        return x + 1

    @torch.jit.ignore(drop=True)
    def dropped(x):
        return x - 1

    @torch.jit.unused
    def unused(x):
        return x * 3

    @torch.jit.script_if_tracing
    def lazily(x):
        return x * 4

    x = torch.ones(2)
    golden([f(x) for f in (scripted, ignored, dropped, unused, lazily)])


def test_modules(torch, golden):
    class Scale(torch.nn.Module):
        factor: torch.jit.Final[int]

        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, x):
            return self.helper(x) if torch.jit.is_scripting() else x * self.factor

        @torch.jit.export
        def helper(self, x):
            return x * self.factor

    torch.manual_seed(0)
    x = torch.ones(2)
    golden([torch.jit.script(Scale(3))(x), torch.jit.trace(Scale(4), x)(x)])
    frozen = torch.jit.freeze(torch.jit.script(Scale(3).eval()))
    golden([frozen(x), torch.jit.optimize_for_inference(frozen)(x)])
    traced = torch.jit.trace(lambda a, b: a @ b, (torch.ones(2, 2), torch.eye(2)))
    golden(traced(torch.eye(2), torch.ones(2, 2)))
    golden.error(torch.jit.freeze, torch.jit.script(Scale(3)))


def test_small_things(torch, golden):
    golden([torch.jit.is_scripting(), torch.jit.is_tracing(), torch.jit.annotate(list, [])])
    future = torch.jit.fork(lambda x: x + 1, torch.ones(2))
    golden(torch.jit.wait(future))
    kinds = [List[int], List[str], Dict[str, int], Tuple[int, int], Optional[int], Union[int, str]]  # noqa: UP006,UP007,UP045
    for value in ([1, 2], ["a"], {"a": 1}, (1, 2), (1,), 3, "x"):
        golden([torch.jit.isinstance(value, kind) for kind in kinds])
    attribute = torch.jit.Attribute(1, int)
    golden([attribute.value, attribute.type])
    with torch.jit.fuser("fuser1"), torch.jit.optimized_execution(True):
        golden(torch.ones(1))


def test_what_needs_torchscript(tmp_path):
    import torchlike as torch

    for call in (
        lambda: torch.jit.save(torch.nn.Linear(1, 1), tmp_path / "x"),
        lambda: torch.jit.load("x"),
        lambda: torch.jit.CompilationUnit("def f(): pass"),
    ):
        with pytest.raises(NotImplementedError, match="torch.jit."):
            call()
