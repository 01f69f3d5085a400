"""Weighting all context trees loses Gamma(S) and log2(n)/2 + 1 bits a leaf at most, and no less will do."""

from fractions import Fraction

import pytest

from theory.checks.registry import TREES
from theory.checks.trees import check_trees, de_bruijn
from theory.errors import InputError
from theory.numbers.bit_strings import strings_of_length


def item(result, name):
    return next(item for item in result.items if item.name == name)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_it_holds_for_all_trees_of_this_depth_and_has_no_slack_where_a_leaf_saw_one_bit(depth):
    result = check_trees(depth=depth, steps=6)
    assert result.holds
    assert item(result, "a leaf by itself").slack_bits == 0
    assert len(result.items) == 2 + 2 * result.counts["trees"]


def test_the_price_of_the_full_tree_is_paid_on_its_cycle_up_to_less_than_a_millionth_of_a_bit():
    result = check_trees()
    tight = item(result, "the full tree on its cycle")
    assert 1 < tight.slack < 1 + Fraction(1, 1_000_000)
    assert tight.witness == "64 bits"
    assert result.constants["2^-Gamma, {00, 10, 01, 11}"] == Fraction(1, 8)


@pytest.mark.parametrize("order", range(6))
def test_the_cycle_of_de_bruijn_has_each_word_once(order):
    cycle = de_bruijn(order)
    found = [(cycle * 2)[i : i + order] for i in range(len(cycle))]
    assert sorted(found) == list(strings_of_length(order))


@pytest.mark.parametrize("variant", TREES.variants)
@pytest.mark.parametrize("depth", [1, 2])
def test_every_wrong_variant_is_caught(variant, depth):
    result = check_trees(depth=depth, variant=variant)
    assert not result.holds
    assert result.counterexample.observed > result.counterexample.claimed


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"depth": -1}, {"variant": "x"}])
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        check_trees(**wrong)
