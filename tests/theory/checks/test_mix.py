"""The buffer's mixture over depths dominates every depth."""

import math
from fractions import Fraction
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import BOUND, distributions, halts, model_classes, tree_machine
from theory.checks.mix import check_mix
from theory.checks.registry import MIX
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.measures.mixture import Mixture, depth_mixture, iterates, length_uniform


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
    assert [item.slack for item in result.items] == [1] * 7
    *depths, slow = result.items
    r = Fraction(20, 69)
    assert [item.numbers["observed"] for item in depths] == [r * (1 - r) ** n for n in range(6)]
    assert [item.numbers["observed with 1/((n+1)(n+2))"] for item in depths] == [
        Fraction(1, (n + 1) * (n + 2)) for n in range(6)
    ]
    assert slow.name == "w_n = 1/((n+1)(n+2))"
    assert result.constants["unresolved mass of deeper rows"] == (1 - r) ** 6


def test_the_papers_weights_cost_bits_in_proportion_to_depth_and_the_slow_ones_about_two_logarithms():
    """log2 of (n + 1)(n + 2) is below the geometric cost at n = 0, where it is 1 bit, and from n = 12 on."""
    geometric, slow = (curve.values for curve in check_mix(successor(), steps=14).curves)
    steps = [b - a for a, b in pairwise(geometric)]
    assert max(steps) == pytest.approx(min(steps))
    assert steps[0] == pytest.approx(math.log2(69 / 49))
    assert [n for n in range(15) if slow[n] < geometric[n]] == [0, 12, 13, 14]
    assert slow[14] == pytest.approx(7.907, abs=1e-3)
    assert all(cost <= 2 * math.log2(n + 2) for n, cost in enumerate(slow))


def test_class_b():
    result = check_mix(mealy_class())
    assert result.holds
    assert len(result.items) == 10
    assert result.constants["r"] == Fraction(20, 69)


@given(
    model_classes(sufficient=False).filter(halts),
    distributions(max_length=2),
    st.integers(2, 9).flatmap(lambda b: st.tuples(st.just(b), st.integers(1, b - 1))),
)
def test_the_mixture_dominates_for_every_class_base_and_reset_rate(model_class, base, sizes):
    source_batch, reset_rows = sizes
    assert check_mix(model_class, steps=3, base=base, source_batch=source_batch, reset_rows=reset_rows).holds


@given(model_classes(sufficient=False).filter(halts), st.sampled_from(list(MIX.variants)), st.integers(1, 3))
def test_a_counterexample_at_few_depths_is_one_at_many(model_class, variant, steps):
    """A wrong variant is refuted by an upper bound of the infinite mixture, which more depths only lower."""
    few, many = (check_mix(model_class, steps=n, variant=variant) for n in (steps, 12))
    assert not (few.counterexample and many.holds)
    for less, more in zip(few.items, many.items, strict=False):
        if less.slack is not None and more.slack is not None:
            assert less.slack >= more.slack


def test_a_variant_that_happens_to_be_true_of_a_class_is_not_refuted_by_cutting_the_mixture_off():
    """On strings of two bits the deeper rows make up for the missing noise: 20 depths already reach w_0 m^0."""
    assert check_mix(mealy_class(2), steps=3, variant="without-noise").holds
    r = Fraction(20, 69)
    base, *deeper = islice(iterates(length_uniform(2), Mixture(mealy_class(2))), 21)
    mix = depth_mixture(deeper, [r * (1 - r) ** n for n in range(20)])
    assert all(mix[x] > r * p for x, p in base.items())


@pytest.mark.parametrize("variant", MIX.variants)
@pytest.mark.parametrize("model_class", [mealy_class(4), successor()], ids=["mealy", "successor"])
def test_every_wrong_variant_is_caught(model_class, variant):
    result = check_mix(model_class, variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


@pytest.mark.parametrize(
    "wrong", [{"reset_rows": 0}, {"steps": 0}, {"variant": "none"}, {"reset_rows": 139}, {"reset_rows": 138}]
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        check_mix(mealy_class(2), **wrong)


def test_a_class_of_which_nothing_halts_is_refused():
    stuck = ModelClass.of("stuck", [tree_machine("stuck", None)], bound=BOUND, max_length=1)
    with pytest.raises(InputError, match="no member halts under the bound"):
        check_mix(stuck)


def test_what_the_bound_leaves_open_is_said():
    half = ModelClass.of("half", [tree_machine("half", (None, "1"))], bound=BOUND, max_length=1)
    remark = "Under the bound some runs do not halt: of half, mass 1/2 on condition ε."
    assert any(each.startswith(remark) for each in check_mix(half).remarks)
