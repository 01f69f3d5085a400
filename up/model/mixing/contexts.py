"""Contexts: what of the past an expert looks at. To add one, add a line to `CONTEXTS`.

A context looks at some of the last bytes, at each through a mask: all of its bits, or some. Orders look at the last n
bytes, skip contexts leave some out. Each context has a name, a hash of what it sees, that is made once a byte; a place
before the first byte is seen as a symbol of its own. Sparse contexts: Mahoney, Data compression explained, section 4.3.

Names are integers below 2^62. Their products are cut to 62 bits, so plain Python's whole numbers and a compiled
function's words of 64 bits are the same.

Limits: nothing here knows text, a format or an alphabet. A context sees at most `REACH` bytes back.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

REACH = 24
WHOLE = 0xFF
_MASK_62 = (1 << 62) - 1
_FACTOR = 0x2545F4914F6CDD1D & _MASK_62
_BEFORE = 256


@dataclasses.dataclass(frozen=True)
class Context:
    """A set of earlier bytes; (3, 0xF0) in `views` is the byte three back through the mask 0xF0.

    Attributes:
        views: pairs of distance back, 1 to `REACH`, and mask.

    """

    views: tuple[tuple[int, int], ...]


def order(length: int) -> Context:
    """Return the context of the last `length` bytes."""
    return lags(*range(1, length + 1))


def lags(*distances: int) -> Context:
    """Return the context of the bytes at these distances back."""
    return Context(tuple((distance, WHOLE) for distance in distances))


CONTEXTS = (
    *(order(length) for length in (0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 24)),
    *(lags(distance) for distance in (2, 3, 4)),
    *(lags(2, 3), lags(2, 4), lags(3, 4), lags(1, 3), lags(1, 4)),
    *(lags(2, 3, 4), lags(1, 2, 4), lags(1, 3, 4)),
)


def mask_table(contexts: tuple[Context, ...]) -> NDArray[np.int64]:
    """Return masks of shape (contexts, REACH): at [k, d - 1] that of the byte d back, 0 where it is not looked at."""
    masks_KD = np.zeros((len(contexts), REACH), np.int64)
    for row, context in enumerate(contexts):
        for distance, mask in context.views:
            masks_KD[row, distance - 1] = mask
    return masks_KD


def scramble(name: int, symbol: int) -> int:
    """Return the name of a context that is longer by a symbol."""
    name = ((name ^ (symbol + 1)) * _FACTOR) & _MASK_62
    return name ^ (name >> 31)


def name_contexts(past: Any, position: int, masks: Any, names: Any) -> None:
    """Write the names of all contexts.

    Args:
        past: ring of the last bytes, its length a power of two.
        position: bytes read; the last one is at `position - 1` of the ring.
        masks: of `mask_table`.
        names: receives the names.

    """
    ring = len(past) - 1
    for k in range(len(names)):
        name = scramble(k, 0)
        for distance in range(1, REACH + 1):
            mask = int(masks[k, distance - 1])
            if mask != 0:
                symbol = int(past[(position - distance) & ring]) & mask if distance <= position else _BEFORE
                name = scramble(name, symbol)
        names[k] = name
