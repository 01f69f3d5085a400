"""Arithmetic coding of bits: a bit of probability p takes -log2 p bits of code, and a fraction adds up.

    [low, high]     all codes that are still possible, integers of 48 bits
    a 1 keeps the lower part, of which its share is its probability; a 0 the rest
    leading bytes that both ends share are written, and the ends move up by as many

The coder is that of lpaq (Mahoney 2005; Data compression explained, section 3.2), carry-free, with 48 bits instead of
32: since the ends may lie close together around the place where a leading byte changes, 32 bits would leave too little
room to tell a probability of 2^-16 from one beside it. A share is a whole number of 2^-30.

All of it is integers below 2^63, so that it is the same compiled and plain. Every function runs in both ways.

Limits: a bit takes at most `WIDTH` bits of code, and one that is charged less than 2^-30 of a bit takes that.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 48
SHARE_BITS = 30
LOOKAHEAD = WIDTH // 8
"""Bytes of code that a decoder has read beyond those that it is done with; a bit moves it on by at most as many."""

_SHARES = 1 << SHARE_BITS
_MASK = (1 << WIDTH) - 1
_LEADING = WIDTH - 8
LOW, HIGH, VALUE = 0, 1, 2


def new_ends() -> NDArray[np.int64]:
    """Return the ends before the first bit: low, high, and for a decoder the code between them."""
    return np.array([0, _MASK, 0])


def share_of(probability: float) -> int:
    """Return a probability as a share, from 1 to 2^30 - 1.

    >>> share_of(0.5) == 1 << 29, share_of(0.0), share_of(2.0**-16)
    (True, 1, 16384)
    """
    return min(max(int(probability * _SHARES + 0.5), 1), _SHARES - 1)


def split(low: int, high: int, share: int) -> int:
    """Return the last code of the lower part, which has this share; neither part is empty.

    >>> split(0, 9, 1 << 29), split(4, 5, 1)
    (4, 4)
    """
    width = high - low
    return low + (width >> SHARE_BITS) * share + (((width & (_SHARES - 1)) * share) >> SHARE_BITS)


def encode_bit(ends: Any, share: int, bit: int, code: Any, place: int) -> int:
    """Encode a bit, and return the place in the code after what was written.

    Args:
        ends: of `new_ends`.
        share: of a 1.
        bit: 0 or 1.
        code: receives up to `LOOKAHEAD` bytes.
        place: of the first.

    """
    low, high = int(ends[LOW]), int(ends[HIGH])
    middle = split(low, high, share)
    if bit == 1:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) >> _LEADING == 0:
        code[place] = high >> _LEADING
        place += 1
        low, high = (low << 8) & _MASK, ((high << 8) & _MASK) | 255
    ends[LOW], ends[HIGH] = low, high
    return place


def decode_bit(ends: Any, share: int, code: Any, place: int) -> tuple[int, int]:
    """Return the bit that was encoded with this share, and the place in the code of what is read next.

    Args:
        ends: of `new_ends`, after `begin`.
        share: of a 1.
        code: of which up to `LOOKAHEAD` bytes are read.
        place: of the first.

    """
    low, high, value = int(ends[LOW]), int(ends[HIGH]), int(ends[VALUE])
    middle = split(low, high, share)
    bit = 1 if value <= middle else 0
    if bit == 1:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) >> _LEADING == 0:
        low, high = (low << 8) & _MASK, ((high << 8) & _MASK) | 255
        value = ((value << 8) & _MASK) | int(code[place])
        place += 1
    ends[LOW], ends[HIGH], ends[VALUE] = low, high, value
    return bit, place


def begin(ends: Any, code: Any) -> int:
    """Read the first bytes of a code, and return the place of the next."""
    ends[VALUE] = 0
    for place in range(LOOKAHEAD):
        ends[VALUE] = (int(ends[VALUE]) << 8) | int(code[place])
    return LOOKAHEAD


def last_bytes(ends: NDArray[np.int64]) -> bytes:
    r"""Return the shortest bytes that end a code: whatever follows them, it lies between the ends.

    >>> last_bytes(new_ends()), last_bytes(np.array([1, _MASK]))
    (b'', b'\x01')
    """
    low, high = int(ends[LOW]), int(ends[HIGH])
    for count in range(LOOKAHEAD):
        unit = 1 << (WIDTH - 8 * count)
        first = -(-low // unit)
        if (first + 1) * unit - 1 <= high:
            return first.to_bytes(count, "big")
    return low.to_bytes(LOOKAHEAD, "big")
