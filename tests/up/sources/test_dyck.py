"""Rows of balanced brackets: balanced, as the reference with its stack makes them, and as deep as they should be."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import dyck as reference
from tests.reference.chi_squared import limit, statistic
from up.errors import InputError
from up.sources.draws import log_uniform, permutations
from up.sources.dyck import DyckSource, brackets, depths


@given(st.data())
def test_brackets_equal_the_stack(data):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 60)))
    probability = data.draw(st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))
    wants_open_RT = torch.rand(shape, generator=generator) < probability
    type_RT = torch.randint(5, shape, generator=generator)
    found_RT = brackets(depths(wants_open_RT), type_RT)
    for wants, kinds, found in zip(wants_open_RT.tolist(), type_RT.tolist(), found_RT.tolist(), strict=True):
        assert [(each // 2, each % 2 == 1) for each in found] == reference.brackets(wants, kinds)


@given(st.integers(1, 60), st.integers(2, 256), st.floats(0, 1), st.integers(0, 2**32))
def test_rows_are_balanced_up_to_the_last_token_of_an_odd_one(num_tokens, vocabulary_size, probability, seed):
    source = DyckSource(vocabulary_size=vocabulary_size, opening_probability=probability)
    generator = torch.Generator().manual_seed(seed)
    types_R = log_uniform(1, min(64, vocabulary_size // 2), 3, generator)
    token_RV = permutations(vocabulary_size, 3, generator)
    rows_RT = source.rows(3, num_tokens, torch.Generator().manual_seed(seed))
    for types, tokens, row in zip(types_R.tolist(), token_RV.tolist(), rows_RT.tolist(), strict=True):
        closes = {tokens[2 * kind + 1]: tokens[2 * kind] for kind in range(types)}
        assert len(reference.open_brackets(row, closes)) == num_tokens % 2
        assert set(row) <= set(tokens[: 2 * types])


def test_depths_of_free_tokens_are_the_reflected_walk():
    """At token 9 of a long row, against the exact law of |walk| that leaves 0 upwards; 50,000 rows, chi-squared."""
    probability, count = 0.49, 50_000
    wants_open_RT = torch.rand((count, 64), generator=torch.Generator().manual_seed(0)) < probability
    found = torch.bincount(depths(wants_open_RT)[:, 8], minlength=10)
    law = [1.0] + [0.0] * 10
    for _ in range(9):
        after = [0.0] * 11
        for depth in range(10):
            after[depth + 1] += law[depth] * (probability if depth else 1)
            if depth:
                after[depth - 1] += law[depth] * (1 - probability)
        law = after
    assert [int(n) for n in found[0::2]] == [0] * 5
    assert statistic(found[1::2], [count * p for p in law[1:10:2]]) < limit(4)


def test_types_are_uniform_where_brackets_open():
    """The first tokens of 60,000 rows of exactly 3 types over 6 tokens; chi-squared."""
    rows_RT = DyckSource(vocabulary_size=6, min_types=3, max_types=3).rows(60_000, 2, torch.Generator().manual_seed(0))
    assert statistic(torch.bincount(rows_RT[:, 0].long(), minlength=6), [10_000] * 6) < limit(5)
    pairs = torch.bincount(rows_RT[:, 0].long() * 6 + rows_RT[:, 1], minlength=36).view(6, 6)
    assert int(pairs.diagonal().sum()) == 0  # what closes is another token than what opens
    assert statistic(pairs[~torch.eye(6, dtype=torch.bool)], [2_000] * 30) < limit(29)


def test_types_of_rows_range_from_one_to_as_many_as_fit():
    rows_RT = DyckSource(vocabulary_size=9).rows(300, 512, torch.Generator().manual_seed(0))
    assert {len(row.unique()) for row in rows_RT} == {2, 4, 6, 8}
    assert (DyckSource(vocabulary_size=2, opening_probability=0).rows(9, 8, torch.Generator()) < 2).all()


def test_a_great_opening_probability_makes_one_deep_nest():
    row = DyckSource(vocabulary_size=2, opening_probability=1).rows(1, 10, torch.Generator())[0].tolist()
    assert row == row[:1] * 5 + row[-1:] * 5
    assert row[0] != row[-1]


def test_the_description_says_the_sizes():
    assert DyckSource().description == "dyck, 1 to 64 types of brackets"


@pytest.mark.parametrize(
    "settings",
    [
        {"max_types": 0},
        {"max_types": 129},
        {"min_types": 0},
        {"min_types": 65},
        {"min_types": 5, "vocabulary_size": 9},
        {"opening_probability": -0.5},
        {"opening_probability": 1.5},
        {"opening_probability": math.nan},
    ],
)
def test_bad_settings_are_refused_with_their_value(settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))) as caught:
        DyckSource(**settings)
    assert "\n" not in str(caught.value)
