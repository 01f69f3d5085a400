"""Strings, prefix codes, Kraft sums and pairing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import bit_strings
from theory.errors import InputError
from theory.numbers.bit_strings import (
    complete_code,
    elias_delta,
    elias_gamma,
    is_prefix_free,
    kraft_sum,
    pair,
    pair_as_in_footnote,
    require_bit_string,
    self_delimiting,
    strings,
    unary,
    unpair,
)


def test_there_are_127_strings_of_at_most_six_bits_each_once_and_in_order():
    listed = list(strings(6))
    assert len(listed) == len(set(listed)) == 127
    assert listed == sorted(listed, key=lambda x: (len(x), x))


@given(st.integers(1, 300))
def test_a_complete_code_is_prefix_free_with_kraft_sum_1_and_lengths_within_one_bit(items):
    words = complete_code(items)
    assert len(words) == items
    assert is_prefix_free(words)
    assert kraft_sum(words) == 1
    assert max(map(len, words)) - min(map(len, words)) <= 1


def test_the_code_of_class_b_has_four_words_of_seven_bits():
    words = complete_code(252)
    assert words[:5] == ("0000000", "0000001", "0000010", "0000011", "00001000")
    assert all(words[k] == format(k + 4, "08b") for k in range(4, 252))


@pytest.mark.parametrize("code", [unary, elias_gamma, elias_delta])
def test_codes_of_the_integers_are_prefix_free(code):
    words = [code(n) for n in range(1, 200)]
    assert is_prefix_free(words)
    assert kraft_sum(words) < 1


def test_gammas_kraft_sum_over_the_first_powers_of_two_falls_short_of_1_by_what_is_left():
    """2^k numbers of k + 1 digits with 2 k + 1 bits each: 1/2 + 1/4 + ..."""
    assert kraft_sum([elias_gamma(n) for n in range(1, 2**7)]) == 1 - Fraction(1, 2**7)


@pytest.mark.parametrize(
    ("n", "gamma", "delta"),
    [(1, "0", "0"), (2, "100", "1000"), (3, "101", "1001"), (4, "11000", "10100"), (17, "111100001", "110010001")],
)
def test_elias_words_by_hand(n, gamma, delta):
    assert elias_gamma(n) == gamma
    assert elias_delta(n) == delta


@given(st.lists(bit_strings, max_size=12))
def test_prefix_freeness_agrees_with_comparing_all_pairs(words):
    expected = not any(i != j and b.startswith(a) for i, a in enumerate(words) for j, b in enumerate(words))
    assert is_prefix_free(words) == expected


@given(st.lists(bit_strings, max_size=12).filter(is_prefix_free))
def test_krafts_inequality(words):
    assert kraft_sum(words) <= 1


@given(st.integers(1, 40), bit_strings, st.data())
def test_a_pair_is_taken_apart_into_machine_and_program(items, program, data):
    words = complete_code(items)
    i = data.draw(st.integers(0, items - 1))
    assert unpair(words, pair(words[i], program)) == (i, program)
    assert unpair(words, pair_as_in_footnote(words[i], program)) == (i, self_delimiting(program))


def test_pairs_of_prefix_free_programs_are_prefix_free_and_keep_the_kraft_sum():
    words, programs = complete_code(5), ["0", "10", "11"]
    pairs = [pair(word, program) for word in words for program in programs]
    assert is_prefix_free(pairs)
    assert kraft_sum(pairs) == 1


def test_no_machine_is_named_by_too_few_bits():
    assert unpair(complete_code(4), "1") is None


@pytest.mark.parametrize(
    "wrong", [lambda: require_bit_string("01a"), lambda: list(strings(-1)), lambda: elias_gamma(0), lambda: unary(-1)]
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
