"""m_C dominates its members, with the prior as the constant, and with no larger one."""

from fractions import Fraction

import pytest
from hypothesis import assume, given

from tests.theory.strategies import BOUND, model_classes, tree_machine
from theory.checks.domination import check_domination
from theory.checks.registry import DOMINATION
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.mealy import mealy_class
from theory.measures.mixture import Mixture


@pytest.fixture(scope="module")
def class_b():
    return check_domination(mealy_class())


def test_class_b_60960_triples_128_tight(class_b):
    assert class_b.holds
    assert class_b.counterexample is None
    assert class_b.slack_bits == 0
    assert class_b.counts == {
        "members": 252,
        "conditions": 127,
        "programs": 28152,
        "triples": 60960,
        "tight": 128,
        "failures": 0,
    }


def test_class_b_the_least_ratio_is_2_to_the_minus_8(class_b):
    assert min(item.numbers["min m_C/p_c"] for item in class_b.items) == Fraction(1, 256)


def test_class_b_with_the_empty_condition_the_least_ratio_is_2_to_the_minus_7():
    mixture = Mixture(mealy_class())
    ratios = [mixture.measure("").mass[x] / p for i in range(252) for x, p in mixture.member(i, "").mass.items()]
    assert min(ratios) == Fraction(1, 128)


def test_twice_the_prior_is_too_large_406_times():
    result = check_domination(mealy_class(), variant="double-constant")
    assert not result.holds
    assert result.counts["failures"] == 406
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


@given(model_classes(sufficient=False))
def test_every_class_with_any_prior_is_dominated_even_where_machines_do_not_halt(model_class):
    mixture = Mixture(model_class)
    assume(any(mixture.measure(z).mass for z in model_class.conditions(model_class.max_length)))
    result = check_domination(model_class)
    assert result.holds
    assert result.slack_bits is not None
    assert result.slack_bits >= 0


def test_members_with_disjoint_outputs_have_no_slack_at_all():
    model_class = ModelClass.of(
        "disjoint", [tree_machine("a", ("0", "00")), tree_machine("b", "1")], bound=BOUND, max_length=1
    )
    result = check_domination(model_class)
    assert [item.slack for item in result.items] == [1, 1]
    assert result.counts["tight"] == result.counts["triples"]
    assert result.counts["failures"] == 0


def test_a_member_that_never_halts_has_nothing_to_dominate():
    model_class = ModelClass.of("stuck", [tree_machine("a", None), tree_machine("b", "1")], bound=BOUND, max_length=1)
    result = check_domination(model_class)
    assert result.holds
    assert result.items[0].slack is None
    assert "do not halt" in result.remarks[0]


def test_a_class_of_which_no_member_halts_says_nothing_and_is_refused():
    model_class = ModelClass.of("stuck", [tree_machine("a", None)], bound=BOUND, max_length=1)
    with pytest.raises(InputError, match="no member halts under the bound"):
        check_domination(model_class)


def test_an_unknown_variant_is_refused():
    with pytest.raises(InputError, match="variant"):
        check_domination(mealy_class(2), variant="triple")
    assert set(DOMINATION.variants) == {"double-constant"}
