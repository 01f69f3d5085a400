"""The panels of a run as one figure for a page, drawn with matplotlib and written as SVG or PNG.

`up.plotting` says how it looks; matplotlib is imported only when a figure is asked for.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.render.panels import DepthBars, Panel, compact
from theory.words import number_of, readable
from up import plotting
from up.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES_WIDE, _INCHES_PER_ROW = 8.0, 2.6
_MANY_POINTS = 40


def require_figure_file(path: Path, suffix: str) -> None:
    """Check, before any work is done, that a figure can be written to `path`.

    Raises:
        InputError: another suffix, no such folder, a folder in its place, or no matplotlib that can be imported.

    """
    if path.suffix.lower() != suffix:
        raise InputError(f"the file of --{suffix[1:]} must end in {suffix}", received=str(path), remedy="rename it")
    if not path.parent.is_dir():
        raise InputError("there is no such folder to write to", received=str(path.parent), remedy="make it first")
    if path.is_dir():
        raise InputError("there is a folder where the figure would go", received=str(path), remedy="name a file")
    plotting.matplotlib()


def write_figure(path: Path, title: str, panels: Sequence[Panel], depths: DepthBars | None = None) -> None:
    """Draw panels two by two and write them as SVG or PNG, as the suffix says; the file appears when it is whole.

    Args:
        path: where to; an existing file is replaced (`up.runs.files.replacing`).
        title: of the whole figure.
        panels: to draw; those that are one line of text stand beneath.
        depths: drawn last.

    Raises:
        InputError: the file cannot be written.

    """
    from up.runs.files import replacing

    with plotting.style():
        content = plotting.drawn(_draw(title, panels, depths), path.suffix.lower())
    try:
        with replacing(path) as handle:
            handle.write(content)
    except OSError as error:
        raise InputError(
            f"cannot write the figure ({error.strerror})", received=str(path), remedy="choose another file"
        ) from None


def _draw(title: str, panels: Sequence[Panel], depths: DepthBars | None) -> "Figure":
    from matplotlib.figure import Figure

    drawn = [panel for panel in panels if panel.statement is None]
    count = len(drawn) + (depths is not None)
    rows = max(1, -(-count // 2))
    figure = Figure(figsize=(_INCHES_WIDE, _INCHES_PER_ROW * rows + 0.5), layout="constrained")
    figure.suptitle(readable(title), fontsize=10, color=plotting.LIGHT.text, x=0.01, ha="left")
    grid = figure.add_gridspec(rows, 2)
    wide = count % 2  # of an odd number, the first has a row of its own
    places = [grid[0, :]] * wide + [grid[place // 2, place % 2] for place in range(2 * wide, 2 * rows)]
    for panel, place in zip(drawn, places, strict=False):
        _draw_panel(figure.add_subplot(place), panel)
    if depths is not None:
        _draw_depths(figure.add_subplot(places[len(drawn)]), depths)
    stated = [f"{panel.title}: {panel.statement}." for panel in panels if panel.statement is not None]
    if stated:
        figure.supxlabel(readable("   ".join(stated)), fontsize=7, color=plotting.LIGHT.quiet, x=0.01, ha="left")
    return figure


def _draw_panel(axis: "Axes", panel: Panel) -> None:
    axis.set_title(readable(panel.title))
    for place, curve in enumerate(panel.curves):
        colour = plotting.COLOURS[place % len(plotting.COLOURS)]
        marker = "o" if panel.marked and len(curve.x) <= _MANY_POINTS else None
        dashes = plotting.DASHES[place % len(plotting.DASHES)]
        name = readable(curve.name)
        axis.plot(curve.x, curve.y, dashes, color=colour, lw=1.3, marker=marker, ms=2.5, label=name, clip_on=False)
        if curve.errors:
            low = [height - error for height, error in zip(curve.y, curve.errors, strict=True)]
            high = [height + error for height, error in zip(curve.y, curve.errors, strict=True)]
            axis.fill_between(curve.x, low, high, color=colour, alpha=0.2, lw=0)
    for level in panel.levels:
        name = readable(f"{level.name}: {level.value:.3f}")
        axis.axhline(level.value, color=plotting.LIGHT.text, lw=1, ls=(0, (1, 1.5)), label=name)
    if panel.now is not None:
        axis.axvline(panel.now, color=plotting.LIGHT.quiet, lw=1, ls=(0, (4, 2)), label=f"now, {panel.now:,}")
    if len(panel.curves) > 1 or panel.levels or panel.now is not None:
        axis.legend(fontsize=7)
    axis.set_xlim(0, panel.until)
    if panel.from_zero:
        axis.set_ylim(bottom=0)
    axis.xaxis.set_major_formatter(lambda value, _: compact(value))
    if panel.from_zero:  # the others have few digits
        axis.yaxis.set_major_formatter(lambda value, _: compact(value))
    axis.set_ylabel(panel.unit)
    notes = [panel.note] if panel.note else []
    if any(curve.errors for curve in panel.curves):
        notes.append("band: ± one standard error")
    _label_below(axis, "instances", "; ".join(notes))


def _draw_depths(axis: "Axes", bars: DepthBars) -> None:
    axis.set_title("Buffer depth")
    places = range(len(bars.shares))
    axis.bar(places, bars.shares, color=plotting.COLOURS[4], width=0.8, label=f"buffer, mean {bars.mean:.2f}")
    if bars.stationary is not None:
        label = f"stationary, mean {bars.stationary_mean:.2f}"
        axis.plot(places, bars.stationary, "o", color=plotting.COLOURS[1], ms=3, label=label)
    axis.set_xticks(list(places), bars.labels)
    axis.grid(visible=False, axis="x")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.set_ylabel(f"share of {number_of(bars.rows, 'row')}")
    _label_below(axis, "models passed since the last reset", f"after {number_of(bars.instances, 'instance')}")
    axis.legend(fontsize=7)


def _label_below(axis: "Axes", label: str, note: str) -> None:
    axis.set_xlabel(label)
    if note:
        axis.set_title(note, loc="right", fontsize=6.5, fontweight="normal", color=plotting.LIGHT.quiet)
