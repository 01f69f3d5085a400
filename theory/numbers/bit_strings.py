"""Bit strings, prefix-free codes and Kraft sums: the alphabet in which the theory is written.

A string is a Python `str` of "0" and "1". A code is prefix-free when no word is the start of another; then a reader who
takes one bit at a time knows where a word ends, and by Kraft's inequality the sum of 2^-|word| is at most 1. It is
complete when the sum is 1. Source: Bloem 2025 (arXiv 2506.20057), section 2.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from theory.errors import InputError

BitString = str


def strings_of_length(length: int) -> Iterator[BitString]:
    """Yield the 2^length strings of one length in lexicographic order; the empty string for length 0."""
    for value in range(1 << length):
        yield format(value, f"0{length}b") if length else ""


def strings(max_length: int) -> Iterator[BitString]:
    """Yield every string of at most `max_length` bits, short ones first, then in lexicographic order.

    >>> list(strings(2))
    ['', '0', '1', '00', '01', '10', '11']
    """
    if max_length < 0:
        raise InputError("a length is not negative", received=max_length, remedy="give 0 or more")
    for length in range(max_length + 1):
        yield from strings_of_length(length)


def require_bit_string(text: str) -> BitString:
    """Return `text` if it is a bit string.

    Raises:
        InputError: a character other than 0 and 1.

    """
    if text.strip("01"):  # what is left begins with another character
        raise InputError("a bit string has only the characters 0 and 1", received=text, remedy="give e.g. 0110")
    return text


def shown(x: BitString) -> str:
    """Return a string as it is printed: ε for the empty one."""
    return x or "ε"


def is_prefix_free(words: Sequence[BitString]) -> bool:
    """Return whether no word is the start of another; in sorted order an offender would follow directly.

    >>> is_prefix_free(["0", "10", "11"]), is_prefix_free(["0", "01"])
    (True, False)
    """
    in_order = sorted(words)
    return not any(later.startswith(word) for word, later in pairwise(in_order))


def kraft_sum(words: Sequence[BitString]) -> Fraction:
    """Return the sum of 2^-|word|: the probability that fair coin flips spell out one of the words.

    >>> kraft_sum(["0", "10", "11"])
    Fraction(1, 1)
    """
    return sum((Fraction(1, 1 << len(word)) for word in words), Fraction(0))


def complete_code(items: int) -> tuple[BitString, ...]:
    """Return a complete prefix code for `items` things, of words as equal in length as can be (truncated binary).

    With k = floor(log2 items), the first 2^(k+1) - items words have k bits and the others k + 1.

    >>> complete_code(3)
    ('0', '10', '11')

    Raises:
        InputError: nothing to code.

    """
    if items < 1:
        raise InputError("a code is for one thing or more", received=items, remedy="give 1 or more")
    k = items.bit_length() - 1
    short = (1 << (k + 1)) - items
    first = [format(i, f"0{k}b") if k else "" for i in range(short)]
    return (*first, *(format(i + short, f"0{k + 1}b") for i in range(short, items)))
