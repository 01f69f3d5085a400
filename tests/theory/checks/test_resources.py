"""Monotone in time and space; the price of time."""

from fractions import Fraction

import pytest
from hypothesis import assume, given

from tests.theory.strategies import model_classes
from theory.checks.registry import RESOURCES
from theory.checks.resources import check_resources, timed_measure
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.machines.universal.machine import UniversalMachine, universal_class
from theory.measures.mixture import Mixture


def test_measures_grow_with_time_and_space_on_class_b() -> None:
    result = check_resources(mealy_class())
    assert result.holds
    assert result.constants["greatest Omega"] == 1


def test_measures_grow_with_time_and_space_on_the_universal_machine() -> None:
    """Omega rises from 0.125 to 0.413. (The notes' 0.1719 to 0.5351 is of a machine that they do not specify.)"""
    machine = ModelClass.of("universal", [UniversalMachine()], bound=Bound(15, 4), max_length=2)
    result = check_resources(machine, times=[3, 7, 11, 15], spaces=[1, 2, 4])
    assert result.holds
    assert result.slack_bits == 0  # most strings gain nothing at most steps
    assert result.curves[0].values == tuple(float(Fraction(n, 4096)) for n in (512, 960, 1352, 1693))
    assert (result.constants["least Omega"], result.constants["greatest Omega"]) == (
        Fraction(1, 8),
        Fraction(1693, 4096),
    )


def test_both_members_of_the_class_are_run() -> None:
    result = check_resources(universal_class(), times=[3, 4], spaces=[1])
    assert result.constants["least Omega"] == Fraction(1, 2) * Fraction(1, 8)
    assert result.constants["greatest Omega"] == Fraction(1, 2) * (Fraction(1, 8) + Fraction(1, 16))


def test_time_is_charged_by_hand() -> None:
    measure = timed_measure([(UniversalMachine(), Fraction(1))], Bound(time=7, space=2))
    # ! takes 3 steps; each of the six instructions that write nothing, and then !, takes 7
    assert measure.mass[""] == Fraction(1, 8) + 6 * Fraction(1, 64)
    assert measure.speed[""] == Fraction(1, 8) / 3 + 6 * Fraction(1, 64) / 7
    assert measure.fastest[""] == Fraction(1, 8) / 3
    assert measure.shortest[""] == Fraction(1, 8)


@pytest.mark.parametrize("variant", RESOURCES.variants)
def test_wrong_variants_are_caught(variant: str) -> None:
    result = check_resources(mealy_class(), variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


def test_a_program_that_halts_in_its_first_step_has_no_slack_anywhere() -> None:
    """Kt, the speed prior and m agree on a string with one program that takes one step."""
    constant = FunctionMachine("writes 1", lambda tape: tape.write(1), reads_condition=False)
    result = check_resources(ModelClass.of("one", [constant], bound=Bound(4, 4), max_length=1))
    assert result.holds
    assert {item.slack for item in result.items} == {1}


@given(model_classes(sufficient=False))
def test_it_holds_for_any_class(model_class) -> None:
    assume(Mixture(model_class).measure().mass)
    assert check_resources(model_class).holds


@pytest.mark.parametrize("times", [None, [0], [2, 3]])
def test_bounds_under_which_nothing_halts_are_refused(times) -> None:
    never = FunctionMachine("never", lambda tape: tape.stuck())
    with pytest.raises(InputError, match="no member halts under the bound"):
        check_resources(ModelClass.of("never", [never], bound=Bound(4, 4), max_length=1), times=times)


def test_bounds_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="must ascend"):
        check_resources(mealy_class(), times=[4, 2])
