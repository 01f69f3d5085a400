"""Sources of random computation: the list, and the table in which they are compared."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from theory.words import number_of

if TYPE_CHECKING:  # these import torch
    from up.experiments.source_comparison import ComparedSource
    from up.use.corpus import Datasheet

_GAP = 2
_MOST_NAME_COLUMNS = 24


@dataclasses.dataclass(frozen=True)
class SourcesList:
    """Names of sources, each with what it is and whether it reads; and what is real data, with what it is."""

    sources: Sequence[tuple[str, str, bool]]
    real: Sequence[tuple[str, str]] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, summary, reads in self.sources:
            table.add_row(Text(name, style="bold"), Text("reads" if reads else "", style="dim"), Text(summary))
        yield table
        yield Text()
        yield Text("up demo enrich --source NAME shows one; up train --source NAME trains on it", style="dim")
        for name, summary in self.real:
            yield Text()
            yield Text.assemble((name, "bold"), f"  {summary}", (" (see up finetune)", "dim"))


@dataclasses.dataclass(frozen=True)
class ComparisonTable:
    """One line for each source."""

    sources: "Sequence[ComparedSource]"
    rows: int
    length: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(
            f"{number_of(self.rows, 'row')} of {number_of(self.length, 'token')} each; bits per token", style="bold"
        )
        yield Text()
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
        table.add_column(Text("\nsource"), overflow="fold", max_width=_MOST_NAME_COLUMNS)
        for heading in ("\nrows/s", "entropy\nmean", "\nmedian", "\nzlib", "Markov\n(order)", "constant\nrows"):
            table.add_column(Text(heading), justify="right", no_wrap=True)
        for each in self.sources:
            table.add_row(
                Text(each.name, style="bold"),
                f"{each.rows_per_second:,.0f}",
                f"{each.entropy_bits:.2f}",
                f"{each.entropy_bits_median:.2f}",
                f"{each.zlib_bits:.2f}",
                f"{each.markov_bits:.2f} ({each.markov_order})",
                f"{each.constant_share:.0%}",
            )
        yield table


@dataclasses.dataclass(frozen=True)
class DatasheetView:
    """What was written, in a few lines."""

    sheet: "Datasheet"
    out: Path

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        sheet = self.sheet
        grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        statistics = sheet.statistics
        for name, value in (
            ("written", f"{number_of(sheet.rows, 'row')} of {number_of(sheet.length, 'token')} to {self.out}"),
            ("datasheet", f"{self.out}.json"),
            ("source", sheet.description),
            ("entropy", f"{statistics['entropy_bits']:.2f} bits per token, order 0"),
            ("Markov", f"{statistics['markov_bits']:.2f} (order {statistics['markov_order']})"),
            ("constant rows", f"{statistics['constant_share']:.0%}"),
            ("sha256", sheet.sha256),
        ):
            grid.add_row(Text(name), Text(value))
        yield grid
