"""Surprise along a file, in memory that does not grow with it: the bits of up to `CAPACITY` pieces of equal length.

A piece is one byte long at first. When all pieces are full, neighbours are merged and a piece is twice as long, so the
length of the file need not be known beforehand. Bits are added as whole multiples of `UNIT`, so sums are the same
however the file was cut into chunks.

Limits: each byte's bits are off by at most half a `UNIT`. Where pieces are asked for that do not end where those in
memory do, the bits of the latter are taken to be evenly spread.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

CAPACITY = 1024  # even
UNIT = 2.0**-32  # bits


@dataclasses.dataclass(kw_only=True)
class Surprise:
    """Bits along what was read so far.

    Attributes:
        size_bytes: bytes read.
        piece_bytes: length of a piece but for the last one, a power of two.
        units: sum of each piece, in multiples of `UNIT`; at most `CAPACITY` of them.

    """

    size_bytes: int = 0
    piece_bytes: int = 1
    units: list[int] = dataclasses.field(default_factory=list[int])

    def add(self, bits_N: NDArray[np.float64]) -> None:
        """Add the bits of the next bytes, of which there may be any number."""
        while self.size_bytes + len(bits_N) > CAPACITY * self.piece_bytes:
            self.units = [sum(self.units[place : place + 2]) for place in range(0, len(self.units), 2)]
            self.piece_bytes *= 2
        places_N = (self.size_bytes + np.arange(len(bits_N))) // self.piece_bytes
        pieces, starts = np.unique(places_N, return_index=True)
        units_N = np.rint(bits_N / UNIT).astype(np.int64)
        self.units += [0] * (CAPACITY - len(self.units))
        for piece, units in zip(pieces.tolist(), np.add.reduceat(units_N, starts).tolist(), strict=True):
            self.units[piece] += units
        self.size_bytes += len(bits_N)
        del self.units[-(-self.size_bytes // self.piece_bytes) :]

    @property
    def bits_per_byte(self) -> float:
        """Mean of all bytes; at least one has been read."""
        return sum(self.units) * UNIT / self.size_bytes

    def pieces(self, most: int) -> list[float]:
        """Return the mean bits per byte of `most` pieces of equal length, or of each byte where there are fewer."""
        count = min(most, self.size_bytes)
        ends = np.minimum(np.arange(len(self.units) + 1) * self.piece_bytes, self.size_bytes)
        before = np.cumsum([0, *(units * UNIT for units in self.units)])
        wanted = np.arange(count + 1) * self.size_bytes / count
        return (np.diff(np.interp(wanted, ends, before)) * count / self.size_bytes).tolist()
