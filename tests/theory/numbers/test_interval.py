"""Every interval contains the true result: against exact fractions, and against mpmath at 60 digits."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.numbers.interval import Interval, exponential, logistic, matrix_product, tanh, total

floats = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-100 else x)
arguments = st.floats(-60, 60)


@st.composite
def intervals(draw):
    low, high = sorted((draw(floats), draw(floats)))
    return Interval.point(low) if draw(st.booleans()) else Interval(np.float64(low), np.float64(high))


def contains(interval, value):
    return Fraction(float(interval.low)) <= value <= Fraction(float(interval.high))


def ends(interval):
    return Fraction(float(interval.low)), Fraction(float(interval.high))


@given(intervals(), intervals())
def test_sums_differences_and_products_of_points_stay_inside(a, b):
    for x in ends(a):
        for y in ends(b):
            assert contains(a + b, x + y)
            assert contains(a - b, x - y)
            assert contains(a * b, x * y)


@given(intervals(), st.floats(1e-3, 1e3), st.floats(0, 1e3))
def test_quotients_stay_inside(a, low, width):
    b = Interval(np.float64(low), np.float64(low + width))
    for x in ends(a):
        for y in ends(b):
            assert contains(a / b, x / y)


def test_only_positive_divisors():
    with pytest.raises(ValueError, match="positive"):
        Interval.point(1.0) / Interval(np.float64(-1.0), np.float64(1.0))


@given(st.floats(0, 1e6))
def test_roots_stay_inside(x):
    root = Interval.point(x).sqrt()
    assert Fraction(float(root.low)) ** 2 <= Fraction(x) <= Fraction(float(root.high)) ** 2


@given(
    st.lists(st.lists(floats, min_size=3, max_size=3), min_size=1, max_size=4), st.lists(floats, min_size=3, max_size=3)
)
def test_sums_and_matrix_products_stay_inside(matrix, vector):
    product = matrix_product(Interval.point(vector), np.array(matrix))
    assert contains(total(Interval.point(vector)), sum(map(Fraction, vector)))
    for row, weights in enumerate(matrix):
        exact = sum(Fraction(w) * Fraction(x) for w, x in zip(weights, vector, strict=True))
        assert contains(product[row], exact)


@given(arguments)
def test_the_functions_contain_what_mpmath_finds_at_60_digits(x):
    with mpmath.workdps(60):
        exact = mpmath.mpf(x)
        for function, value in (
            (exponential, mpmath.exp(exact)),
            (logistic, 1 / (1 + mpmath.exp(-exact))),
            (tanh, mpmath.tanh(exact)),
        ):
            enclosure = function(Interval.point(x))
            assert mpmath.mpf(float(enclosure.low)) <= value <= mpmath.mpf(float(enclosure.high))
            if function is not exponential:
                assert enclosure.high - enclosure.low < 1e-11


@given(arguments, arguments)
def test_the_functions_of_an_interval_contain_those_of_its_ends(x, y):
    wide = Interval(np.float64(min(x, y)), np.float64(max(x, y)))
    for function in (exponential, logistic, tanh):
        for end in (x, y):
            point = function(Interval.point(end))
            assert function(wide).low <= point.low
            assert point.high <= function(wide).high


def test_far_out_the_functions_reach_their_limits():
    far = Interval(np.float64(-1e4), np.float64(1e4))
    assert (logistic(far).low, logistic(far).high) == (0.0, 1.0)
    assert (tanh(far).low, tanh(far).high) == (-1.0, 1.0)
    assert exponential(far).high == np.inf


@given(intervals(), st.floats(1e-6, 1e6))
def test_widening_reaches_both_sides(a, reach):
    wide = a.widened(Interval.point(reach))
    low, high = ends(a)
    assert contains(wide, low - Fraction(reach))
    assert contains(wide, high + Fraction(reach))
