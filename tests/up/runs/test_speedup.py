"""When a curve comes down to a loss, against what a line says, and how that behaves as the loss falls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.up.runs.test_overview import a_row, a_step
from up.runs.events import Evaluated, Timing
from up.runs.metrics import History
from up.runs.speedup import compare_speed, instances_to_reach, losses_to_compare, seconds_until

curves = st.lists(st.floats(0, 8), min_size=1, max_size=12).map(lambda bits: [(10 * i, b) for i, b in enumerate(bits)])


@given(curves, st.floats(-1, 9), st.floats(-1, 9))
def test_a_lower_loss_is_never_reached_sooner(curve, one, other):
    higher, lower = (instances_to_reach(curve, bits) for bits in (max(one, other), min(one, other)))
    assert lower is None or (higher is not None and higher <= lower)


@given(curves, st.floats(-1, 9))
def test_a_loss_is_reached_within_the_curve_if_and_only_if_the_curve_comes_down_to_it(curve, bits):
    reached = instances_to_reach(curve, bits)
    assert (reached is not None) == (min(value for _, value in curve) <= bits)
    assert reached is None or 0 <= reached <= curve[-1][0]


@given(st.floats(0.1, 0.9))
def test_on_a_line_it_is_where_the_line_says(share):
    assert instances_to_reach([(0, 8.0), (1_000, 2.0)], 8 - 6 * share) == pytest.approx(1_000 * share)


def test_the_losses_compared_end_with_the_best_of_the_run_from_scratch():
    assert losses_to_compare([(0, 8.0), (5, 3.0), (10, 4.0)]) == (5.5, 4.25, 3.5, 3.0)
    assert losses_to_compare([]) == ()


def a_history(bits, *, rate: float) -> History:
    timings = [
        Timing(instances=i, instances_per_second=r, source_share=0, elapsed_seconds=0, remaining_seconds=0)
        for i, r in ((10, rate / 100), (100, rate), (200, rate))
    ]
    evaluations = [
        Evaluated(instances=100 * i, rows=(a_row("notes", tail_bits=b), a_row("other", tail_bits=1.0)))
        for i, b in enumerate(bits)
    ]
    return History(steps=(a_step(200),), evaluations=tuple(evaluations), timings=tuple(timings))


def test_the_ratio_is_that_of_scratch_to_finetuned_in_instances_and_in_seconds():
    finetuned, scratch = a_history([6.0, 4.0, 3.0], rate=50), a_history([8.0, 6.0, 4.0], rate=25)
    (at_five,) = compare_speed(finetuned, scratch, "notes", [5.0])
    assert (at_five.finetuned_instances, at_five.scratch_instances) == (50, 150)
    assert at_five.instances_ratio == pytest.approx(3)
    assert (at_five.finetuned_seconds, at_five.scratch_seconds) == pytest.approx((1, 6))
    assert at_five.seconds_ratio == pytest.approx(6)


def test_a_loss_that_is_never_or_always_there_has_no_ratio():
    never, always = compare_speed(a_history([6.0, 4.0], rate=1), a_history([8.0, 5.0], rate=1), "notes", [3.0, 6.5])
    assert (never.finetuned_instances, never.instances_ratio) == (None, None)
    assert (always.finetuned_instances, always.instances_ratio) == (0, None)


def test_without_a_baseline_only_the_losses_that_are_named_are_looked_for():
    finetuned = a_history([6.0, 4.0, 3.0], rate=1)
    assert compare_speed(finetuned, None, "notes") == ()
    (named,) = compare_speed(finetuned, None, "notes", [5.0])
    assert (named.finetuned_instances, named.scratch_instances, named.scratch_seconds) == (50, None, None)


def test_seconds_after_the_last_timing_go_on_at_its_rate_and_the_first_rate_of_a_process_does_not_count():
    timings = a_history([8.0], rate=10).timings
    assert seconds_until(timings, 300) == pytest.approx(30)
    assert seconds_until(timings, None) is seconds_until((), 5) is None
