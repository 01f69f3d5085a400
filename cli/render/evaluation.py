"""The table of a zero-shot evaluation, and bits per character against position in the context.

Source: Bloem (2025), sections 6.1 and 6.2: the model above in-context Markov models and a uniform code. Two figures
stand side by side: the last character of each slice, which is the paper's protocol, and the mean over the tail of each
slice, whose error is far smaller.

Beside the model stand the same model before training and the bars (`up.evaluation.bars`), all over the byte values that
occur in the data. Where there is room for one of them it is the hardest, PPM-D with update exclusion; the paper has the
Markov model. In rows of an earlier version that is all there is.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cli.render.bars import BARS, bar
from theory.words import number_of

if TYPE_CHECKING:  # up.evaluation imports numpy
    from up.evaluation.rows import EvaluationRow

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
        Text(f"Over the last {number_of(rows[0].tail_positions, 'character')}", style="bold"),
        *(Text(finding(row)) for row in rows),
    )


def finding(row: "EvaluationRow") -> str:
    """Say in a sentence how the model stands to a uniform code, the paper's bar, PPM and itself before, over the tail.

    A difference of no more than two standard errors is called none.
    """
    below_uniform = row.uniform_bits - row.tail_bits
    error = 2 * row.tail_stderr
    uniform = "no different from uniform" if abs(below_uniform) <= error else f"{_gap(below_uniform)} uniform"
    said = [uniform, f"{_stands(row, row.markov_tail_bits)} the in-context Markov model of the paper"]
    ppm = [bits for bits in (row.ppm_tail_bits, row.ppm_exclusion_tail_bits) if bits is not None]
    if ppm:
        said.append(f"{_stands(row, min(ppm))} the best PPM")
    if row.untrained_tail_bits is not None:
        gained = row.untrained_tail_bits - row.tail_bits
        took = f"took off {gained:.2f} bits" if gained > 0 else f"added {-gained:.2f} bits"
        said.append(f"training {'changed nothing' if abs(gained) <= error else took}")
    return f"{row.data}: {', '.join(said)}"


class OneBar(NamedTuple):
    """The bar that stands for all where there is room for one: its name and order, and its bits over the tail."""

    name: str
    order: int | None
    bits: float


def hardest_bar(row: "EvaluationRow") -> OneBar:
    """Return PPM-D with update exclusion, or the Markov model for rows of an earlier version."""
    if row.ppm_exclusion_tail_bits is None:
        return OneBar("Markov", row.markov_order, row.markov_tail_bits)
    return OneBar("PPM-D with update exclusion", row.ppm_exclusion_order, row.ppm_exclusion_tail_bits)


def _stands(row: "EvaluationRow", bits: float) -> str:
    return "level with" if abs(bits - row.tail_bits) <= 2 * row.tail_stderr else _gap(bits - row.tail_bits)


def _gap(below: float) -> str:
    return f"{abs(below):.2f} bits {'below' if below > 0 else 'above'}"


@dataclasses.dataclass(frozen=True)
class EvaluationTable:
    """Model and bars in bits per character, one below the other for each data set; the lowest one is bold."""

    rows: "tuple[EvaluationRow, ...]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first = self.rows[0]
        yield Text("Zero-shot, in bits per character (lower is better)", style="bold")
        yield Text(
            f"{number_of(first.samples, 'slice')} of {number_of(first.context_length, 'character')}; "
            "± is one standard error",
            style="dim",
        )
        if first.model_context_length is not None:
            yield Text(f"the model reads the last {first.model_context_length:,} of them, the bars all", style="dim")
        yield Text("the bars learn from the same slice and know which symbols occur in the data;", style="dim")
        yield Text("the paper's bar is the Markov model", style="dim")
        yield Text()
        names = min(max(len(row.data) for row in self.rows), _NAME_COLUMNS)
        headings = ("", " last character", f" last {first.tail_positions}")
        cells = [[Text("\n").join(column) for column in zip(*_lines(row), strict=True)] for row in self.rows]
        widest = (max(map(_columns, column)) for column in zip(map(Text, headings), *cells, strict=True))
        if sum(2 + columns for columns in widest) + names > options.max_width:
            yield self._list()
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("data", overflow="fold")
        for heading in headings:
            table.add_column(heading, no_wrap=True)
        for row, columns in zip(self.rows, cells, strict=True):
            table.add_row(Text(row.data, style="bold"), *columns)
        yield table

    def _list(self) -> Group:
        blocks: list[RenderableType] = []
        for row in self.rows:
            blocks.append(Text(row.data, style="bold"))
            for place, name in enumerate(("last character", f"last {row.tail_positions}")):
                grid = Table.grid(padding=(0, 2))
                for label, *cells in _lines(row):
                    grid.add_row("  ", Text(label.plain, style="dim"), cells[place])
                blocks += [Text(f"  {name}", style="dim"), grid]
        return Group(*blocks)


@dataclasses.dataclass(frozen=True)
class PositionCurves:
    """Bits against position in the context, in octaves, all on one scale, with the numbers at both ends."""

    rows: "tuple[EvaluationRow, ...]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        curves = [
            (row, name, [getattr(position, field) for position in row.positions])
            for row in self.rows
            for name, field in (("model", "bits"), _bar_of_positions(row))
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


def _bar_of_positions(row: "EvaluationRow") -> tuple[str, str]:
    """Return the short name and the field of the hardest bar that was measured at all positions."""
    if any(position.ppm_exclusion_bits is None for position in row.positions):
        return "Markov", "markov_bits"
    return "PPM-D", "ppm_exclusion_bits"


def _lines(row: "EvaluationRow") -> Iterator[tuple[Text, Text, Text]]:
    """Yield model and bars of one data set, the easy ones last: name, last character, tail."""
    stated = [
        ("model", row.bits, row.tail_bits, None),
        ("model, untrained", row.untrained_bits, row.untrained_tail_bits, None),
        ("PPM-D, update exclusion", row.ppm_exclusion_bits, row.ppm_exclusion_tail_bits, row.ppm_exclusion_order),
        ("PPM-D", row.ppm_bits, row.ppm_tail_bits, row.ppm_order),
        ("CTW", row.ctw_bits, row.ctw_tail_bits, row.ctw_depth),
        (f"Markov, {number_of(row.symbols, 'symbol')}", row.markov_bits, row.markov_tail_bits, row.markov_order),
        ("uniform", row.uniform_bits, row.uniform_bits, None),
    ]
    known = [
        (name, bits, tail, longest) for name, bits, tail, longest in stated if bits is not None and tail is not None
    ]
    lowest, lowest_tail = (min(range(len(known)), key=lambda place: known[place][column]) for column in (1, 2))
    for place, (name, bits, tail, longest) in enumerate(known):
        stderr, tail_stderr = (row.stderr, row.tail_stderr) if name == "model" else (None, None)
        tail_cell = _number(tail, tail_stderr, bold=place == lowest_tail)
        if longest is not None:
            tail_cell.append(f" {'depth' if name == 'CTW' else 'order'} {longest}", "dim")
        yield Text(name), _number(bits, stderr, bold=place == lowest), tail_cell


def _columns(cell: Text) -> int:
    return max(line.cell_len for line in cell.split(allow_blank=True))


def _number(bits: float, stderr: float | None = None, *, bold: bool = False) -> Text:
    error = "" if stderr is None else f" ± {stderr:.3f}"
    return Text.assemble((f"{bits:6.3f}", "bold" if bold else ""), (error, "dim"))


def _shortened(name: str, width: int) -> str:
    """Keep the end of a name, which tells paths apart."""
    return name if len(name) <= width else f"…{name[-(width - 1) :]}"
