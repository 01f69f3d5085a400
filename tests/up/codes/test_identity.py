"""The MLP of table 2: manual solutions and their codes, and training that any other configuration leaves alone."""

import math

import pytest
import torch

from up.codes.identity import (
    MANUAL,
    PAPER_VECTORS,
    WEIGHTS,
    IdentityConfig,
    all_vectors,
    logits,
    manual_weights,
    nats_per_vector,
    train_identity,
)
from up.codes.mixture import GaussianMixture, divergence, optimal_bits, optimal_prior, points
from up.errors import InputError


@pytest.mark.parametrize(("variant", "bits"), list(zip(MANUAL, (127.73, 89.1, 71.1), strict=True)))
def test_a_manual_solution_computes_the_identity_and_its_best_prior_charges(variant, bits):
    weights_W = manual_weights(variant)
    assert weights_W.shape == (WEIGHTS,) == (148,)
    assert bool(((logits(weights_W, all_vectors()) > 0) == (all_vectors() > 0)).all())
    assert float(nats_per_vector(weights_W)) * PAPER_VECTORS / math.log(2) < 0.5
    assert optimal_bits(weights_W) == pytest.approx(bits, abs=0.05)
    generator = torch.Generator().manual_seed(0)
    found = divergence(points(weights_W, 1e-3), optimal_prior(weights_W, 1e-3), samples=2, generator=generator)
    assert found.value == pytest.approx(bits, abs=0.05)


def test_three_components_of_equal_weight_charge_234_57_bits_for_the_manual_solution():
    weights_W = manual_weights()
    best = optimal_prior(weights_W, 1e-3)
    equal = GaussianMixture(torch.zeros_like(best.logit_K), best.mean_K, best.nu_K)
    found = divergence(points(weights_W, 1e-3), equal, samples=2, generator=torch.Generator().manual_seed(0))
    assert found.value == pytest.approx(148 * math.log2(3), abs=0.01)
    assert found.value == pytest.approx(234.57, abs=0.01)


def test_logits_are_those_of_the_network_written_out():
    weights_W = torch.randn(WEIGHTS, generator=torch.Generator().manual_seed(0))
    x_XI = all_vectors().float()
    first, bias, second, last = weights_W.split([64, 16, 64, 4])
    hidden = (x_XI @ first.view(16, 4).T + bias).clamp(min=0)
    expected = hidden @ second.view(4, 16).T + last
    assert torch.allclose(logits(weights_W, x_XI), expected, atol=1e-5)
    many = torch.stack([weights_W, -weights_W])
    assert torch.allclose(logits(many, x_XI)[0], expected, atol=1e-5)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(expected, x_XI, reduction="sum") / 16
    assert float(nats_per_vector(weights_W)) == pytest.approx(float(loss), rel=1e-5)


def test_a_configuration_comes_out_the_same_whatever_is_trained_beside_it():
    one = IdentityConfig(coefficient=1e-2, learning_rate=3e-2, seed=3)
    others = (IdentityConfig(coefficient=1e-1, learning_rate=1e-3), one, IdentityConfig(coefficient=1, learning_rate=1))
    (alone,), beside = train_identity([one], steps=20), train_identity(others, steps=20)[1]
    assert beside.description.total.value == pytest.approx(alone.description.total.value, rel=1e-3)


def test_a_higher_rate_finds_a_shorter_code_and_a_large_coefficient_learns_nothing():
    """At c = 1e-2 rate 3e-2 comes below the paper's manual 227 bits; at c = 1e-1 half of the bits are right."""
    configs = [
        IdentityConfig(coefficient=c, learning_rate=rate) for c, rate in ((1e-2, 1e-3), (1e-2, 3e-2), (1e-1, 3e-2))
    ]
    slow, fast, drowned = train_identity(configs, steps=1000, divergence_samples=10)
    assert slow.bit_accuracy == 1
    assert slow.description.total.value > 1000
    assert fast.bit_accuracy > 0.99
    assert fast.description.total.value < 227
    assert drowned.bit_accuracy < 0.6
    assert drowned.description.total.value == pytest.approx(4 * PAPER_VECTORS, rel=0.02)


def test_the_manual_solution_with_its_own_clusters_stays_below_the_papers_227_bits():
    config = IdentityConfig(coefficient=1e-2, learning_rate=1e-3, initialisation="paper", prior_means="clusters")
    (found,) = train_identity([config], steps=100, divergence_samples=10)
    assert found.bit_accuracy == 1
    assert 100 < found.description.total.value < 140


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: manual_weights("x"),
        lambda: IdentityConfig(coefficient=-1, learning_rate=1),
        lambda: IdentityConfig(coefficient=1, learning_rate=1, initialisation="x"),
        lambda: IdentityConfig(coefficient=1, learning_rate=1, reduction="x"),
        lambda: train_identity([]),
        lambda: train_identity([IdentityConfig(coefficient=1, learning_rate=1, components=k) for k in (2, 3)]),
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
