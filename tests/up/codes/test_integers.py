"""Integers come back from the file, which is as long as was computed without making it."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.codes.integers import _decisions, code_length_bits, decode, encode

integers = st.lists(st.one_of(st.just(0), st.integers(-3, 3), st.integers(-(2**30) + 1, 2**30 - 1)), max_size=60).map(
    lambda values: np.array(values, np.int64)
)


@given(integers)
def test_they_come_back_and_the_file_is_as_long_as_computed(values):
    file = encode(values)
    assert (decode(file, len(values)) == values).all()
    assert code_length_bits(values) - 8 < 8 * len(file) < code_length_bits(values) + 24


@given(integers)
def test_the_length_is_the_product_of_what_is_predicted_decision_by_decision(values):
    """Against the estimator itself, in fractions."""
    counts, bits = {}, 0.0
    for value in values.tolist():
        for context, bit in _decisions(value):
            if context < 0:
                bits += 1
                continue
            seen = counts.setdefault(context, [0, 0])
            p = Fraction(2 * seen[bit] + 1, 2 * sum(seen) + 2)
            bits -= math.log2(p)
            seen[bit] += 1
    assert code_length_bits(values) == pytest.approx(bits, abs=1e-6)


@pytest.mark.parametrize("sigma", [0.3, 3, 40, 3000])
def test_rounded_gaussians_cost_little_more_than_their_entropy(sigma):
    values = np.round(np.random.default_rng(0).normal(0, sigma, 4000)).astype(np.int64)
    counts = np.unique(values, return_counts=True)[1]
    empirical = float((counts * np.log2(len(values) / counts)).sum())
    differential = 4000 * math.log2(sigma * math.sqrt(2 * math.pi * math.e))
    assert code_length_bits(values) < max(differential, min(empirical, differential + 1200)) * 1.01 + 40


def test_what_is_all_alike_costs_almost_nothing():
    assert code_length_bits(np.zeros(100_000, np.int64)) < 12
    assert code_length_bits(np.zeros(0, np.int64)) == 0
