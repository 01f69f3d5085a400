"""The parts of a corpus, `training`, `validation` and `test`, and where one ends and the next begins.

A part is named behind a colon: `german:test`, `notes.txt:validation`. The published sets have splits of their own
(`up.data.real_sets`). Everything else, a file of the user's too, is split in proportion: the first 90 % of its bytes
are for training, the next 5 % for validation, the last 5 % for test, as enwik8 is split. Both bounds are rounded down,
so a character of several bytes may be cut.

Limits: neighbouring parts touch, so what a text says twice in one place may stand on both sides of a bound.
"""

import numpy as np
import numpy.typing as npt

PARTS = ("training", "validation", "test")

Bounds = tuple[int, int]
"""Where training ends and validation begins, and where validation ends and the test part begins: bytes."""


def name_and_part(text: str) -> tuple[str, str | None]:
    """Cut the part off a name.

    >>> name_and_part("german:test"), name_and_part("german"), name_and_part("C:/notes.txt")
    (('german', 'test'), ('german', None), ('C:/notes.txt', None))
    """
    name, _, part = text.rpartition(":")
    return (name, part) if name and part in PARTS else (text, None)


def proportional_bounds(size_bytes: int) -> Bounds:
    """Return 90 % and 95 % of a number of bytes, rounded down.

    >>> proportional_bounds(100_000_000)
    (90000000, 95000000)
    """
    return size_bytes * 90 // 100, size_bytes * 95 // 100


def bounds_in_characters(data: npt.NDArray[np.uint8], training: int, validation: int) -> Bounds:
    """Return the bounds in bytes of a split that counts characters.

    Args:
        data: UTF-8, uint8 of shape (size_bytes,).
        training: characters for training.
        validation: those for validation; at least one more is left for the test part.

    """
    starts = np.flatnonzero(data & 0xC0 != 0x80)  # of characters: all other bytes continue one
    return int(starts[training]), int(starts[training + validation])


def slice_of(part: str, size_bytes: int, bounds: Bounds) -> slice:
    """Return where a part lies among the bytes of the whole.

    >>> slice_of("validation", 100, (90, 95))
    slice(90, 95, None)
    """
    edges = (0, *bounds, size_bytes)
    place = PARTS.index(part)
    return slice(edges[place], edges[place + 1])
