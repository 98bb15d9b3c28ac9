"""`torch.fx.replace_pattern`: a pattern of nodes replaced wherever it is found."""

from dataclasses import dataclass
from typing import NamedTuple

from ._symbolic_trace import symbolic_trace
from .graph import Graph
from .graph_module import GraphModule
from .node import Node


class Match(NamedTuple):
    """A place where the pattern was found: its last node, and which node each one is."""

    anchor: Node
    nodes_map: dict


@dataclass
class ReplacedPatterns:
    """A place where the pattern was replaced."""

    anchor: Node
    nodes_map: dict
    replacements: list


def _graph_of(pattern) -> Graph:
    if isinstance(pattern, GraphModule):
        return pattern.graph
    return pattern if isinstance(pattern, Graph) else symbolic_trace(pattern).graph


def _matches(pattern, node, found: dict) -> bool:
    """Whether a pattern's argument fits a node's; fills in which node is which."""
    if isinstance(pattern, Node):
        if not isinstance(node, Node) and pattern.op != "placeholder":
            return False
        if pattern in found:
            return found[pattern] is node
        if pattern.op == "placeholder":
            found[pattern] = node
            return True
        if (pattern.op, pattern.target) != (node.op, node.target):
            return False
        found[pattern] = node
        return _matches(pattern.args, node.args, found) and _matches(
            pattern.kwargs, node.kwargs, found
        )
    if isinstance(pattern, tuple | list) and isinstance(node, tuple | list):
        return len(pattern) == len(node) and all(
            _matches(a, b, found) for a, b in zip(pattern, node, strict=True)
        )
    if isinstance(pattern, dict) and isinstance(node, dict):
        return pattern.keys() == node.keys() and all(
            _matches(pattern[key], node[key], found) for key in pattern
        )
    return type(pattern) is type(node) and pattern == node


def _stays_inside(pattern_out: Node, found: dict) -> bool:
    """Whether nothing outside uses an inner node of the match."""
    inner = {n for p, n in found.items() if p.op not in ("placeholder", "get_attr")}
    return all(user in inner for n in inner - {found[pattern_out]} for user in n.users)


def replace_pattern(gm: GraphModule, pattern, replacement) -> list[Match]:
    """Replace each place where a one-result pattern is found; tells the places."""
    pattern, replacement = _graph_of(pattern), _graph_of(replacement)
    out = pattern.output_node().args[0]
    if not isinstance(out, Node):
        raise NotImplementedError("replace_pattern: patterns with several results")
    taken: set = set()
    done = []
    for node in list(gm.graph.nodes):
        found: dict = {}
        if node._erased or not _matches(out, node, found) or not _stays_inside(out, found):
            continue
        inner = {n for p, n in found.items() if p.op not in ("placeholder", "get_attr")}
        if inner & taken:
            continue
        taken |= inner
        done.append(Match(node, dict(found)))
        _replace(gm.graph, pattern, replacement, node, found, inner)
    gm.recompile()
    return done


def _replace(graph: Graph, pattern, replacement, node, found: dict, inner: set) -> None:
    inputs = [found.get(p) for p in pattern.nodes if p.op == "placeholder"]
    places = [p for p in replacement.nodes if p.op == "placeholder"]
    with graph.inserting_before(node):
        result = graph.graph_copy(replacement, dict(zip(places, inputs, strict=True)))
    node.replace_all_uses_with(result)
    for old in sorted(inner, key=list(graph.nodes).index, reverse=True):
        graph.erase_node(old)
