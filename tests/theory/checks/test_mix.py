"""The buffer's mixture over depths dominates every depth."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import distributions, model_classes
from theory.checks.mix import VARIANTS, check_mix
from theory.classes import ModelClass
from theory.errors import InputError
from theory.machine import Bound, FunctionMachine
from theory.mealy import mealy_class


def successor():
    """One machine that copies and appends a 1: depth n of the base ε is 1^n alone, so that depths are disjoint."""

    def append(tape):
        place = 0
        while (bit := tape.condition(place)) is not None:
            tape.write(bit)
            place += 1
        tape.write(1)

    machines = [FunctionMachine("append 1", append)]
    return ModelClass.of("successor", machines, bound=Bound(time=40, space=20), max_length=0)


def test_disjoint_depths_have_no_slack_and_the_constants_are_those_of_the_reset_rate():
    result = check_mix(successor(), steps=5)
    assert result.holds
    assert [item.slack for item in result.items] == [1] * 6
    r = Fraction(20, 69)
    assert [item.numbers["observed"] for item in result.items] == [r * (1 - r) ** n for n in range(6)]
    assert [item.numbers["observed with 1/((n+1)(n+2))"] for item in result.items] == [
        Fraction(1, (n + 1) * (n + 2)) for n in range(6)
    ]
    assert result.constants["unresolved mass of deeper rows"] == (1 - r) ** 6


def test_the_papers_weights_cost_bits_in_proportion_to_depth_and_the_slow_ones_about_two_logarithms():
    """log2 of (n + 1)(n + 2) passes below the geometric cost from n = 13 on."""
    geometric, slow = (curve.values for curve in check_mix(successor(), steps=14).curves)
    steps = [b - a for a, b in pairwise(geometric)]
    assert max(steps) == pytest.approx(min(steps))
    assert [n for n in range(15) if slow[n] < geometric[n]][-1] == 14
    assert slow[14] == pytest.approx(7.907, abs=1e-3)


def test_class_b():
    result = check_mix(mealy_class())
    assert result.holds
    assert len(result.items) == 9
    assert result.constants["r"] == Fraction(20, 69)


@given(
    model_classes(sufficient=False),
    distributions(max_length=2),
    st.integers(1, 9).flatmap(lambda b: st.tuples(st.just(b), st.integers(1, b - 1) if b > 1 else st.just(1))),
)
def test_the_mixture_dominates_for_every_class_base_and_reset_rate(model_class, base, sizes):
    source_batch, reset_rows = sizes
    if source_batch > reset_rows:
        assert check_mix(model_class, steps=3, base=base, source_batch=source_batch, reset_rows=reset_rows).holds


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("model_class", [mealy_class(4), successor()], ids=["mealy", "successor"])
def test_every_wrong_variant_is_caught(model_class, variant):
    result = check_mix(model_class, steps=3, variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


@pytest.mark.parametrize("wrong", [{"reset_rows": 0}, {"steps": 0}, {"variant": "none"}, {"reset_rows": 139}])
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        check_mix(mealy_class(2), **wrong)
