"""Distributions compared."""

from fractions import Fraction

from hypothesis import given

from tests.theory.strategies import distributions
from theory.measures.distances import entropy, least_ratio, total_variation
from theory.numbers.exact import LogSum


@given(distributions(), distributions())
def test_total_variation_is_a_distance_between_0_and_1(p, q):
    assert 0 <= total_variation(p, q) == total_variation(q, p) <= 1
    assert total_variation(p, p) == 0


@given(distributions(max_length=2))
def test_entropy_lies_between_0_and_that_of_the_uniform_distribution(p):
    assert entropy(p).sign() >= 0
    assert (LogSum([(1, len(p))]) - entropy(p)).sign() >= 0


@given(distributions(max_length=2), distributions(max_length=2))
def test_the_least_ratio_is_a_constant_of_domination_and_no_larger_one_is(above, below):
    ratio, x = least_ratio(above, below)
    assert all(above.get(y, Fraction(0)) >= ratio * p for y, p in below.items())
    assert above.get(x, Fraction(0)) == ratio * below[x]
