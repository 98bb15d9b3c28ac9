"""`Compare`: measurements side by side."""

import enum
import math

from .measure import Measurement, ordered_unique, select_unit, trim_sigfig, unit_to_english

_BEST, _GOOD, _BAD = "\033[92m\033[1m", "\033[34m\033[1m", "\033[2m\033[91m"
_VERY_BAD, _END = "\033[31m\033[1m", "\033[0m\033[0m"


class Colorize(enum.Enum):
    """What a coloured time is compared with."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


def _coloured(text: str, value: float, best: float) -> str:
    if value <= best * 1.01 or value <= best + 100e-9:
        return _BEST + text + _END
    if value <= best * 1.1:
        return _GOOD + text + _END
    if value >= best * 5:
        return _VERY_BAD + text + _END
    return _BAD + text + _END if value >= best * 2 else text


class _Column:
    """How the times of one column are written: all with the same width and decimals."""

    def __init__(self, results: list[Measurement], size: float, trim: bool, warn: bool) -> None:
        self.size, self.trim = size, trim
        self.warn = warn and any(m.has_warnings for m in results)
        digits = [math.ceil(math.log10(m.median / size)) for m in results]
        left = [max(m.significant_figures - d, 0) for m, d in zip(results, digits, strict=True)]
        self.decimals = min(left) if trim else 1
        self.width = max(digits) + self.decimals + (self.decimals > 0)

    def text(self, m: Measurement | None) -> str:
        """A time, with a mark where it is spread too much."""
        if m is None:
            return " " * len(self._written(1.0, ""))
        value = m.median / self.size
        value = trim_sigfig(value, m.significant_figures) if self.trim else value
        spread = f" (! {m.iqr / m.median * 100:.0f}%)" if self.warn and m.has_warnings else ""
        return self._written(value, spread)

    def _written(self, value: float, spread: str) -> str:
        number = f"{value:.{self.decimals}f}".rjust(self.width)
        return number + spread.rjust(7 if self.warn else 0)


class _Table:
    """The measurements of one label: rows by threads and name, columns by description."""

    def __init__(self, results: list[Measurement], colour: Colorize, trim: bool, warn: bool):
        self.results, self.colour = results, colour
        self.unit, self.size = select_unit(min(m.median for m in results))
        self.rows = ordered_unique((m.num_threads, m.env, m.as_row_name) for m in results)
        self.rows.sort(key=lambda row: row[:2])
        self.heads = ordered_unique(m.description for m in results)
        self.at = {((m.num_threads, m.env, m.as_row_name), m.description): m for m in results}
        self.columns = [
            _Column([m for m in results if m.description == head], self.size, trim, warn)
            for head in self.heads
        ]
        self.marked = warn and any(m.has_warnings for m in results)

    def _names(self) -> list[str]:
        """The first cell of each row; an environment is told where it changes."""
        told = {m.env for m in self.results}
        width = max(len(str(env)) for env in told) + 4 if len(told) > 1 else 4
        names, before = [], (None, "")
        for threads, env, name in self.rows:
            shown = f"({env})" if len(told) > 1 and before != (threads, env) else ""
            names.append("  " + shown.ljust(width) + name)
            before = threads, env
        return names

    def _best(self, row, head) -> float:
        """What the time of a cell is compared with."""
        if self.colour is Colorize.ROWWISE:
            return min(m.median for (at, _), m in self.at.items() if at == row)
        return min(
            m.median for (at, of), m in self.at.items() if of == head and at[0] == row[0]
        )

    def _line(self, row, name: str, widths: list[int]) -> str:
        cells = [name.ljust(widths[0])]
        for head, column, width in zip(self.heads, self.columns, widths[1:], strict=True):
            m = self.at.get((row, head))
            text = column.text(m).center(width)
            if m is not None and self.colour is not Colorize.NONE:
                text = _coloured(text, m.median, self._best(row, head))
            cells.append(text)
        return "  |  ".join(cells)

    def __str__(self) -> str:
        names = self._names()
        widths = [max(map(len, names))] + [
            max(len(head), *(len(column.text(self.at.get((row, head)))) for row in self.rows))
            for head, column in zip(self.heads, self.columns, strict=True)
        ]
        cells = zip(["", *self.heads], widths, strict=True)
        head = "  |  ".join(cell.center(width) for cell, width in cells)
        title = f" {self.results[0].label or ''} ".center(len(head) - 2, "-")
        lines, threads = [f"[{title}]", head], None
        for row, name in zip(self.rows, names, strict=True):
            if row[0] != threads:
                threads = row[0]
                lines.append(f"{threads} threads: ".ljust(len(head), "-"))
            lines.append(self._line(row, name, widths))
        lines += ["", f"Times are in {unit_to_english(self.unit)}s ({self.unit}).", ""]
        if self.marked:
            note = "(! XX%) Measurement has high variance, where XX is the IQR / median * 100."
            lines[-1:] = [note, ""]
        return "\n".join(lines)


class Compare:
    """Tables of measurements, one a label."""

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)
        self._trim, self._colour, self._warn = False, Colorize.NONE, False

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
        """Colour each time by how it compares with the best of its column (or row)."""
        self._colour = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Mark measurements that are spread too much."""
        self._warn = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        found: dict[str, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            found.setdefault(m.label, []).append(m)
        tables = (_Table(some, self._colour, self._trim, self._warn) for some in found.values())
        return "\n".join(map(str, tables))
