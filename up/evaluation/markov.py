"""The in-context Markov model: the bar of the paper for zero-shot prediction (Bloem 2025, section 6.2).

A Markov model of order k that is trained on nothing but the characters before the one it predicts, in the same slice:

    p(x | c) = (count(c x) + smoothing) / (count(c) + smoothing * V),      c = the last k characters,

with `count(c)` the times c occurred earlier in the slice and `count(c x)` the times x followed it (Laplace smoothing
over V tokens; the fewer, the less it charges for any of them). A context that never occurred predicts uniformly, log2 V
bits. That holds too for the first k positions of a slice, where c is all there is: it cannot have occurred before.
Order and smoothing are tuned once per data set.

The counts come from sorting. The gram of length k+1 that ends at position t is `c x`; the number of equal grams that
end earlier is `count(c x)`, and `count(c)` is the same number for the gram of length k that ends at t-1. Sorting the
grams of a slice together with their positions puts equal grams side by side in order of time, so the number of earlier
ones is the place inside the group: O(T log T) for all positions of a slice, at any order. The position of a gram's
first occurrence names it in the next order, so grams never outgrow an integer. `tests/reference/markov.py` counts with
a dictionary instead.

Shape suffixes: N slices, T positions in a slice, O orders, S smoothings, J = positions that have a gram of some length.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from up.config import require_not_negative, require_positive
from up.errors import InputError

ORDERS = (0, 1, 2, 3, 4, 5)
SMOOTHINGS = (1.0, 0.1, 0.01, 1e-4, 1e-6)

_CHUNK_TOKENS = 1 << 18  # tokens counted at once; keeps the working arrays at a few megabytes

IntArray = npt.NDArray[np.integer]
FloatArray = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MarkovModel:
    """An in-context Markov model.

    Attributes:
        order: k, the characters of context that it looks at.
        smoothing: Laplace smoothing, the count that every continuation starts with.

    """

    order: int
    smoothing: float

    def __post_init__(self) -> None:
        require_not_negative("markov", order=self.order)
        require_positive("markov", smoothing=self.smoothing)


def in_context_bits(tokens_NT: IntArray, model: MarkovModel, *, vocabulary_size: int = 256) -> FloatArray:
    """Return -log2 p of every token given the ones before it in its own row, in bits, float64 of shape (N, T).

    The first token costs log2 V bits, as do all tokens after a context that never occurred.

    Args:
        tokens_NT: integers in [0, vocabulary_size); one row is one slice.
        model: order and smoothing.
        vocabulary_size: V.

    Raises:
        InputError: tokens outside the vocabulary, or an array that is not of shape (N, T).

    """
    check_tokens(tokens_NT, vocabulary_size)
    bits_NT = np.empty(tokens_NT.shape)
    for rows in _chunks(tokens_NT):
        for order, (contexts_NT, continuations_NT) in enumerate(_counts(tokens_NT[rows], vocabulary_size)):
            if order == model.order:
                bits_NT[rows] = _bits(contexts_NT, continuations_NT, model.smoothing, vocabulary_size)
                break
    return bits_NT


def mean_bits(
    tokens_NT: IntArray,
    *,
    orders: Sequence[int] = ORDERS,
    smoothings: Sequence[float] = SMOOTHINGS,
    first_position: int = 0,
    vocabulary_size: int = 256,
) -> FloatArray:
    """Return bits per character of all models, averaged over slices and positions, float64 of shape (O, S).

    Args:
        tokens_NT: integers in [0, vocabulary_size); one row is one slice.
        orders: context lengths to try.
        smoothings: Laplace smoothings to try.
        first_position: average from this position (0 is the first token) to the end of the slice.
        vocabulary_size: V.

    Raises:
        InputError: tokens outside the vocabulary, or an array that is not of shape (N, T).

    """
    check_tokens(tokens_NT, vocabulary_size)
    assert 0 <= first_position < tokens_NT.shape[1]
    total_OS = np.zeros((len(orders), len(smoothings)))
    for rows in _chunks(tokens_NT):
        for order, counts in enumerate(_counts(tokens_NT[rows], vocabulary_size)):
            if order in orders:
                contexts_NP, continuations_NP = (count_NT[:, first_position:] for count_NT in counts)
                total_OS[orders.index(order)] += [
                    _bits(contexts_NP, continuations_NP, smoothing, vocabulary_size).sum() for smoothing in smoothings
                ]
            if order == max(orders):
                break
    return total_OS / (tokens_NT.shape[0] * (tokens_NT.shape[1] - first_position))


def choose(
    tokens_NT: IntArray,
    *,
    orders: Sequence[int] = ORDERS,
    smoothings: Sequence[float] = SMOOTHINGS,
    first_position: int = 0,
    vocabulary_size: int = 256,
) -> MarkovModel:
    """Return the model with the fewest mean bits (see `mean_bits`).

    Models within a billionth of a bit, which is rounding, are tied; the first in the given order wins.

    The choice sees the data that it is then measured on, which favours the Markov model a little, as in section 6.2.
    """
    mean_OS = mean_bits(
        tokens_NT,
        orders=orders,
        smoothings=smoothings,
        first_position=first_position,
        vocabulary_size=vocabulary_size,
    )
    order_index, smoothing_index = divmod(int(mean_OS.round(9).argmin()), len(smoothings))
    return MarkovModel(order=orders[order_index], smoothing=smoothings[smoothing_index])


def _bits(contexts: IntArray, continuations: IntArray, smoothing: float, vocabulary_size: int) -> FloatArray:
    return np.log2(contexts + smoothing * vocabulary_size) - np.log2(continuations + smoothing)


def _counts(tokens_NT: IntArray, vocabulary_size: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield count(c) and count(c x) for every position, int64 (N, T) each, for the orders 0, 1, 2 and so on."""
    num_slices, num_tokens = tokens_NT.shape
    tokens_NT = tokens_NT.astype(np.int64)
    contexts_NT = np.broadcast_to(np.arange(num_tokens), tokens_NT.shape)
    grams_NJ = tokens_NT  # of length order + 1; column j ends at position j + order
    for order in range(num_tokens):
        earlier_NJ, names_NJ = _earlier_occurrences(grams_NJ, num_tokens * vocabulary_size)
        continuations_NT = np.zeros((num_slices, num_tokens), np.int64)
        continuations_NT[:, order:] = earlier_NJ
        yield contexts_NT, continuations_NT
        contexts_NT = np.zeros((num_slices, num_tokens), np.int64)
        contexts_NT[:, order + 1 :] = earlier_NJ[:, :-1]
        grams_NJ = names_NJ[:, :-1] * vocabulary_size + tokens_NT[:, order + 1 :]
    while True:  # contexts as long as the slice or longer never occurred
        nothing_NT = np.zeros((num_slices, num_tokens), np.int64)
        yield nothing_NT, nothing_NT


def _earlier_occurrences(grams_NJ: IntArray, num_grams: int) -> tuple[IntArray, IntArray]:
    """Return for every column how often its gram occurred in earlier columns of its row, and where it occurred first.

    Args:
        grams_NJ: integers in [0, num_grams).
        num_grams: bound on the integers.

    """
    columns = grams_NJ.shape[1]
    column_bits = columns.bit_length()
    narrow = num_grams << column_bits <= 1 << 32  # 32-bit keys sort twice as fast
    keys_NJ = (grams_NJ << column_bits | np.arange(columns)).astype(np.uint32 if narrow else np.uint64)
    keys_NJ.sort(axis=1)
    place_J = np.arange(columns)
    column_NJ = (keys_NJ & np.array((1 << column_bits) - 1, keys_NJ.dtype)).astype(np.int64)
    gram_NJ = keys_NJ >> np.array(column_bits, keys_NJ.dtype)
    starts_group_NJ = np.ones(gram_NJ.shape, bool)
    starts_group_NJ[:, 1:] = gram_NJ[:, 1:] != gram_NJ[:, :-1]
    group_start_NJ = np.maximum.accumulate(np.where(starts_group_NJ, place_J, 0), axis=1)
    earlier_NJ, first_NJ = np.empty_like(column_NJ), np.empty_like(column_NJ)
    np.put_along_axis(earlier_NJ, column_NJ, place_J - group_start_NJ, axis=1)
    np.put_along_axis(first_NJ, column_NJ, np.take_along_axis(column_NJ, group_start_NJ, axis=1), axis=1)
    return earlier_NJ, first_NJ


def _chunks(tokens_NT: IntArray) -> Iterator[slice]:
    rows = max(1, _CHUNK_TOKENS // tokens_NT.shape[1])
    for start in range(0, tokens_NT.shape[0], rows):
        yield slice(start, start + rows)


def check_tokens(tokens_NT: IntArray, vocabulary_size: int) -> None:
    """Raise `InputError` unless the tokens are a table of slices, integers in [0, vocabulary_size)."""
    if tokens_NT.ndim != 2 or not tokens_NT.size:
        raise InputError(
            "tokens must be a table of slices", received=tokens_NT.shape, remedy="give an array of shape (N, T)"
        )
    low, high = int(tokens_NT.min()), int(tokens_NT.max())
    if low < 0 or high >= vocabulary_size:
        raise InputError(
            "a token lies outside the vocabulary",
            received=low if low < 0 else high,
            remedy=f"use tokens from 0 to {vocabulary_size - 1}",
        )
