"""The table of a zero-shot evaluation, and bits per character against position in the context.

Source: Bloem (2025), sections 6.1 and 6.2: the model beside an in-context Markov model and a uniform code. Two figures
stand side by side: the last character of each slice, which is the paper's protocol, and the mean over the tail of each
slice, whose error is far smaller.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cli.render.bars import BARS, bar

if TYPE_CHECKING:  # up.evaluation imports numpy
    from up.evaluation.rows import EvaluationRow

_NUMBER_COLUMNS = 63
"""Width of the table's numbers with their gaps."""

_NAME_COLUMNS = 12
"""Width at which names of data sets may be folded; where it is lacking too, each data set becomes a list."""

_WIDEST_STEP = 6
"""Most columns that one octave of positions takes in the curves."""


def evaluation_view(rows: "Sequence[EvaluationRow]") -> RenderableType:
    """Return the whole screen: what was measured, the table, the curves, and a sentence for each data set."""
    return Group(
        EvaluationTable(tuple(rows)),
        Text(),
        PositionCurves(tuple(rows)),
        Text(),
        Text(f"Over the last {rows[0].tail_positions} characters", style="bold"),
        *(Text(finding(row)) for row in rows),
    )


def finding(row: "EvaluationRow") -> str:
    """Say in a sentence how the model stands to a uniform code and to the Markov model, over the tail.

    A difference of no more than two standard errors is called none.
    """
    below_uniform = row.uniform_bits - row.tail_bits
    below_markov = row.markov_tail_bits - row.tail_bits
    error = 2 * row.tail_stderr
    uniform = "no different from uniform" if abs(below_uniform) <= error else f"{_gap(below_uniform)} uniform"
    markov = "level with" if abs(below_markov) <= error else _gap(below_markov)
    return f"{row.data}: {uniform}, {markov} the in-context Markov model"


def _gap(below: float) -> str:
    return f"{abs(below):.2f} bits {'below' if below > 0 else 'above'}"


@dataclasses.dataclass(frozen=True)
class EvaluationTable:
    """Model and baselines in bits per character, one line for each data set; the lower of the two models is bold."""

    rows: "tuple[EvaluationRow, ...]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first = self.rows[0]
        yield Text("Zero-shot, in bits per character (lower is better)", style="bold")
        yield Text(
            f"{first.samples:,} slices of {first.context_length} characters; ± is one standard error", style="dim"
        )
        yield Text()
        names = min(max(len(row.data) for row in self.rows), _NAME_COLUMNS)
        yield self._table(first) if options.max_width >= _NUMBER_COLUMNS + names else self._list()

    def _table(self, first: "EvaluationRow") -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
        table.add_column(Text("\ndata", style="dim"), overflow="fold")
        table.add_column(Text("last character\nmodel", style="dim"), justify="right", no_wrap=True)
        table.add_column(Text("\nMarkov", style="dim"), justify="right", no_wrap=True)
        table.add_column(Text(f"last {first.tail_positions}\nmodel", style="dim"), justify="right", no_wrap=True)
        table.add_column(Text("\nMarkov (order)", style="dim"), justify="right", no_wrap=True)
        table.add_column(Text("\nuniform", style="dim"), justify="right", no_wrap=True)
        for row in self.rows:
            table.add_row(Text(row.data, style="bold"), *(cell for _, cell in _cells(row)))
        return table

    def _list(self) -> Group:
        blocks: list[RenderableType] = []
        for row in self.rows:
            grid = Table.grid(padding=(0, 2))
            for name, cell in _cells(row):
                grid.add_row(Text(f"  {name}", style="dim"), cell)
            blocks += [Text(row.data, style="bold"), grid]
        return Group(*blocks)


@dataclasses.dataclass(frozen=True)
class PositionCurves:
    """Bits against position in the context, in octaves, all on one scale, with the numbers at both ends."""

    rows: "tuple[EvaluationRow, ...]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        curves = [
            (row, name, [getattr(position, field) for position in row.positions])
            for row in self.rows
            for name, field in (("model", "bits"), ("Markov", "markov_bits"))
        ]
        lowest = min(min(bits) for _, _, bits in curves)
        highest = max(max(bits) for _, _, bits in curves)
        ceiling = lowest + 1.15 * (highest - lowest)  # so that no bar touches the row above
        octaves = max(len(row.positions) for row in self.rows)
        names = min(max(len(row.data) for row in self.rows), max(options.max_width - 32, 4))
        before = names + len("  Markov  0.00 ")
        step = min(max((options.max_width - before - len(" 0.00")) // octaves, 1), _WIDEST_STEP)
        scale = f", {BARS[0]} {lowest:.2f} to {bar(highest, lowest, ceiling)} {highest:.2f}"
        yield Text.assemble(("Against position in the context", "bold"), (scale, "dim"))
        for row, name, bits in curves:
            label = _shortened(row.data, names) if name == "model" else ""
            bars = "".join(f"{bar(value, lowest, ceiling) * max(step - 1, 1):{step}}" for value in bits)
            yield Text.assemble(
                (f"{label:{names}}  ", "bold"),
                (f"{name:6}  ", "dim"),
                f"{bits[0]:4.2f} ",
                (bars, "cyan" if name == "model" else "dim"),
                f"{'' if step > 1 else ' '}{bits[-1]:4.2f}",
            )
        if step >= 4:
            starts = "".join(f"{p.first_position:<{step}}" for p in self.rows[0].positions)
            yield Text(f"{'position':>{before - 1}} {starts}".rstrip(), style="dim")


def _cells(row: "EvaluationRow") -> Iterator[tuple[str, Text]]:
    """Yield the numbers of one data set with their names, in the order of the table."""
    wins, wins_tail = row.bits < row.markov_bits, row.tail_bits < row.markov_tail_bits
    yield "last character, model", _number(row.bits, row.stderr, bold=wins)
    yield "last character, Markov", _number(row.markov_bits, bold=not wins)
    yield f"last {row.tail_positions}, model", _number(row.tail_bits, row.tail_stderr, bold=wins_tail)
    tail_markov = _number(row.markov_tail_bits, bold=not wins_tail)
    yield f"last {row.tail_positions}, Markov", Text.assemble(tail_markov, (f" ({row.markov_order})", "dim"))
    yield "uniform", _number(row.uniform_bits)


def _number(bits: float, stderr: float | None = None, *, bold: bool = False) -> Text:
    error = "" if stderr is None else f" ± {stderr:.3f}"
    return Text.assemble((f"{bits:.3f}", "bold" if bold else ""), (error, "dim"))


def _shortened(name: str, width: int) -> str:
    """Keep the end of a name, which tells paths apart."""
    return name if len(name) <= width else f"…{name[-(width - 1) :]}"
