"""The mixture of context trees: the nodes' recursion is the sum over all trees, whose priors sum to one."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import ctw as by_visits
from tests.reference import tree as source
from theory.errors import InputError
from theory.measures.context_trees import (
    ContextTrees,
    context_counts,
    full_tree,
    krichevsky_trofimov_mass,
    tree_prior,
    trees,
)
from theory.numbers.bit_strings import strings

bits = st.text("01", max_size=24)


def visits(x, depth):
    """Each bit with its context, the nearest bit first, zeros before x."""
    text = "0" * depth + x
    return [(tuple(map(int, text[t - depth : t][::-1])), int(text[t])) for t in range(depth, len(text))]


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_the_mass_of_every_string_of_up_to_ten_bits_is_the_sum_over_all_trees(depth):
    """The sum is multiplied out in `tests.reference.ctw`: each tree, each leaf, one bit after the other."""
    known = {"": ContextTrees(depth)}
    listed = by_visits.trees(depth)
    leaves = {leaf for tree in listed for leaf in tree}
    for x in strings(10):
        if x:
            known[x] = known[x[:-1]].reading(x[-1])
        seen = visits(x, depth)
        estimates = {
            leaf: by_visits.krichevsky_trofimov([each for each in seen if each[0][: len(leaf)] == leaf])
            for leaf in leaves
        }
        total = Fraction(0)
        for tree in listed:
            term = Fraction(1, 2 ** (len(tree) - 1 + sum(len(leaf) < depth for leaf in tree)))
            for leaf in tree:
                term *= estimates[leaf]
            total += term
        assert known[x].mass == total


@given(
    x=bits, depth=st.integers(0, 6), split=st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)])
)
def test_the_mass_is_the_probability_with_which_the_source_writes_the_string(x, depth, split):
    settings = {"vocabulary_size": 2, "max_depth": depth, "split_probability": split}
    assert ContextTrees(depth, split).reading(x).mass == source.probability(list(map(int, x)), **settings)


@given(x=bits, y=bits, depth=st.integers(0, 6))
def test_reading_in_two_parts_is_reading_at_once_and_changes_nothing_that_was_known(x, y, depth):
    before = ContextTrees(depth).reading(x)
    mass = before.mass
    assert before.reading(y) == ContextTrees(depth).reading(x + y)
    assert before.mass == mass


@given(x=bits, depth=st.integers(0, 6))
def test_predictions_are_positive_sum_to_one_and_multiply_to_the_mass(x, depth):
    found, product = ContextTrees(depth), Fraction(1)
    for bit in x:
        predicted = found.next_symbol
        assert sum(predicted.values()) == 1
        assert min(predicted.values()) > 0
        product *= predicted[bit]
        found = found.reading(bit)
    assert found.mass == product


def test_the_worked_example_of_willems_shtarkov_and_tjalkens():
    """Their figure 2: depth 3, after the past 010 the string 0110100 has the weighted probability 95/32768."""
    assert ContextTrees(3, past="010").reading("0110100").mass == Fraction(95, 32768)


@pytest.mark.parametrize(("depth", "number"), [(0, 1), (1, 2), (2, 5), (3, 26)])
def test_trees_are_all_complete_sets_of_leaves_and_their_priors_sum_to_one(depth, number):
    every = trees(depth)
    assert len(set(every)) == len(every) == number
    for tree in every:
        for past in ("0" * depth + x for x in strings(depth)):
            assert sum(past.endswith(leaf) for leaf in tree) == 1
    for split in (Fraction(1, 2), Fraction(1, 5)):
        assert sum(tree_prior(tree, depth, split) for tree in every) == 1
    assert every[-1] == full_tree(depth)


@given(x=bits, depth=st.integers(0, 4))
def test_the_nodes_count_what_followed_their_contexts(x, depth):
    counts = context_counts(x, depth)
    nodes = {"": ContextTrees(depth).reading(x).root}
    for context in sorted(counts, key=len):
        node = nodes[context]
        assert node.counts == counts[context]
        assert node.estimate == krichevsky_trofimov_mass(*node.counts)
        nodes |= {bit + context: child for bit, child in zip("01", node.children, strict=True) if child}
    assert len(nodes) == max(1, len(counts))


@pytest.mark.parametrize(
    "wrong", [{"depth": -1}, {"depth": 1, "split": Fraction(-1)}, {"depth": 1, "split": Fraction(3, 2)}]
)
def test_bad_settings_are_refused(wrong):
    with pytest.raises(InputError):
        ContextTrees(**wrong)


def test_what_is_no_bit_is_refused():
    with pytest.raises(InputError, match="only the characters 0 and 1"):
        ContextTrees(1).reading("012")
