"""Rows of one tree: leaves are found by their contexts, coins are drawn from their prior, and the bound is kept."""

import numpy as np
import pytest

from theory.measures.context_trees import context_counts, tree_prior, trees
from up.evaluation.ctw import in_context_bits
from up.evaluation.tree_members import bound_bits, leaves_of_contexts, member_rows


@pytest.mark.parametrize("tree", trees(3))
def test_every_context_leads_to_the_leaf_that_ends_it(tree):
    depth, leaf_C = leaves_of_contexts(tree)
    assert len(leaf_C) == 1 << depth
    for context, leaf in enumerate(leaf_C):
        assert (format(context, f"0{depth}b") if depth else "").endswith(tree[leaf])


@pytest.mark.parametrize("tree", trees(2))
def test_rows_are_those_of_the_mixture_where_the_tree_is_drawn_and_cost_what_their_coins_say(tree):
    """Over coins drawn from their prior, rows of a tree are as frequent as KT at its leaves says: P(11) = 3/8."""
    tokens_NT, bits_NT = member_rows(tree, 40_000, 2, np.random.default_rng(0))
    together = len({leaf for leaf in tree if "00".endswith(leaf) or "01".endswith(leaf)}) == 1  # for both bits of 1, 1
    expected = 3 / 8 if together else 1 / 4
    share = float((tokens_NT.sum(axis=1) == 2).mean())
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 40_000)
    assert (bits_NT >= 0).all()


def test_a_row_costs_its_writer_less_than_the_mixture_on_average():
    tree = trees(3)[-1]
    tokens_NT, bits_NT = member_rows(tree, 300, 128, np.random.default_rng(1))
    lost_N = (in_context_bits(tokens_NT, 3, vocabulary_size=2) - bits_NT).sum(axis=1)
    assert lost_N.mean() > 4 * lost_N.std() / np.sqrt(300)


@pytest.mark.parametrize("tree", [*trees(2), trees(3)[7], trees(3)[-1]])
def test_the_mixture_loses_no_more_to_a_tree_on_any_row_than_the_bound(tree):
    tokens_NT, bits_NT = member_rows(tree, 100, 100, np.random.default_rng(2))
    lost_N = (in_context_bits(tokens_NT, 3, vocabulary_size=2) - bits_NT).sum(axis=1)
    assert (lost_N <= bound_bits(tree, 3, tokens_NT) + 1e-9).all()


def test_the_bound_counts_each_leaf_that_was_met():
    tokens_1T = np.array([[0, 0, 1, 1]], np.uint8)  # contexts 0, 0, 0, 1
    tree = ("0", "1")
    assert {leaf: sum(context_counts("0011", 1)[leaf]) for leaf in tree} == {"0": 3, "1": 1}
    gamma = -np.log2(float(tree_prior(tree, 4)))
    assert bound_bits(tree, 4, tokens_1T) == pytest.approx(gamma + np.log2(3) / 2 + 1 + 1)
