"""An arithmetic coder in exact fractions: all numbers that a code may still be, and nothing shifted out.

`ideal` splits the interval exactly. `rounded` splits it as a coder of 48 bits has to: at a multiple of the weight that
its last bit has after the leading bytes that both ends share; its code is to be that coder's, byte for byte.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

SHARES, WIDTH = 1 << 30, 48
Interval = tuple[Fraction, Fraction]  # from, and up to but without


def ideal(interval: Interval, share: int) -> Fraction:
    start, stop = interval
    return start + (stop - start) * Fraction(share, SHARES)


def rounded(interval: Interval, share: int) -> Fraction:
    start, stop = interval
    unit = Fraction(1, 1 << (WIDTH + 8 * shared_bytes(start, stop)))
    width = (stop - start) / unit - 1
    assert width.denominator == 1
    return start + (math.floor(width * share / SHARES) + 1) * unit


def shared_bytes(start: Fraction, stop: Fraction) -> int:
    """How many leading bytes all numbers of the interval have in common."""
    count = 0
    while math.floor(start * 256 ** (count + 1)) == math.ceil(stop * 256 ** (count + 1)) - 1:
        count += 1
    return count


def narrow(decisions: Sequence[tuple[int, int]], divide) -> Interval:
    """The interval after decisions, each the share of a 1 and the bit."""
    interval = Fraction(0), Fraction(1)
    for share, bit in decisions:
        middle = divide(interval, share)
        interval = (interval[0], middle) if bit else (middle, interval[1])
    return interval


def shortest(interval: Interval) -> bytes:
    """The shortest bytes which, whatever follows them, are the digits of a number in the interval."""
    start, stop = interval
    count = shared_bytes(start, stop)
    while True:
        first = math.ceil(start * 256**count)
        if Fraction(first + 1, 256**count) <= stop:
            return first.to_bytes(count, "big")
        count += 1


def decoded(code: bytes, shares: Sequence[int], divide) -> Iterator[int]:
    """The bits of a code."""
    number, interval = Fraction(int.from_bytes(code, "big"), 256 ** len(code)), (Fraction(0), Fraction(1))
    for share in shares:
        middle = divide(interval, share)
        bit = int(number < middle)
        interval = (interval[0], middle) if bit else (middle, interval[1])
        yield bit
