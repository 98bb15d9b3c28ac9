"""Anomaly mode: where each node was made, and what is said when its backward fails."""

from __future__ import annotations

import traceback
import warnings
from pathlib import Path
from typing import Any

from .record import LOCAL

_PACKAGE = str(Path(__file__).resolve().parent.parent)


def remember(node: Any) -> None:
    """Keep the lines that make a node, and the node whose backward makes it."""
    frames = traceback.extract_stack()
    while frames and frames[-1].filename.startswith((_PACKAGE, "<torchlike ")):
        frames.pop()
    node.metadata["traceback_"] = traceback.format_list(frames)
    runs = LOCAL.state.runs
    if runs and runs[-1].current is not None:
        node.metadata["parent_"] = runs[-1].current


def tell(node: Any) -> None:
    """Warn about a node whose backward failed, and about those that led to it."""
    name, lines = node.name(), node.metadata.get("traceback_")
    text = f"Error detected in {name}. " + _lines(lines, "caused the error")
    warnings.warn(text, UserWarning, stacklevel=2)
    while (node := node.metadata.get("parent_")) is not None:
        said = _lines(node.metadata.get("traceback_"), "induced the previous calculation")
        text = f"\n\nPrevious calculation was induced by {node.name()}. {said}"
        warnings.warn(text, UserWarning, stacklevel=2)


def _lines(lines: Any, what: str) -> str:
    if lines:
        return f"Traceback of forward call that {what}:\n{''.join(lines)}"
    return (
        "No forward pass information available. Enable detect anomaly during forward pass for more "
        "information."
    )
