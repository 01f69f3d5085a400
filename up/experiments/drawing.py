"""Figures of experiments, drawn with matplotlib: SVG for light and for dark pages, and PNG.

Series of one name have one colour, mark and dash in all panels. Bands are half the spread up and down.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from up import plotting
from up.experiments.figure import Figure, Panel, Series
from up.runs.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Drawing

_INCHES_WIDE, _INCHES_PER_ROW = 8.0, 2.5
_INCHES_FOR_TITLE = 0.7
_MOST_COLUMNS = 3
_FEW_PANELS = 4
_SLANT_FROM, _FEW_CATEGORIES = 5, 8
_MANY_POINTS = 30
_MOST_TICKS = 6
_LEVELS = ((1, 1), (6, 2), (6, 2, 1, 2), (1, 4), (10, 4))
"""Dashes of horizontal lines, which have no marks and one colour."""


def write_figures(folder: Path, figures: Sequence[Figure]) -> tuple[Path, ...]:
    """Write each figure as NAME.svg, NAME-dark.svg and NAME.png, and return their paths; an older file is replaced.

    Raises:
        InputError: matplotlib is absent, or cannot be imported.
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in figures:
        for name, ink in (
            (f"{figure.name}.svg", plotting.LIGHT),
            (f"{figure.name}-dark.svg", plotting.DARK),
            (f"{figure.name}.png", plotting.LIGHT),
        ):
            with plotting.style(ink):
                content = plotting.drawn(_draw(figure, ink), Path(name).suffix)
            with replacing(folder / name) as handle:
                handle.write(content)
            written.append(folder / name)
    return tuple(written)


def _draw(figure: Figure, ink: plotting.Ink) -> "Drawing":
    from matplotlib.figure import Figure as Drawing

    count = len(figure.panels)
    columns = count if count < _MOST_COLUMNS else 2 if count == _FEW_PANELS else _MOST_COLUMNS
    if figure.categories:
        columns = min(columns, 2) if len(figure.categories) <= _FEW_CATEGORIES else 1
    rows = -(-count // columns)
    names = list(dict.fromkeys(series.name for panel in figure.panels for series in panel.series))
    legend_rows = -(-(len(names) + len({line.name for panel in figure.panels for line in panel.lines})) // 4)
    height = _INCHES_PER_ROW * rows + _INCHES_FOR_TITLE + 0.2 * legend_rows
    drawing = Drawing(figsize=(_INCHES_WIDE, height), layout="constrained")
    drawing.suptitle(figure.title, fontsize=10, x=0.01, ha="left")
    lines = list(dict.fromkeys(line.name for panel in figure.panels for line in panel.lines))
    labelled: dict[str, object] = {}
    for place, panel in enumerate(figure.panels):
        axis = drawing.add_subplot(rows, columns, place + 1)
        _draw_panel(axis, figure, panel, names, lines, ink)
        axis.set_ylabel(figure.y_label if place % columns == 0 else "")
        axis.set_xlabel(figure.x_label if place >= count - columns else "")
        labelled |= {str(handle.get_label()): handle for handle in axis.get_legend_handles_labels()[0]}
    order = [name for name in [*names, *lines] if name in labelled]
    if len(order) > 1:
        handles = [labelled[name] for name in order]
        drawing.legend(handles, order, loc="outside lower center", ncols=min(4, len(order)), fontsize=7)  # pyright: ignore[reportArgumentType]
    return drawing


def _draw_panel(
    axis: "Axes", figure: Figure, panel: Panel, names: Sequence[str], lines: Sequence[str], ink: plotting.Ink
) -> None:
    axis.set_title(panel.title)
    for series in panel.series:
        _draw_series(axis, figure, series, names.index(series.name), len(names))
    for line in panel.lines:
        dashes = _LEVELS[lines.index(line.name) % len(_LEVELS)]
        axis.axhline(line.value, color=ink.text, lw=1, ls=(0, dashes), label=line.name, zorder=1)
    if figure.log_x:
        axis.set_xscale("log")
        _name_powers(axis.xaxis, axis.get_xlim(), _MOST_TICKS)
    if figure.log_y:
        axis.set_yscale("log")
        _name_powers(axis.yaxis, axis.get_ylim(), _MOST_TICKS)
    if figure.categories:
        slanted = len(figure.categories) >= _SLANT_FROM
        axis.set_xticks(
            range(len(figure.categories)),
            figure.categories,
            rotation=40 if slanted else 0,
            ha="right" if slanted else "center",
        )
        axis.set_xlim(-0.5, len(figure.categories) - 0.5)


def _name_powers(axis: "Axis", ends: tuple[float, float], most: int) -> None:
    """Put ticks with short names at powers of ten, and at multiples of them where these are few."""
    from matplotlib.ticker import NullLocator

    low, high = ends
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    places: list[float] = []
    for factors in (range(1, 10), (1, 2, 5), (1, 3), (1,)):
        places = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        places = [place for place in places if low <= place <= high]
        if len(places) <= most:
            break
    axis.set_ticks(places, [plotting.compact(place) for place in places])
    axis.set_minor_locator(NullLocator())


def _draw_series(axis: "Axes", figure: Figure, series: Series, place: int, count: int) -> None:
    colour = plotting.COLOURS[place % len(plotting.COLOURS)]
    mark = plotting.MARKS[place % len(plotting.MARKS)]
    if figure.categories:
        shift = (place - (count - 1) / 2) * min(0.12, 0.6 / max(1, count))
        x = [each + shift for each in series.x]
        errors = list(series.spread) or None
        axis.errorbar(x, series.y, yerr=errors, fmt=mark, color=colour, ms=4, lw=1.2, capsize=2, label=series.name)
        return
    dashes = plotting.DASHES[place % len(plotting.DASHES)]
    marked = mark if series.marked and len(series.x) <= _MANY_POINTS else ""
    axis.plot(series.x, series.y, dashes, color=colour, lw=1.3, marker=marked, ms=3.5, label=series.name)
    if series.spread:
        low = [y - spread for y, spread in zip(series.y, series.spread, strict=True)]
        high = [y + spread for y, spread in zip(series.y, series.spread, strict=True)]
        if figure.log_y:
            low = [each if each > 0 else math.nan for each in low]
        axis.fill_between(series.x, low, high, color=colour, alpha=0.2, lw=0)
