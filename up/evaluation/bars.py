"""The bars of an evaluation: in-context models that learn from the slice alone, measured on the slices of a corpus.

From the easy to the hard: the in-context Markov model over all 256 byte values; the same over those that occur in the
corpus, which is the bar of the paper (Bloem 2025, section 6.2); context-tree weighting (`up.evaluation.ctw`); PPM-D
(`up.evaluation.ppm`), all orders updated; and PPM-D with update exclusion, the hardest.

All but the first know beforehand how many byte values occur anywhere in the corpus, V of them, numbered in rising
order. That is the harder way: over 500 slices of 512 sampled by seed 0, in bits over the last 64 positions with the
best order or depth,

                              stdlib              pydoc
                          V = 256     170     V = 256     107
    CTW                     3.276   3.259       3.768   3.730
    PPM-D                   2.958   2.940       3.387   3.352
      update exclusion      2.715   2.697       3.202   3.168

Each has a setting that is chosen once per corpus by the mean over the tail, which favours it a little: order and
smoothing of the Markov models over all slices, the order of PPM (1 to 8) and the depth of CTW over the first slices, of
256,000 characters together.

Shape suffixes: N slices, M of them, T tokens in a slice.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from up.evaluation import ctw, ppm
from up.evaluation.markov import MarkovModel, choose, in_context_bits

BARS_WITH_PROGRESS = 3  # passes over the slices that are told of
_CHOICE_TOKENS = 256_000  # 500 slices of 512
_CHUNK_TOKENS = 100_000

IntArray = npt.NDArray[np.integer]
FloatArray = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MarkovBar:
    """What an in-context Markov model charges on the slices of a corpus.

    Attributes:
        symbols: V, over which it smooths.
        model: order and smoothing, the best there are for this V.
        bits_T: its mean bits at each position, the first included.
        tail_bits_N: its mean bits over the tail of each slice.

    """

    symbols: int
    model: MarkovModel
    bits_T: FloatArray
    tail_bits_N: FloatArray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ContextBar:
    """What PPM or context-tree weighting charges on the slices of a corpus.

    Attributes:
        longest: the longest context, the best there is: in characters for PPM (its order), in bits for CTW (its depth).
        bits_T: its mean bits at each position, the first included.
        tail_bits_N: its mean bits over the tail of each slice.

    """

    longest: int
    bits_T: FloatArray
    tail_bits_N: FloatArray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Bars:
    """All bars on the slices of one corpus.

    Attributes:
        markov: over the byte values that occur in the corpus.
        markov256: over all 256.
        ppm: PPM-D, all orders updated.
        ppm_exclusion: PPM-D with update exclusion.
        ctw: context-tree weighting.

    """

    markov: MarkovBar
    markov256: MarkovBar
    ppm: ContextBar
    ppm_exclusion: ContextBar
    ctw: ContextBar


def measure_bars(
    slices_NT: npt.NDArray[np.uint8],
    symbols: npt.NDArray[np.uint8],
    *,
    tail_positions: int,
    on_slices: Callable[[int], None] | None = None,
) -> Bars:
    """Choose the setting of each bar by the tails, and measure it at all positions.

    Args:
        slices_NT: uint8, longer than the tail.
        symbols: the distinct symbols of the data, rising.
        tail_positions: characters in the tail.
        on_slices: told how many more slices were measured, `BARS_WITH_PROGRESS` times N of them in all.

    """
    tokens_NT, vocabulary_size = np.searchsorted(symbols, slices_NT), len(symbols)
    first_position = slices_NT.shape[1] - tail_positions
    chosen_by_NT = tokens_NT[: max(1, _CHOICE_TOKENS // tokens_NT.shape[1])]
    of_tails = {"first_position": first_position, "vocabulary_size": vocabulary_size}

    def context_bar(longest: int, measure: Callable[[IntArray], FloatArray]) -> ContextBar:
        bits_T, tail_bits_N = _mean_bits(tokens_NT, measure, first_position, on_slices)
        return ContextBar(longest=longest, bits_T=bits_T, tail_bits_N=tail_bits_N)

    def ppm_bar(*, update_exclusion: bool) -> ContextBar:
        order = ppm.choose(chosen_by_NT, update_exclusion=update_exclusion, **of_tails)
        settings = {"vocabulary_size": vocabulary_size, "update_exclusion": update_exclusion}
        measure = functools.partial(ppm.in_context_bits, order=order, **settings)
        return context_bar(order, measure)

    def ctw_bar() -> ContextBar:
        depth = ctw.choose(chosen_by_NT, **of_tails)
        measure = functools.partial(ctw.in_context_bits, depth=depth, vocabulary_size=vocabulary_size)
        return context_bar(depth, measure)

    return Bars(
        markov=_markov_bar(tokens_NT, vocabulary_size, first_position),
        markov256=_markov_bar(slices_NT, 256, first_position),
        ppm=ppm_bar(update_exclusion=False),
        ppm_exclusion=ppm_bar(update_exclusion=True),
        ctw=ctw_bar(),
    )


def _mean_bits(
    tokens_NT: IntArray,
    measure: Callable[[IntArray], FloatArray],
    first_position: int,
    on_slices: Callable[[int], None] | None,
) -> tuple[FloatArray, FloatArray]:
    """Measure some slices at a time; return the mean over slices, and that over the tail of each."""
    total_T, tail_bits_N = np.zeros(tokens_NT.shape[1]), np.empty(len(tokens_NT))
    at_once = max(1, _CHUNK_TOKENS // tokens_NT.shape[1])
    for start in range(0, len(tokens_NT), at_once):
        bits_MT = measure(tokens_NT[start : start + at_once])
        total_T += bits_MT.sum(axis=0)
        tail_bits_N[start : start + len(bits_MT)] = bits_MT[:, first_position:].mean(axis=1)
        if on_slices is not None:
            on_slices(len(bits_MT))
    return total_T / len(tokens_NT), tail_bits_N


def _markov_bar(tokens_NT: IntArray, symbols: int, first_position: int) -> MarkovBar:
    """Choose the best Markov model over so many symbols, from a position on, and measure it at all positions."""
    model = choose(tokens_NT, first_position=first_position, vocabulary_size=symbols)
    bits_NT = in_context_bits(tokens_NT, model, vocabulary_size=symbols)
    tail_bits_N = bits_NT[:, first_position:].mean(axis=1)
    return MarkovBar(symbols=symbols, model=model, bits_T=bits_NT.mean(axis=0), tail_bits_N=tail_bits_N)
