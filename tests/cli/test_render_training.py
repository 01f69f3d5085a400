"""The plan, the dashboard and the plain lines: they say the numbers that they are given, whatever the width."""

import dataclasses
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.render.bars import BARS
from cli.render.training import Dashboard, duration, evaluation_line, plan_view, progress_line
from cli.run_view import _STOPPING
from up.evaluation.rows import EvaluationRow, PositionBits
from up.runs.events import Timing
from up.runs.plan import TrainingPlan
from up.training.step import Step

COLUMNS = st.integers(40, 200)
INSTANCES = st.integers(1, 10**9)


def printed(renderable, columns: int) -> str:
    console = Console(file=io.StringIO(), width=columns, highlight=False, markup=False, emoji=False)
    console.print(renderable)
    return console.file.getvalue()


PLAN = {
    "arch": st.sampled_from(["paper", "modern"]),
    "shape": st.just("modern, width 128, 4 blocks, 2 heads"),
    "width": st.integers(1, 16_384),
    "depth": st.integers(1, 1_024),
    "heads": st.integers(1, 1_024),
    "parameters": st.integers(1, 10**13),
    "source": st.just("lstm, 51 units"),
    "instances": INSTANCES,
    "tokens": st.integers(1, 10**15),
    "steps": INSTANCES,
    "microbatch": st.integers(1, 9_999),
    "precision": st.sampled_from(["fp32", "bf16"]),
    "device": st.just("cuda:0"),
    "device_description": st.just("NVIDIA H100 80GB HBM3"),
    "instances_trained": st.integers(0, 10**10),
    "seconds": st.floats(0, 1e11),
    "memory_bytes": st.integers(0, 10**14),
    "device_memory_bytes": st.integers(0, 10**14),
}


def a_plan(**changes) -> TrainingPlan:
    values = {
        "arch": "modern", "shape": "modern, width 128",
            "width": 128, "depth": 4, "heads": 1, "parameters": 800_000, "source": "lstm, 12 units",
        "instances": 12_000, "tokens": 6_144_000, "steps": 750, "microbatch": 8, "precision": "fp32", "device": "cpu",
        "device_description": "AVX2", "instances_trained": 0, "seconds": 600.0,
        "memory_bytes": 2**30, "device_memory_bytes": 2**34,
    }  # fmt: skip
    return TrainingPlan(**{**values, **changes})


def test_the_time_of_a_resumed_run_is_that_of_the_rest():
    rest = printed(plan_view(a_plan(instances_trained=9_000, seconds=150.0), Path("runs/x")), 80)
    assert "about 2 min 30 s for the rest after 9,000" in rest
    assert "none left: the run is complete" in printed(plan_view(a_plan(instances_trained=12_000), Path("runs/x")), 80)


@st.composite
def progress(draw):
    total = draw(st.integers(1, 99_999_999))  # with a time left in years this fills 40 columns
    skipped = draw(st.integers(0, 99))
    return a_moment(
        instances=draw(st.integers(1, total)),
        total_instances=total,
        step=draw(INSTANCES),
        loss_bits=draw(st.floats(0, 99) | st.none() if skipped else st.floats(0, 99)),
        learning_rate=draw(st.floats(1e-9, 1)),
        gradient_norm=draw(st.floats(0, 1e4) | st.none() if skipped else st.floats(0, 1e4)),
        skipped_steps=skipped,
        instances_per_second=draw(st.floats(1e-3, 1e6)),
        source_share=draw(st.floats(0, 1)),
        observations={"depth": (*draw(st.lists(st.integers(0, 5_000), min_size=1, max_size=40)), 1)},
        remaining_seconds=draw(st.floats(0, 1e11)),
    )


def a_moment(**changes) -> tuple[Step, Timing, int]:
    """A step, its timing, and the length of the run."""
    values = {
        "instances": 640, "total_instances": 12_000, "step": 40, "batch": 16, "loss_bits": 6.5, "learning_rate": 0.002,
        "gradient_norm": 1.25, "enabled_blocks": 4, "skipped_steps": 0, "instances_per_second": 20.0,
        "source_share": 0.1, "observations": {"depth": (10, 30, 20)}, "elapsed_seconds": 32.0,
        "remaining_seconds": 568.0, **changes,
    }  # fmt: skip

    def of(record_type):
        return record_type(**{field.name: values[field.name] for field in dataclasses.fields(record_type)})

    return of(Step), of(Timing), values["total_instances"]


def dashboard(moment: tuple[Step, Timing, int], **more) -> Dashboard:
    step, timing, total = moment
    return Dashboard(step=step, timing=timing, total_instances=total, **more)


def row(data: str, bits: float = 6.25) -> EvaluationRow:
    return EvaluationRow(
        data=data, source="a text", samples=4_000, context_length=512, bits=bits, stderr=0.0125, tail_bits=6.125,
        tail_stderr=0.0031, tail_positions=64, uniform_bits=8.0, markov_bits=4.5, markov_tail_bits=4.625,
        markov_order=2, markov_smoothing=0.01, symbols=170, markov256_bits=4.75, markov256_tail_bits=4.875,
        positions=(PositionBits(first_position=1, last_position=1, bits=8.0, stderr=0.1, markov_bits=8.0),),
    )  # fmt: skip


def numbers(text: str) -> list[str]:
    return re.findall(r"\d(?:[\d,]*\d)?(?:\.\d+)?", text)


@given(st.builds(TrainingPlan, **PLAN), COLUMNS)
def test_the_plan_fits_any_width_and_breaks_no_number(plan, columns):
    page = printed(plan_view(plan, Path("runs/width-512")), columns)
    assert all(len(line) <= columns for line in page.splitlines())
    said = numbers(page)
    for value in (plan.parameters, plan.tokens, plan.instances, plan.steps):
        assert f"{value:,}" in said
    for value in (*numbers(plan.shape), str(plan.microbatch)):
        assert value in said
    if plan.instances_trained == plan.instances:
        assert "the run is complete" in " ".join(page.split())
    else:
        assert all(value in said for value in numbers(duration(plan.seconds)))
    assert "runs/width-512" in page


@pytest.mark.parametrize(("size", "said"), [(512 * 2**20, "512 MiB"), (24 * 2**30, "24.0 GiB")])
def test_the_plan_names_memory_in_its_unit(size, said):
    plan = a_plan(memory_bytes=size, device_memory_bytes=0)
    page = printed(plan_view(plan, Path("out")), 80)
    assert f"about {said}\n" in re.sub(" +\n", "\n", page)


@given(progress(), st.lists(st.floats(0, 20), min_size=1, max_size=200), st.sampled_from([0, 1, 2]), COLUMNS)
def test_the_dashboard_fits_any_width_and_breaks_no_number(moment, losses, num_rows, columns):
    step, timing, total = moment
    rows = (row("stdlib"), row("a/long/path/to/a/text.txt"))[:num_rows]
    page = printed(dashboard(moment, losses=losses, rows=rows, evaluated_at=123_456), columns)
    assert all(len(line) <= columns for line in page.splitlines())
    for said in (
        f"{step.instances:,}/{total:,}",
        f"{losses[-1]:.3f}",
        f"{step.learning_rate:.2e}",
        "not finite" if step.gradient_norm is None else f"{step.gradient_norm:.2f}",
        f"{timing.instances_per_second:.1f}",
        f"{timing.source_share:.0%}",
        *(["123,456", "6.125", "4.625"] if rows else []),
    ):
        assert said in page
    assert ("without finite numbers" in " ".join(page.split())) == (step.skipped_steps > 0)
    ending = f"{step.instances:,}/{total:,}  {duration(timing.remaining_seconds)} left"
    assert page.splitlines()[0].endswith(ending)


def test_the_dashboard_before_the_first_step_says_what_goes_on():
    assert "preparing" in printed(Dashboard(), 80)
    assert printed(Dashboard(activity="evaluation 50%"), 80).strip() == "evaluation 50%"


@pytest.mark.parametrize(("steps", "said"), [(1, "1 step without"), (1_234, "1,234 steps without")])
def test_skipped_steps_are_counted_in_the_dashboard_and_in_the_line(steps, said):
    moment = a_moment(skipped_steps=steps, loss_bits=None, gradient_norm=None)
    page = printed(dashboard(moment, losses=[6.5, float("nan")]), 80)
    for text in (page, progress_line(*moment)):
        assert f"{said} finite numbers" in text
        assert "not finite" in text
        assert "nan" not in text


def test_an_activity_takes_the_place_of_the_time_left():
    waiting, busy = (
        printed(dashboard(a_moment(), losses=[6.5], activity=activity), 80) for activity in ("", "evaluation 50%")
    )
    assert "9 min 28 s left" in waiting
    assert "evaluation 50%" in busy
    assert "left" not in busy


def test_in_80_columns_the_loss_is_one_line_and_no_word_of_the_activity_is_cut():
    moment = a_moment(instances=19_000_000, total_instances=20_000_000)
    losses = [12.5 - step / 50 for step in range(500)]
    page = printed(dashboard(moment, losses=losses, activity=_STOPPING), 80)
    assert page.splitlines()[0].rstrip().endswith(f"19,000,000/20,000,000  {_STOPPING}")
    assert re.search(f"bits per character  [{BARS}]{{36}}", page.splitlines()[1])


def test_the_depths_are_drawn_to_scale_with_their_mean():
    line = next(
        line
        for line in printed(dashboard(a_moment(), losses=[6.5]), 80).splitlines()
        if line.startswith("buffer depth")
    )
    drawn = re.search(f"0 ([{BARS}]+) 2  mean 1.2", line)
    assert drawn is not None
    low, high, middle = (BARS.index(character) for character in drawn.group(1))
    assert low < middle < high == len(BARS) - 1


def test_the_deepest_rows_share_a_bar():
    page = printed(dashboard(a_moment(observations={"depth": (1,) * 20}), losses=[6.5]), 80)
    assert re.search(f"0 [{BARS}]{{13}} 12\\+  mean 9.5", page)


@given(progress())
def test_a_plain_line_is_one_line_with_the_numbers_of_the_step(moment):
    step, timing, total = moment
    line = progress_line(*moment)
    assert "\n" not in line
    assert f"{step.instances:,}/{total:,} instance{'s' * (total != 1)}, " in line
    loss = "not finite" if step.loss_bits is None else f"{step.loss_bits:.3f}"
    assert f"loss {loss} bits" in line
    assert ("without finite numbers" in line) == (step.skipped_steps > 0)
    assert duration(timing.remaining_seconds) in line


def test_a_stream_without_a_buffer_has_no_line_of_depths():
    page = printed(dashboard(a_moment(observations={}), losses=[6.5]), 80)
    assert "buffer depth" not in page
    assert "gradient norm" in page


def test_an_evaluation_in_a_plain_line():
    harder = dataclasses.replace(row("stdlib"), ppm_exclusion_tail_bits=2.875, ppm_exclusion_order=3)
    assert evaluation_line((harder,)) == (
        "zero-shot, bits over the last 64 (in brackets PPM-D with update exclusion): stdlib 6.12 ± 0.00 (2.88)"
    )
    assert evaluation_line((row("stdlib"), row("pydoc"))) == (
        "zero-shot, bits over the last 64 (in brackets Markov): stdlib 6.12 ± 0.00 (4.62), pydoc 6.12 ± 0.00 (4.62)"
    )


UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "years": 365.25 * 86_400}


@given(st.floats(0, 1e12))
def test_a_duration_read_back_is_the_time_span_but_for_its_last_unit(seconds):
    said = duration(seconds)
    words = said.replace(",", "").split()
    pairs = list(zip(map(int, words[::2]), words[1::2], strict=True))
    last = UNITS[pairs[-1][1]]
    assert abs(sum(number * UNITS[unit] for number, unit in pairs) - seconds) <= last
    assert len(pairs) <= 2
    if len(pairs) == 2:
        assert pairs[1][0] * last < UNITS[pairs[0][1]]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "0 s"),
        (59.6, "1 min 0 s"),
        (3599.7, "1 h 0 min"),
        (float("inf"), "an unknown time"),
        (float("nan"), "an unknown time"),
    ],
)
def test_durations_at_the_edges(seconds, said):
    assert duration(seconds) == said
