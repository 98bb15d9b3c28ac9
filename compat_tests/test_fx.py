"""torch.fx: traced graphs, their text and code equal to PyTorch's; changing and running them."""

import copy
import operator
import subprocess
import sys
from importlib import import_module

import pytest


@pytest.fixture
def fx(torch):
    return import_module(f"{torch.__name__}.fx")


def net(torch):
    nn, functional = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)
            self.seq = nn.Sequential(nn.Linear(18, 4), nn.ReLU())
            self.w = nn.Parameter(torch.ones(4))
            self.register_buffer("b", torch.ones(4))

        def forward(self, x, scale: float = 2.0, flag=None):
            y = functional.relu(self.bn(self.conv(x)), inplace=False).flatten(1)
            y = functional.dropout(functional.linear(y, torch.ones(18, 18)), 0.0)
            z = self.seq(y) * self.w + self.b
            z = torch.cat([z, z * scale], dim=1)
            z = z.view(z.shape[0], z.size(1))[:, :4]
            z = (-z + torch.sigmoid(z) ** 2).sum(dim=1, keepdim=True)
            return {"out": z, "more": (z[0], z.max())}

    torch.manual_seed(0)
    return Net()


def test_module(torch, fx, golden):
    model, x = net(torch), torch.ones(2, 1, 5, 5)
    traced = fx.symbolic_trace(model)
    golden([str(traced.graph), traced.code, str(traced)])
    golden([torch.equal(traced(x)["out"], model(x)["out"]), sorted(traced.state_dict())])
    for n in traced.graph.nodes:
        golden([n.op, n.name, repr(n.args), repr(n.kwargs), [u.name for u in n.users]])
        golden([used.name for used in n.all_input_nodes])
    copied = copy.deepcopy(traced)
    golden([copied.code == traced.code, torch.equal(copied(x)["out"], model(x)["out"])])
    golden([fx.symbolic_trace(model, concrete_args={"flag": None}).code])


def test_leaves(torch, fx, golden):
    class Shallow(fx.Tracer):
        def is_leaf_module(self, m, name):
            return True

    model = net(torch)
    graph = Shallow().trace(model)
    golden([str(graph), type(fx.GraphModule(model, graph)).__name__])


def add_relu(torch):
    def function(x, y):
        z = x + y
        return torch.relu(z).neg()

    return function


def test_rewriting(torch, fx, golden):
    traced = fx.symbolic_trace(add_relu(torch))
    found = fx.replace_pattern(traced, lambda x: torch.relu(x).neg(), lambda x: torch.sigmoid(x))
    golden([traced.code, len(found)])
    traced = fx.symbolic_trace(add_relu(torch))
    for n in traced.graph.nodes:
        if n.target is torch.relu:
            with traced.graph.inserting_after(n):
                made = traced.graph.call_function(torch.exp, (n,))
            n.replace_all_uses_with(made)
            made.args = (n,)
    traced.graph.lint()
    traced.recompile()
    golden(traced.code)
    relu = next(n for n in traced.graph.nodes if n.target is torch.relu)
    golden.error(traced.graph.erase_node, relu)
    golden.error(relu.args.__getitem__, 5)


def test_interpreter(torch, fx, golden):
    seen = []

    class Spy(fx.Interpreter):
        def call_function(self, target, args, kwargs):
            seen.append(target.__name__)
            return super().call_function(target, args, kwargs)

    class Swap(fx.Transformer):
        def call_function(self, target, args, kwargs):
            target = torch.tanh if target is torch.relu else target
            return super().call_function(target, args, kwargs)

    traced = fx.symbolic_trace(add_relu(torch))
    golden([Spy(traced).run(torch.ones(2), torch.ones(2)), seen, Swap(traced).transform().code])


def test_graph_by_hand(torch, fx, golden):
    graph = fx.Graph()
    x = graph.placeholder("x")
    product = graph.call_function(operator.mul, (x, 3))
    graph.call_function(torch.sin, (x,))
    graph.output(graph.call_method("sum", (product,), {"dim": 0}))
    golden([str(graph), graph.eliminate_dead_code(), str(graph), len(graph.nodes)])
    golden([fx.GraphModule({}, graph).code, fx.GraphModule({}, graph)(torch.ones(2))])


FUNCTIONS = [
    "lambda x, *args, **kw: x + args[0] + kw['a']", "lambda x, *, y=1: x - y",
    "lambda x: 2 - x", "lambda x: x.shape[0] + len([x])", "lambda x: torch.ones(2) * x",
    "lambda x: torch.ones(2) ** x // x", "lambda x: (torch.ones(2) == x) & (torch.ones(2) > x)",
    "lambda x: torch.ones(2, 2) @ x", "lambda x: torch.mul(torch.ones(2), x)",
    "lambda x: x[..., None, 1:]", "lambda a, b: torch.where(a > b, a, b).to(torch.float64)",
    "lambda x: (x.max(0)[0], x.T)", "lambda x, max: x.sum() + max", "lambda x: x.clamp(min=1.5)",
    "lambda x: 2 - x", "lambda x: x.shape[0] + len([x])",
    "lambda x: torch.split(x, 1)[0] @ x", "lambda x: float('inf') * x",
]  # fmt: skip
ERRORS = ["lambda x: x if x > 0 else -x", "lambda x: [i for i in x]", "lambda x: len(x)"]


@pytest.mark.parametrize("text", FUNCTIONS)
def test_functions(torch, fx, golden, text):
    traced = fx.symbolic_trace(eval(text, {"torch": torch}))
    golden([traced.code, str(traced.graph)])


@pytest.mark.parametrize("text", ERRORS)
def test_errors(torch, fx, golden, text):
    golden.error(fx.symbolic_trace, eval(text, {"torch": torch}))


def test_wrap(torch, fx, golden):
    space = {"fx": fx, "torch": torch, "__name__": "wrapping"}
    source = "@fx.wrap\ndef own(x, y):\n    return x + y\ndef f(x):\n    return own(x, 2)\n"
    exec(compile(source, "wrapping", "exec"), space)
    traced = fx.symbolic_trace(space["f"])
    golden([str(traced.graph), traced(torch.ones(1)), space["own"](1, 2)])


def test_a_list_of_proxies_is_seen_by_the_first_function():
    """In an interpreter of its own: afterwards every function looks at its arguments."""
    code = (
        "import torch\nfrom torch.fx import Graph, Proxy\ngraph = Graph()\n"
        "tracer = torch.fx.proxy.GraphAppendingTracer(graph)\n"
        "x, y = (Proxy(graph.placeholder(n), tracer) for n in 'xy')\nprint(torch.cat([x, y]))"
    )
    ran = subprocess.run([sys.executable, "-m", "torchlike", "-c", code],
                         capture_output=True, text=True, timeout=60)  # fmt: skip
    assert ran.stdout == "Proxy(cat)\n", ran.stderr
