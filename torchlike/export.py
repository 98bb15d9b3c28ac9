"""A module as a StableHLO program: a file that runs without torchlike.

`export(model, (x,)).save(path)` writes what `jax.export.deserialize(bytearray(...)).call(array)`
reads. Parameters are constants of the program, and its shapes are those of the example.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.export as jax_export
import jax.numpy as jnp

from .core.tape import no_grad
from .core.tensor import Tensor
from .func.interop import from_jax, to_jax
from .nn import Module


class ExportedProgram:
    """An exported program: `call` on tensors, `save`, `module()`, and its StableHLO text."""

    def __init__(self, exported: Any, platforms: tuple[str, ...]) -> None:
        self.exported, self.platforms = exported, platforms

    def call(self, *args: Tensor) -> Any:
        """The result for other tensors of the example's shapes and dtypes."""
        found = self.exported.call(*[jnp.asarray(a.detach().__jax_array__()) for a in args])
        return jax.tree.map(from_jax, found)

    def module(self) -> _Program:
        """The program as a Module."""
        return _Program(self)

    def save(self, path: Any) -> None:
        """Write it as `jax.export` serializes it."""
        Path(path).write_bytes(self.exported.serialize())

    @property
    def stablehlo(self) -> str:
        """The program's text."""
        return self.exported.mlir_module()

    def __repr__(self) -> str:
        return f"ExportedProgram({', '.join(map(str, self.exported.in_avals))})"


class _Program(Module):
    def __init__(self, program: ExportedProgram) -> None:
        super().__init__()
        self._program = program

    def forward(self, *args: Tensor) -> Any:
        return self._program.call(*args)


def _refuse(function: str, **given: Any) -> None:
    for name, value in given.items():
        if value:
            raise NotImplementedError(
                f"torch.export.{function}: {name}={value!r} is not supported"
            )


def export(
    mod: Module, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, *,
    dynamic_shapes: Any = None, strict: bool = False,
    preserve_module_call_signature: tuple[str, ...] = (),
    prefer_deferred_runtime_asserts_over_guards: bool = False,
    platforms: tuple[str, ...] | None = None,
) -> ExportedProgram:  # fmt: skip
    """Trace a module on an example; tensors among `args` become the program's inputs.

    What it draws and its buffers become constants: export in eval mode.
    `platforms` ("cpu", "cuda", "tpu"): where it shall run; this machine's by default.
    """
    if not isinstance(mod, Module):
        raise ValueError(f"Expected `mod` to be an instance of `torch.nn.Module`, got {type(mod)}.")
    if not isinstance(args, tuple):
        raise TypeError(f"Expecting `args` to be a tuple of example positional inputs, got {args}")
    _refuse(
        "export", dynamic_shapes=dynamic_shapes, strict=strict, kwargs=kwargs,
        preserve_module_call_signature=preserve_module_call_signature,
        prefer_deferred_runtime_asserts_over_guards=prefer_deferred_runtime_asserts_over_guards,
    )  # fmt: skip
    others = [None if isinstance(a, Tensor) else a for a in args]
    places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]

    def run(*tensors: Tensor) -> Any:
        full = list(others)
        for i, t in zip(places, tensors, strict=True):
            full[i] = t
        with no_grad():
            return mod(*full)

    structs = [jnp.asarray(args[i].detach().__jax_array__()) for i in places]
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in structs]
    where = platforms or (jax.default_backend(),)
    made = jax_export.export(jax.jit(to_jax(run)), platforms=where)(*shapes)
    return ExportedProgram(made, where)


def save(
    ep: ExportedProgram, f: Any, *, extra_files: Any = None, opset_version: Any = None,
    pickle_protocol: int = 2,
) -> None:  # fmt: skip
    """Write an exported program, as `jax.export` serializes it (nothing is pickled)."""
    _refuse("save", extra_files=extra_files, opset_version=opset_version)
    ep.save(f)


def load(
    f: Any, *, extra_files: Any = None, expected_opset_version: Any = None
) -> ExportedProgram:
    """Read an exported program that `save` wrote."""
    _refuse("load", extra_files=extra_files, expected_opset_version=expected_opset_version)
    made = jax_export.deserialize(bytearray(Path(f).read_bytes()))
    return ExportedProgram(made, made.platforms)


__all__ = ["ExportedProgram", "export", "load", "save"]
