"""The mixture of coins never falls log2 N bits behind one of them."""

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.checks.registry import REGRET
from theory.checks.regret import EIGHTHS, check_regret, counts, ln_interval, squared_errors
from theory.errors import InputError

SURE = (Fraction(0), Fraction(1))
coins = st.lists(
    st.integers(1, 9).flatmap(lambda d: st.builds(Fraction, st.integers(0, d), st.just(d))), min_size=1, max_size=4
)


def probability(theta, x):
    return math.prod(theta if bit else 1 - theta for bit in x)


def item(result, name):
    return next(item for item in result.items if item.name == name)


def test_eighths_on_64_bits_lose_2_8073_bits_on_strings_of_one_symbol():
    result = check_regret()
    assert result.holds
    assert math.log2(7) == pytest.approx(2.8074, abs=5e-5)
    for theta, where in (("1/8", "0 ones, 64 zeros"), ("7/8", "64 ones, 0 zeros")):
        worst = item(result, f"regret, theta = {theta}")
        assert worst.numbers["observed"] == pytest.approx(2.8073, abs=5e-5)
        assert worst.witness == where
        assert worst.slack_bits == result.slack_bits


def test_squared_errors_sum_to_0_648_against_0_973():
    squares = item(check_regret(), "squares, theta = 7/8")
    assert squares.numbers["observed"] == pytest.approx(0.648, abs=5e-4)
    assert squares.numbers["claimed"] == pytest.approx(0.973, abs=5e-4)


def test_through_199_bits_they_sum_to_0_705():
    low, high = (sum(error[end] for error in squared_errors(EIGHTHS, 6, 199)) for end in (0, 1))
    assert Fraction(7045, 10_000) < low <= high < Fraction(7055, 10_000)


def test_two_sure_coins_have_no_slack_from_the_first_bit_on():
    """Disjoint supports: one bit refutes the other coin, and log2 2 is lost exactly."""
    result = check_regret(steps=3, thetas=SURE)
    assert result.holds
    assert [each.slack for each in result.items[:2]] == [1, 1]
    assert result.slack_bits == 0


def test_a_mixture_of_one_coin_loses_nothing_and_is_not_allowed_to():
    result = check_regret(steps=5, thetas=[Fraction(1, 3)])
    assert result.holds
    assert [each.slack_bits for each in result.items] == [0, 0]


@given(coins, st.integers(0, 4))
def test_counts_stand_for_all_strings(thetas, steps):
    """Against the sum over single strings, without the trick of counting."""
    case_of = {(case.ones, case.zeros): case for case in counts(thetas, steps)}
    theta, errors = thetas[0], [Fraction(0)] * (steps + 1)
    for n in range(steps + 1):
        for x in product((0, 1), repeat=n):
            each = [probability(t, x) for t in thetas]
            if not any(each):
                continue
            m = sum(each) / len(thetas)
            assert case_of[sum(x), n - sum(x)].ratio(0) == each[0] / m
            q = sum(p * t for p, t in zip(each, thetas, strict=True)) / sum(each)
            errors[n] += each[0] * (q - theta) ** 2
    for exact, (low, high) in zip(errors, squared_errors(thetas, 0, steps, precision=64), strict=True):
        assert low <= exact <= high
        assert high - low <= Fraction(steps + 1, 1 << 64)


@given(coins, st.integers(0, 12))
def test_it_holds_for_any_coins(thetas, steps):
    assert check_regret(steps=steps, thetas=thetas).holds


@given(st.integers(1, 1000), st.integers(8, 200))
def test_natural_logarithms_are_enclosed(value, precision):
    low, high = ln_interval(value, precision)
    assert low <= high
    assert float(low) - 1e-12 <= math.log(value) <= float(high) + 1e-12
    finer = ln_interval(value, 2 * precision)
    assert low <= finer[1]
    assert finer[0] <= high


@pytest.mark.parametrize("variant", REGRET.variants)
def test_every_wrong_variant_is_caught(variant):
    result = check_regret(variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed > result.counterexample.claimed


@pytest.mark.parametrize(
    "wrong", [{"steps": -1}, {"thetas": []}, {"thetas": [Fraction(3, 2)]}, {"thetas": [Fraction(-1)]}, {"variant": "x"}]
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        check_regret(**wrong)
