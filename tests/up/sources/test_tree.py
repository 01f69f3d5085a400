"""Rows of random context trees: bit by bit those of the reference, and short ones as frequent as the mixture says."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import tree as reference
from tests.reference.chi_squared import limit, statistic
from up.errors import InputError
from up.sources.tree import TreeSource


@given(
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(2, 256),
    st.integers(0, 6),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.integers(0, 2**32),
)
def test_rows_equal_the_reference_bit_by_bit(num_rows, num_tokens, vocabulary_size, max_depth, split, seed):
    settings = {"vocabulary_size": vocabulary_size, "max_depth": max_depth, "split_probability": split}
    generator = torch.Generator().manual_seed(seed)
    keys = torch.randint(2**63 - 1, (num_rows,), generator=generator).tolist()
    shape = (num_rows, (vocabulary_size - 1).bit_length())
    uniform_TRW = torch.stack([torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(num_tokens)])
    expected = [reference.row(key, uniform_TRW[:, r].tolist(), **settings) for r, key in enumerate(keys)]
    found_RT = TreeSource(**settings).rows(num_rows, num_tokens, torch.Generator().manual_seed(seed))
    assert found_RT.tolist() == expected
    assert int(found_RT.max()) < vocabulary_size


@pytest.mark.parametrize(
    ("vocabulary_size", "max_depth", "split", "length"),
    [
        (2, 0, Fraction(1, 2), 4),
        (2, 2, Fraction(1, 2), 6),
        (2, 8, Fraction(3, 4), 5),
        (2, 1, Fraction(1), 5),
        (3, 1, Fraction(1, 2), 3),
        (5, 2, Fraction(1, 3), 2),
    ],
)
def test_short_rows_have_the_exact_probabilities_of_the_mixture(vocabulary_size, max_depth, split, length):
    """Chi-squared over all rows of a length, 200,000 draws."""
    count = 200_000
    source = TreeSource(vocabulary_size=vocabulary_size, max_depth=max_depth, split_probability=float(split))
    drawn = source.rows(count, length, torch.Generator().manual_seed(2)).long()
    codes = (drawn * vocabulary_size ** torch.arange(length - 1, -1, -1)).sum(1)
    found = torch.bincount(codes, minlength=vocabulary_size**length)
    exact = [
        reference.probability(row, vocabulary_size=vocabulary_size, max_depth=max_depth, split_probability=split)
        for row in itertools.product(range(vocabulary_size), repeat=length)
    ]
    assert sum(exact) == 1
    assert statistic(found, [count * p for p in exact]) < limit(len(exact) - 1)


def test_a_worked_example_of_the_mixture():
    """Row 1, 1 at depth 1 after a token 0: as a leaf KT(0, 2) = 3/8, split 1/2 for the context 0 times 1/2 for 1."""
    settings = {"vocabulary_size": 2, "max_depth": 1, "split_probability": Fraction(1, 2)}
    assert reference.probability([1, 1], **settings) == (Fraction(3, 8) + Fraction(1, 4)) / 2


def test_without_context_tokens_are_exchangeable_and_with_it_they_are_not():
    """Rows 0, 1 and 1, 0 are alike at depth 0; 0, 1, 1 and 1, 0, 1 differ when the root is split."""
    rows_RT = TreeSource(vocabulary_size=2, max_depth=0).rows(100_000, 2, torch.Generator().manual_seed(0))
    first = int((rows_RT[:, 0] > rows_RT[:, 1]).sum())
    second = int((rows_RT[:, 0] < rows_RT[:, 1]).sum())
    assert abs(first - second) < 5 * math.sqrt(first + second)
    settings = {"vocabulary_size": 2, "max_depth": 1, "split_probability": Fraction(1)}
    assert reference.probability([0, 1, 1], **settings) == Fraction(1, 16)
    assert reference.probability([1, 0, 1], **settings) == Fraction(3, 16)


def test_rows_of_bytes_are_not_constant():
    rows_RT = TreeSource().rows(100, 128, torch.Generator().manual_seed(0))
    assert (rows_RT != rows_RT[:, :1]).any(1).all()


def test_the_description_says_the_size():
    assert TreeSource().description == "tree, up to 8 tokens of context"


@pytest.mark.parametrize(
    "settings",
    [
        {"max_depth": -1},
        {"max_depth": 65},
        {"split_probability": -0.5},
        {"split_probability": 1.5},
        {"split_probability": math.nan},
    ],
)
def test_bad_settings_are_refused_with_their_value(settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))) as caught:
        TreeSource(**settings)
    assert "\n" not in str(caught.value)
