"""Logarithms compared exactly."""

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.numbers.exact import LogSum, at_least_power_of_two, coprime_base, log2_float, log2_interval

ratios = st.builds(Fraction, st.integers(1, 10**12), st.integers(1, 10**12))


@given(ratios, st.integers(-50, 50))
def test_comparison_with_a_power_of_two_is_that_of_fractions(ratio, exponent):
    assert at_least_power_of_two(ratio, exponent) == (ratio >= Fraction(2) ** exponent)


@given(ratios, st.sampled_from([1, 8, 16]))
def test_the_interval_contains_the_logarithm(value, precision):
    """2^low <= value <= 2^high, cleared of roots: with low = a / 2^k this is 2^a <= value^(2^k)."""
    scale = 2 ** min(precision, 8)
    low, high = log2_interval(value, precision)
    assert Fraction(2) ** math.floor(low * scale) <= value**scale <= Fraction(2) ** math.ceil(high * scale)


@given(ratios, st.sampled_from([4, 64, 256]))
def test_the_interval_is_narrow_and_refines(value, precision):
    low, high = log2_interval(value, precision)
    assert low <= high <= low + Fraction(4, 2**precision)
    finer_low, finer_high = log2_interval(value, 2 * precision)
    assert low <= finer_high
    assert finer_low <= high


@given(st.integers(-80, 80))
def test_powers_of_two_have_exact_logarithms(exponent):
    assert log2_interval(Fraction(2) ** exponent) == (exponent, exponent)


@pytest.mark.parametrize(("q", "p"), [(665, 1054), (111202, 176251), (397573379, 630138897), (6189245291, 9809721694)])
def test_convergents_of_log2_of_3_are_told_from_it(q, p):
    """q log2 3 - p is below 1 / q in size: 1e-10 where the two terms are 1e10, too little for floats to tell."""
    with mpmath.workdps(40):
        difference = q * mpmath.log(3, 2) - p
    assert 0 < abs(difference) < 1 / q
    assert LogSum([(q, 3), (-p, 2)]).sign() == mpmath.sign(difference)


@given(st.lists(st.tuples(st.integers(-6, 6), st.integers(1, 400)), max_size=6))
def test_the_sign_of_an_integer_combination_is_that_of_the_power_product(terms):
    product = math.prod((Fraction(n) ** c for c, n in terms), start=Fraction(1))
    assert LogSum(terms).sign() == (product > 1) - (product < 1)


@given(st.lists(st.tuples(st.fractions(-3, 3, max_denominator=30), st.integers(2, 60)), min_size=1, max_size=5))
def test_a_sum_minus_itself_written_with_factors_is_exactly_zero(terms):
    """log(6 n) = log 2 + log 3 + log n, term by term."""
    total = LogSum([(c, 6 * n) for c, n in terms])
    apart = LogSum([(c, part) for c, n in terms for part in (2, 3, n)])
    assert (total - apart).sign() == 0
    assert (total + LogSum([(-c, part) for c, n in terms for part in (2, 3, n)])).sign() == 0


def test_a_huge_power_that_floats_cannot_hold_is_compared():
    assert LogSum([(1, Fraction(2**1100 + 1, 2**1100))]).sign() == 1


@given(st.lists(st.integers(1, 5000), max_size=8))
def test_a_coprime_base_is_coprime_and_composes_every_number(integers):
    base = coprime_base(integers)
    assert all(math.gcd(a, b) == 1 for i, a in enumerate(base) for b in base[:i])
    for n in integers:
        for factor in base:
            while n % factor == 0:
                n //= factor
        assert n == 1


def test_display_values():
    assert log2_float(Fraction(1, 8)) == -3
    assert log2_float(0) == -math.inf
    assert log2_float(Fraction(1, 2**2000)) == -2000
    assert float(LogSum([(Fraction(1, 2), 8)])) == 1.5


@pytest.mark.parametrize("wrong", [0, Fraction(-1, 2)])
def test_there_is_no_logarithm_of_what_is_not_positive(wrong):
    with pytest.raises(ValueError, match="positive"):
        LogSum([(1, wrong)])
    with pytest.raises(ValueError, match="positive"):
        log2_interval(wrong)
