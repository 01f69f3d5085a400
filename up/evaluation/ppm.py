"""In-context prediction by partial matching (PPM), method D with exclusions: a bar harder than the Markov model.

PPM looks up the last k symbols of the slice. Where their context has been followed by something before, n times in all
and by d distinct symbols, a symbol that followed it c times is predicted with probability (2c - 1) / 2n, and with
probability d / 2n it is another one: an escape to the context that is shorter by one symbol (method D: Howard 1993, The
design and analysis of efficient lossless data compression systems). The symbols that were escaped from can no longer
come, so the shorter contexts count without them (exclusions: Cleary and Witten 1984, Data compression using adaptive
coding and partial string matching). A context that never occurred costs no escape, and neither does one all of whose
symbols are excluded. Below order 0 all symbols of the vocabulary that are not excluded are equally likely.

Deviation: where a context has been followed by every symbol that is left, an escape is impossible, and the symbols
share its probability: (2c - 1) / (2n - d). So the distribution sums to 1 whatever the vocabulary.

Which counts a symbol enters is a choice. Without `update_exclusion`, the default, it counts in the contexts of all
orders, so that c is how often it followed. With it, a symbol that order j predicted counts in orders j to k only, and
in all of them if it was new to each (Moffat 1990, Implementing the PPM data compression scheme): a short context
then learns what comes where the longer ones fail. Over the last 64 positions of 4,000 slices of 512 (sampled by seed 0,
V = 256) the best order is 3 and charges, in bits:

                              stdlib   pydoc
    all orders                 2.990   3.423
    update exclusion           2.741   3.238

Contexts do not reach before the slice: position t has contexts of order t at most. The counts lie in a tree of contexts
in which a node stands for a string and its children, a linked list, for the strings longer by one symbol. A step walks
k + 1 lists. `tests/reference/ppm.py` counts in dictionaries and computes in fractions.

Limits: the loop runs 10 to 25 times slower as plain Python, where numba cannot be imported. Its tree has room
for T (k + 1) nodes.

Shape suffixes: N slices, T positions in a slice, O orders.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from up.config import require_not_negative
from up.evaluation.kernels import buffer, choose_kernel
from up.evaluation.markov import FloatArray, IntArray, check_tokens

ORDERS = (1, 2, 3, 4, 5, 6, 7, 8)


def in_context_bits(
    tokens_NT: IntArray,
    order: int,
    *,
    vocabulary_size: int = 256,
    update_exclusion: bool = False,
    compiled: bool | None = None,
) -> FloatArray:
    """Return -log2 p of every token given the ones before it in its own row, in bits, float64 of shape (N, T).

    The first token costs log2 V bits.

    Args:
        tokens_NT: integers in [0, vocabulary_size); one row is one slice.
        order: k, the longest context in tokens.
        vocabulary_size: V.
        update_exclusion: whether a symbol counts only in the contexts that are no shorter than the one it came from.
        compiled: whether to compile; if None, where that is possible.

    Raises:
        InputError: tokens outside the vocabulary, an array that is not of shape (N, T), or a negative order.

    """
    check_tokens(tokens_NT, vocabulary_size)
    require_not_negative("ppm", order=order)
    num_tokens = tokens_NT.shape[1]
    order = min(order, num_tokens)  # longer contexts never occur
    kernel, compiled = choose_kernel(_fill_bits, compiled)
    nodes = num_tokens * (order + 1) + 1
    scratch = (
        *(buffer("int32", nodes, compiled=compiled) for _ in range(4)),
        buffer("int32", order + 2, compiled=compiled),
        buffer("int64", vocabulary_size, compiled=compiled),
    )
    bits_NT = np.empty(tokens_NT.shape)
    for tokens_T, bits_T in zip(tokens_NT, bits_NT, strict=True):
        row_T = tokens_T.astype(np.int64)
        row_bits_T = buffer("float64", num_tokens, compiled=compiled)
        kernel(row_T if compiled else row_T.tolist(), order, vocabulary_size, update_exclusion, row_bits_T, *scratch)
        bits_T[:] = row_bits_T
    return bits_NT


def mean_bits(
    tokens_NT: IntArray,
    *,
    orders: Sequence[int] = ORDERS,
    first_position: int = 0,
    vocabulary_size: int = 256,
    update_exclusion: bool = False,
) -> FloatArray:
    """Return bits per token of all orders, averaged over slices and positions, float64 of shape (O,).

    Args:
        tokens_NT: integers in [0, vocabulary_size); one row is one slice.
        orders: longest contexts to try.
        first_position: average from this position (0 is the first token) to the end of the slice.
        vocabulary_size: V.
        update_exclusion: see `in_context_bits`.

    Raises:
        InputError: as for `in_context_bits`.

    """
    check_tokens(tokens_NT, vocabulary_size)
    assert 0 <= first_position < tokens_NT.shape[1]
    settings = {"vocabulary_size": vocabulary_size, "update_exclusion": update_exclusion}
    return np.array([in_context_bits(tokens_NT, order, **settings)[:, first_position:].mean() for order in orders])


def choose(
    tokens_NT: IntArray,
    *,
    orders: Sequence[int] = ORDERS,
    first_position: int = 0,
    vocabulary_size: int = 256,
    update_exclusion: bool = False,
) -> int:
    """Return the order with the fewest mean bits (see `mean_bits`).

    Orders within a billionth of a bit, which is rounding, are tied; the first in the given order wins.

    The choice sees the data that it is then measured on, which favours PPM a little.
    """
    mean_O = mean_bits(
        tokens_NT,
        orders=orders,
        first_position=first_position,
        vocabulary_size=vocabulary_size,
        update_exclusion=update_exclusion,
    )
    return orders[int(mean_O.round(9).argmin())]


def _fill_bits(
    tokens: Any,
    order: int,
    vocabulary_size: int,
    update_exclusion: bool,
    bits: Any,
    first_child: Any,
    sibling: Any,
    symbol: Any,
    count: Any,
    path: Any,
    excluded: Any,
) -> None:
    """Fill `bits` with what each token costs; plain on lists, compiled on arrays. Node 0 is the root, and no child.

    Args:
        tokens: one row.
        order: k.
        vocabulary_size: V.
        update_exclusion: see `in_context_bits`.
        bits: receives -log2 p.
        first_child: scratch by node: the child that was made last, 0 if there is none.
        sibling: scratch by node: the next child of the same parent, 0 if there is none.
        symbol: scratch by node: the last symbol of its string.
        count: scratch by node: how often that symbol was counted after the others.
        path: scratch by order: the node of the context of that order.
        excluded: scratch by symbol: the last position at which it was escaped from.

    """
    for character in range(vocabulary_size):
        excluded[character] = -1
    first_child[0] = path[0] = 0
    num_nodes = 1
    for position in range(len(tokens)):
        token, longest = tokens[position], min(position, order)
        probability, left, predicted_by = 1.0, vocabulary_size, -1
        for length in range(longest, -1, -1):
            total = distinct = followed = 0
            child = first_child[path[length]]
            while child:
                if excluded[symbol[child]] != position:
                    total += count[child]
                    distinct += 1
                    if symbol[child] == token:
                        followed = count[child]
                child = sibling[child]
            if distinct == 0:
                continue
            whole = 2 * total if distinct < left else 2 * total - distinct
            if followed:
                probability *= (2 * followed - 1) / whole
                predicted_by = length
                break
            probability *= distinct / whole
            left -= distinct
            child = first_child[path[length]]
            while child:
                excluded[symbol[child]] = position
                child = sibling[child]
        if predicted_by < 0:
            probability /= left
        bits[position] = -math.log2(probability)
        for length in range(longest, -1, -1):  # path[length + 1] is read before it is written
            child = first_child[path[length]]
            while child and symbol[child] != token:
                child = sibling[child]
            if not child:
                child = num_nodes
                num_nodes += 1
                symbol[child], count[child], first_child[child] = token, 0, 0
                sibling[child], first_child[path[length]] = first_child[path[length]], child
            if length >= predicted_by or not update_exclusion:
                count[child] += 1
            path[length + 1] = child
