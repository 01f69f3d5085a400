"""Rows of random context trees: bit by bit those of the reference, and short ones as frequent as the mixture says."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import tree as reference
from tests.reference.chi_squared import limit, statistic
from theory.compiling import can_compile
from up.errors import InputError
from up.sources.noise import NoiseSource
from up.sources.tree import TreeSource
from up.sources.tree_kernel import compiled_write_rows, write_rows

WRITERS = {"plain": write_rows} | ({"compiled": compiled_write_rows()} if can_compile() else {})


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@given(data=st.data())
def test_rows_equal_the_reference_bit_by_bit(write, data):
    vocabulary_size, max_depth = data.draw(st.integers(2, 256)), data.draw(st.integers(0, 6))
    split = data.draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    numbers = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    num_rows, num_tokens = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 12))
    key_R = numbers.integers(2**64, size=num_rows, dtype=np.uint64)
    uniform_TRW = numbers.random((num_tokens, num_rows, (vocabulary_size - 1).bit_length()))
    found_RT = write(key_R, uniform_TRW, vocabulary_size, max_depth, int(split * 2**53))
    settings = {"vocabulary_size": vocabulary_size, "max_depth": max_depth, "split_probability": split}
    for row, key in enumerate(key_R.tolist()):
        assert found_RT[row].tolist() == reference.row(key, uniform_TRW[:, row].tolist(), **settings)
    assert int(found_RT.max()) < vocabulary_size


@pytest.mark.skipif(not can_compile(), reason="needs numba")
def test_compiled_and_plain_write_the_same_rows_of_bytes():
    numbers = np.random.default_rng(0)
    key_R, uniform_TRW = numbers.integers(2**64, size=200, dtype=np.uint64), numbers.random((100, 200, 8))
    plain, compiled = (write(key_R, uniform_TRW, 256, 8, 2**52) for write in WRITERS.values())
    assert np.array_equal(plain, compiled)


def test_rows_of_several_blocks_are_all_different():
    rows_RT = TreeSource().rows(600, 40, torch.Generator().manual_seed(0))
    assert len(rows_RT.unique(dim=0)) == 600


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


def test_a_source_of_two_symbols_writes_what_one_of_a_vocabulary_of_two_does():
    rows = [
        TreeSource(max_depth=3, **settings).rows(50, 40, torch.Generator().manual_seed(0))
        for settings in ({"symbols": 2}, {"vocabulary_size": 2}, {"symbols": 256}, {})
    ]
    assert torch.equal(rows[0], rows[1])
    assert torch.equal(rows[2], rows[3])
    assert rows[0].unique().tolist() == [0, 1]


def test_noise_of_three_symbols_has_each_of_them_equally_often():
    rows_RT = NoiseSource(symbols=3).rows(100, 300, torch.Generator().manual_seed(0))
    counts = torch.bincount(rows_RT.flatten().long())
    assert len(counts) == 3
    assert statistic(counts, [10_000.0] * 3) < limit(2)


@pytest.mark.parametrize("symbols", [1, 257])
def test_noise_has_two_symbols_at_least_and_no_more_than_there_are(symbols):
    with pytest.raises(InputError, match=rf"source.symbols is out of range \(received {symbols}\)"):
        NoiseSource(symbols=symbols)


def test_the_description_says_the_size():
    assert TreeSource().description == "tree, up to 8 tokens of context"
    assert TreeSource(symbols=2, max_depth=4).description == "tree, up to 4 tokens of context, 2 symbols"


@pytest.mark.parametrize(
    "settings",
    [
        {"max_depth": -1},
        {"max_depth": 65},
        {"split_probability": -0.5},
        {"split_probability": 1.5},
        {"split_probability": math.nan},
        {"symbols": 1},
        {"symbols": 257},
    ],
)
def test_bad_settings_are_refused_with_their_value(settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))) as caught:
        TreeSource(**settings)
    assert "\n" not in str(caught.value)
