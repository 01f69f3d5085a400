"""An experiment in the terminal: its verdicts, its tables and its figures.

A figure whose horizontal axis has numbers is drawn as charts; one over categories is drawn as a line for each category,
on which a letter stands where each series is.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render.charts import LETTERS, ChartGrid
from cli.render.panels import Curve, Level, Panel
from theory.words import number_of, visible

if TYPE_CHECKING:  # these import torch
    from up.experiments.experiment import Experiment, Finding
    from up.experiments.experiment import Table as Tabled
    from up.experiments.figure import Figure
    from up.experiments.figure import Panel as FigurePanel
    from up.experiments.folder import Record
    from up.experiments.measurement import Measurements

_GAP = 2
_CHART_ROWS = 8
_STYLES = {"holds": "bold green", "does not hold": "bold red"}
_SAME = "*"  # where several letters would stand
_MOST_LABEL_COLUMNS = 24


@dataclasses.dataclass(frozen=True)
class ExperimentsList:
    """The experiments, each with its question."""

    experiments: "Sequence[Experiment]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for each in self.experiments:
            table.add_row(Text(each.name, style="bold"), Text(each.question))
        yield table
        yield Text()
        yield Text("up experiment run NAME --scale smoke runs one in a moment, --scale laptop in minutes", style="dim")


@dataclasses.dataclass(frozen=True)
class ExperimentPage:
    """What one folder holds.

    Attributes:
        name: of the folder.
        experiment: the maker of tables and verdicts.
        record: what is known of it.
        measurements: of it.

    """

    name: str
    experiment: "Experiment"
    record: "Record"
    measurements: "Measurements"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from up.experiments.report import error_notes

        yield Text(f"{self.experiment.title}: {visible(self.name)}", style="bold")
        yield Text(self.experiment.question)
        setting = self.record.setting
        seeds = number_of(len(setting.seeds), "seed")
        arch = f", {setting.arch}" if setting.arch else ""
        yield Text(f"{setting.scale}{arch}, {seeds}, {_how_far(self.record, self.measurements)}", style="dim")
        if not self.measurements:
            return
        for finding in self.experiment.findings(self.measurements):
            yield Text()
            yield from _finding_lines(finding)
        tables = self.experiment.tables(self.measurements)
        for table in tables:
            yield Text()
            yield TableView(table)
        for note in error_notes(tables, len(setting.seeds)):
            yield Text(note, style="dim")
        for listing in self.experiment.listings(self.measurements):
            yield Text()
            yield Text(listing.title, style="bold")
            for line in listing.text.splitlines():
                yield Text(visible(line))


@dataclasses.dataclass(frozen=True)
class TableView:
    """A table; where there is no room for all columns side by side, one block of them below the other."""

    table: "Tabled"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(visible(self.table.title), style="bold")
        columns, rows = self.table.columns, self.table.rows
        widths = [max(len(cells[place]) for cells in (columns, *rows)) for place in range(len(columns))]
        for number, block in enumerate(_blocks(widths, options.max_width)):
            if number:
                yield Text()
            yield _grid([[cells[place] for place in (0, *block)] for cells in (columns, *rows)])


@dataclasses.dataclass(frozen=True)
class FigureView:
    """A figure of an experiment."""

    figure: "Figure"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        figure = self.figure
        yield Text(visible(figure.title), style="bold")
        if figure.categories:
            for panel in figure.panels:
                yield Text()
                yield CategoryChart(figure, panel)
        else:
            yield Text()
            yield ChartGrid([panel_of(figure, panel) for panel in figure.panels], rows=_CHART_ROWS)


@dataclasses.dataclass(frozen=True)
class CategoryChart:
    """One panel over categories: a line for each, with the letters of the series where their values are."""

    figure: "Figure"
    panel: "FigurePanel"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        figure, panel = self.figure, self.panel
        yield Text.assemble((visible(panel.title), "bold"), (f"  {figure.y_label}", "dim"))
        names = [*(each.name for each in panel.series), *(f"{line.name} {line.value:.3f}" for line in panel.lines)]
        letters = list(LETTERS[: len(panel.series)]) + ["╎"] * len(panel.lines)
        yield Text("   ".join(f"{letter} {visible(name)}" for letter, name in zip(letters, names, strict=True)))
        heights = [y for series in panel.series for y in series.y] + [line.value for line in panel.lines]
        lowest, highest = min(heights), max(heights)
        labels = min(max(map(len, figure.categories)), _MOST_LABEL_COLUMNS)
        columns = max(options.max_width - labels - 1, 8)

        def column(height: float) -> int:
            return 0 if highest <= lowest else round((height - lowest) / (highest - lowest) * (columns - 1))

        for place, category in enumerate(figure.categories):
            cells = ["·"] * columns
            for line in panel.lines:
                cells[column(line.value)] = "╎"
            taken: set[int] = set()
            for letter, series in zip(LETTERS, panel.series, strict=False):
                for x, y in zip(series.x, series.y, strict=True):
                    if x == place:
                        at = column(y)
                        cells[at] = _SAME if at in taken else letter
                        taken.add(at)
            if taken:
                yield Text.assemble((f"{category[:labels]:>{labels}} ", ""), ("".join(cells), "cyan"))
        ends = f"{lowest:.2f}", f"{highest:.2f}"
        yield Text(" " * (labels + 1) + ends[0] + ends[1].rjust(max(columns - len(ends[0]), 1)), style="dim")


def panel_of(figure: "Figure", panel: "FigurePanel") -> Panel:
    """Return a panel of a figure as one that `cli.render.charts` draws."""

    def along(x: float) -> float:
        return math.log10(x) if figure.log_x else float(x)

    def up(y: float) -> float:
        return math.log10(y) if figure.log_y else y

    curves = tuple(
        Curve(name=visible(each.name), x=tuple(map(along, each.x)), y=tuple(map(up, each.y))) for each in panel.series
    )
    places = [x for curve in curves for x in curve.x]
    since = min(places) if figure.log_x or min(places) < 0 else 0.0
    until = max(places) if max(places) > since else since + 1.0
    return Panel(
        title=visible(panel.title),
        unit=figure.y_label,
        curves=curves,
        since=since,
        until=until,
        along=figure.x_label,
        log_x=figure.log_x,
        log_y=figure.log_y,
        levels=tuple(Level(name=visible(line.name), value=up(line.value)) for line in panel.lines),
        marked=True,
    )


def _how_far(record: "Record", measurements: "Measurements") -> str:
    done = len({each.part for each in measurements} & set(record.parts))
    parts = number_of(len(record.parts), "part")
    return f"all of {parts}" if done == len(record.parts) else f"{done} of {parts} so far"


def _finding_lines(finding: "Finding") -> Iterator[RenderableType]:
    from up.experiments.report import section_of

    style = _STYLES.get(finding.verdict, "bold yellow")
    yield Text.assemble((finding.verdict, style), f": {visible(finding.claim)}", (f"  {section_of(finding)}", "dim"))
    yield Padding(Text(visible(finding.measured)), (0, 0, 0, _GAP))


def _blocks(widths: Sequence[int], room: int) -> list[list[int]]:
    """Return the columns behind the first one in blocks that fit beside it."""
    blocks: list[list[int]] = [[]]
    used = widths[0]
    for place in range(1, len(widths)):
        if blocks[-1] and used + _GAP + widths[place] > room:
            blocks.append([])
            used = widths[0]
        blocks[-1].append(place)
        used += _GAP + widths[place]
    return blocks


def _grid(rows: Sequence[Sequence[str]]) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for place in range(len(rows[0])):
        table.add_column(justify="right" if place else "left", no_wrap=place > 0)
    for number, row in enumerate(rows):
        head = "dim" if number == 0 and not row[0] else ""
        table.add_row(*(Text(visible(cell), style=head) for cell in row))
    return table
