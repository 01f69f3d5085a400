"""The panels of runs, from their metrics and configurations.

Where a curve has more points than can be drawn, each point drawn is the mean of as many neighbours, and the panel's
note says so.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from cli.render.evaluation import hardest_bar
from cli.render.panels import Curve, DepthBars, Level, Panel
from theory.measures.buffer_depth import reset_probability, stationary_depth_probability

if TYPE_CHECKING:  # up.runs imports torch
    from up.runs.events import Evaluated, Timing
    from up.runs.metrics import History
    from up.sources.buffer import BufferConfig
    from up.training.schedule import ScheduleCurves
    from up.training.step import Step

_DIGITS = 12
_DEEPEST = 12
"""Depths beyond this share one bar."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPanels:
    """All that one run has to show; what has not been measured yet is missing."""

    loss: Panel | None
    bits: tuple[Panel, ...]
    schedules: tuple[Panel, ...]
    throughput: tuple[Panel, ...]
    depths: DepthBars | None


def run_panels(history: "History", curves: "ScheduleCurves", buffer: "BufferConfig", *, points: int) -> RunPanels:
    """Return the panels of a run.

    Args:
        history: its metrics.
        curves: its schedules.
        buffer: its buffer.
        points: the most points to draw of one curve.

    """
    latest = history.steps[-1] if history.steps else None
    return RunPanels(
        loss=loss_panel({"loss": history}, points=points),
        bits=bits_panels({"model": history.evaluations}, points=points),
        schedules=schedule_panels(curves, now=latest.instances if latest else None),
        throughput=_throughput_panels(history.timings, points),
        depths=depth_bars(latest, buffer) if latest and "depth" in latest.observations else None,
    )


def loss_panel(histories: "Mapping[str, History]", *, points: int) -> Panel | None:
    """Return the loss of runs by their names; None where no step has a finite loss."""
    steps = {
        name: [(step.instances, step.loss_bits) for step in history.steps if step.loss_bits is not None]
        for name, history in histories.items()
    }
    left_out = sum(len(history.steps) for history in histories.values()) - sum(map(len, steps.values()))
    note = f"steps left out, without a finite loss: {left_out:,}" if left_out else ""
    return _measured("Loss", "bits per character", steps, points, of="steps", note=note)


def bits_panels(evaluations: "Mapping[str, Sequence[Evaluated]]", *, points: int) -> tuple[Panel, ...]:
    """Return one panel for each text: the bits of runs by their names, and the hardest bar.

    Texts are told apart by their content. The same text under two names is one panel; two texts of one name are two,
    each with its SHA-256 in the title, for numbers on one say nothing about those on the other.
    """
    rows = [row for records in evaluations.values() for record in records for row in record.rows]
    names: dict[str, str] = {}
    for row in rows:
        names.setdefault(row.identity, row.data)
    ambiguous = {name for name, count in Counter(names.values()).items() if count > 1}
    sealed = {row.identity: f"SHA-256 {row.sha256[:_DIGITS]}" for row in rows if row.sha256}
    titles = {text: f"{name}, {sealed.get(text, text)}" if name in ambiguous else name for text, name in names.items()}
    panels = (_bits_panel(text, title, evaluations, points) for text, title in titles.items())
    return tuple(panel for panel in panels if panel is not None)


def schedule_panels(curves: "ScheduleCurves", *, now: int | None = None) -> tuple[Panel, ...]:
    """Return learning rate, batch and enabled blocks, each over the whole run; `now` marks where it is."""
    until = curves.instances[-1]
    return tuple(
        Panel(
            title=title,
            unit=unit,
            curves=(Curve(name=title.lower(), x=curves.instances, y=heights),),
            until=until,
            now=now if now is not None and now < until else None,
            from_zero=True,
            is_schedule=True,
        )
        for title, unit, heights in (
            ("Learning rate", "at the base width", curves.learning_rate),
            ("Batch", "instances a step", curves.batch),
            ("Enabled blocks", "blocks", curves.enabled_blocks),
        )
    )


def depth_bars(step: "Step", buffer: "BufferConfig") -> DepthBars:
    """Return the depths of the buffer after a step, beside those that they settle at."""
    counts = step.observations["depth"]
    rows = sum(counts)
    open_ended = len(counts) > _DEEPEST + 1
    bars = (*counts[:_DEEPEST], sum(counts[_DEEPEST:])) if open_ended else counts
    reset = reset_probability(buffer.source_batch, buffer.reset_rows)
    stationary = _stationary(buffer, len(bars), open_ended=open_ended) if reset else None
    return DepthBars(
        shares=tuple(count / rows for count in bars),
        stationary=stationary,
        open_ended=open_ended,
        mean=sum(depth * count for depth, count in enumerate(counts)) / rows,
        stationary_mean=float((1 - reset) / reset) if reset else None,
        rows=rows,
        instances=step.instances,
    )


def _bits_panel(text: str, title: str, evaluations: "Mapping[str, Sequence[Evaluated]]", points: int) -> Panel | None:
    rows = {
        name: [(record.instances, row) for record in records for row in record.rows if row.identity == text]
        for name, records in evaluations.items()
    }
    tails = sorted({row.tail_positions for found in rows.values() for _, row in found})
    panel = _measured(
        title,
        f"bits per character, last {' or '.join(map(str, tails))}",
        {name: [(instances, row.tail_bits) for instances, row in found] for name, found in rows.items()},
        points,
        of="evaluations",
    )
    if panel is None:
        return None
    latest = [found[-1][1] for found in rows.values() if found]
    bars = [hardest_bar(row) for row in latest]
    levels = {bar.bits: Level(name=f"{bar.name}, order {bar.order}", value=bar.bits) for bar in bars}
    curves = panel.curves
    if not panel.note:  # not thinned: the points are those that were measured
        errors = {name: tuple(row.tail_stderr for _, row in found) for name, found in rows.items()}
        curves = tuple(dataclasses.replace(curve, errors=errors[curve.name]) for curve in curves)
    return dataclasses.replace(
        panel, curves=curves, levels=tuple(levels.values()) if len(levels) == 1 else (), marked=True
    )


def _throughput_panels(timings: "Sequence[Timing]", points: int) -> tuple[Panel, ...]:
    measured = (
        ("Throughput", "instances/s", [(each.instances, each.instances_per_second) for each in timings]),
        ("Source", "% of the training time", [(each.instances, 100 * each.source_share) for each in timings]),
    )
    panels = (
        _measured(title, unit, {title.lower(): found}, points, of="measurements", from_zero=True)
        for title, unit, found in measured
    )
    return tuple(panel for panel in panels if panel is not None)


def _measured(
    title: str,
    unit: str,
    measurements: Mapping[str, Sequence[tuple[float, float]]],
    points: int,
    *,
    of: str,
    note: str = "",
    from_zero: bool = False,
) -> Panel | None:
    """Put curves of measurements (instances, height) into one panel, thinned alike; None if there is none.

    Args:
        title: of the panel.
        unit: of the heights.
        measurements: by the names of the curves; those without any are left out.
        points: the most points to draw of a curve; where there are more, each is the mean of as many neighbours.
        of: what a measurement is called, in the plural.
        note: what else belongs beneath.
        from_zero: the vertical axis starts at 0.

    """
    measurements = {name: found for name, found in measurements.items() if found}
    if not measurements:
        return None
    together = -(-max(map(len, measurements.values())) // points)
    means = f"each point is the mean of up to {together:,} {of}" if together > 1 else ""
    curves = []
    for name, found in measurements.items():
        groups = [found[start : start + together] for start in range(0, len(found), together)]
        x, y = (tuple(_mean([pair[axis] for pair in group]) for group in groups) for axis in (0, 1))
        curves.append(Curve(name=name, x=x, y=y))
    return Panel(
        title=title,
        unit=unit,
        curves=tuple(curves),
        until=max(found[-1][0] for found in measurements.values()),
        from_zero=from_zero,
        note="; ".join(filter(None, (means, note))),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _stationary(buffer: "BufferConfig", bars: int, *, open_ended: bool) -> tuple[float, ...]:
    exact = [
        stationary_depth_probability(depth, source_batch=buffer.source_batch, reset_rows=buffer.reset_rows)
        for depth in range(bars)
    ]
    if open_ended:
        exact[-1] = Fraction(1) - sum(exact[:-1], Fraction(0))
    return tuple(float(probability) for probability in exact)
