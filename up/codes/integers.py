"""Integers as bits that are predicted by what came before: what quantised weights cost, and the file that holds them.

    q = 0?  sign?  class e = bits of |q|, in unary   the bits of |q| below its first, the first two of them predicted

A decision is predicted by how it fell in the same context before, with half an occurrence of each beforehand (the
estimator of Krichevsky and Trofimov): (n1 + 1/2) / (n + 1). So nothing about the frequencies has to be sent; the cost
of learning them is part of the length. That depends on the counts alone, not on their order, and is computed at once:

    sum over contexts of -log2 of  Gamma(n0 + 1/2) Gamma(n1 + 1/2) / (pi Gamma(n0 + n1 + 1))

`encode` makes the file with the coder of `up.coding.arithmetic`; it is as long as that sum within a few bytes. Source:
Krichevsky and Trofimov 1981; Wiedemann et al. 2020 (DeepCABAC) code weights so. Limits: |q| below 2^30; the file is
made in plain Python, 10,000 to 100,000 integers a second. Bits below the first three of |q| are sent as they are.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from up.coding.arithmetic import LOOKAHEAD, begin, decode_bit, encode_bit, last_bytes, new_ends, share_of

Integers = NDArray[np.int64]

_PREDICTED = 2
"""Bits after the first of |q| that are predicted."""
_MOST_CLASSES = 31
_ZERO, _SIGN, _CLASS = 0, 1, 2
_AFTER = _CLASS + _MOST_CLASSES
_CONTEXTS = _AFTER + (_MOST_CLASSES << _PREDICTED)
_HALF = -1
"""In place of a context: a bit that is sent as it is."""


def code_length_bits(values: Integers) -> float:
    """Return the length of the code of a sequence of integers, in bits.

    >>> code_length_bits(np.zeros(1000, np.int64)) < 7
    True
    """
    counts, plain = _counts(values)
    zeros, ones = counts.T
    nats = sum(
        math.lgamma(a + b + 1) - math.lgamma(a + 0.5) - math.lgamma(b + 0.5) + math.log(math.pi)
        for a, b in zip(zeros.tolist(), ones.tolist(), strict=True)
        if a + b
    )
    return nats / math.log(2) + plain


def encode(values: Integers) -> bytes:
    """Return the file that holds a sequence of integers, whose number is known to the reader."""
    ends, counts, code = new_ends(), np.zeros((_CONTEXTS, 2)), bytearray()
    room = bytearray(LOOKAHEAD)
    for value in values.tolist():
        for context, bit in _decisions(value):
            written = encode_bit(ends, _share(counts, context), bit, room, 0)
            code += room[:written]
            if context != _HALF:
                counts[context, bit] += 1
    return bytes(code) + last_bytes(ends)


def decode(file: bytes, size: int) -> Integers:
    """Return the `size` integers that `encode` was given."""
    ends, counts = new_ends(), np.zeros((_CONTEXTS, 2))
    code = file + bytes(2 * LOOKAHEAD)
    place = begin(ends, code)

    def next_bit(context: int) -> int:
        nonlocal place, code
        if place + LOOKAHEAD > len(code):
            code += bytes(1 << 10)
        bit, place = decode_bit(ends, _share(counts, context), code, place)
        if context != _HALF:
            counts[context, bit] += 1
        return bit

    return np.array([_read(next_bit) for _ in range(size)], np.int64)


def _share(counts: NDArray[np.float64], context: int) -> int:
    if context == _HALF:
        return share_of(0.5)
    zeros, ones = counts[context]
    return share_of((ones + 0.5) / (zeros + ones + 1))


def _decisions(value: int) -> Iterator[tuple[int, int]]:
    """Yield the context and the bit of each decision about an integer."""
    yield _ZERO, int(value == 0)
    if not value:
        return
    yield _SIGN, int(value < 0)
    size = abs(value)
    bits = size.bit_length()
    for shorter in range(1, bits):
        yield _CLASS + shorter, 1
    yield _CLASS + bits, 0
    node = 1
    for place in reversed(range(bits - 1)):
        bit = size >> place & 1
        if bits - 1 - place <= _PREDICTED:
            yield _AFTER + (bits << _PREDICTED) + node, bit
            node = 2 * node + bit
        else:
            yield _HALF, bit


def _read(next_bit: Callable[[int], int]) -> int:
    if next_bit(_ZERO):
        return 0
    sign = -1 if next_bit(_SIGN) else 1
    bits = 1
    while next_bit(_CLASS + bits):
        bits += 1
    size = node = 1
    for done in range(bits - 1):
        predicted = done < _PREDICTED
        bit = next_bit(_AFTER + (bits << _PREDICTED) + node if predicted else _HALF)
        size = 2 * size + bit
        node = 2 * node + bit if predicted else node
    return sign * size


def _counts(values: Integers) -> tuple[NDArray[np.int64], int]:
    """Return how often each decision fell how, (contexts, 2), and how many bits are sent as they are."""
    counts = np.zeros((_CONTEXTS, 2), np.int64)
    size_N = np.abs(values[values != 0])
    counts[_ZERO] = size_N.size, values.size - size_N.size
    negative = int((values < 0).sum())
    counts[_SIGN] = size_N.size - negative, negative
    bits_N = np.frexp(size_N.astype(np.float64))[1]  # exact for integers below 2^53
    plain = int(np.maximum(bits_N - 1 - _PREDICTED, 0).sum())
    for bits in range(1, int(bits_N.max(initial=0)) + 1):
        own = size_N[bits_N == bits]
        counts[_CLASS + bits] = own.size, int((bits_N > bits).sum())
        node_N = np.ones_like(own)
        for place in range(bits - 2, max(bits - 2 - _PREDICTED, -1), -1):
            bit_N = own >> place & 1
            np.add.at(counts, (_AFTER + (bits << _PREDICTED) + node_N, bit_N), 1)
            node_N = 2 * node_N + bit_N
    return counts, plain
