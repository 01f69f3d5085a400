"""Exact sampling: the rule of the reference, frequencies, near ties, and the ends of the range."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.sampling import sample_token
from up.sources.exact_sampling import draw_tokens, required_gap


@given(st.data())
def test_the_draw_takes_the_token_whose_interval_holds_the_uniform_number(data):
    """The plain rule of the reference, on few tokens whose logits (in bits) are close enough to matter."""
    vocabulary = data.draw(st.integers(2, 6))
    logits_V = data.draw(st.lists(st.integers(-12, 0), min_size=vocabulary, max_size=vocabulary, unique=True))
    u = data.draw(st.floats(0, 1, exclude_max=True).filter(lambda u: u == 0 or u > 1e-300))
    logits_RV = torch.tensor([logits_V], dtype=torch.float64)
    expected = sample_token(logits_RV[0] * math.log(2), 1.0, u)
    weights = 2.0 ** (logits_RV[0] - logits_RV.max())
    edges = torch.cat([weights.max()[None], weights[weights < 1]]).cumsum(0) / weights.sum()
    uniform_R = torch.tensor([u], dtype=torch.float64)
    drawn = int(draw_tokens(logits_RV, uniform_R, required_gap(uniform_R, vocabulary, torch.float64)))
    assert drawn == expected or float((edges - u).abs().min()) < 1e-12


@given(st.integers(0, 2**53 - 1), st.lists(st.floats(0, 60), min_size=2, max_size=8), st.booleans())
def test_the_draw_is_in_range_at_the_extremes_of_the_uniform_number(numerator, gaps, largest):
    u = (2**53 - 1 if largest else numerator) / 2**53
    logits_RV = -torch.tensor([gaps], dtype=torch.float64)
    uniform_R = torch.tensor([u], dtype=torch.float64)
    token = int(draw_tokens(logits_RV.clone(), uniform_R, required_gap(uniform_R, len(gaps), torch.float64)))
    assert 0 <= token < len(gaps)


def test_sampling_follows_the_softmax_and_is_no_argmax():
    """Frequencies over 200,000 draws match the probabilities within five standard errors, small ones included."""
    probabilities_V = torch.tensor([0.55, 0.3, 0.1, 0.04, 0.01], dtype=torch.float64)
    count = 200_000
    uniform_R = torch.rand(count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    logits_RV = probabilities_V.log2().float().repeat(count, 1)
    tokens_R = draw_tokens(logits_RV, uniform_R, required_gap(uniform_R, 5, torch.float32))
    frequencies_V = torch.bincount(tokens_R, minlength=5) / count
    standard_error_V = (probabilities_V * (1 - probabilities_V) / count).sqrt()
    assert ((frequencies_V - probabilities_V).abs() < 5 * standard_error_V).all()


def test_near_ties_at_the_papers_temperature_are_sampled_both_ways():
    """Two logits 5e-5 apart at temperature 1e-4: the larger one has probability 1 / (1 + e^-0.5) = 0.622."""
    count = 20_000
    bits = 1 / (1e-4 * math.log(2))
    logits_RV = (torch.tensor([0.3, 0.30005, -1.0], dtype=torch.float64) * bits).repeat(count, 1)
    uniform_R = torch.rand(count, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    tokens_R = draw_tokens(logits_RV, uniform_R, required_gap(uniform_R, 3, torch.float64))
    assert abs((tokens_R == 1).double().mean() - 0.6225) < 5 * math.sqrt(0.6225 * 0.3775 / count)
    assert (tokens_R == 2).sum() == 0
