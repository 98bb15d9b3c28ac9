"""torch._dynamo.eval_frame: what libraries compare a compiled module with."""

from ..compiler import OptimizedModule as OptimizedModule
