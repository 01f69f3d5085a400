"""Strings, prefix codes and Kraft sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import bit_strings
from theory.errors import InputError
from theory.numbers.bit_strings import complete_code, is_prefix_free, kraft_sum, require_bit_string, strings


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


@given(st.lists(bit_strings, max_size=12))
def test_prefix_freeness_agrees_with_comparing_all_pairs(words):
    expected = not any(i != j and b.startswith(a) for i, a in enumerate(words) for j, b in enumerate(words))
    assert is_prefix_free(words) == expected


@given(st.lists(bit_strings, max_size=12).filter(is_prefix_free))
def test_krafts_inequality(words):
    assert kraft_sum(words) <= 1


@pytest.mark.parametrize(
    "wrong", [lambda: require_bit_string("01a"), lambda: list(strings(-1)), lambda: complete_code(0)]
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
