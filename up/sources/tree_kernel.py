"""Writing rows of random context trees: names of nodes, the numbers drawn for them, and two ways to the leaves.

A node is never stored. Its name is the sum, modulo 2^64, of the row's key and of words: one for the prefix and one for
each token of its context, by distance. The name, scrambled, is the node's random number: from the words `coin_P` of the
prefixes come the coins that split nodes, from `parameter_P` the parameters of leaves.

`write_rows` works on all rows at once by numpy; `compiled_write_rows` takes one row after the other and is compiled by
numba. The tokens are the same but for the last bit of a sine: where numpy's and the compiled one
differ in it, a uniform number lies between them with probability about 2^-53.

Shape suffixes: R rows, T tokens, W bits of a token, K depths 0 to `max_depth`, V vocabulary, D depths 1 to `max_depth`,
P prefixes.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from theory.compiling import compile_function

Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the increment of SplitMix64
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # its two factors
_11, _27, _30, _31 = (np.uint64(shift) for shift in (11, 27, 30, 31))
_ANGLE = math.pi / 2 * 2.0**-53  # 53 bits to a quarter circle


def mix(number: Words) -> Words:
    """Return the numbers scrambled by the finaliser of SplitMix64, a bijection of 64 bits.

    >>> int(mix(np.array([0x9E3779B97F4A7C15], np.uint64))[0]) == 0xE220A8397B1DCDAF  # its first output for seed 0
    True
    """
    number = (number ^ (number >> _30)) * _FIRST
    number = (number ^ (number >> _27)) * _SECOND
    return number ^ (number >> _31)


def words(vocabulary_size: int, max_depth: int) -> tuple[Words, Words, Words]:
    """Return coin_P and parameter_P, 256 words each, and context_VD: the outputs of SplitMix64 for seed 0, in order."""
    count = 512 + vocabulary_size * max_depth
    word = mix(_GOLDEN * np.arange(1, count + 1, dtype=np.uint64))
    return word[:256], word[256:512], word[512:].reshape(vocabulary_size, max_depth)


def write_rows(
    key_R: Words, uniform_TRW: NDArray[np.float64], vocabulary_size: int, max_depth: int, threshold: int
) -> NDArray[np.uint8]:
    """Return tokens_RT.

    Args:
        key_R: one for each row, on which all its nodes depend.
        uniform_TRW: a number for each bit, which is 1 where the number is less than the parameter.
        vocabulary_size: V.
        max_depth: most tokens of context.
        threshold: split probability times 2^53.

    """
    coin_P, parameter_P, context_VD = words(vocabulary_size, max_depth)
    num_tokens, num_rows, width = uniform_TRW.shape
    row_R, depth_D = np.arange(num_rows), np.arange(1, max_depth + 1)
    tokens_RT = np.zeros((num_rows, max_depth + num_tokens), np.uint8)  # with the tokens 0 before the row
    name_RK = np.repeat(key_R[:, None], max_depth + 1, axis=1)
    for t in range(max_depth, max_depth + num_tokens):
        name_RK[:, 1:] = key_R[:, None] + np.cumsum(context_VD[tokens_RT[:, t - depth_D], depth_D - 1], axis=1)
        prefix_R = np.ones(num_rows, np.int64)  # a one, then the bits that are written
        for j in range(width):
            is_leaf_RK = mix(name_RK + coin_P[prefix_R, None]) >> _11 >= np.uint64(threshold)
            is_leaf_RK[:, -1] = True
            leaf_name_R = name_RK[row_R, is_leaf_RK.argmax(1)]
            angle_R = (mix(leaf_name_R + parameter_P[prefix_R]) >> _11) * _ANGLE
            least_if_one_R = ((2 * prefix_R + 1) << (width - 1 - j)) - (1 << width)  # the least token with a 1 here
            is_one_R = (uniform_TRW[t - max_depth, :, j] < np.sin(angle_R) ** 2) & (least_if_one_R < vocabulary_size)
            prefix_R = 2 * prefix_R + is_one_R
        tokens_RT[:, t] = prefix_R - (1 << width)
    return tokens_RT[:, max_depth:].copy()


@functools.cache
def compiled_write_rows() -> Callable[..., NDArray[np.uint8]]:
    """Return `write_rows` compiled, a function of the same arguments; numba must be installed."""
    write = compile_function(_write_row_by_row)

    def write_rows_compiled(
        key_R: Words, uniform_TRW: NDArray[np.float64], vocabulary_size: int, max_depth: int, threshold: int
    ) -> NDArray[np.uint8]:
        all_words = words(vocabulary_size, max_depth)
        return write(key_R, uniform_TRW, vocabulary_size, np.uint64(threshold), *all_words)

    return write_rows_compiled


def _write_row_by_row(
    key_R: Words,
    uniform_TRW: NDArray[np.float64],
    vocabulary_size: int,
    threshold: np.uint64,
    coin_P: Words,
    parameter_P: Words,
    context_VD: Words,
) -> NDArray[np.uint8]:
    """Return tokens_RT; written for numba, with `mix` in its place."""
    num_tokens, num_rows, width = uniform_TRW.shape
    max_depth = context_VD.shape[1]
    tokens_RT = np.zeros((num_rows, num_tokens), np.uint8)
    name_K = np.zeros(max_depth + 1, np.uint64)
    for row in range(num_rows):
        name_K[0] = key_R[row]
        for t in range(num_tokens):
            for depth in range(max_depth):
                before = tokens_RT[row, t - depth - 1] if depth < t else 0
                name_K[depth + 1] = name_K[depth] + context_VD[before, depth]
            prefix = 1
            for j in range(width):
                depth = 0
                while depth < max_depth:
                    coin = name_K[depth] + coin_P[prefix]
                    coin = (coin ^ (coin >> _30)) * _FIRST
                    coin = (coin ^ (coin >> _27)) * _SECOND
                    if (coin ^ (coin >> _31)) >> _11 >= threshold:
                        break
                    depth += 1
                number = name_K[depth] + parameter_P[prefix]
                number = (number ^ (number >> _30)) * _FIRST
                number = (number ^ (number >> _27)) * _SECOND
                angle = ((number ^ (number >> _31)) >> _11) * _ANGLE
                least_if_one = ((2 * prefix + 1) << (width - 1 - j)) - (1 << width)
                is_one = uniform_TRW[t, row, j] < math.sin(angle) ** 2 and least_if_one < vocabulary_size
                prefix = 2 * prefix + is_one
            tokens_RT[row, t] = prefix - (1 << width)
    return tokens_RT
