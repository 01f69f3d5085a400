"""Codes of weights that are trained: draws, gradients against exact derivatives, divergences against closed forms."""

import math

import pytest
import torch

from up.codes.mixture import GaussianMixture, gaussian_divergence, optimal_bits
from up.codes.weight_code import WeightCode, best_prior, straight_through, unknown_prior


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gumbel(*shape):
    return -(-torch.rand(*shape, generator=generator(), dtype=torch.float64).log()).log()


def code_of(logits, means, *, nu=-10.0):
    """A code of one weight that has a mixture, and none beside it."""
    empty = torch.zeros(0, dtype=torch.float64)
    logit_12, mean_12 = (torch.tensor([each], dtype=torch.float64, requires_grad=True) for each in (logits, means))
    one = torch.zeros(1, dtype=torch.float64)
    return WeightCode(empty, empty, logit_12, mean_12, torch.full_like(mean_12, nu), one, one, one)


def test_a_component_is_drawn_whole_and_as_often_as_its_weight():
    logit_2 = torch.tensor([0.0, 1.0], dtype=torch.float64)
    drawn = straight_through(logit_2, gumbel(20_000, 2))
    assert set(map(tuple, drawn.round(decimals=9).tolist())) == {(0.0, 1.0), (1.0, 0.0)}
    assert float(drawn[:, 1].mean()) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.01)


@pytest.mark.parametrize("logit", [0.0, 0.7, -1.5])
def test_gradients_of_the_mean_of_a_mixture_are_the_exact_derivatives(logit):
    """E z = p a + (1 - p) b: its derivatives are p (1 - p) (a - b) by the first logit, p by a and 1 - p by b."""
    a, b = 2.0, -1.0
    code = code_of([logit, 0.0], [a, b])
    _, drawn_SM = code.draw(200_000, generator())
    assert not drawn_SM.isnan().any()
    drawn_SM.mean().backward()
    p = 1 / (1 + math.exp(-logit))
    assert float(drawn_SM.detach().mean()) == pytest.approx(p * a + (1 - p) * b, abs=0.02)
    exact = p * (1 - p) * (a - b)
    assert code.mixture_logit_M2.grad[0].tolist() == pytest.approx([exact, -exact], rel=0.05)
    assert code.mixture_mean_M2.grad[0].tolist() == pytest.approx([p, 1 - p], abs=0.01)


def test_draws_are_those_of_the_posteriors():
    code = WeightCode.around(
        torch.tensor([5.0, 0.0, 1.0, -3.0]), slice(1, 3), unknown_prior(torch.ones(4), 3, generator())
    )
    whole_SN = code.whole(code.draw(4_000, generator()), 1)
    assert whole_SN.mean(0).tolist() == pytest.approx([5, 0, 1, -3], abs=1e-3)
    sigma = math.log1p(math.exp(-10)) ** 0.5
    assert whole_SN.std(0).tolist() == pytest.approx([sigma] * 4, rel=0.05)


def test_the_divergence_and_its_gradient_are_those_of_two_gaussians():
    """KL[N(m, s^2) || N(0, 1)] by m is m."""
    wide = math.log(math.e - 1)  # softplus of it is 1
    mean_R = torch.tensor([0.5, -2.0], dtype=torch.float64, requires_grad=True)
    nu_R = torch.full((2,), -3.0, dtype=torch.float64)
    none = torch.zeros(0, 2, dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    code = WeightCode(mean_R, nu_R, none, none, none, zero, zero, torch.full_like(zero, wide))
    nats = code.divergence_nats(100_000, generator())
    sigma = math.log1p(math.exp(-3)) ** 0.5
    exact = sum(gaussian_divergence(mean, sigma) for mean in (0.5, -2.0))
    assert float(nats.detach()) / math.log(2) == pytest.approx(exact, rel=0.01)
    nats.backward()
    assert mean_R.grad.tolist() == pytest.approx([0.5, -2.0], abs=0.01)
    estimated = code.bits(10_000, generator())
    assert estimated.value == pytest.approx(exact, abs=4 * estimated.stderr)


def test_the_divergence_of_a_mixture_against_itself_is_nothing():
    code = code_of([0.3, 0.0], [2.0, -1.0], nu=-2.0)
    own = WeightCode(
        **{
            **code.tensors(),
            "prior_logit_K": code.mixture_logit_M2[0],
            "prior_mean_K": code.mixture_mean_M2[0],
            "prior_nu_K": code.mixture_nu_M2[0],
        }
    )
    assert float(own.divergence_nats(100, generator()).detach()) == pytest.approx(0, abs=1e-9)


def test_narrow_posteriors_around_few_values_cost_the_entropy_of_the_values():
    weights_N = torch.tensor([0.0] * 60 + [1.0] * 3 + [-20.0])
    code = WeightCode.around(weights_N, slice(10, 20), best_prior(weights_N))
    bits = code.bits(4, generator())
    assert bits.value == pytest.approx(optimal_bits(weights_N), abs=1e-3)
    assert float(code.divergence_nats(2, generator())) / math.log(2) == pytest.approx(bits.value, rel=1e-2)


def test_a_prior_that_is_not_known_is_wide_and_its_means_are_weights():
    weights_N = torch.arange(5.0)
    prior = unknown_prior(weights_N, 3, generator())
    assert isinstance(prior, GaussianMixture)
    assert set(prior.mean_K.tolist()) <= set(weights_N.tolist())
    assert prior.log_weights.exp().tolist() == pytest.approx([1 / 3] * 3)
    assert prior.sigmas.tolist() == pytest.approx([math.log1p(math.e) ** 0.5] * 3)
