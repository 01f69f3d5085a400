"""What an experiment draws, as values that know nothing of how they are drawn.

`up.experiments.drawing` writes a figure as SVG and PNG, `cli/render/experiment.py` draws it in a terminal. Several
figures of one experiment, from several folders, become one by `overlay`.
"""

import dataclasses
from collections.abc import Mapping

from up.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Series:
    """One line of points, rising in x.

    Attributes:
        name: what the points are of.
        x: where each is.
        y: how high.
        spread: half the height of the band around each point, such as one standard deviation over seeds; empty: none.
        marked: whether the points were measured, and are to be seen; those of a fitted curve were not.

    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    spread: tuple[float, ...] = ()
    marked: bool = True

    def __post_init__(self) -> None:
        assert len(self.x) == len(self.y) > 0, "a series has points"
        assert not self.spread or len(self.spread) == len(self.y), "a spread for each point, or none"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """A height to compare with, drawn from side to side."""

    name: str
    value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes; all panels of a figure have the same axes.

    Attributes:
        title: what it is about, such as the data.
        series: at least one.
        lines: heights to compare with.

    """

    title: str
    series: tuple[Series, ...]
    lines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        assert self.series, "a panel shows something"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """Panels with common axes.

    Attributes:
        name: of its files, without suffix.
        title: what is to be seen; also what a reader is told who cannot see it.
        x_label: what is along the horizontal axis, with its unit.
        y_label: what is along the vertical axis, with its unit.
        panels: at least one.
        log_x: the horizontal axis is logarithmic; every x is then above 0.
        log_y: likewise.
        categories: names of the places 0, 1, 2, ... where the horizontal axis has no numbers; the points of a series
            are then not joined.

    """

    name: str
    title: str
    x_label: str
    y_label: str
    panels: tuple[Panel, ...]
    log_x: bool = False
    log_y: bool = False
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.panels, "a figure has panels"


def overlay(figures: Mapping[str, Figure]) -> Figure:
    """Return one figure with the series of several, panel by panel, each named after where it comes from.

    A panel that one of them lacks has the series of the others. Lines of the same height are drawn once.

    Args:
        figures: by what their series shall be called, at least one.

    Raises:
        InputError: their axes are not the same.
    """
    (first_name, first), *others = figures.items()
    if not others:
        return first
    for name, other in others:
        if _axes(other) != _axes(first):
            raise InputError(
                f"the figure {first.name!r} of {name} has other axes than in {first_name}: they cannot be overlaid",
                remedy="show them one by one",
            )
    titles = dict.fromkeys(panel.title for figure in figures.values() for panel in figure.panels)
    panels = tuple(_joined(title, figures) for title in titles)
    return dataclasses.replace(first, panels=panels)


def _axes(figure: Figure) -> tuple[object, ...]:
    return figure.x_label, figure.y_label, figure.log_x, figure.log_y, figure.categories


def _joined(title: str, figures: Mapping[str, Figure]) -> Panel:
    found = {name: panel for name, figure in figures.items() for panel in figure.panels if panel.title == title}
    series = tuple(
        dataclasses.replace(each, name=f"{each.name}, {name}") for name, panel in found.items() for each in panel.series
    )
    return Panel(title=title, series=series, lines=_lines(found))


def _lines(panels: Mapping[str, Panel]) -> tuple[Line, ...]:
    """Return the lines of all panels; those of one name and one height once, others with the name of their panel."""
    heights: dict[str, set[float]] = {}
    for panel in panels.values():
        for line in panel.lines:
            heights.setdefault(line.name, set()).add(line.value)
    lines: dict[Line, None] = {}
    for name, panel in panels.items():
        for line in panel.lines:
            alike = len(heights[line.name]) == 1
            lines[line if alike else dataclasses.replace(line, name=f"{line.name}, {name}")] = None
    return tuple(lines)
