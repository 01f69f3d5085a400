"""Bits along a file of any length, in memory that does not grow."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.use.surprise import CAPACITY, UNIT, Surprise

lengths = st.lists(st.integers(0, 3 * CAPACITY), min_size=1, max_size=6)


def bits_of(size: int) -> np.ndarray:
    return np.random.default_rng(size).gamma(0.5, 4, size)


def read(bits_N: np.ndarray, ends: list[int]) -> Surprise:
    surprise = Surprise()
    for start, end in itertools.pairwise([0, *ends]):
        surprise.add(bits_N[start:end])
    return surprise


@given(lengths)
def test_what_is_known_does_not_depend_on_where_chunks_end(sizes):
    ends = list(itertools.accumulate(sizes))
    bits_N = bits_of(ends[-1])
    assert read(bits_N, ends) == read(bits_N, [ends[-1]])


@given(lengths)
def test_the_mean_is_that_of_all_bytes_and_memory_is_bounded(sizes):
    bits_N = bits_of(sum(sizes) + 1)
    surprise = read(bits_N, [*itertools.accumulate(sizes), len(bits_N)])
    assert abs(surprise.bits_per_byte - bits_N.mean()) <= UNIT
    assert len(surprise.units) <= CAPACITY
    assert (len(surprise.units) - 1) * surprise.piece_bytes < surprise.size_bytes == len(bits_N)


@given(st.integers(1, 5 * CAPACITY), st.integers(1, 200))
def test_pieces_of_equal_length_have_the_mean_of_the_whole(size, most):
    surprise = read(bits_of(size), [size])
    pieces = surprise.pieces(most)
    assert len(pieces) == min(size, most)
    assert np.mean(pieces) == pytest.approx(surprise.bits_per_byte, rel=1e-9)


def test_pieces_that_end_where_those_in_memory_do_are_exact():
    bits_N = bits_of(4 * CAPACITY)
    found = read(bits_N, [1000, len(bits_N)]).pieces(64)
    np.testing.assert_allclose(found, bits_N.reshape(64, -1).mean(1), rtol=1e-6)


def test_pieces_of_a_short_file_are_its_bytes():
    np.testing.assert_allclose(read(bits_of(7), [3, 7]).pieces(80), bits_of(7), atol=1e-8)


def test_a_byte_that_costs_almost_nothing_is_not_counted_as_nothing():
    surprise = read(np.full(100_000, 1.76e-4), [100_000])
    assert surprise.bits_per_byte == pytest.approx(1.76e-4, rel=1e-5)
