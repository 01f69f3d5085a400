"""Gaussian mixtures as codes: exact optima, the tape of |z| bits, and what one component cannot do."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from theory.measures.codes import tape_divergence
from up.codes.estimate import Estimate
from up.codes.mixture import (
    GaussianMixture,
    divergence,
    fit,
    gaussian_divergence,
    optimal_bits,
    optimal_prior,
    points,
    tape_code,
    unimodal_frontier,
)
from up.errors import InputError

DOUBLE = torch.float64


def generator():
    return torch.Generator().manual_seed(0)


def mixture(weights, means, sigmas):
    return GaussianMixture.of(*(torch.tensor(each, dtype=DOUBLE) for each in (weights, means, sigmas)))


@pytest.mark.parametrize("registers", [5, 16, 300])
def test_a_program_of_5_bits_takes_exactly_5_bits_on_a_tape_of_any_length(registers):
    """Notes, section 3: 5.0000 bits with a spread of 2e-13; the exact theory says the same."""
    code = tape_code([1, 0, 1, 1, 0], registers)
    found = divergence(code.posterior, code.prior, samples=16, generator=generator())
    assert found.value == pytest.approx(5, abs=1e-9)
    assert found.stderr < 1e-9
    assert float(tape_divergence(5, registers)) == 5


def test_registers_after_the_program_take_either_sign():
    drawn_SN = tape_code([1], 3, sigma=1e-6).posterior.sample(400, generator())
    assert bool((drawn_SN[:, 0] > 0).all())
    assert 150 < int((drawn_SN[:, 1] > 0).sum()) < 250
    assert torch.allclose(drawn_SN.abs(), torch.ones((), dtype=DOUBLE), atol=1e-4)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_optimal_prior_charges_the_entropy_of_the_values(values):
    x_N = torch.tensor(values, dtype=DOUBLE)
    expected = sum(-math.log2(values.count(v) / len(values)) for v in values)
    found = divergence(points(x_N, 1e-5), optimal_prior(x_N, 1e-5), samples=2, generator=generator())
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert optimal_bits(x_N) == pytest.approx(expected, abs=1e-9)


def test_no_other_weights_of_the_components_are_better():
    x_N = torch.tensor([0.0, 0, 0, 1], dtype=DOUBLE)
    for share in (0.5, 0.7, 0.8, 0.9):
        other = mixture([share, 1 - share], [0.0, 1.0], [1e-5, 1e-5])
        assert divergence(points(x_N, 1e-5), other, samples=2, generator=generator()).value > optimal_bits(x_N)


def test_one_component_of_fixed_spread_is_not_sufficient():
    """Notes, section 5, item 4: the divergence of a point from it grows without bound, by a bit for each half."""
    sigmas = [2.0**-k for k in range(1, 40)]
    bits = [gaussian_divergence(1.0, sigma) for sigma in sigmas]
    assert bits[-1] - bits[-2] == pytest.approx(1, abs=1e-6)
    assert bits[-1] > 38
    matched = mixture([0.5, 0.5], [-1.0, 1.0], [1e-6, 1e-6])
    one = divergence(points(torch.ones(1, dtype=DOUBLE), 1e-6), matched, samples=2, generator=generator())
    assert one.value == pytest.approx(1)


def test_the_monte_carlo_divergence_of_gaussians_is_the_closed_form_within_its_error():
    posterior, prior = mixture([[1.0]], [[0.7]], [[0.3]]), mixture([1.0], [0.0], [1.0])
    found = divergence(posterior, prior, samples=20_000, generator=generator())
    assert abs(found.value - gaussian_divergence(0.7, 0.3)) < 4 * found.stderr
    assert found.stderr < 0.02


def test_a_bit_by_one_gaussian_costs_what_figure_8_shows():
    for p, bits in ((0.958, 1.00), (0.99, 1.34), (0.9999, 1.95), (0.999999, 2.28)):
        z = float(torch.special.ndtri(torch.tensor(p, dtype=DOUBLE)))
        assert unimodal_frontier(p) == pytest.approx(bits, abs=5e-3)
        best = min(gaussian_divergence(z * s / 500, s / 500) for s in range(1, 1000))
        assert unimodal_frontier(p) == pytest.approx(best, abs=1e-4)


@given(st.floats(-3, 3), st.floats(0.05, 2))
def test_the_mass_of_bins_adds_up_to_one_and_is_the_density_of_narrow_ones(mean, sigma):
    prior = mixture([0.3, 0.7], [mean, -mean], [sigma, 1.0])
    bins_N = torch.arange(-400, 401, dtype=DOUBLE) * 0.05
    assert float(prior.log_mass(bins_N, 0.05).exp().sum()) == pytest.approx(1, abs=1e-6)
    narrow = prior.log_mass(bins_N, 1e-4) - math.log(1e-4) - prior.log_density(bins_N)
    assert float(narrow[350:450].abs().max()) < 1e-3


def test_a_fitted_mixture_finds_two_clusters_and_beats_one_gaussian():
    x_N = torch.cat(
        [torch.randn(500, generator=generator()) * 0.1 - 1, torch.randn(500, generator=generator()) * 0.1 + 1]
    )
    two, one = fit(x_N, 2, floor=1e-3), fit(x_N, 1, floor=1e-3)
    assert sorted(two.mean_K.tolist()) == pytest.approx([-1, 1], abs=0.05)
    assert float(two.log_density(x_N.double()).sum()) > float(one.log_density(x_N.double()).sum()) + 500


@given(st.floats(1e-6, 50))
def test_spreads_come_back_from_softplus(sigma):
    assert float(mixture([1.0], [0.0], [sigma]).sigmas) == pytest.approx(sigma, rel=1e-5)


def test_errors_add_in_squares():
    assert Estimate.of([1.0, 3.0]) == Estimate(2.0, 1.0)
    assert math.isnan(Estimate.of([1.0]).stderr)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mixture([0.5, 0.5], [0.0, 1.0], [1.0, 0.0]),
        lambda: mixture([0.5, 0.4], [0.0, 1.0], [1.0, 1.0]),
        lambda: tape_code([2], 3),
        lambda: tape_code([0, 1], 1),
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
