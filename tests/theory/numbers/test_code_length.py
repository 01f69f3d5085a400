"""Exact numbers of bits are compared as the probabilities behind them are."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from theory.numbers.code_length import CodeLength

fractions = st.fractions(0, 1, max_denominator=40)


@given(fractions, fractions)
def test_lengths_stand_in_the_reverse_order_of_probabilities_and_add_up_as_those_multiply(p, q):
    assert (CodeLength.of(p) < CodeLength.of(q)) == (p > q)
    assert (CodeLength.of(p) == CodeLength.of(q)) == (p == q)
    assert CodeLength.of(p) + CodeLength.of(q) == CodeLength.of(p * q)


@given(fractions.filter(bool), fractions.filter(bool), fractions)
def test_a_mean_lies_between_its_terms(p, q, weight):
    low, high = sorted([CodeLength.of(p), CodeLength.of(q)])
    assert low <= CodeLength.mean([(weight, low), (1 - weight, high)]) <= high


def test_what_has_weight_0_does_not_count_even_if_it_is_infinite():
    never, bit = CodeLength.of(Fraction(0)), CodeLength.of(Fraction(1, 2))
    assert CodeLength.mean([(Fraction(0), never), (Fraction(1), bit)]) == bit
    assert float(CodeLength.mean([(Fraction(1, 9), never), (Fraction(8, 9), bit)])) == math.inf
    assert not never < never
    assert bit < never
    assert bit != "one bit"
