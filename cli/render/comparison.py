"""Runs side by side: settings, bits per character with their differences, and curves."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cli.render.charts import LETTERS, Chart
from cli.render.panels import Panel
from cli.render.runs import progress_of

if TYPE_CHECKING:  # up.runs imports torch
    from up.runs.comparison import ComparedBits, DifferingSetting
    from up.runs.overview import RunOverview

_GAP = 2
_DIGITS = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonPage:
    """Runs side by side, each by a letter.

    Attributes:
        runs: where they stand, the one to compare with first.
        settings: those that differ.
        bits: the latest evaluations.
        panels: what there is to draw.

    """

    runs: "Sequence[RunOverview]"
    settings: "Sequence[DifferingSetting]"
    bits: "Sequence[ComparedBits]"
    panels: Sequence[Panel]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for letter, run in zip(LETTERS, self.runs, strict=False):
            yield Text.assemble((f"{letter} {run.label}", "bold"), f"  {progress_of(run)}")
        yield Text()
        if self.settings:
            yield Text("Settings that differ", style="bold")
            yield self._settings()
        else:
            yield Text("All settings are the same")
        yield Text()
        if self.bits:
            yield from self._tables()
        else:
            yield Text("no evaluation yet")
            yield Text()
        for panel in self.panels:
            yield Chart(panel)
            yield Text()

    def _settings(self) -> Table:
        grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        grid.add_column(overflow="fold")
        for _ in self.runs:
            grid.add_column(overflow="fold", justify="right")
        grid.add_row("", *(Text(letter, style="dim") for letter, _ in zip(LETTERS, self.runs, strict=False)))
        for setting in self.settings:
            grid.add_row(Text(setting.name), *(Text(_value(value)) for value in setting.values))
        return grid

    def _tables(self) -> Iterator[RenderableType]:
        tails = " or ".join(str(tail) for tail in sorted({each.tail_positions for each in self.bits}))
        yield Text.assemble(("Latest bits per character", "bold"), ("  ± is one standard error", "dim"))
        for title, prefix in ((f"last {tails}", "tail_"), ("last character", "")):
            yield self._table(title, prefix)
            yield Text()
        if any(each.tail_difference_bits is not None for each in self.bits):
            said = "± of a difference: root of both squared; too large if both saw the same slices"
            yield Text(said, style="dim")
        for each, other in self._other_texts():
            said = f"{LETTERS[each.run]} has another text of the name {each.data} than {LETTERS[0]}"
            seals = " and ".join(str(row.sha256)[:_DIGITS] for row in (each, other))
            yield Text(f"not subtracted: {said} (SHA-256 {seals})")
        explained = [each for each, _ in self._other_texts()]
        if any(each.run and each.tail_difference_bits is None and each not in explained for each in self.bits):
            said = f"no difference: {LETTERS[0]} lacks the data set, or has another text, context or tail of that name"
            yield Text(said, style="dim")
        yield Text()

    def _other_texts(self) -> "list[tuple[ComparedBits, ComparedBits]]":
        """Return the runs whose text of a name is known not to be the first run's, each with what that one has."""
        first = {each.data: each for each in self.bits if not each.run}
        pairs = [(each, first[each.data]) for each in self.bits if each.run and each.data in first]
        return [(each, other) for each, other in pairs if len({each.sha256, other.sha256} - {None}) == 2]

    def _table(self, title: str, prefix: str) -> Table:
        grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        grid.add_column(overflow="fold")
        grid.add_column(no_wrap=True)
        for _ in range(3):
            grid.add_column(justify="right", no_wrap=True)
        headings = (title, "run", "instances", "bits", f"less {LETTERS[0]}")
        grid.add_row(*(Text(heading, style="dim") for heading in headings))
        named = ""
        for each in self.bits:
            name, named = "" if each.data == named else each.data, each.data
            difference, error = (getattr(each, f"{prefix}difference_{of}") for of in ("bits", "stderr"))
            grid.add_row(
                Text(name, style="bold"),
                LETTERS[each.run],
                f"{self.runs[each.run].evaluated_at or 0:,}",
                f"{getattr(each, f'{prefix}bits'):.3f} ± {getattr(each, f'{prefix}stderr'):.3f}",
                "" if difference is None else f"{difference:+.3f} ± {error:.3f}",
            )
        return grid


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)
