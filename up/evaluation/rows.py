"""The result of a zero-shot evaluation: one row for each corpus, a model beside the bars.

Shape suffixes: N slices, T tokens in a slice, R positions that the model predicts, at the end of a slice.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from up.evaluation.bars import Bars

UNIFORM_BITS = 8.0  # log2 of the 256 byte values


@dataclasses.dataclass(frozen=True, kw_only=True)
class PositionBits:
    """Bits per character over a range of positions in what the model reads.

    Attributes:
        first_position: characters that the model reads before the first predicted character of the range.
        last_position: those before the last one, inclusive.
        bits: mean of the model, bits per character.
        stderr: standard error of the mean, bits; the slice is the unit, since positions in a slice are correlated.
        markov_bits: mean of the Markov model over the symbols of the corpus on the same characters.
        ppm_exclusion_bits: mean of PPM-D with update exclusion on them; None in rows of an earlier version.

    """

    first_position: int
    last_position: int
    bits: float
    stderr: float
    markov_bits: float
    ppm_exclusion_bits: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """One corpus: the model beside the bars (`up.evaluation.bars`), all in bits per character.

    PPM, CTW, the untrained model and the errors of differences are None in rows of an earlier version. The entropy rate
    is that of the generator: the corpus is one draw, so a model may come out below it by chance, and in a slice, which
    may begin in the middle of a string, even the best predictor needs a little more (`up.data.entropy_rates`).

    All are measured on the same slices, where an easy slice is easy for all. So the standard error of a difference is
    that of the slices' differences, a paired one, and far smaller than what the errors of its two sides would give.

    Attributes:
        data: name of the corpus.
        source: what the corpus is made of.
        size_bytes: length of the corpus; None for rows of a source, which are drawn anew.
        sha256: of its bytes, in hexadecimal; None likewise.
        label: what has to be said of the corpus, such as that it is only a prefix; None: nothing.
        samples: N, number of slices.
        context_length: tokens in a slice.
        model_context_length: tokens at the end of a slice that the model reads, where it reads fewer than the bars.
        bits: mean over the last character of each slice, the protocol of section 6.1.
        stderr: its standard error.
        tail_bits: mean over the last `tail_positions` characters of each slice.
        tail_stderr: its standard error over slices.
        tail_positions: characters in the tail.
        uniform_bits: what a uniform code charges.
        symbols: byte values that occur in the corpus.
        markov_bits: the in-context Markov model over these symbols, the bar of the paper, on the last characters of the
            same slices.
        markov_tail_bits: the same on the tails.
        markov_order: its order, chosen on the tails.
        markov_smoothing: its Laplace smoothing, chosen on the tails.
        markov256_bits: the in-context Markov model over all 256 byte values, with an order and smoothing of its own, on
            the last characters.
        markov256_tail_bits: the same on the tails.
        ppm_bits: in-context PPM-D over the symbols of the corpus, on the last characters.
        ppm_tail_bits: the same on the tails.
        ppm_order: its order, chosen on the tails.
        ppm_exclusion_bits: PPM-D with update exclusion, the hardest bar, on the last characters.
        ppm_exclusion_tail_bits: the same on the tails.
        ppm_exclusion_order: its order, chosen on the tails.
        ctw_bits: in-context context-tree weighting over the symbols of the corpus, on the last characters.
        ctw_tail_bits: the same on the tails.
        ctw_depth: its depth in bits, chosen on the tails.
        untrained_bits: the same model before training, on the last characters; None, too, where it is not known.
        untrained_tail_bits: the same on the tails, likewise.
        entropy_rate_bits: what the best predictor needs; None where nobody knows, as of real text.
        above_rate_bits: how far the model is from it: `bits` less `entropy_rate_bits`; None likewise.
        above_rate_tail_bits: the same on the tails.
        markov_tail_difference_stderr: standard error, over slices, of `markov_tail_bits` less `tail_bits`.
        ppm_tail_difference_stderr: likewise.
        ppm_exclusion_tail_difference_stderr: likewise.
        ctw_tail_difference_stderr: likewise.
        untrained_tail_difference_stderr: likewise. That of a uniform code is `tail_stderr`.
        positions: all positions that the model predicts, in octaves, 1, 2-3, 4-7 and so on.

    """

    data: str
    source: str
    size_bytes: int | None = None
    sha256: str | None = None
    label: str | None = None
    samples: int
    context_length: int
    model_context_length: int | None = None
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
    ppm_bits: float | None = None
    ppm_tail_bits: float | None = None
    ppm_order: int | None = None
    ppm_exclusion_bits: float | None = None
    ppm_exclusion_tail_bits: float | None = None
    ppm_exclusion_order: int | None = None
    ctw_bits: float | None = None
    ctw_tail_bits: float | None = None
    ctw_depth: int | None = None
    untrained_bits: float | None = None
    untrained_tail_bits: float | None = None
    entropy_rate_bits: float | None = None
    above_rate_bits: float | None = None
    above_rate_tail_bits: float | None = None
    markov_tail_difference_stderr: float | None = None
    ppm_tail_difference_stderr: float | None = None
    ppm_exclusion_tail_difference_stderr: float | None = None
    ctw_tail_difference_stderr: float | None = None
    untrained_tail_difference_stderr: float | None = None
    positions: tuple[PositionBits, ...]

    @property
    def identity(self) -> str:
        """What tells this text from any other, whatever it is called: its SHA-256; of a source, what it is made of."""
        return self.sha256 or self.source


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SliceBits:
    """What a model charges for each slice.

    Attributes:
        last_N: for the last character.
        tail_N: for the characters of the tail, their mean.

    """

    last_N: npt.NDArray[np.float64]
    tail_N: npt.NDArray[np.float64]

    @classmethod
    def of(cls, bits_NR: npt.NDArray[np.float32], tail_positions: int) -> "SliceBits":
        """Average the bits at all positions over the tail."""
        return cls(last_N=_slice_means(bits_NR[:, -1:]), tail_N=_slice_means(bits_NR[:, -tail_positions:]))


def octaves(length: int) -> tuple[tuple[int, int], ...]:
    """Split the positions 1 to length - 1 into ranges that double, both ends inclusive.

    >>> octaves(10)
    ((1, 1), (2, 3), (4, 7), (8, 9))
    """
    starts = [1 << exponent for exponent in range((length - 1).bit_length())]
    return tuple((start, min(2 * start, length) - 1) for start in starts)


def summarise(
    bits_NR: npt.NDArray[np.float32],
    *,
    data: str,
    source: str,
    bars: Bars,
    tail_positions: int,
    size_bytes: int | None = None,
    sha256: str | None = None,
    untrained: SliceBits | None = None,
    label: str | None = None,
    entropy_rate_bits: float | None = None,
) -> EvaluationRow:
    """Average a model's bits over slices.

    Args:
        bits_NR: the model's bits at all positions but the first of what it reads, the end of every slice: column -1
            belongs to the last character.
        data: name of the corpus.
        source: what the corpus is made of.
        bars: on the same slices.
        tail_positions: characters in the tail, no more than R.
        size_bytes: length of the corpus.
        sha256: of its bytes.
        untrained: what the untrained model charges for the same slices.
        label: what has to be said of the corpus.
        entropy_rate_bits: of the corpus, where it is known.

    """
    read, context_length = bits_NR.shape[1] + 1, len(bars.markov.bits_T)
    assert tail_positions < read <= context_length
    of_model = SliceBits.of(bits_NR, tail_positions)
    bits, stderr = _mean_and_error(of_model.last_N)
    tail_bits, tail_stderr = _mean_and_error(of_model.tail_N)
    markov_R, ppm_R = (bar.bits_T[context_length - read :] for bar in (bars.markov, bars.ppm_exclusion))
    positions = []
    for first, last in octaves(read):
        range_bits, range_stderr = _mean_and_error(_slice_means(bits_NR[:, first - 1 : last]))
        positions.append(
            PositionBits(
                first_position=first,
                last_position=last,
                bits=range_bits,
                stderr=range_stderr,
                markov_bits=float(markov_R[first : last + 1].mean()),
                ppm_exclusion_bits=float(ppm_R[first : last + 1].mean()),
            )
        )
    of_others: dict[str, float] = {}
    tails = {} if untrained is None else {"untrained": untrained.tail_N}
    for name in ("markov", "markov256", "ppm", "ppm_exclusion", "ctw"):
        bar = getattr(bars, name)
        tail_mean = float(bar.bits_T[-tail_positions:].mean())
        of_others |= {f"{name}_bits": float(bar.bits_T[-1]), f"{name}_tail_bits": tail_mean}
        if name != "markov256":
            tails[name] = bar.tail_bits_N
    if untrained is not None:
        of_others |= {"untrained_bits": float(untrained.last_N.mean())}
        of_others |= {"untrained_tail_bits": float(untrained.tail_N.mean())}
    if entropy_rate_bits is not None:
        of_others |= {"entropy_rate_bits": entropy_rate_bits, "above_rate_bits": bits - entropy_rate_bits}
        of_others |= {"above_rate_tail_bits": tail_bits - entropy_rate_bits}
    for name, tail_N in tails.items():
        of_others[f"{name}_tail_difference_stderr"] = _mean_and_error(tail_N - of_model.tail_N)[1]
    return EvaluationRow(
        data=data,
        source=source,
        size_bytes=size_bytes,
        sha256=sha256,
        label=label,
        samples=len(bits_NR),
        context_length=context_length,
        model_context_length=read if read < context_length else None,
        bits=bits,
        stderr=stderr,
        tail_bits=tail_bits,
        tail_stderr=tail_stderr,
        tail_positions=tail_positions,
        uniform_bits=UNIFORM_BITS,
        symbols=bars.markov.symbols,
        markov_order=bars.markov.model.order,
        markov_smoothing=bars.markov.model.smoothing,
        ppm_order=bars.ppm.longest,
        ppm_exclusion_order=bars.ppm_exclusion.longest,
        ctw_depth=bars.ctw.longest,
        positions=tuple(positions),
        **of_others,
    )


def _slice_means(bits_NR: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the mean over positions of each slice: the unit, since positions in a slice are correlated."""
    return bits_NR.mean(axis=1, dtype=np.float64)


def _mean_and_error(each_N: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean over slices and its standard error."""
    return float(each_N.mean()), float(each_N.std(ddof=1) / math.sqrt(len(each_N)))
