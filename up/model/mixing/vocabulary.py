"""Tokens as binary decisions: each is written in ceil(log2 V) digits, and predicted digit by digit from the highest on.

A vocabulary of V = 256 tokens, that of bytes, has eight digits. A token under way is held as `partial`: a one, then its
digits so far.

Where V is no power of two, some beginnings leave one way on, because every token with a 1 there would be V or more.
Such a digit is settled: it is 0, costs nothing, and nothing is learned from it. So what is no token has no mass, and
the probabilities of the V tokens sum to 1 (as in `up.evaluation.ctw`). The first digit of a token is never settled.

Shape suffixes: T tokens, N digits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from up.errors import InputError

BYTES = 256
LARGEST = 1 << 16


def digits_of(vocabulary_size: int) -> int:
    """Return how many binary digits a token is written in.

    >>> digits_of(2), digits_of(256), digits_of(257)
    (1, 8, 9)
    """
    return (vocabulary_size - 1).bit_length()


def is_open(token: int, shift: int, vocabulary_size: int) -> bool:
    """Return whether the digit of value 2^shift is to be decided, given those above it.

    Args:
        token: whose digits above that one count; those from it on may be any.
        shift: which digit.
        vocabulary_size: V.

    >>> [is_open(4, shift, 5) for shift in (2, 1, 0)]  # of five tokens, 4 is the only one that begins with a 1
    [True, False, False]
    """
    return ((token >> shift) | 1) << shift < vocabulary_size


def bits_so_far(partial: int) -> int:
    """Return how many digits of the token under way are known; `partial` is a one, then these."""
    bits = 0
    while partial >> (bits + 1) != 0:
        bits += 1
    return bits


def past_settled(partial: int, digits: int, vocabulary_size: int) -> int:
    """Return the token under way with all settled digits that come next.

    Args:
        partial: a one, then the digits so far.
        digits: of a token.
        vocabulary_size: V.

    >>> bin(past_settled(0b11, 3, 5)), bin(past_settled(0b10, 3, 5))
    ('0b1100', '0b10')
    """
    left = digits - bits_so_far(partial)
    while left > 0 and not is_open((partial << left) - (1 << digits), left - 1, vocabulary_size):
        partial, left = 2 * partial, left - 1
    return partial


def open_digits(tokens_T: NDArray[Any], vocabulary_size: int) -> NDArray[np.bool_]:
    """Return which digits of tokens are decided, of shape (T, N)."""
    shifts_N = np.arange(digits_of(vocabulary_size))[::-1]
    return ((tokens_T.astype(np.int64)[:, None] >> shifts_N) | 1) << shifts_N < vocabulary_size


def token_digits(tokens_T: NDArray[Any], vocabulary_size: int) -> NDArray[np.int64]:
    """Return the digits of tokens from the highest on, of shape (T, N)."""
    return (tokens_T.astype(np.int64)[:, None] >> np.arange(digits_of(vocabulary_size))[::-1]) & 1


def as_tokens(data: Any, vocabulary_size: int) -> NDArray[Any]:
    """Return tokens as the loops read them: bytes where 256 tokens are enough, else two bytes each.

    Args:
        data: `bytes`, or integers in any shape.
        vocabulary_size: V.

    Raises:
        InputError: no integers, or one that is no token.

    """
    tokens = np.frombuffer(data, np.uint8) if isinstance(data, bytes | bytearray | memoryview) else np.asarray(data)
    if tokens.size == 0:
        tokens = tokens.astype(np.uint8)
    if tokens.dtype.kind not in "ui":
        raise InputError("tokens are whole numbers", received=str(tokens.dtype), remedy="give an array of integers")
    if tokens.size and (vocabulary_size < BYTES or tokens.dtype != np.uint8):
        low, high = int(tokens.min()), int(tokens.max())
        if low < 0 or high >= vocabulary_size:
            raise InputError(
                "a token lies outside the vocabulary",
                received=low if low < 0 else high,
                remedy=f"use tokens from 0 to {vocabulary_size - 1:,}",
            )
    return tokens.astype(np.uint8 if vocabulary_size <= BYTES else np.uint16, copy=False)
