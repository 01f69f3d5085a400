"""The divergence of a model from an exact measure: against sums by hand, for models with and without logits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from up.evaluation.ctw import in_context_bits
from up.evaluation.mixture_gap import both_charges, divergence, measure_gap
from up.sources.tree import TreeSource

probabilities = st.floats(0.001, 0.999)


class Fixed(nn.Module):
    """Gives 0, 1 and everything else the same probabilities wherever it is."""

    def __init__(self, zero, one, vocabulary_size=256):
        super().__init__()
        rest = (1 - zero - one) / (vocabulary_size - 2)
        self.logits_V = nn.Parameter(torch.tensor([zero, one] + [rest] * (vocabulary_size - 2)).log())

    def forward(self, tokens_BT):
        return self.logits_V.expand(*tokens_BT.shape, -1)


class Charging(Fixed):
    """The same, without logits."""

    def charge(self, tokens_BT):
        return -self.logits_V[tokens_BT[:, 1:].long()] / math.log(2)


def coin_rows(one, *shape):
    tokens = (np.random.default_rng(0).random(shape) < one).astype(np.uint8)
    return tokens, -np.log2(np.where(tokens == 1, one, 1 - one))


@given(one=probabilities, inside=st.floats(0.1, 0.9), share=probabilities)
def test_the_divergence_counts_what_is_given_to_tokens_that_are_no_bits(one, inside, share):
    q = inside * (1 - share), inside * share
    tokens_NT, bits_NT = coin_rows(one, 2, 5)
    gap = measure_gap(Fixed(*q), tokens_NT, bits_NT)
    expected = (1 - one) * math.log2((1 - one) / q[0]) + one * math.log2(one / q[1])
    np.testing.assert_allclose(gap.gap_NT, np.full((2, 4), expected), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gap.outside_NT, np.full((2, 4), 1 - inside), atol=1e-5)
    assert expected >= -math.log2(inside) - 1e-9  # the mass outside alone costs that much


def test_a_model_without_logits_has_the_same_divergence_in_expectation():
    tokens_NT, bits_NT = coin_rows(0.8, 400, 100)
    with_logits, without = (measure_gap(model(0.3, 0.5), tokens_NT, bits_NT) for model in (Fixed, Charging))
    rows_N = without.gap_NT.mean(axis=1)
    assert without.outside_NT is None
    assert abs(rows_N.mean() - with_logits.gap_NT.mean()) < 4 * rows_N.std() / 20
    assert rows_N.std() > 0


def test_what_predicts_as_the_mixture_does_has_no_divergence_from_it():
    tokens_NT = TreeSource(max_depth=3, symbols=2).rows(20, 64, torch.Generator().manual_seed(0)).numpy()
    bits_NT = in_context_bits(tokens_NT, 3, vocabulary_size=2)
    np.testing.assert_allclose(divergence(tokens_NT, bits_NT, both_charges(tokens_NT, bits_NT)), 0, atol=1e-12)


@given(st.lists(st.tuples(st.integers(0, 1), probabilities, probabilities), min_size=1, max_size=5))
def test_the_divergence_of_two_measures_of_bits_is_never_negative_and_that_of_the_definition(rows):
    token_1T = np.array([[bit for bit, _, _ in rows]])
    p_1T, q_1T = (np.array([[row[place] for row in rows]]) for place in (1, 2))
    charges = (-np.log2(np.where(token_1T == 1, each, 1 - each)) for each in (p_1T, q_1T))
    exact_1T, charged_1T = charges
    found = divergence(token_1T, exact_1T, both_charges(token_1T, charged_1T))
    expected = p_1T * np.log2(p_1T / q_1T) + (1 - p_1T) * np.log2((1 - p_1T) / (1 - q_1T))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (found > -1e-9).all()


def test_what_is_certain_has_a_finite_divergence():
    assert divergence(np.array([[1]]), np.array([[0.0]]), np.array([[[20.0, 1.0]]])).item() == 1


@pytest.mark.parametrize("rows", [1, 3, 50])
def test_batches_do_not_matter_and_rows_are_told(rows):
    tokens_NT, bits_NT = coin_rows(0.4, 7, 9)
    told = []
    model = Fixed(0.5, 0.4)
    gap = measure_gap(model, tokens_NT, bits_NT, batch_size=rows, progress=lambda *seen: told.append(seen))
    np.testing.assert_allclose(gap.gap_NT, measure_gap(model, tokens_NT, bits_NT).gap_NT)
    assert told[-1] == (7, 7)
