"""What there is to see, as panels of curves that know nothing of how they are drawn.

`cli/render/charts.py` draws a panel in the terminal and `cli/render/figures.py` with matplotlib. The horizontal axis of
a run is instances; that of an experiment may be something else, and logarithmic: coordinates are then powers of ten.
"""

import dataclasses

from theory.words import number_of
from up.plotting import compact


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: where along the axis, how high, the standard errors of the heights (none: exact), and its name."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    errors: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Level:
    """A height to compare with, drawn from side to side."""

    name: str
    value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Panel:
    """One chart.

    Attributes:
        title: what is shown.
        unit: of the heights.
        curves: at least one, each with at least one point.
        until: right end of the horizontal axis.
        since: left end of it.
        along: what it counts.
        log_x: coordinates along it are the powers of ten of what they stand for.
        log_y: heights likewise.
        levels: heights to compare with.
        now: where the run is, on a panel that goes further; None: not marked.
        from_zero: the vertical axis starts at 0.
        marked: every point is a measurement of its own and shown as one.
        note: a line that belongs beneath.
        is_schedule: the heights are a rule and not a measurement.

    """

    title: str
    unit: str
    curves: tuple[Curve, ...]
    until: float
    since: float = 0.0
    along: str = "instances"
    log_x: bool = False
    log_y: bool = False
    levels: tuple[Level, ...] = ()
    now: int | None = None
    from_zero: bool = False
    marked: bool = False
    note: str = ""
    is_schedule: bool = False

    @property
    def statement(self) -> str | None:
        """One line that says all there is to see, where a chart would be empty: one point, or a schedule that rests."""
        curve = self.curves[0]
        if len(self.curves) > 1:
            return None
        if len(curve.x) == 1:
            return (
                f"{curve.y[0]:,.4g} {self.unit} after {number_of(round(curve.x[0]), 'instance')}, the only one so far"
            )
        if self.is_schedule and len(set(curve.y)) == 1:
            return f"{compact(curve.y[0])} {self.unit} throughout"
        return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DepthBars:
    """How deep the buffer is.

    Attributes:
        shares: part of the rows at depth 0, 1, 2, ...; where `open_ended`, the last one is of its depth and beyond.
        stationary: the same shares once they have settled (`theory.measures.buffer_depth`); None without resets.
        open_ended: whether the last bar holds all deeper rows.
        mean: depth of the rows.
        stationary_mean: the same once settled; None without resets.
        rows: of the buffer.
        instances: when.

    """

    shares: tuple[float, ...]
    stationary: tuple[float, ...] | None
    open_ended: bool
    mean: float
    stationary_mean: float | None
    rows: int
    instances: int

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the bars."""
        last = len(self.shares) - 1
        return (*map(str, range(last)), f"{last}+" if self.open_ended else str(last))
