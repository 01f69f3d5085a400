"""The result of a zero-shot evaluation: one row for each corpus, a model beside its baselines.

Shape suffixes: N slices, T tokens in a slice.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from up.evaluation.markov import MarkovModel

UNIFORM_BITS = 8.0  # log2 of the 256 byte values


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MarkovBaseline:
    """What an in-context Markov model charges on the slices of a corpus.

    Attributes:
        symbols: V, over which it smooths.
        model: order and smoothing, the best there are for this V.
        bits_T: its mean bits at each position, the first included.

    """

    symbols: int
    model: MarkovModel
    bits_T: npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PositionBits:
    """Bits per character over a range of positions in the context.

    Attributes:
        first_position: characters that precede the first predicted character of the range.
        last_position: characters that precede the last one, inclusive.
        bits: mean of the model, bits per character.
        stderr: standard error of the mean, bits; the slice is the unit, since positions in a slice are correlated.
        markov_bits: mean of the Markov model over the symbols of the corpus, bits per character.

    """

    first_position: int
    last_position: int
    bits: float
    stderr: float
    markov_bits: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """One corpus: the model beside its baselines, all in bits per character.

    Attributes:
        data: name of the corpus.
        source: what the corpus is made of.
        size_bytes: length of the corpus; None for rows of a source, which are drawn anew.
        sha256: of its bytes, in hexadecimal; None likewise.
        samples: N, number of slices.
        context_length: tokens in a slice.
        bits: mean over the last character of each slice, the protocol of section 6.1.
        stderr: its standard error.
        tail_bits: mean over the last `tail_positions` characters of each slice.
        tail_stderr: its standard error over slices.
        tail_positions: characters in the tail.
        uniform_bits: what a uniform code charges.
        symbols: byte values that occur in the corpus.
        markov_bits: the in-context Markov model over these symbols, the bar, on the last characters of the same slices.
        markov_tail_bits: the same on the tails.
        markov_order: its order, chosen on the tails.
        markov_smoothing: its Laplace smoothing, chosen on the tails.
        markov256_bits: the in-context Markov model over all 256 byte values, with an order and smoothing of its own, on
            the last characters.
        markov256_tail_bits: the same on the tails.
        positions: all positions in octaves of the context, 1, 2-3, 4-7 and so on.

    """

    data: str
    source: str
    size_bytes: int | None = None
    sha256: str | None = None
    samples: int
    context_length: int
    bits: float
    stderr: float
    tail_bits: float
    tail_stderr: float
    tail_positions: int
    uniform_bits: float
    symbols: int
    markov_bits: float
    markov_tail_bits: float
    markov_order: int
    markov_smoothing: float
    markov256_bits: float
    markov256_tail_bits: float
    positions: tuple[PositionBits, ...]

    @property
    def identity(self) -> str:
        """What tells this text from any other, whatever it is called: its SHA-256; of a source, what it is made of."""
        return self.sha256 or self.source


def octaves(length: int) -> tuple[tuple[int, int], ...]:
    """Split the positions 1 to length - 1 into ranges that double, both ends inclusive.

    >>> octaves(10)
    ((1, 1), (2, 3), (4, 7), (8, 9))
    """
    starts = [1 << exponent for exponent in range((length - 1).bit_length())]
    return tuple((start, min(2 * start, length) - 1) for start in starts)


def summarise(
    bits_NT: npt.NDArray[np.float32],
    *,
    data: str,
    source: str,
    markov: MarkovBaseline,
    markov256: MarkovBaseline,
    tail_positions: int,
    size_bytes: int | None = None,
    sha256: str | None = None,
) -> EvaluationRow:
    """Average a model's bits over slices.

    Args:
        bits_NT: the model's bits at positions 1 to T-1 of every slice; column t-1 belongs to position t.
        data: name of the corpus.
        source: what the corpus is made of.
        markov: the Markov model over the symbols of the corpus.
        markov256: that over all byte values.
        tail_positions: characters in the tail, below T.
        size_bytes: length of the corpus.
        sha256: of its bytes.

    """
    context_length = bits_NT.shape[1] + 1
    assert markov.bits_T.shape == markov256.bits_T.shape == (context_length,)
    assert tail_positions < context_length
    bits, stderr = _mean_over_slices(bits_NT[:, -1:])
    tail_bits, tail_stderr = _mean_over_slices(bits_NT[:, -tail_positions:])
    positions = []
    for first, last in octaves(context_length):
        range_bits, range_stderr = _mean_over_slices(bits_NT[:, first - 1 : last])
        positions.append(
            PositionBits(
                first_position=first,
                last_position=last,
                bits=range_bits,
                stderr=range_stderr,
                markov_bits=float(markov.bits_T[first : last + 1].mean()),
            )
        )
    return EvaluationRow(
        data=data,
        source=source,
        size_bytes=size_bytes,
        sha256=sha256,
        samples=len(bits_NT),
        context_length=context_length,
        bits=bits,
        stderr=stderr,
        tail_bits=tail_bits,
        tail_stderr=tail_stderr,
        tail_positions=tail_positions,
        uniform_bits=UNIFORM_BITS,
        symbols=markov.symbols,
        markov_bits=float(markov.bits_T[-1]),
        markov_tail_bits=float(markov.bits_T[-tail_positions:].mean()),
        markov_order=markov.model.order,
        markov_smoothing=markov.model.smoothing,
        markov256_bits=float(markov256.bits_T[-1]),
        markov256_tail_bits=float(markov256.bits_T[-tail_positions:].mean()),
        positions=tuple(positions),
    )


def _mean_over_slices(bits_NT: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the mean over slices and positions, and its standard error with the slice as the unit."""
    slice_mean_N = bits_NT.mean(axis=1, dtype=np.float64)
    return float(slice_mean_N.mean()), float(slice_mean_N.std(ddof=1) / math.sqrt(len(slice_mean_N)))
