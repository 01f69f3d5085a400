"""In-context prediction by context-tree weighting (CTW) on the bits of symbols: the other exact bar.

Willems, Shtarkov and Tjalkens 1995 (The context-tree weighting method: basic properties) predict a bit by the mixture
of all binary trees of depth at most D whose leaves, found by the last bits, each estimate a coin by Krichevsky and
Trofimov: after a zeros and b ones the next bit is one with probability (b + 1/2) / (a + b + 1). A tree has weight
2^-(number of its nodes above depth D), which a node s computes from its children:

    P_w(s) = P_e(s) at depth D,        P_w(s) = P_e(s) / 2 + P_w(0s) P_w(1s) / 2 above.

Symbols are binary words here, eight bits for bytes and ceil(log2 V) for a vocabulary of V, the most significant bit
first. The bits of a word before the one to predict (255 strings for bytes) choose a tree of its own, so they are known
in full; its contexts are the D bits before the *word*, going back from the last bit of the symbol before: depth 8 is
one byte, 48 are six. Before the slice lie zeros. A bit that the vocabulary settles, because all words with the other
bit are V or more, costs nothing and is not counted. So the distribution over symbols sums to 1.

Deviation: the authors' own coder for text (Willems, Shtarkov and Tjalkens 1997, Reflections on the context-tree
weighting method, IEEE Information Theory Society Newsletter) weights at the borders of symbols only, and its estimator
charges less for a bit that never changes. Over the last 64 positions of 1,000 slices of 512 that estimator would take
0.07 (`stdlib`) and 0.02 bits (`pydoc`) from what this one charges, which is 3.288 and 3.803 bits over 4,000 slices at
depth 48 (V = 256).

Nodes keep a, b and the logarithm of P_e(s) / (P_w(0s) P_w(1s)), which tells how to mix the estimates of a node and of
the child on the path; that difference of logarithms neither over- nor underflows. Over 10^5 bits of depth 4 no
prediction errs by 10^-11 bits, neither on a sample of the prior nor where all that was learned is overturned (tested
against 60 digits). A node below which all visits had the
same context needs no children: the trees below it are chains, with P_w = P_e throughout. It remembers the context and
grows one child at a time when another comes, so a byte costs far fewer than 8 D new nodes, at the same result.
`tests/reference/ctw.py` has the sum over all trees and the recursion above, as they stand, and `theory.ContextTrees` is
the mixture in fractions: at V = 2 this one, and the one that `up.sources.tree` draws from.

Limits: depth 60 at most, a context being one integer. The loop runs about 30 times slower as plain Python, where
numba cannot be imported. The arrays have room for D + 2 nodes a bit of a slice.

Shape suffixes: N slices, T positions in a slice, D depths.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from up.config import require_at_most, require_not_negative
from up.evaluation.kernels import buffer, choose_kernel
from up.evaluation.markov import FloatArray, IntArray, check_tokens

DEPTHS = (8, 16, 24, 32, 48)
MAX_DEPTH = 60


def in_context_bits(
    tokens_NT: IntArray, depth: int, *, vocabulary_size: int = 256, compiled: bool | None = None
) -> FloatArray:
    """Return -log2 p of every token given the ones before it in its own row, in bits, float64 of shape (N, T).

    The first token costs log2 V bits where V is a power of two.

    Args:
        tokens_NT: integers in [0, vocabulary_size); one row is one slice.
        depth: D, the longest context in bits.
        vocabulary_size: V.
        compiled: whether to compile; if None, where that is possible.

    Raises:
        InputError: tokens outside the vocabulary, an array that is not of shape (N, T), or a depth below 0 or above 60.

    """
    check_tokens(tokens_NT, vocabulary_size)
    require_not_negative("ctw", depth=depth)
    require_at_most("ctw", depth=(depth, MAX_DEPTH))
    kernel, compiled = choose_kernel(_fill_bits, compiled)
    num_tokens, width = tokens_NT.shape[1], (vocabulary_size - 1).bit_length()
    nodes = num_tokens * width * (depth + 2) + 1
    scratch = (
        buffer("int32", 1 << width, compiled=compiled),
        *(buffer("int32", 2 * nodes, compiled=compiled) for _ in range(2)),
        buffer("float64", nodes, compiled=compiled),
        buffer("int64", nodes, compiled=compiled),
        buffer("int32", depth + 1, compiled=compiled),
    )
    bits_NT = np.empty(tokens_NT.shape)
    for tokens_T, bits_T in zip(tokens_NT, bits_NT, strict=True):
        row_T = tokens_T.astype(np.int64)
        row_bits_T = buffer("float64", num_tokens, compiled=compiled)
        kernel(row_T if compiled else row_T.tolist(), depth, vocabulary_size, width, row_bits_T, *scratch)
        bits_T[:] = row_bits_T
    return bits_NT


def mean_bits(
    tokens_NT: IntArray,
    *,
    depths: Sequence[int] = DEPTHS,
    first_position: int = 0,
    vocabulary_size: int = 256,
) -> FloatArray:
    """Return bits per token of all depths, averaged over slices and positions, float64 of shape (D,).

    Args:
        tokens_NT: integers in [0, vocabulary_size); one row is one slice.
        depths: longest contexts to try, in bits.
        first_position: average from this position (0 is the first token) to the end of the slice.
        vocabulary_size: V.

    Raises:
        InputError: as for `in_context_bits`.

    """
    check_tokens(tokens_NT, vocabulary_size)
    assert 0 <= first_position < tokens_NT.shape[1]
    return np.array(
        [
            in_context_bits(tokens_NT, depth, vocabulary_size=vocabulary_size)[:, first_position:].mean()
            for depth in depths
        ]
    )


def choose(
    tokens_NT: IntArray,
    *,
    depths: Sequence[int] = DEPTHS,
    first_position: int = 0,
    vocabulary_size: int = 256,
) -> int:
    """Return the depth with the fewest mean bits (see `mean_bits`).

    Depths within a billionth of a bit, which is rounding, are tied; the first in the given order wins.

    The choice sees the data that it is then measured on, which favours CTW a little.
    """
    mean_D = mean_bits(tokens_NT, depths=depths, first_position=first_position, vocabulary_size=vocabulary_size)
    return depths[int(mean_D.round(9).argmin())]


def _fill_bits(
    tokens: Any,
    depth: int,
    vocabulary_size: int,
    width: int,
    bits: Any,
    roots: Any,
    children: Any,
    counts: Any,
    log_ratio: Any,
    only_context: Any,
    path: Any,
) -> None:
    """Fill `bits` with what each token costs; plain on lists, compiled on arrays. Node 0 is none.

    Args:
        tokens: one row.
        depth: D.
        vocabulary_size: V.
        width: bits of a token.
        bits: receives -log2 p.
        roots: scratch by the bits of the present token, after a leading 1: the root of their tree, 0 if there is none.
        children: scratch by 2 node + bit: the child, 0 if there is none.
        counts: scratch by 2 node + bit: how often the bit came.
        log_ratio: scratch by node: ln of P_e / (P_w(0s) P_w(1s)).
        only_context: scratch by node: the context of all its visits while it has no children, then -1.
        path: scratch by depth: the nodes of the present context.

    """
    for word in range(1 << width):
        roots[word] = 0
    num_nodes, context, mask = 1, 0, (1 << depth) - 1
    for position in range(len(tokens)):
        token, word, cost = tokens[position], 1, 0.0
        for place in range(width - 1, -1, -1):
            if ((2 * word + 1) << place) - (1 << width) >= vocabulary_size:  # a one would lead out of the vocabulary
                word = 2 * word
                continue
            # Go down to the node that no other context has visited, and make it where it is missing.
            node, level = roots[word], 0
            while True:
                if node == 0:
                    node = num_nodes
                    num_nodes += 1
                    children[2 * node] = children[2 * node + 1] = counts[2 * node] = counts[2 * node + 1] = 0
                    log_ratio[node], only_context[node] = 0.0, context
                    if level == 0:
                        roots[word] = node
                    else:
                        children[2 * path[level - 1] + ((context >> (level - 1)) & 1)] = node
                path[level] = node
                if only_context[node] == context:
                    break
                if only_context[node] >= 0:  # all visits so far go one level down; P_e and P_w are equal there
                    child = num_nodes
                    num_nodes += 1
                    children[2 * child] = children[2 * child + 1] = 0
                    counts[2 * child], counts[2 * child + 1] = counts[2 * node], counts[2 * node + 1]
                    log_ratio[child], only_context[child] = 0.0, only_context[node]
                    children[2 * node + ((only_context[node] >> level) & 1)] = child
                    only_context[node] = -1
                node = children[2 * node + ((context >> level) & 1)]
                level += 1
            # Come back up: what the bit costs, and its count.
            bit = (token >> place) & 1
            probability = 1.0
            deepest = level
            while level >= 0:
                node = path[level]
                zeros, ones = counts[2 * node], counts[2 * node + 1]
                estimate = ((ones if bit else zeros) + 0.5) / (zeros + ones + 1)
                if level == deepest:
                    probability = estimate
                else:
                    change = math.log(estimate / probability)
                    ratio = log_ratio[node]
                    odds = math.exp(-abs(ratio))
                    weight = 1 / (1 + odds) if ratio >= 0 else odds / (1 + odds)
                    probability = weight * estimate + (1 - weight) * probability
                    log_ratio[node] = ratio + change
                counts[2 * node + bit] += 1
                level -= 1
            cost -= math.log2(probability)
            word = 2 * word + bit
        bits[position] = cost
        context = ((context << width) | token) & mask
