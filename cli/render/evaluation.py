"""The table of a zero-shot evaluation, and bits per character against position in the context.

Source: Bloem (2025), sections 6.1 and 6.2: the model above in-context Markov models and a uniform code. Two figures
stand side by side: the last character of each slice, which is the paper's protocol, and the mean over the tail of each
slice, whose error is far smaller.

Beside the model stand the same model before training, other models likewise, and the bars (`up.evaluation.bars`), all
over the byte values that occur in the data. Where there is room for one bar it is the hardest, PPM-D with update
exclusion; the paper has the Markov model. In rows of an earlier version that is all there is.

On the synthetic sets the best that is possible is known (`up.data.entropy_rates`): a column says how far each is from
it, over the tail.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
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

_LABEL_COLUMNS = 16
"""Most columns of the name of another model; of longer ones the end is kept."""

_WIDEST_STEP = 6
"""Most columns that one octave of positions takes in the curves."""


def evaluation_view(
    rows: "Sequence[EvaluationRow]",
    beside: "Mapping[str, Sequence[EvaluationRow]] | None" = None,
    *,
    zero_shot: bool = True,
) -> RenderableType:
    """Return the whole screen: what was measured, the table, the curves, and a sentence for each data set.

    Args:
        rows: of the model.
        beside: those of other models on the same slices, by what these are called.
        zero_shot: whether the model was trained on no data.
    """
    others = {label: tuple(found) for label, found in (beside or {}).items()}
    return Group(
        EvaluationTable(tuple(rows), others, zero_shot=zero_shot),
        Text(),
        PositionCurves(tuple(rows)),
        Text(),
        Text(f"Over the last {number_of(rows[0].tail_positions, 'character')}", style="bold"),
        *(Text(finding(row)) for row in rows),
    )


def finding(row: "EvaluationRow") -> str:
    """Say in a sentence how the model stands to a uniform code, the paper's bar, PPM and itself before, over the tail.

    A difference of no more than two standard errors is called none. All are measured on the same slices, so the error
    is that of the slices' differences; in rows of an earlier version, which lack it, that of the model.
    """
    below_uniform = row.uniform_bits - row.tail_bits
    alike = abs(below_uniform) <= 2 * row.tail_stderr
    uniform = "no different from uniform" if alike else f"{_gap(below_uniform)} uniform"
    markov = _stands(row, row.markov_tail_bits, row.markov_tail_difference_stderr)
    said = [uniform, f"{markov} the in-context Markov model of the paper"]
    ppm = [
        (bits, error)
        for bits, error in (
            (row.ppm_tail_bits, row.ppm_tail_difference_stderr),
            (row.ppm_exclusion_tail_bits, row.ppm_exclusion_tail_difference_stderr),
        )
        if bits is not None
    ]
    if ppm:
        said.append(f"{_stands(row, *min(ppm, key=lambda each: each[0]))} the best PPM")
    if row.untrained_tail_bits is not None:
        gained = row.untrained_tail_bits - row.tail_bits
        took = f"took off {_digits(gained)} bits" if gained > 0 else f"added {_digits(gained)} bits"
        alike = _is_none(row, gained, row.untrained_tail_difference_stderr)
        said.append(f"training {'changed nothing that can be seen' if alike else took}")
    if row.entropy_rate_bits is not None:
        said.append(f"{_stands(row, row.entropy_rate_bits, row.tail_stderr)} the best possible")
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


def _stands(row: "EvaluationRow", bits: float, difference_stderr: float | None) -> str:
    below = bits - row.tail_bits
    return "level with" if _is_none(row, below, difference_stderr) else _gap(below)


def _is_none(row: "EvaluationRow", difference: float, difference_stderr: float | None) -> bool:
    """Whether a difference is within two standard errors: its own, or, where that is not known, the model's."""
    return abs(difference) <= 2 * (row.tail_stderr if difference_stderr is None else difference_stderr)


def _gap(below: float) -> str:
    return f"{_digits(below)} bits {'below' if below > 0 else 'above'}"


def _digits(bits: float) -> str:
    """Write the size of a difference, which is not zero: with as many digits as it takes to see one."""
    return f"{abs(bits):.2f}" if abs(bits) >= 0.01 else f"{abs(bits):.1g}"


@dataclasses.dataclass(frozen=True)
class EvaluationTable:
    """Models and bars in bits per character, one below the other for each data set; the lowest one is bold."""

    rows: "tuple[EvaluationRow, ...]"
    beside: "Mapping[str, tuple[EvaluationRow, ...]]" = dataclasses.field(default_factory=dict)
    zero_shot: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first = self.rows[0]
        shots = "Zero-shot, in bits" if self.zero_shot else "Trained on data, in bits"
        yield Text(f"{shots} per character (lower is better)", style="bold")
        yield Text(
            f"{number_of(first.samples, 'slice')} of {number_of(first.context_length, 'character')}; "
            "± is one standard error",
            style="dim",
        )
        for name, (row, *_) in [("the model", self.rows), *self._others()]:
            if row.model_context_length is not None:
                yield Text(f"{name} reads the last {row.model_context_length:,} of them, the bars all", style="dim")
        yield Text("the bars learn from the same slice and know which symbols occur in the data;", style="dim")
        yield Text("the paper's bar is the Markov model", style="dim")
        if self._knows_the_best():
            yield Text("the best possible is the entropy rate of what writes the data", style="dim")
        for row in self.rows:
            if row.label is not None:
                yield Text(f"{row.data} is {row.label}", style="dim")
        yield Text()
        names = min(max(len(row.data) for row in self.rows), _NAME_COLUMNS)
        headings = ("", " last character", f" last {first.tail_positions}")
        if self._knows_the_best():
            headings = (*(f"\n{heading}" for heading in headings), " above\n  best")
        cells = [[Text("\n").join(column) for column in zip(*lines, strict=True)] for lines in self._lines()]
        widest = (max(map(_columns, column)) for column in zip(map(Text, headings), *cells, strict=True))
        if sum(2 + columns for columns in widest) + names > options.max_width:
            yield self._list()
            yield from self._long_labels()
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("\ndata" if self._knows_the_best() else "data", overflow="fold")
        for heading in headings:
            table.add_column(heading, no_wrap=True)
        for row, columns in zip(self.rows, cells, strict=True):
            table.add_row(Text(row.data, style="bold"), *columns)
        yield table
        yield from self._long_labels()

    def _long_labels(self) -> "Iterator[Text]":
        """Yield the whole names of models whose names were shortened, in their order."""
        for label in self.beside:
            if _shortened(label, _LABEL_COLUMNS) != label:
                yield Text(f"{_shortened(label, _LABEL_COLUMNS)} is {label}", style="dim", overflow="fold")

    def _others(self) -> "Iterator[tuple[str, tuple[EvaluationRow, ...]]]":
        for label, found in self.beside.items():
            yield _shortened(label, _LABEL_COLUMNS), found

    def _knows_the_best(self) -> bool:
        """Whether there is a last column, how far each is above the best that is possible."""
        return any(row.entropy_rate_bits is not None for row in self.rows)

    def _lines(self) -> "Iterator[list[tuple[Text, ...]]]":
        columns = 4 if self._knows_the_best() else 3
        for place, row in enumerate(self.rows):
            lines = _lines(row, [(label, found[place]) for label, found in self._others()])
            yield [line[:columns] for line in lines]

    def _list(self) -> Group:
        blocks: list[RenderableType] = []
        for row, lines in zip(self.rows, self._lines(), strict=True):
            blocks.append(Text(row.data, style="bold"))
            above = ("above best",) if row.entropy_rate_bits is not None else ()
            for place, name in enumerate(("last character", f"last {row.tail_positions}", *above)):
                grid = Table.grid(padding=(0, 2))
                for label, *cells in lines:
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


class _Line(NamedTuple):
    """One line of the table: a name, its bits on the last character and over the tail, order or depth, and errors."""

    name: str
    bits: float | None
    tail_bits: float | None
    longest: int | None = None
    errors: tuple[float, float] | None = None


def _lines(row: "EvaluationRow", beside: "Sequence[tuple[str, EvaluationRow]]") -> Iterator[tuple[Text, ...]]:
    """Yield models and bars of one data set, the easy bars last: name, last character, tail, tail above the best."""
    markov = f"Markov, {number_of(row.symbols, 'symbol')}"
    stated = [
        *_lines_of_model("model", row),
        *(line for label, other in beside for line in _lines_of_model(label, other)),
        _Line("PPM-D, update exclusion", row.ppm_exclusion_bits, row.ppm_exclusion_tail_bits, row.ppm_exclusion_order),
        _Line("PPM-D", row.ppm_bits, row.ppm_tail_bits, row.ppm_order),
        _Line("CTW", row.ctw_bits, row.ctw_tail_bits, row.ctw_depth),
        _Line(markov, row.markov_bits, row.markov_tail_bits, row.markov_order),
        _Line("uniform", row.uniform_bits, row.uniform_bits),
    ]
    known = [
        (line, line.bits, line.tail_bits) for line in stated if line.bits is not None and line.tail_bits is not None
    ]
    lowest, lowest_tail = (min(range(len(known)), key=lambda place: known[place][column]) for column in (1, 2))
    for place, (line, bits, tail) in enumerate(known):
        stderr, tail_stderr = line.errors or (None, None)
        tail_cell = _number(tail, tail_stderr, bold=place == lowest_tail)
        if line.longest is not None:
            tail_cell.append(f" {'depth' if line.name == 'CTW' else 'order'} {line.longest}", "dim")
        above = Text() if row.entropy_rate_bits is None else Text(f"{tail - row.entropy_rate_bits:6.3f}")
        yield Text(line.name), _number(bits, stderr, bold=place == lowest), tail_cell, above
    if row.entropy_rate_bits is not None:
        yield Text("best possible"), _number(row.entropy_rate_bits), _number(row.entropy_rate_bits), Text()


def _lines_of_model(name: str, row: "EvaluationRow") -> tuple[_Line, _Line]:
    trained = _Line(name, row.bits, row.tail_bits, errors=(row.stderr, row.tail_stderr))
    return trained, _Line(f"{name}, untrained", row.untrained_bits, row.untrained_tail_bits)


def _columns(cell: Text) -> int:
    return max(line.cell_len for line in cell.split(allow_blank=True))


def _number(bits: float, stderr: float | None = None, *, bold: bool = False) -> Text:
    error = "" if stderr is None else f" ± {stderr:.3f}"
    return Text.assemble((f"{bits:6.3f}", "bold" if bold else ""), (error, "dim"))


def _shortened(name: str, width: int) -> str:
    """Keep the end of a name, which tells paths apart."""
    return name if len(name) <= width else f"…{name[-(width - 1) :]}"
