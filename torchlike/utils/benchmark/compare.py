"""`Compare`: measurements side by side."""

from .measure import Measurement, select_unit


class Compare:
    """A table of measurements: rows by sub-label, columns by description."""

    def __init__(self, results: list) -> None:
        self._results: list = []
        self.extend_results(results)
        self._trim, self._color, self._highlight = False, False, False

    def extend_results(self, results) -> None:
        """Add measurements."""
        for result in results:
            if not isinstance(result, Measurement):
                raise ValueError(
                    f"Expected an instance of `Measurement`, got {type(result)} instead."
                )
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Show only the figures that the spread leaves standing."""
        self._trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Not supported."""
        raise NotImplementedError("Compare.colorize is not supported")

    def highlight_warnings(self) -> None:
        """Mark measurements that are spread too much."""
        self._highlight = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        results = Measurement.merge(self._results)
        labels = list(dict.fromkeys(m.label for m in results))
        return "\n\n".join(self._table(x, [m for m in results if m.label == x]) for x in labels)

    def _table(self, label, results: list) -> str:
        columns = list(dict.fromkeys(m.description or "" for m in results))
        unit, size = select_unit(min(m.median for m in results))
        by_threads = sorted({m.num_threads for m in results})
        rows = list(dict.fromkeys(m.sub_label or m.stmt for m in results))
        width = max([*map(len, rows), 30])
        cells = [max(len(c), 10) for c in columns]
        head = " " * width + "".join(f"  |  {c:^{w}}" for c, w in zip(columns, cells, strict=True))
        lines = [f"[{f' {label or results[0].stmt} ':-^{len(head) - 2}}]", head]
        for threads in by_threads:
            lines.append(f"{threads} threads: ".ljust(len(head), "-"))
            for row in rows:
                chosen = [m for m in results if (m.sub_label or m.stmt) == row]
                found = {m.description or "": m for m in chosen if m.num_threads == threads}
                pairs = zip(columns, cells, strict=True)
                shown = [self._cell(found.get(c), size).rjust(w) for c, w in pairs]
                lines.append(row.ljust(width) + "".join(f"  |  {cell}" for cell in shown))
        names = {"s": "seconds (s)", "ms": "milliseconds (ms)", "us": "microseconds (us)",
                 "ns": "nanoseconds (ns)"}  # fmt: skip
        return "\n".join([*lines, "", f"Times are in {names[unit]}."])

    def _cell(self, m, size: float) -> str:
        if m is None:
            return ""
        value = m.median / size
        text = f"{value:.{m.significant_figures}g}" if self._trim else f"{value:.1f}"
        return text + (" (! XX%)".replace("XX", f"{100 * m.iqr / m.median:.0f}")
                       if self._highlight and m.has_warnings else "")  # fmt: skip
