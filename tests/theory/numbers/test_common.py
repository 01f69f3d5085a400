"""Sums over a common denominator are the sums of the fractions."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from theory.numbers.common import least_quotient, scaled, weighted_sum

fractions = st.builds(Fraction, st.integers(-50, 50), st.integers(1, 40))
tables = st.dictionaries(st.sampled_from("abcde"), fractions)


@given(tables)
def test_scaled_fractions_are_the_same_over_the_least_common_denominator(table):
    numerators, denominator = scaled(table)
    assert {key: Fraction(numerator, denominator) for key, numerator in numerators.items()} == table
    assert list(numerators) == list(table)
    assert all(denominator % value.denominator == 0 for value in table.values())


@given(st.lists(st.tuples(fractions, tables), max_size=4))
def test_a_weighted_sum_is_that_of_fractions_in_the_order_of_the_first_appearance(terms):
    expected: dict[str, Fraction] = {}
    for weight, table in terms:
        for key, value in table.items():
            expected[key] = expected.get(key, Fraction(0)) + weight * value
    found = weighted_sum((weight, scaled(table)) for weight, table in terms)
    assert list(found.items()) == list(expected.items())


@given(tables, tables)
def test_the_least_quotient_is_the_least_of_all_and_the_first_of_equals(above, below):
    below = {key: abs(value) for key, value in below.items()}
    quotients = [(above.get(key, Fraction(0)) / value, key) for key, value in below.items() if value]
    expected = min(quotients, key=lambda pair: pair[0], default=None)
    assert least_quotient(above, below) == expected
