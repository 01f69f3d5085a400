"""Slots: what is remembered of a context. To add a statistic, give it bits of the word here and write `learn_bit`.

A token is decided digit by digit (`vocabulary`), and each decision in each context has a slot, found by a hash of the
context's name and of the digits so far. A slot is one word of 63 bits:

    bits  0-7    history: a one, then the last bits, up to 7; 0: the slot is free
    bits  8-15   n0, how often a 0 came, up to 255 ...
    bits 16-23   n1, ... and a 1; when a bit contradicts, the other count is halved if it is above 2
    bits 24-31   run, how often the last bit has come without the other, up to 255
    bits 32-45   recency: the share of ones, times 16,383, in an average that forgets at rate 1/4
    bits 46-62   check: part of the hash, so that another context is seldom taken for this one

Nonstationary counts and bit histories: Mahoney 2005, Adaptive weighing of context models for lossless data compression.
The table has buckets of four slots, 32 bytes. Where a bucket is full, the slot with the smallest n0 + n1 gives way.

Limits: two contexts of one bucket are confused with probability 2^-17.
"""

from typing import Any

from up.model.mixing.hashing import scramble

BUCKET = 4
SHARES = 1 << 14
MAX_COUNT = 255
_CHECK, _CHECK_BITS = 46, 17
_NEW = 1


def slot_key(name: int, partial: int) -> int:
    """Return the hash of a context's name and of a one followed by the token's digits so far."""
    return scramble(name, partial)


def find_slot(slots: Any, key: int) -> int:
    """Return the index of the key's slot, -1 if it has none."""
    first = BUCKET * ((key >> _CHECK_BITS) & (len(slots) // BUCKET - 1))
    check = key & ((1 << _CHECK_BITS) - 1)
    for place in range(first, first + BUCKET):
        word = int(slots[place])
        if word != 0 and word >> _CHECK == check:
            return place
    return -1


def give_slot(slots: Any, key: int) -> int:
    """Return the index of the slot to write a new key to: one that is free, else the least confident of its bucket."""
    first = BUCKET * ((key >> _CHECK_BITS) & (len(slots) // BUCKET - 1))
    chosen, least = first, 2 * MAX_COUNT + 1
    for place in range(first, first + BUCKET):
        word = int(slots[place])
        confidence = ((word >> 8) & 255) + ((word >> 16) & 255) if word != 0 else -1
        if confidence < least:
            chosen, least = place, confidence
    return chosen


def new_word(key: int) -> int:
    """Return the word of a slot that has seen nothing."""
    return (key & ((1 << _CHECK_BITS) - 1)) << _CHECK | _NEW


def learn_bit(word: int, bit: int) -> int:
    """Return the word after one more bit."""
    history, run, share = word & 255, (word >> 24) & 255, (word >> 32) & (SHARES - 1)
    last = history & 1 if history > 1 else bit
    same, other = (word >> (16 if bit else 8)) & 255, (word >> (8 if bit else 16)) & 255
    same = min(same + 1, MAX_COUNT)
    other = other // 2 if other > 2 else other
    run = min(run + 1, MAX_COUNT) if last == bit else 1
    if history == 1:
        share = (5 * SHARES) // 8 if bit else SHARES - 1 - (5 * SHARES) // 8
    elif bit:
        share += (SHARES - 1 - share) >> 2
    else:
        share -= share >> 2
    history = 2 * history + bit
    if history > 255:
        history = 128 | history & 127
    counts = other << 8 | same << 16 if bit else same << 8 | other << 16
    return word >> _CHECK << _CHECK | share << 32 | run << 24 | counts | history
