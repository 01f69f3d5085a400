"""How predictable a string is, by five measures that know nothing of where it came from.

All are in bits per character, so that they can be read beside log2 V, what a uniform code over the alphabet charges:

- `entropy_bits`: the entropy of the string's own symbol frequencies. It sees an uneven alphabet and no order.
- `markov_bits`: the best in-context Markov model of order 0 to 5, each character predicted from the ones before it. It
  pays for learning the frequencies, so it may exceed `entropy_bits` even at order 0.
- `zlib_bits` and `lzma_bits`: the size of the compressed string, at level 9, as a raw stream without the container's
  header and checksum, which would weigh on a short string. They see repetition at any distance. A compressor works on
  bytes and has a few bytes of overhead left, so random text comes out slightly above log2 V.

None of them is the string's complexity: each is an upper bound on it (up to the size of a decoder), and structure that
all five miss is exactly what a trained model may still find.

Shape suffixes: T characters of the string, V alphabet.
"""

import dataclasses
import lzma
import statistics

import numpy as np
import numpy.typing as npt

from up.deflate import LEVEL, deflated_bits
from up.errors import InputError
from up.evaluation.markov import choose, in_context_bits


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measures:
    """How predictable a string is.

    Attributes:
        entropy_bits: order-0 empirical entropy, bits per character.
        markov_bits: mean of `character_bits`, bits per character.
        markov_order: order of the Markov model, the best for this very string.
        markov_smoothing: its Laplace smoothing, likewise.
        zlib_bits: deflate, bits per character.
        lzma_bits: LZMA2, bits per character.
        distinct_symbols: number of different characters.
        character_bits: what the Markov model charges for each character given the ones before it, bits; the first
            has none before it and costs log2 V.

    """

    entropy_bits: float
    markov_bits: float
    markov_order: int
    markov_smoothing: float
    zlib_bits: float
    lzma_bits: float
    distinct_symbols: int
    character_bits: tuple[float, ...]


def measure(text: bytes, *, vocabulary_size: int = 256, first_symbol: int = 0) -> Measures:
    """Measure a string of bytes.

    Args:
        text: the string; not empty.
        vocabulary_size: V, symbols of the alphabet it is written in; the Markov model knows them beforehand.
        first_symbol: byte value of the alphabet's first symbol; the others follow.

    Raises:
        InputError: an empty string, or a byte outside the alphabet.

    """
    if not text:
        raise InputError("cannot measure an empty string", remedy="give at least one character")
    tokens_1T = np.frombuffer(text, np.uint8).astype(np.int64)[None] - first_symbol
    markov = choose(tokens_1T, vocabulary_size=vocabulary_size)
    character_bits_T = in_context_bits(tokens_1T, markov, vocabulary_size=vocabulary_size)[0]
    return Measures(
        entropy_bits=entropy_bits(tokens_1T[0]),
        markov_bits=float(character_bits_T.mean()),
        markov_order=markov.order,
        markov_smoothing=markov.smoothing,
        zlib_bits=deflated_bits(text),
        lzma_bits=8 * _lzma_bytes(text) / len(text),
        distinct_symbols=len(set(text)),
        character_bits=tuple(character_bits_T.tolist()),
    )


def entropy_bits(tokens_T: npt.NDArray[np.int64]) -> float:
    """Return the entropy of a string's own symbol frequencies, bits per symbol."""
    counts = np.bincount(tokens_T)
    frequencies = counts[counts > 0] / tokens_T.size
    return float((frequencies * np.log2(1 / frequencies)).sum())


def _lzma_bytes(text: bytes) -> int:
    # A dictionary no larger than the string changes nothing in the result and spares the 64 MiB of level 9.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": LEVEL, "dict_size": max(4096, len(text))}]
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowStatistics:
    """How predictable rows are.

    Attributes:
        entropy_bits: mean order-0 entropy of a row, bits per token.
        entropy_bits_median: median of the same.
        zlib_bits: mean size as a raw deflate stream, bits per token.
        markov_bits: mean of the best in-context Markov model, bits per token.
        markov_order: its order, chosen once for all rows.
        constant_share: rows of one token only, after the seed that was given.

    """

    entropy_bits: float
    entropy_bits_median: float
    zlib_bits: float
    markov_bits: float
    markov_order: int
    constant_share: float


def row_statistics(tokens_RT: npt.NDArray[np.uint8], vocabulary_size: int, *, seed_length: int = 0) -> RowStatistics:
    """Measure rows of tokens below `vocabulary_size`, uint8 of shape (R, T), R rows, that start with given tokens."""
    drawn_RT = tokens_RT[:, min(seed_length, tokens_RT.shape[1] - 1) :]
    entropies = [entropy_bits(row_T) for row_T in tokens_RT.astype(np.int64)]
    markov = choose(tokens_RT, vocabulary_size=vocabulary_size)
    return RowStatistics(
        entropy_bits=statistics.fmean(entropies),
        entropy_bits_median=statistics.median(entropies),
        zlib_bits=statistics.fmean(deflated_bits(row_T.tobytes()) for row_T in tokens_RT),
        markov_bits=float(in_context_bits(tokens_RT, markov, vocabulary_size=vocabulary_size).mean()),
        markov_order=markov.order,
        constant_share=float((drawn_RT == drawn_RT[:, :1]).all(axis=1).mean()),
    )
