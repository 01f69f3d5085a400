"""What came of a finetuning: the closing table, and how much sooner the finetuned model reached a loss.

Source: Bloem (2025), section 6.3 and figure 5. Three figures of one model belong together: untrained, zero-shot (as it
was pre-trained) and finetuned; the one from scratch is what the data alone gives.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.training import duration
from theory.words import number_of

if TYPE_CHECKING:  # these import torch
    from up.evaluation.rows import EvaluationRow
    from up.runs.finetuning_report import FinetuningReport, ModelRows
    from up.runs.speedup import Reached

NONE = "-"


def finetuning_view(report: "FinetuningReport") -> RenderableType:
    """Return the whole screen: bits of every model on every data set, findings, and when a loss was reached."""
    blocks: list[RenderableType] = [*_closing(report), Text(), *map(Text, findings(report))]
    if report.read:
        blocks += [Text(), *_reading(report)]
    if report.reached:
        blocks += [Text(), *_speed(report.reached)]
    return Group(*blocks)


def findings(report: "FinetuningReport") -> Iterator[str]:
    """Say in sentences what pre-training, finetuning and the data gave, and what the models kept of other data.

    A difference of no more than two standard errors is called none; errors are those of two independent means, which
    is too large for models that are measured on the same slices.
    """
    rows = {each.model: each.rows for each in report.models}
    first = {model: found[0] for model, found in rows.items()}
    zero_shot, finetuned = first["zero-shot"], first["finetuned"]
    assert zero_shot.untrained_tail_bits is not None
    gained = zero_shot.untrained_tail_bits - zero_shot.tail_bits
    yield f"{report.test}: pre-training {_took(gained, 2 * zero_shot.tail_stderr)} the untrained model's bits;"
    yield f"  finetuning {_took(*_difference(zero_shot, finetuned))} those of the pre-trained one;"
    if "scratch" in first:
        below, error = _difference(first["scratch"], finetuned)
        stands = "level with" if abs(below) <= error else f"{abs(below):.3f} bits {'below' if below > 0 else 'above'}"
        yield f"  finetuned ends {stands} the same training from scratch"
    for place, row in enumerate(rows["zero-shot"][1:], start=1):
        change, error = _difference(rows["finetuned"][place], row)
        kept = "kept what it had" if abs(change) <= error else f"{'lost' if change > 0 else 'gained'} {abs(change):.3f}"
        yield f"{row.data}: finetuning {kept}"


def _closing(report: "FinetuningReport") -> Iterator[RenderableType]:
    rows = report.models[0].rows
    yield Text(f"Bits per character over the last {rows[0].tail_positions} (lower is better)", style="bold")
    yield Text(
        f"{number_of(rows[0].samples, 'slice')} of {number_of(rows[0].context_length, 'character')}; one standard "
        f"error is at most {max(row.tail_stderr for each in report.models for row in each.rows):.3f}",
        style="dim",
    )
    for each in report.models:
        if each.instances:
            early = ", ended early" if each.ended_early else ""
            yield Text(f"{each.model}: the best by the validation part, after {_count(each)}{early}", style="dim")
    yield Text("PPM learns from the slice alone; xz reads the test part as a whole", style="dim")
    yield Text()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("data", overflow="fold")
    for heading in ("untrained", *(each.model for each in report.models), "PPM", "xz"):
        table.add_column(heading, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        bits = [row.untrained_tail_bits, *(each.rows[place].tail_bits for each in report.models)]
        bits += [row.ppm_exclusion_tail_bits, report.xz_bits if place == 0 else None]
        lowest = min(value for value in bits if value is not None)
        cells = (Text(NONE if value is None else f"{value:.3f}", "bold" if value == lowest else "") for value in bits)
        table.add_row(Text(row.data, style="bold"), *cells)
    yield table
    yield Text(
        f"xz takes {report.xz_after_training_bits:.3f} for the test part after it has read the training part",
        style="dim",
    )


def _reading(report: "FinetuningReport") -> Iterator[RenderableType]:
    size = number_of(report.read[0].bytes, "byte")
    yield Text(f"The first {size} of {report.test} in one piece, bits per byte", style="bold")
    yield Text("adapting, the predictor goes on learning while it reads", style="dim")
    yield Text()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("predictor")
    for heading in ("frozen", "adapting", "adapting gives"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in report.read:
        gained = each.frozen_bits - each.adapting_bits
        table.add_row(each.model, f"{each.frozen_bits:.3f}", f"{each.adapting_bits:.3f}", f"{gained:.3f}")
    yield table


def _speed(reached: "Sequence[Reached]") -> Iterator[RenderableType]:
    yield Text("When the validation part came down to so many bits", style="bold")
    yield Text("instances, and seconds of training; the ratio is that of scratch to finetuned", style="dim")
    yield Text()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("bits", justify="right")
    for heading in ("finetuned", "", "scratch", "", "ratio", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in reached:
        table.add_row(
            f"{each.bits:.3f}",
            _instances(each.finetuned_instances),
            _seconds(each.finetuned_seconds),
            _instances(each.scratch_instances),
            _seconds(each.scratch_seconds),
            _ratio(each.instances_ratio),
            _ratio(each.seconds_ratio),
        )
    yield table


def _difference(one: "EvaluationRow", other: "EvaluationRow") -> tuple[float, float]:
    """Return by how many bits the second is below the first, and two standard errors of that."""
    error = 2 * (one.tail_stderr**2 + other.tail_stderr**2) ** 0.5
    return one.tail_bits - other.tail_bits, error


def _took(gained: float, error: float) -> str:
    if abs(gained) <= error:
        return "changed nothing that can be seen of"
    return f"took {gained:.3f} off" if gained > 0 else f"added {-gained:.3f} to"


def _count(each: "ModelRows") -> str:
    return number_of(each.instances, "instance")


def _instances(instances: float | None) -> str:
    return "never" if instances is None else f"{instances:,.0f}"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1f}"
