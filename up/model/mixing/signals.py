"""Signals: what else of the past contexts may look at, beside bytes. To add one, name it and write it in `read_byte`.

    follower_1       what followed the last byte when it came before: the last such byte ...
    followers_1      ... and the last two
    follower_2       the same for the last two bytes together ...
    followers_2      ... and the last two
    segment          a hash of the bytes since the last segment ended
    segment_1        a hash of the segment before ...
    segment_2        ... and of the one before that
    expected         what followed the longest match of the first matcher, 256 if there is none

A byte ends a segment if what follows it is clearly more uncertain than bytes are on average: its mean cost, by what the
experts charge, is more than `SURPRISE` times the mean cost of all (a statistic of branching, as in Harris 1955, From
phoneme to morpheme). What a letter or a line is, nobody says.

A matcher follows the latest earlier place whose last bytes, `MATCH_LENGTHS` of them at least, are those of now.

Limits: matches reach back `RING` bytes; hashes of 16 bits may lead to another place, so lengths are counted anew.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.hashing import scramble

SIGNALS = (
    *("follower_1", "followers_1", "follower_2", "followers_2"),
    *("segment", "segment_1", "segment_2", "expected"),
)
MATCH_LENGTHS = (5, 12)
RING = 1 << 20
SURPRISE = 1.2
LENGTH_CLASSES = 33
_TABLE = 1 << 16
_LONGEST = 400
_RATE = 1.0 / 64.0


class Memory(NamedTuple):
    """Arrays that are changed in place.

    Attributes:
        past: ring of the last bytes.
        values: of the signals.
        lengths: of the matches, 0 where there is none.
        places: position of the byte that each match expects.
        found: by matcher and hash of the last bytes, the position after them, 0 where they never came.
        after_byte: the last two bytes that followed each byte.
        after_pair: the same for a hash of two bytes.
        surprise: by byte, the mean cost of what follows it; last, the mean cost of all.
        seen: by byte, how often that was measured, up to 64.

    """

    past: NDArray[np.uint8]
    values: NDArray[np.int64]
    lengths: NDArray[np.int64]
    places: NDArray[np.int64]
    found: NDArray[np.int64]
    after_byte: NDArray[np.int64]
    after_pair: NDArray[np.int64]
    surprise: NDArray[np.float64]
    seen: NDArray[np.float64]


def new_memory() -> Memory:
    """Return the memory of no bytes."""
    matchers = len(MATCH_LENGTHS)
    memory = Memory(
        past=np.zeros(RING, np.uint8),
        values=np.zeros(len(SIGNALS), np.int64),
        lengths=np.zeros(matchers, np.int64),
        places=np.zeros(matchers, np.int64),
        found=np.zeros((matchers, _TABLE), np.int64),
        after_byte=np.zeros(256, np.int64),
        after_pair=np.zeros(1 << 16, np.int64),
        surprise=np.zeros(257),
        seen=np.zeros(257),
    )
    memory.values[SIGNALS.index("expected")] = 256
    return memory


def forget(memory: Memory) -> None:
    """Return to no bytes."""
    for array in memory:
        array[...] = 0
    memory.values[SIGNALS.index("expected")] = 256


def read_byte(memory: Memory, position: int, byte: int, cost: float) -> None:
    """Take a byte in.

    Args:
        memory: of the bytes before.
        position: number of bytes before.
        byte: the new one.
        cost: what the experts charged for it, in bits.

    """
    past, values = memory.past, memory.values
    last = int(past[(position - 1) & (RING - 1)]) if position > 0 else 0
    before = int(past[(position - 2) & (RING - 1)]) if position > 1 else 0
    past[position & (RING - 1)] = byte

    if position > 0:
        memory.after_byte[last] = (int(memory.after_byte[last]) << 8 | byte) & 0xFFFF
    if position > 1:
        pair = before << 8 | last
        memory.after_pair[pair] = (int(memory.after_pair[pair]) << 8 | byte) & 0xFFFF
    values[1], values[3] = memory.after_byte[byte], memory.after_pair[last << 8 | byte]
    values[0], values[2] = values[1] & 255, values[3] & 255

    for index in range(2):
        measured = last if index == 0 else 256
        memory.seen[measured] = min(memory.seen[measured] + 1.0, 1.0 / _RATE)
        memory.surprise[measured] += (cost - memory.surprise[measured]) / memory.seen[measured]
    if memory.seen[byte] > 1.0 and memory.surprise[byte] > SURPRISE * memory.surprise[256]:
        values[6], values[5], values[4] = values[5], values[4], 0
    else:
        values[4] = scramble(int(values[4]), byte)

    for matcher in range(len(MATCH_LENGTHS)):
        follow(memory, position + 1, byte, matcher)
    values[7] = past[memory.places[0] & (RING - 1)] if memory.lengths[0] > 0 else 256


def follow(memory: Memory, position: int, byte: int, matcher: int) -> None:
    """Go on with a match, or look for one; `position` counts the byte."""
    past, least = memory.past, MATCH_LENGTHS[matcher]
    length, place = int(memory.lengths[matcher]), int(memory.places[matcher])
    if length > 0 and int(past[place & (RING - 1)]) == byte:
        length, place = min(length + 1, _LONGEST), place + 1
    else:
        length = 0
    if position >= least:
        name = 0
        for back in range(1, least + 1):
            name = scramble(name, int(past[(position - back) & (RING - 1)]))
        name &= _TABLE - 1
        if length == 0:
            place = int(memory.found[matcher, name])
            if place > 0 and position - place < RING - _LONGEST:
                while (
                    length < 32
                    and length < place
                    and past[(place - 1 - length) & (RING - 1)] == past[(position - 1 - length) & (RING - 1)]
                ):
                    length += 1
            if length < least:
                length = 0
        memory.found[matcher, name] = position
    memory.lengths[matcher], memory.places[matcher] = length, place


def length_class(length: int) -> int:
    """Return a class of match lengths, below `LENGTH_CLASSES`: each up to 16, then by eight, up to 32."""
    return length if length <= 16 else min(16 + (length - 16) // 8, 32)
