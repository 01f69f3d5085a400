"""The plan of a training run, its live dashboard, and the plain lines that stand in for it in a pipe."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.render.bars import bar, sparkline
from cli.render.evaluation import EvaluationTable, hardest_bar
from theory.words import number_of

if TYPE_CHECKING:  # up.runs imports torch
    from up.evaluation.rows import EvaluationRow
    from up.runs.events import Timing
    from up.runs.plan import TrainingPlan
    from up.training.step import Step

_SPARKLINE_COLUMNS = 36  # the line of the loss then fits 80 columns
_DEEPEST = 12


def plan_view(plan: "TrainingPlan", out: Path) -> RenderableType:
    """Return the plan as a list of names and values."""
    memory = _size(plan.memory_bytes)
    if plan.device_memory_bytes:
        memory += f" of {_size(plan.device_memory_bytes)}"
    return Group(
        Text("Training plan", style="bold"),
        _names_and_values(
            ("model", plan.shape),
            ("parameters", f"{plan.parameters:,}"),
            ("source", plan.source),
            ("instances", f"{plan.instances:,} in {number_of(plan.steps, 'step')}, microbatch {plan.microbatch}"),
            ("tokens", f"{plan.tokens:,}"),
            ("device", f"{plan.device} ({plan.device_description}), {plan.precision}"),
            ("memory", f"about {memory}"),
            ("time", _time(plan)),
            ("writes to", str(out)),
        ),
    )


def progress_line(step: "Step", timing: "Timing", total_instances: int) -> str:
    """Return one plain line about a step, for a pipe.

    >>> from types import SimpleNamespace
    >>> step = SimpleNamespace(instances=640, loss_bits=6.5, learning_rate=0.002, gradient_norm=1.25, skipped_steps=0)
    >>> timing = SimpleNamespace(instances_per_second=20.0, source_share=0.1, remaining_seconds=568.0)
    >>> progress_line(step, timing, 12000)
    '640/12,000 instances, loss 6.500 bits, rate 2.0e-03, gradient 1.25, 20.0/s, source 10%, 9 min 28 s left'
    """
    skipped = f", {_skipped(step.skipped_steps)}" if step.skipped_steps else ""
    return (
        f"{step.instances:,}/{number_of(total_instances, 'instance')}, loss {_number(step.loss_bits, 3)} bits, "
        f"rate {step.learning_rate:.1e}, gradient {_number(step.gradient_norm, 2)}, "
        f"{timing.instances_per_second:.1f}/s, source {timing.source_share:.0%}{skipped}, "
        f"{duration(timing.remaining_seconds)} left"
    )


def evaluation_line(rows: "Sequence[EvaluationRow]", *, zero_shot: bool = True) -> str:
    """Return one plain line about an evaluation, for a pipe; a model that is trained on data is not zero-shot."""
    cells = (f"{row.data} {row.tail_bits:.2f} ± {row.tail_stderr:.2f} ({hardest_bar(row).bits:.2f})" for row in rows)
    shots = "zero-shot, " if zero_shot else ""
    said = f"{shots}bits over the last {rows[0].tail_positions} (in brackets {hardest_bar(rows[0]).name})"
    return f"{said}: {', '.join(cells)}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The live picture of a run.

    Attributes:
        total_instances: length of the run.
        step: the latest step; None before the first.
        timing: the latest one; None before the first.
        losses: of all steps so far, bits per character.
        activity: what is going on beside training, such as an evaluation; empty if nothing is.
        evaluated_at: instances at the latest evaluation.
        rows: the latest evaluation; empty before the first.
        zero_shot: whether the model is trained on no data.
    """

    total_instances: int = 0
    step: "Step | None" = None
    timing: "Timing | None" = None
    losses: Sequence[float] = ()
    activity: str = ""
    evaluated_at: int = 0
    rows: "tuple[EvaluationRow, ...]" = ()
    zero_shot: bool = True

    def __rich__(self) -> RenderableType:
        step, timing = self.step, self.timing
        if step is None or timing is None:
            return Text(self.activity or "preparing the first instances", style="dim")
        speed = f"{timing.instances_per_second:.1f} instances/s, {timing.source_share:.0%} of it in the source"
        pairs: list[tuple[str, str | Text]] = [
            ("loss", self._loss()),
            ("learning rate", f"{step.learning_rate:.2e}"),
            ("gradient norm", _number(step.gradient_norm, 2)),
        ]
        if step.skipped_steps:
            pairs.append(("skipped", Text(_skipped(step.skipped_steps), "yellow")))
        pairs.append(("speed", speed))
        if "depth" in step.observations:
            pairs.append(("buffer depth", _depths(step.observations["depth"])))
        blocks: list[RenderableType] = [self._bar_line(step, timing), _names_and_values(*pairs)]
        if self.rows:
            blocks += [
                Text(),
                EvaluationTable(self.rows, zero_shot=self.zero_shot),
                Text(f"after {number_of(self.evaluated_at, 'instance')}", style="dim"),
            ]
        return Group(*blocks)

    def _bar_line(self, step: "Step", timing: "Timing") -> Table:
        line = Table.grid(padding=(0, 2), expand=True)
        line.add_column(ratio=1)
        line.add_column(justify="right", no_wrap=True)
        left = self.activity or f"{duration(timing.remaining_seconds)} left"
        bar = ProgressBar(total=self.total_instances, completed=step.instances)
        line.add_row(bar, Text(f"{step.instances:,}/{self.total_instances:,}  {left}"))
        return line

    def _loss(self) -> Text:
        latest = self.losses[-1]
        said = (f"{latest:.3f}", "bold") if math.isfinite(latest) else ("not finite", "yellow")
        unit = " bits per character  " if math.isfinite(latest) else "  "
        return Text.assemble(said, unit, (sparkline(self.losses, _SPARKLINE_COLUMNS), "cyan"))


def duration(seconds: float) -> str:
    """Say a time span with its two leading units.

    >>> duration(42), duration(568), duration(7_500), duration(200_000), duration(40_000_000), duration(1e11)
    ('42 s', '9 min 28 s', '2 h 5 min', '2 d 7 h', '462 d', '3,169 years')
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    whole = round(seconds)
    if whole >= 3 * 365 * 86_400:
        return f"{whole / (365.25 * 86_400):,.0f} years"
    if whole >= 100 * 86_400:
        return f"{whole // 86_400:,} d"
    for size, unit, smaller, subunit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {subunit}"
    return f"{whole} s"


def _time(plan: "TrainingPlan") -> str:
    if plan.instances_trained == plan.instances:
        return "none left: the run is complete"
    rest = f" for the rest after {plan.instances_trained:,}" if plan.instances_trained else ""
    return f"about {duration(plan.seconds)}{rest}, as measured just now"


def _depths(histogram: Sequence[int]) -> Text:
    """One bar for the share of rows at each depth, the deepest ones together in the last."""
    counts = [*histogram[:_DEEPEST], sum(histogram[_DEEPEST:])] if len(histogram) > _DEEPEST else list(histogram)
    mean = sum(depth * count for depth, count in enumerate(histogram)) / sum(histogram)
    last = f"{_DEEPEST}+" if len(histogram) > _DEEPEST else str(len(counts) - 1)
    bars = "".join(bar(count, 0, max(counts)) for count in counts)
    return Text.assemble("0 ", (bars, "cyan"), f" {last}", (f"  mean {mean:.1f}", "dim"))


def _names_and_values(*pairs: tuple[str, str | Text]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, value if isinstance(value, Text) else Text(value))
    return grid


def _number(value: float | None, digits: int) -> str:
    return "not finite" if value is None else f"{value:.{digits}f}"


def _skipped(steps: int) -> str:
    return f"{number_of(steps, 'step')} without finite numbers"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB" if size_bytes >= 2**30 else f"{size_bytes / 2**20:.0f} MiB"
