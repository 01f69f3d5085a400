"""Rows of one context tree with known coins: a member of the class of which context-tree weighting is the mixture.

The mixture knows neither the tree nor the coins. To whoever wrote the rows both are known, so that what the mixture, or
a model in its place, loses to the writer can be measured and held against its bound (`theory.checks.trees`): for each
row

    -log2 m(x) + log2 p(x) <= Gamma(S) + sum over the leaves that x met of (log2(n_s)/2 + 1).

Coins are drawn for each row and leaf from Beta(1/2, 1/2), as the mixture has them; before a row lie zeros.

Shape suffixes: N rows, T tokens, L leaves, C contexts of D bits.
"""

import numpy as np

from theory.measures.context_trees import Tree, tree_prior
from theory.numbers.exact import log2_float
from up.evaluation.markov import FloatArray, IntArray


def member_rows(
    tree: Tree, num_rows: int, num_tokens: int, generator: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Return rows of a tree, each with coins of its own, and what each bit costs who knows tree and coins.

    Args:
        tree: its leaves.
        num_rows: N.
        num_tokens: T.
        generator: of coins and bits.

    Returns:
        tokens_NT, uint8, and -log2 p of each token, float64.

    """
    depth, leaf_C = leaves_of_contexts(tree)
    ones_NL = generator.beta(0.5, 0.5, size=(num_rows, len(tree)))
    uniform_NT = generator.random((num_rows, num_tokens))
    tokens_NT, bits_NT = np.zeros((num_rows, num_tokens), np.uint8), np.zeros((num_rows, num_tokens))
    context_N, every_row = np.zeros(num_rows, np.int64), np.arange(num_rows)
    for t in range(num_tokens):
        one_N = ones_NL[every_row, leaf_C[context_N]]
        token_N = uniform_NT[:, t] < one_N
        tokens_NT[:, t] = token_N
        bits_NT[:, t] = -np.log2(np.where(token_N, one_N, 1 - one_N))
        context_N = (context_N << 1 | token_N) & ((1 << depth) - 1)
    return tokens_NT, bits_NT


def bound_bits(tree: Tree, depth: int, tokens_NT: IntArray) -> FloatArray:
    """Return how much the mixture of trees of this depth loses to a tree on each row at most: bits, of shape (N,)."""
    own_depth, leaf_C = leaves_of_contexts(tree)
    num_rows, num_tokens = tokens_NT.shape
    met_NL = np.zeros((num_rows, len(tree)), np.int64)
    context_N, every_row = np.zeros(num_rows, np.int64), np.arange(num_rows)
    for t in range(num_tokens):
        met_NL[every_row, leaf_C[context_N]] += 1
        context_N = (context_N << 1 | tokens_NT[:, t]) & ((1 << own_depth) - 1)
    parameters_NL = np.where(met_NL > 0, np.log2(np.maximum(met_NL, 1)) / 2 + 1, 0)
    return parameters_NL.sum(axis=1) - log2_float(tree_prior(tree, depth))


def leaves_of_contexts(tree: Tree) -> tuple[int, IntArray]:
    """Return the depth of a tree, and for each context of so many bits, the latest one lowest, the number of its leaf.

    >>> depth, leaf_C = leaves_of_contexts(("0", "01", "11"))
    >>> depth, leaf_C.tolist()  # after 00, 01, 10, 11
    (2, [0, 1, 0, 2])
    """
    depth = max(map(len, tree))
    contexts = [format(context, f"0{depth}b") if depth else "" for context in range(1 << depth)]
    return depth, np.array([next(i for i, leaf in enumerate(tree) if each.endswith(leaf)) for each in contexts])
