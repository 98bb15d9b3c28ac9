"""The page of `explain(html=path)`: totals, and every window drawn as a graph of its ops."""

from __future__ import annotations

import html
import zlib
from typing import Any

DRAWN = 40  # windows drawn
NODES = 250  # ops drawn of a window
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222;
       padding: 0 1rem; background: #fff }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: right }
td:last-child { text-align: left } .window { border: 1px solid #ddd; border-radius: 8px;
       padding: .6rem 1rem; margin: 1rem 0; overflow-x: auto } .tier { border-radius: 4px;
       padding: 0 .5em; color: #fff; background: #2a7 } .cold { background: #789 }
.step { background: #75c } small { color: #666 } svg text { font: 10px monospace }
"""


def page_of(text: str, windows: list[Any], totals: dict[str, Any]) -> str:
    """The page."""
    order = sorted(windows, key=lambda w: (w.tier == "cold", -w.hits, -w.ops * w.seen))
    rows = "".join(f"<tr><td>{v}</td><td>{html.escape(k)}</td></tr>" for k, v in totals.items())
    cards = "".join(map(_card, order[:DRAWN]))
    left = f"<p>… and {len(order) - DRAWN} more.</p>" if len(order) > DRAWN else ""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>torchlike: what ran how"
        f"</title><style>{_STYLE}</style><h1>torchlike: what ran how</h1><table>{rows}</table>"
        f"<h2>Windows</h2>{cards}{left}<h2>As text</h2><pre>{html.escape(str(text))}</pre></html>\n"
    )


def _card(w: Any) -> str:
    kind = {"cold": " cold", "jit step": " step"}.get(w.tier, "")
    facts = f"{w.ops} ops, seen {w.seen} ×, run as one program {w.hits} ×"
    if w.seconds:
        facts += f", compiled in {w.seconds:.2f} s"
    if w.memory is not None:
        facts += f", {w.memory / 1e6:.2f} MB"
    why = f"<p><small>{html.escape(w.cold)}</small></p>" if w.cold else ""
    return (
        f"<div class='window'><span class='tier{kind}'>{w.tier}</span> "
        f"<b>{html.escape(w.where)}</b><br><small>{facts}</small>{why}{drawing(w.records)}</div>"
    )


# ----- drawing -----
def depths(records: Any) -> list[int]:
    """How many ops lie before each op on the longest way to it."""
    of_slot: dict[int, int] = {}
    found = []
    for spec, slots, first in records:
        depth = 1 + max((of_slot[s] for s in slots if s >= 0), default=-1)
        found.append(depth)
        for s in range(first, first + len(spec.outs)):
            of_slot[s] = depth
    return found


def drawing(records: Any) -> str:
    """An SVG of a window: ops in columns by depth, lines where one uses another's result."""
    records = records[:NODES]
    places: list[tuple[int, int]] = []
    rows: dict[int, int] = {}
    maker: dict[int, int] = {}
    lines, boxes = [], []
    for i, ((spec, slots, first), depth) in enumerate(zip(records, depths(records), strict=True)):
        row = rows.get(depth, 0)
        rows[depth] = row + 1
        x, y = 8 + 108 * depth, 8 + 26 * row
        places.append((x, y))
        for s in slots:
            if s in maker:
                px, py = places[maker[s]]
                lines.append(_line(px + 92, py + 9, x, y + 9))
        for s in range(first, first + len(spec.outs)):
            maker[s] = i
        boxes.append(_box(spec, x, y))
    width = 116 + 108 * max((p[0] - 8) // 108 for p in places)
    height = 16 + 26 * max(rows.values())
    return (
        f"<svg width='{width}' height='{height}'><g fill='none' stroke='#bbb'>{''.join(lines)}</g>"
        f"{''.join(boxes)}</svg>"
    )


def _line(x: int, y: int, to_x: int, to_y: int) -> str:
    return f"<path d='M{x} {y}C{x + 12} {y} {to_x - 12} {to_y} {to_x} {to_y}'/>"


def _box(spec: Any, x: int, y: int) -> str:
    hue = zlib.crc32(spec.name.removesuffix("_backward").encode()) % 360
    light = 88 if spec.name.endswith("_backward") else 78
    told = html.escape(f"{spec.name}: {', '.join(map(repr, spec.outs))}")
    return (
        f"<g><title>{told}</title><rect x='{x}' y='{y}' width='92' height='18' rx='4' "
        f"fill='hsl({hue} 60% {light}%)'/><text x='{x + 4}' y='{y + 12}'>"
        f"{html.escape(spec.name[:14])}</text></g>"
    )
