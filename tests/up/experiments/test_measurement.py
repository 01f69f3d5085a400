"""How many measurements become one figure with an error."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.experiments.measurement import Estimate, Measurement, Measurements

NUMBERS = st.floats(-100, 100)


def a_measurement(value, *, quantity="bits", stderr=None, instances=None, **labels):
    return Measurement(labels=labels, quantity=quantity, unit="bits", value=value, stderr=stderr, instances=instances)


def of_seeds(values, **labels):
    return Measurements([a_measurement(value, seed=seed, **labels) for seed, value in enumerate(values)])


def test_a_hand_worked_mean_has_the_spread_over_seeds_and_the_error_of_the_mean():
    mean = of_seeds([1.0, 2.0, 3.0]).mean()
    assert mean == Estimate(2.0, 1 / math.sqrt(3), 1.0, 3)
    assert str(mean) == "2.000 ± 1.000"


def test_one_seed_keeps_the_error_that_was_measured():
    assert Measurements([a_measurement(2.0, stderr=0.25)]).mean() == Estimate(2.0, 0.25, None, 1)


def test_differences_are_taken_seed_by_seed():
    shift = of_seeds([1.0, 5.0, 9.0]).less(of_seeds([0.5, 4.5, 8.5]))
    assert (shift.value, shift.stderr, shift.count) == (0.5, 0.0, 3)


@given(st.lists(NUMBERS, min_size=2, max_size=6), NUMBERS)
def test_a_shift_of_all_seeds_is_found_without_error(values, shift):
    moved = of_seeds([value + shift for value in values]).less(of_seeds(values))
    assert moved.value == pytest.approx(shift, abs=1e-9)
    assert moved.stderr == pytest.approx(0, abs=1e-9)


def test_seeds_that_one_side_lacks_are_left_out():
    assert of_seeds([1.0, 2.0, 50.0]).less(of_seeds([0.0, 1.0])) == Estimate(1.0, 0.0, 0.0, 2)


@pytest.mark.parametrize(
    ("value", "stderr", "above"),
    [(1.0, 0.4, True), (-1.0, 0.4, False), (1.0, 0.6, None), (1.0, None, True), (0.0, None, None)],
)
def test_above_means_by_more_than_two_standard_errors(value, stderr, above):
    assert Estimate(value, stderr, None, 1).is_above() is above


def test_measurements_are_picked_by_quantity_and_labels():
    measured = Measurements(
        [
            a_measurement(1.0, depth=1, seed=0),
            a_measurement(2.0, depth=2, seed=0),
            a_measurement(3.0, depth=2, seed=0, quantity="loss"),
        ]
    )
    assert [each.value for each in measured.where("bits")] == [1.0, 2.0]
    assert [each.value for each in measured.where(depth=2)] == [2.0, 3.0]
    assert measured.each("depth") == (1, 2)
    assert not measured.where(depth=3)


def test_the_last_of_each_kind_is_after_most_instances():
    measured = Measurements(
        [
            a_measurement(8.0, instances=0, data="one"),
            a_measurement(7.0, instances=9, data="one"),
            a_measurement(6.0, instances=0, data="two"),
        ]
    )
    assert [each.value for each in measured.last()] == [7.0, 6.0]
    assert measured.instances() == (0, 9)
    assert [each.value for each in measured.after(0)] == [8.0, 6.0]
