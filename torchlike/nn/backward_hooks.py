"""Backward hooks of modules: a frame of two graph nodes around a call, and the old kind."""

import warnings

from .. import ops
from ..core.op import Arrays, op
from ..core.tape import is_grad_enabled
from ..core.tensor import Tensor


@op(name="_backward_hook", module=None, promote="none", node="BackwardHookFunctionBackward")
def _through_node(tensors: Arrays):
    return tensors if len(tensors) > 1 else tensors[0]


# ----- full backward hooks -----
class BackwardHook:
    """Frames one call of a module with two graph nodes, whose hooks see the module's gradients."""

    def __init__(self, module, user_hooks, user_pre_hooks):
        self.module, self.user_hooks, self.user_pre_hooks = module, user_hooks, user_pre_hooks
        self.grad_outputs = None
        self.n_inputs = self.n_outputs = -1
        self.inputs_at = self.outputs_at = None  # positions of the tensors that get a gradient
        self.constants = {}  # how to make the zeros that PyTorch shows for the others

    def setup_input_hook(self, args):
        """The arguments, behind a node that calls the hooks once their gradients are there."""
        self.n_inputs = len(args)
        for i, arg in enumerate(args):
            if isinstance(arg, Tensor) and not arg.requires_grad:
                self.constants[i] = (arg.shape, arg.dtype, arg.device)
        args, self.inputs_at = _behind_node(args, self._at_inputs)
        return args

    def setup_output_hook(self, result):
        """The result, before a node that notes its gradients and calls the pre-hooks."""
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, self.outputs_at = _behind_node(outputs, self._at_outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _at_outputs(self, _, grads):
        self.grad_outputs = _spread(self.outputs_at, grads, self.n_outputs)
        for hook in self.user_pre_hooks:
            given = hook(self.module, self.grad_outputs)
            if given is not None:
                self.grad_outputs = _same_number("pre hook", "grad_output", given, self.n_outputs)
        seen = self.grad_outputs
        if self.inputs_at is None:
            self._without_inputs()
        return tuple(seen[i] for i in self.outputs_at)

    def _at_inputs(self, grads, _):
        if self.grad_outputs is None:
            return None  # the gradient came round the outputs
        zeros = [ops.zeros(s, dtype=d, device=w) for s, d, w in self.constants.values()]
        seen = _spread((*self.inputs_at, *self.constants), (*grads, *zeros), self.n_inputs)
        for hook in self.user_hooks:
            given = hook(self.module, seen, self.grad_outputs)
            if given is not None:
                seen = _same_number("hook", "grad_input", given, self.n_inputs)
        self.grad_outputs = None
        return tuple(seen[i] for i in self.inputs_at)

    def _without_inputs(self):
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients. See https://docs.pytorch.org/docs/main/"
            "generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook "
            "for more details.",
            stacklevel=5,
        )
        for hook in self.user_hooks:
            given = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if given is None or isinstance(given, tuple) and all(one is None for one in given):
                continue
            raise RuntimeError(
                "Backward hook for Modules where no input requires gradient should always return "
                "None or None for all gradients."
            )
        self.grad_outputs = None


def _same_number(hook, what, given, count):
    if len(given) != count:
        raise RuntimeError(
            f"Backward {hook} returned an invalid number of {what}, got {len(given)}, "
            f"but expected {count}"
        )
    return given


def _spread(at, grads, count):
    out = [None] * count
    for i, grad in zip(at, grads):
        out[i] = grad
    return tuple(out)


def _behind_node(values, hook):
    at = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not at or not is_grad_enabled():
        return values, None
    replaced = list(values)
    passed = _through_node([values[i] for i in at])
    for i, tensor in zip(at, passed if len(at) > 1 else [passed]):
        replaced[i] = tensor
    replaced[at[0]].grad_fn.register_hook(hook)
    return tuple(replaced) if type(values) is tuple else type(values)(*replaced), at


# ----- backward hooks of the old kind -----
def hook_last_node(hooks, inputs, result):
    """Registers the hooks on the node of the result; warns about what they will not see."""
    node = _first_tensor(result).grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(hook)
    problem = _misses(inputs, result, node)
    if problem:
        warnings.warn(f"Using {problem}", FutureWarning, stacklevel=2)


def _first_tensor(result):
    while not isinstance(result, Tensor):
        if isinstance(result, dict):
            result = next(v for v in result.values() if isinstance(v, Tensor))
        else:
            result = result[0]
    return result


_DOCUMENTED = " Please use register_full_backward_hook to get the documented behavior."


def _as_tensors(value):
    value = value if isinstance(value, tuple) else (value,)
    return value if all(isinstance(v, Tensor) for v in value) else None


def _misses(inputs, result, node):
    """What a hook on the last node does not see of this call, in PyTorch's words."""
    removed = "is deprecated and will be removed in future versions. This hook will be missing some"
    results, inputs = _as_tensors(result), _as_tensors(inputs)
    if results is None:
        return (
            "non-full backward hooks on a Module that does not return a single Tensor or a tuple "
            f"of Tensors {removed} of the grad_output.{_DOCUMENTED}"
        )
    if inputs is None:
        return (
            "non-full backward hooks on a Module that does not take as input a single Tensor or a "
            f"tuple of Tensors {removed} of the grad_input.{_DOCUMENTED}"
        )
    ends = {r.grad_fn for r in results if r.grad_fn is not None}
    when = "a non-full backward hook when "
    if not ends or len(ends) == 1 and node not in ends:
        return f"{when}outputs are nested in python data structure {removed} grad_output."
    if len(ends) > 1:
        return (
            f"{when}outputs are generated by different autograd Nodes {removed} grad_output."
            f"{_DOCUMENTED}"
        )
    if {i.grad_fn for i in inputs if i.grad_fn is not None} != {n[0] for n in node.next_functions}:
        return (
            f"{when}the forward contains multiple autograd Nodes {removed} grad_input."
            f"{_DOCUMENTED}"
        )
    return None
