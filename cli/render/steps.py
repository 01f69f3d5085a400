"""Values at steps 0, 1, 2, ... as horizontal bars with their numbers, and a mark for what they are compared with."""

import dataclasses
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from cli.render.exact import bits_cell

if TYPE_CHECKING:
    from theory.checks.result import Picture

MARK = "│"
_MOST_ROWS = 13
_FEWEST_COLUMNS = 8
_GAP = 3


@dataclasses.dataclass(frozen=True)
class StepBars:
    """A picture of a curve over steps; what lies below zero has no length."""

    picture: "Picture"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        curve, marks = self.picture.curve, self.picture.marks
        values = [max(0.0, value) for value in curve.values]
        rows = _evenly(len(values), _MOST_ROWS)
        numbers = [bits_cell(values[row]) for row in rows]
        label_columns = max(len(curve.x_label), *(len(str(curve.places[row])) for row in rows))
        number_columns = max(map(len, numbers))
        columns = max(_FEWEST_COLUMNS, options.max_width - label_columns - number_columns - 4)
        highest = max(*values, *marks, 0.0)
        scale = (columns - 1) / highest if highest > 0 else 0.0
        legend = f"{MARK} {self.picture.mark_name}" if marks else ""
        fits = len(curve.name) + _GAP + len(legend) <= options.max_width
        between = "" if not legend else " " * _GAP if fits else "\n"
        yield Text.assemble((curve.name, "bold"), between, (legend, "dim"))
        yield Text(f"{curve.x_label:>{label_columns}}", style="dim")
        for row, number in zip(rows, numbers, strict=True):
            length = round(values[row] * scale)
            bar = Text("█" * length, style="cyan")
            if marks:
                place = round(marks[row] * scale)
                bar.pad_right(max(0, place + 1 - length))
                bar = Text.assemble(bar[:place], (MARK, "reverse cyan" if place < length else ""), bar[place + 1 :])
            start = Text(f"{curve.places[row]:>{label_columns}}  {number:>{number_columns}}  ", style="dim")
            line = Text.assemble(start, bar)
            line.rstrip()
            line.no_wrap = True
            yield line


def _evenly(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers below `count`, evenly spread, the first and the last among them.

    >>> _evenly(3, 13), _evenly(24, 4)
    ([0, 1, 2], [0, 8, 15, 23])
    """
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]
