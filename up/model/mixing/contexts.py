"""Contexts: what of the past an expert looks at. To add one, add it to a family.

A context looks at some of the last tokens, at each as a whole or, of bytes, through a mask at some of its bits; and at
signals, which say more about the past (`signals`). Orders look at the last n tokens, skip contexts leave some out. Each
context has a name, a hash of what it sees, that is made once a token; a place before the first token is seen as a
symbol of its own. A match context sees how long the match of a matcher is, and which digit it expects; it is silent
without a match and once the token has contradicted it. Kinds of contexts: Mahoney, Data compression explained, section
4.3.

Limits: nothing here knows text, a format or an alphabet. A context sees at most `REACH` tokens back.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.hashing import scramble
from up.model.mixing.signals import RING, SIGNALS, Memory, length_class
from up.model.mixing.vocabulary import BYTES, digits_of

REACH = 24
WHOLE = 0xFF


@dataclasses.dataclass(frozen=True)
class Context:
    """A set of earlier tokens; (3, 0xF0) in `views` is the token three back through that mask, `WHOLE` is all of it.

    Attributes:
        views: pairs of distance back, 1 to `REACH`, and mask.
        signals: names of signals.
        matcher: index of the matcher whose length is seen, None for no match context.

    """

    views: tuple[tuple[int, int], ...] = ()
    signals: tuple[str, ...] = ()
    matcher: int | None = None


def order(length: int) -> Context:
    """Return the context of the last `length` tokens."""
    return lags(*range(1, length + 1))


def lags(*distances: int) -> Context:
    """Return the context of the tokens at these distances back."""
    return Context(tuple((distance, WHOLE) for distance in distances))


def masked(mask: int, length: int, *, whole: int = 0) -> Context:
    """Return the context of the last `length` bytes through a mask, the last `whole` of them without it."""
    return Context(tuple((distance, WHOLE if distance <= whole else mask) for distance in range(1, length + 1)))


def signalled(*signals: str, whole: int = 0) -> Context:
    """Return the context of signals, and of the last `whole` tokens."""
    return Context(order(whole).views, signals)


FAMILIES = {
    "orders": tuple(order(length) for length in (0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 24)),
    "skips": (
        *(lags(distance) for distance in (2, 3, 4)),
        *(lags(2, 3), lags(2, 4), lags(3, 4), lags(1, 3), lags(1, 4)),
        *(lags(2, 3, 4), lags(1, 2, 4), lags(1, 3, 4)),
    ),
    "matches": (Context(matcher=0), Context(matcher=1), signalled("expected"), signalled("expected", whole=1)),
    "followers": (
        *(signalled("follower_1", whole=1), signalled("followers_1", whole=1), signalled("followers_1")),
        *(signalled("follower_2", whole=2), signalled("followers_2", whole=1), signalled("followers_2", whole=2)),
    ),
    "masks": (
        *(masked(0xF0, 3), masked(0xF0, 4), masked(0xF0, 6), masked(0xE0, 4), masked(0xE0, 6), masked(0xE0, 10)),
        *(masked(0xF0, 3, whole=1), masked(0xF0, 5, whole=1), masked(0xE0, 4, whole=1), masked(0xE0, 7, whole=2)),
    ),
    "segments": (
        *(signalled("segment"), signalled("segment", "segment_1"), signalled("segment", "segment_2")),
        *(signalled("segment", "segment_1", "segment_2"), signalled("segment_1", whole=1)),
        signalled("segment_1", whole=2),
    ),
}
"""Contexts by the kind of what they see."""


def contexts_of(families: Iterable[str], vocabulary_size: int = BYTES) -> tuple[Context, ...]:
    """Return the contexts of some families, in the order of these; those of parts of bytes only where tokens are bytes.

    >>> len(contexts_of(FAMILIES)), len(contexts_of(FAMILIES, 300))
    (48, 38)
    """
    found = tuple(context for family in families for context in FAMILIES[family])
    is_bytes = vocabulary_size == BYTES
    return tuple(context for context in found if is_bytes or all(mask == WHOLE for _, mask in context.views))


def context_table(contexts: tuple[Context, ...], vocabulary_size: int = BYTES) -> NDArray[np.int64]:
    """Return what each context sees, of shape (contexts, REACH + signals + 1).

    At [k, d - 1] stands the mask of the token d back, 0 where it is not looked at; after these, 1 for each signal that
    is looked at; last, the matcher, -1 where there is none.
    """
    table = np.zeros((len(contexts), REACH + len(SIGNALS) + 1), np.int64)
    for row, context in enumerate(contexts):
        for distance, mask in context.views:
            table[row, distance - 1] = (1 << digits_of(vocabulary_size)) - 1 if mask == WHOLE else mask
        for signal in context.signals:
            table[row, REACH + SIGNALS.index(signal)] = 1
        table[row, -1] = -1 if context.matcher is None else context.matcher
    return table


def name_contexts(memory: Memory, position: int, table: Any, names: Any) -> None:
    """Write the names of all contexts.

    Args:
        memory: of the tokens so far.
        position: how many these are.
        table: of `context_table`.
        names: receives the names; -1 for a match context without a match.

    """
    for k in range(len(names)):
        name = scramble((k + 1) << 40, 0)
        for distance in range(1, REACH + 1):
            mask = int(table[k, distance - 1])
            if mask != 0:
                back = int(memory.past[(position - distance) & (RING - 1)]) & mask
                name = scramble(name, back if distance <= position else memory.vocabulary_size)
        for signal in range(len(memory.values)):
            if table[k, REACH + signal] != 0:
                name = scramble(name, int(memory.values[signal]))
        matcher = int(table[k, REACH + len(memory.values)])
        if matcher >= 0:
            length = int(memory.lengths[matcher])
            name = scramble(name, length_class(length)) if length > 0 else -1
        names[k] = name
