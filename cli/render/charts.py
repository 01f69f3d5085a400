"""Panels as charts of characters, for any width, in colour and without.

The canvas comes from plotext; axes are given to it in full, so that it never asks the real terminal for anything. Lines
are drawn in braille dots. Several runs in one chart have a letter each, which tells them apart without colour.
"""

import bisect
import dataclasses
import math
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cli.render.panels import Curve, DepthBars, Panel, compact
from cli.render.run_panels import schedule_panels
from theory.words import number_of

if TYPE_CHECKING:  # up.runs imports torch
    from up.training.schedule import ScheduleCurves

LETTERS = string.ascii_uppercase
"""One for each run that is drawn beside others."""

_COLOURS = ("cyan", "magenta", "green", "blue", "red")
_MARK, _LEVEL, _NOW = "●", "╌", "│"
ROWS, FEW_ROWS = 12, 6
_NARROWEST_PAIR = 76
_NARROWEST = 24
_GAP = 2
_SHARE_COLUMNS = len("   29.1%   29.0%")
_TICK_COLUMNS = 9
_LETTER_COLUMNS = 18


@dataclasses.dataclass(frozen=True)
class Chart:
    """One panel as wide as there is room: title, legend, canvas, and the line beneath.

    Attributes:
        panel: what to draw.
        rows: steps of the canvas from its lowest row to its highest.

    """

    panel: Panel
    rows: int = ROWS

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        panel, width = self.panel, options.max_width
        statement = panel.statement
        if statement is not None:
            yield Text.assemble((panel.title, "bold"), f"  {statement}")
            return
        yield Text.assemble((panel.title, "bold"), (f"  {panel.unit}", "dim"))
        legend = _legend(panel)
        if legend:
            yield legend
        yield _canvas(panel, max(width, _NARROWEST), self.rows)
        yield Text(f"{panel.along}; {panel.note}" if panel.note else panel.along, style="dim")


@dataclasses.dataclass(frozen=True)
class ChartGrid:
    """Panels two by two where there is room, otherwise one below the other; those that are one line come last."""

    panels: Sequence[Panel]
    rows: int = FEW_ROWS

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = [panel for panel in self.panels if panel.statement is None]
        if options.max_width < _NARROWEST_PAIR or len(drawn) == 1:
            for panel in drawn:
                yield Chart(panel, self.rows)
                yield Text()
        else:
            for start in range(0, len(drawn), 2):
                pair = Table.grid(padding=(0, _GAP, 0, 0), expand=True, pad_edge=False)
                pair.add_column(ratio=1)
                pair.add_column(ratio=1)
                pair.add_row(*(Chart(panel, self.rows) for panel in drawn[start : start + 2]))
                yield pair
                yield Text()
        stated = [panel for panel in self.panels if panel.statement is not None]
        yield from (Chart(panel) for panel in stated)
        if stated:
            yield Text()


@dataclasses.dataclass(frozen=True)
class DepthChart:
    """The depths of the buffer as horizontal bars with their shares, a mark where each settles."""

    bars: DepthBars

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        bars = self.bars
        names = max(map(len, bars.labels))
        columns = max(options.max_width - names - 1 - _SHARE_COLUMNS, 8)
        highest = max(*bars.shares, *(bars.stationary or ()))
        mean = f"mean {bars.mean:.2f}"
        if bars.stationary_mean is not None:
            mean += f", settles at {bars.stationary_mean:.2f}"
        yield Text.assemble(("Buffer depth", "bold"), (f"  share of {number_of(bars.rows, 'row')}; {mean}", "dim"))
        settled = bars.stationary or (None,) * len(bars.shares)
        for label, share, expected in zip(bars.labels, bars.shares, settled, strict=True):
            length = round(share / highest * columns)
            line = Text.assemble((f"{label:>{names}} ", "dim"), ("█" * length, "cyan"), " " * (columns - length))
            line.append(f"  {share:6.1%}")
            if expected is not None:
                place = names + 1 + min(round(expected / highest * columns), columns - 1)
                line = Text.assemble(
                    line[:place], (_NOW, "reverse cyan" if place < names + 1 + length else ""), line[place + 1 :]
                )
                line.append(f"  {expected:6.1%}", style="dim")
            yield line
        said = f"after {number_of(bars.instances, 'instance')}"
        settles = (
            "; without resets the depth grows on" if bars.stationary is None else f"; {_NOW} and right: stationary"
        )
        yield Text(f"{said}{settles}", style="dim")


def schedules_view(curves: "ScheduleCurves") -> RenderableType:
    """Return learning rate, batch and enabled blocks against instances; one that never changes is a line of text."""
    panels = schedule_panels(curves)
    return Group(Text("Schedules", style="bold"), Text(), ChartGrid(panels))


def nice_ticks(lowest: float, highest: float, counts: Sequence[int]) -> list[float]:
    """Return round numbers that enclose both values as tightly as can be, in steps of 1, 2 or 5 times 10^k.

    Args:
        lowest: value to enclose.
        highest: value to enclose.
        counts: allowed numbers of steps; of equally tight choices the one with most steps is taken.

    >>> nice_ticks(3.1, 7.8, (2, 3, 4, 6)), nice_ticks(0, 25, (2, 3))
    ([3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [0.0, 10.0, 20.0, 30.0])
    """
    if highest <= lowest:
        margin = abs(lowest) * 0.05 or 1.0
        lowest, highest = lowest - margin, highest + margin
    span = highest - lowest
    power = math.floor(math.log10(span / max(counts)))
    choices = []
    for exponent in range(power, power + 3):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            first = math.floor(lowest / step + 1e-9)
            enough = [count for count in counts if first + count >= highest / step - 1e-9]
            if enough:
                choices.append((round(min(enough) * step / span, 6), -min(enough), step, first, exponent))
    _, count, step, first, exponent = min(choices)
    return [round((first + i) * step, max(0, -exponent)) + 0.0 for i in range(1 - count)]  # + 0.0: no negative zero


def _canvas(panel: Panel, width: int, rows: int) -> Text:
    """Draw the curves between axes, `width` columns wide."""
    import plotext as plt  # 90 ms

    heights = [y for curve in panel.curves for y in curve.y] + [level.value for level in panel.levels]
    lowest = 0.0 if panel.from_zero else min(heights)
    ticks = nice_ticks(lowest, max(heights), [count for count in range(2, rows // 2 + 1) if rows % count == 0])
    places = _places(panel, max(2, width // _TICK_COLUMNS))

    def on_rows(values: Sequence[float]) -> list[float]:
        """Move heights to the middle of the row that the braille dots of a line at that height fall into."""
        span = ticks[-1] - ticks[0]
        dots = [round((value - ticks[0]) / span * (4 * rows + 3)) for value in values]
        return [ticks[0] + dot // 4 / rows * span for dot in dots]

    plt.clear_figure()  # plotext has one figure for everybody
    plt.limit_size(False, False)
    plt.plot_size(width, rows + 3)  # a row more than steps, and two for the axis of instances
    plt.theme("clear")
    plt.xlim(panel.since, panel.until)
    plt.ylim(ticks[0], ticks[-1])
    plt.xticks(places, [compact(10**place if panel.log_x else place) for place in places])
    plt.yticks(ticks, [compact(10**tick) for tick in ticks] if panel.log_y else _labels(ticks))
    plt.xaxes(True, False)
    plt.yaxes(True, False)
    for level in panel.levels:
        plt.plot([panel.since, panel.until], on_rows([level.value] * 2), marker=_LEVEL)
    if panel.now is not None:
        plt.plot([panel.now] * 2, [ticks[0], ticks[-1]], marker=_NOW)
    for place, curve in enumerate(panel.curves):
        plt.plot(list(curve.x), list(curve.y), marker="braille", color=_colour(place))
    for place, curve in enumerate(panel.curves):
        if len(panel.curves) > 1:
            x, y = _letter_places(curve, place, panel, width)
            plt.scatter(x, on_rows(y), marker=LETTERS[place], color=_colour(place))
        elif panel.marked and len(curve.x) <= width // 4:
            plt.scatter(list(curve.x), on_rows(curve.y), marker=_MARK, color=_colour(place))
    canvas = Text.from_ansi(plt.build().rstrip("\n"))
    canvas.no_wrap = True
    return canvas


def _letter_places(curve: Curve, place: int, panel: Panel, width: int) -> tuple[list[float], list[float]]:
    """Return where on a curve its letter stands: here and there, and never where that of another curve does."""
    letters = max(2, width // _LETTER_COLUMNS)
    shares = [(letter + (place + 0.5) / len(panel.curves)) / letters for letter in range(letters)]
    wanted = [panel.since + (panel.until - panel.since) * share for share in shares]
    chosen = [x for x in wanted if curve.x[0] <= x <= curve.x[-1]] or [curve.x[-1]]
    return chosen, [_height_at(curve, x) for x in chosen]


def _height_at(curve: Curve, x: float) -> float:
    """Return the height of the straight line between the points of a curve on both sides of `x`."""
    right = max(1, min(bisect.bisect_left(curve.x, x), len(curve.x) - 1))
    if len(curve.x) == 1 or curve.x[right] == curve.x[right - 1]:
        return curve.y[-1]
    share = (x - curve.x[right - 1]) / (curve.x[right] - curve.x[right - 1])
    return curve.y[right - 1] + share * (curve.y[right] - curve.y[right - 1])


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


def _legend(panel: Panel) -> Text:
    """Return what stands for what; empty where there is one thing only."""
    entries: list[tuple[str, str]] = []
    if len(panel.curves) > 1:
        entries += [(f"{LETTERS[i]} {curve.name}", _colour(i)) for i, curve in enumerate(panel.curves)]
    elif panel.levels:
        entries += [(f"{_MARK} {curve.name}", _colour(0)) for curve in panel.curves]
    for level in panel.levels:
        value = 10**level.value if panel.log_y else level.value
        entries.append((f"{_LEVEL}{_LEVEL} {level.name} {value:.3f}", ""))
    if panel.now is not None:
        entries.append((f"{_NOW} now, {panel.now:,}", ""))
    return Text("   ").join(Text(name, style=style) for name, style in entries)


def _labels(ticks: Sequence[float]) -> list[str]:
    """Name the ticks with equally many decimals where they have any."""
    names = [compact(tick) for tick in ticks]
    if any(not name.replace(".", "").replace("-", "").isdigit() for name in names):
        return names
    decimals = max(len(name.partition(".")[2]) for name in names)
    return [f"{tick:.{decimals}f}" for tick in ticks]


def _places(panel: Panel, most: int) -> list[float]:
    """Return at most so many places along the horizontal axis: round numbers, or powers of ten and their 1, 2, 5."""
    if not panel.log_x:
        return _round_places(panel.since, panel.until, most)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        exponents = range(math.floor(panel.since), math.ceil(panel.until) + 1)
        places = [math.log10(factor) + exponent for exponent in exponents for factor in factors]
        inside = [place for place in places if panel.since - 1e-9 <= place <= panel.until + 1e-9]
        if len(inside) <= most:
            return inside
    return inside[:: -(-len(inside) // most)]


def _round_places(since: float, until: float, most: int) -> list[float]:
    """Return round numbers from one to the other, as close as can be: at most so many, or else the fewest from 2 on."""
    power = math.floor(math.log10(until - since)) - 2
    found: list[float] = []
    for exponent in range(power, power + 5):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            numbers = range(math.ceil(since / step), math.floor(until / step) + 1)
            if len(numbers) < 2 and found:
                return found
            found = [number * step for number in numbers]
            if len(found) <= most:
                return found
    return found
