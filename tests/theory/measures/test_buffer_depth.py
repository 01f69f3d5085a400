"""The exact distribution of depth in the buffer."""

from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import InputError
from theory.measures.buffer_depth import (
    after_batch,
    depth_distributions,
    reset_probability,
    stationary_depth_probability,
)


def test_the_papers_settings_reset_20_of_69():
    assert reset_probability(138, 40) == Fraction(20, 69)
    assert stationary_depth_probability(1, source_batch=138, reset_rows=40) == Fraction(980, 4761)


@given(st.integers(1, 50).flatmap(lambda b: st.tuples(st.just(b), st.integers(1, b))), st.integers(1, 60))
def test_the_first_depths_sum_to_what_a_geometric_tail_leaves(sizes, depths):
    source_batch, reset_rows = sizes
    total = sum(
        stationary_depth_probability(k, source_batch=source_batch, reset_rows=reset_rows) for k in range(depths)
    )
    assert total == 1 - (1 - Fraction(reset_rows, source_batch)) ** depths


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 9), st.integers(0, 6))
def test_the_stationary_distribution_is_a_fixed_point_of_one_batch(source_batch, reset_rows, spare, depth):
    """pi(k) = (1 - d) pi(k) + d (1 - r) pi(k - 1), with the reset rows arriving at depth 0."""
    reset_rows = min(reset_rows, source_batch)
    drawn = Fraction(source_batch, source_batch + spare)
    r = reset_probability(source_batch, reset_rows)

    def pi(k):
        return stationary_depth_probability(k, source_batch=source_batch, reset_rows=reset_rows)

    arriving = drawn * r if depth == 0 else drawn * (1 - r) * pi(depth - 1)
    assert pi(depth) == (1 - drawn) * pi(depth) + arriving


def test_three_batches_by_hand():
    """Half of the rows are drawn and a quarter of those reset: P(0) goes 1, 1/2 + 1/8, (5/8)/2 + 1/8."""
    first, second, third = islice(depth_distributions(buffer_rows=8, source_batch=4, reset_rows=1), 3)
    assert first == [1]
    assert second == [Fraction(5, 8), Fraction(3, 8)]
    assert third == [Fraction(7, 16), Fraction(27, 64), Fraction(9, 64)]


@pytest.mark.parametrize(("source_batch", "reset_rows"), [(0, 0), (4, 5), (4, -1)])
def test_impossible_sizes_are_refused(source_batch, reset_rows):
    with pytest.raises(InputError):
        reset_probability(source_batch, reset_rows)


def test_without_resets_nothing_is_stationary():
    with pytest.raises(InputError, match="without resets"):
        stationary_depth_probability(0, source_batch=4, reset_rows=0)
    with pytest.raises(InputError):
        stationary_depth_probability(-1, source_batch=4, reset_rows=1)
    with pytest.raises(InputError):
        next(depth_distributions(buffer_rows=3, source_batch=4, reset_rows=1))


@given(st.integers(2, 9), st.integers(1, 8), st.integers(0, 9))
def test_a_source_batch_leaves_the_stationary_depths_as_they_are(source_batch, reset_rows, more):
    sizes = {"source_batch": source_batch, "reset_rows": min(reset_rows, source_batch)}
    before = [stationary_depth_probability(depth, **sizes) for depth in range(5)]
    assert after_batch(before, buffer_rows=source_batch + more, **sizes)[:5] == before
