"""Signals: what else of the past contexts may look at, beside tokens. To add one, name it and write it in `read_token`.

    follower_1       what followed the last token when it came before: the last such token ...
    followers_1      ... and the last two
    follower_2       the same for the last two tokens together ...
    followers_2      ... and the last two
    segment          a hash of the tokens since the last segment ended
    segment_1        a hash of the segment before ...
    segment_2        ... and of the one before that
    expected         what followed the longest match of the first matcher, V if there is none

A token ends a segment if what follows it is clearly more uncertain than tokens are on average: its mean cost, by what
the experts charge, is more than `SURPRISE` times the mean cost of all (a statistic of branching, as in Harris 1955,
From phoneme to morpheme). What a letter or a line is, nobody says.

A matcher follows the latest earlier place whose last tokens, `MATCH_LENGTHS` of them at least, are those of now.

Limits: matches reach back `RING` tokens; hashes of 16 bits may lead to another place, so lengths are counted anew.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.hashing import hash_of_two, scramble
from up.model.mixing.vocabulary import as_tokens, digits_of

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
        vocabulary_size: V, number of tokens.
        digits: of a token.
        past: ring of the last tokens.
        values: of the signals.
        lengths: of the matches, 0 where there is none.
        places: position of the token that each match expects.
        found: by matcher and hash of the last tokens, the position after them, 0 where they never came.
        after_token: the last two tokens that followed each token.
        after_pair: the same for two tokens, or for a hash of them.
        surprise: by token, the mean cost of what follows it; last, the mean cost of all.
        seen: by token, how often that was measured, up to 64.

    """

    vocabulary_size: int
    digits: int
    past: NDArray[Any]
    values: NDArray[np.int64]
    lengths: NDArray[np.int64]
    places: NDArray[np.int64]
    found: NDArray[np.int64]
    after_token: NDArray[np.int64]
    after_pair: NDArray[np.int64]
    surprise: NDArray[np.float64]
    seen: NDArray[np.float64]


def new_memory(vocabulary_size: int) -> Memory:
    """Return the memory of no tokens."""
    matchers, digits = len(MATCH_LENGTHS), digits_of(vocabulary_size)
    memory = Memory(
        vocabulary_size=vocabulary_size,
        digits=digits,
        past=as_tokens(np.zeros(RING, np.int64), vocabulary_size),
        values=np.zeros(len(SIGNALS), np.int64),
        lengths=np.zeros(matchers, np.int64),
        places=np.zeros(matchers, np.int64),
        found=np.zeros((matchers, _TABLE), np.int64),
        after_token=np.zeros(vocabulary_size, np.int64),
        after_pair=np.zeros(1 << min(2 * digits, 16), np.int64),
        surprise=np.zeros(vocabulary_size + 1),
        seen=np.zeros(vocabulary_size + 1),
    )
    forget(memory)
    return memory


def forget(memory: Memory) -> None:
    """Return to no tokens."""
    for part in memory:
        if isinstance(part, np.ndarray):
            part[...] = 0
    memory.values[SIGNALS.index("expected")] = memory.vocabulary_size


def read_token(memory: Memory, position: int, token: int, cost: float) -> None:
    """Take a token in.

    Args:
        memory: of the tokens before.
        position: number of tokens before.
        token: the new one.
        cost: what the experts charged for it, in bits.

    """
    past, values, digits = memory.past, memory.values, memory.digits
    one, two = (1 << digits) - 1, (1 << 2 * digits) - 1  # masks of the last token and of the last two
    last = int(past[(position - 1) & (RING - 1)]) if position > 0 else 0
    before = int(past[(position - 2) & (RING - 1)]) if position > 1 else 0
    past[position & (RING - 1)] = token

    if position > 0:
        memory.after_token[last] = (int(memory.after_token[last]) << digits | token) & two
    if position > 1:
        pair = pair_of(before, last, digits)
        memory.after_pair[pair] = (int(memory.after_pair[pair]) << digits | token) & two
    values[1], values[3] = memory.after_token[token], memory.after_pair[pair_of(last, token, digits)]
    values[0], values[2] = values[1] & one, values[3] & one

    for index in range(2):
        measured = last if index == 0 else memory.vocabulary_size
        memory.seen[measured] = min(memory.seen[measured] + 1.0, 1.0 / _RATE)
        memory.surprise[measured] += (cost - memory.surprise[measured]) / memory.seen[measured]
    if memory.seen[token] > 1.0 and memory.surprise[token] > SURPRISE * memory.surprise[memory.vocabulary_size]:
        values[6], values[5], values[4] = values[5], values[4], 0
    else:
        values[4] = scramble(int(values[4]), token)

    for matcher in range(len(MATCH_LENGTHS)):
        follow(memory, position + 1, token, matcher)
    values[7] = past[memory.places[0] & (RING - 1)] if memory.lengths[0] > 0 else memory.vocabulary_size


def pair_of(before: int, last: int, digits: int) -> int:
    """Return the number of two tokens: their digits where these are 16 at most, else a hash of 16 bits."""
    return before << digits | last if 2 * digits <= 16 else hash_of_two(before, last)


def follow(memory: Memory, position: int, token: int, matcher: int) -> None:
    """Go on with a match, or look for one; `position` counts the token."""
    past, least = memory.past, MATCH_LENGTHS[matcher]
    length, place = int(memory.lengths[matcher]), int(memory.places[matcher])
    if length > 0 and int(past[place & (RING - 1)]) == token:
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
