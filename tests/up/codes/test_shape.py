"""Mixtures on the line: quadrature against closed forms, and modes of mixtures that were made to have them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from up.codes.mixture import GaussianMixture, divergence, gaussian_divergence
from up.codes.shape import divergence_by_quadrature, mass_above, mass_below, modes

DOUBLE = torch.float64


def mixture(weights, means, sigmas):
    return GaussianMixture.of(*(torch.tensor(each, dtype=DOUBLE) for each in (weights, means, sigmas)))


STANDARD = mixture([1.0], [0.0], [1.0])


@given(st.floats(-5, 5), st.floats(0.01, 5), st.floats(0.2, 5))
def test_quadrature_gives_equation_91_for_gaussians(mean, sigma, prior_sigma):
    found = divergence_by_quadrature(mixture([1.0], [mean], [sigma]), mixture([1.0], [0.0], [prior_sigma]))
    assert found == pytest.approx(gaussian_divergence(mean, sigma, prior_sigma), rel=1e-9, abs=1e-9)


def test_quadrature_lies_within_the_error_of_samples_for_mixtures():
    posterior, prior = mixture([0.3, 0.7], [-1, 0.5], [0.4, 1.0]), mixture([0.5, 0.5], [-1, 1], [0.5, 0.8])
    drawn = divergence(posterior, prior, samples=4000, generator=torch.Generator().manual_seed(0))
    assert abs(divergence_by_quadrature(posterior, prior) - drawn.value) < 4 * drawn.stderr


def test_one_of_two_components_far_apart_is_one_bit_away_from_both():
    prior = mixture([0.5, 0.5], [-1, 1], [0.1, 0.1])
    for sign in (-1.0, 1.0):
        assert divergence_by_quadrature(mixture([1.0], [sign], [0.1]), prior) == pytest.approx(1, abs=1e-10)


def test_a_sign_at_a_signal_to_noise_ratio_of_1_is_the_capacity_of_the_binary_input_channel():
    """One of two components at -1 and 1, of spread 1: 0.4859 bits, the channel's capacity at 0 dB."""
    prior = mixture([0.5, 0.5], [-1, 1], [1, 1])
    assert divergence_by_quadrature(mixture([1.0], [1.0], [1.0]), prior) == pytest.approx(0.4859, abs=1e-4)


@given(st.floats(0.05, 4), st.floats(-10, 10), st.floats(0, 4))
def test_two_alike_have_two_modes_exactly_where_their_means_are_more_than_two_spreads_apart(sigma, mean, ratio):
    if abs(ratio - 2) < 2e-2:
        return
    found = modes(mixture([0.5, 0.5], [mean, mean + ratio * sigma], [sigma, sigma]))
    assert len(found) == (2 if ratio > 2 else 1)
    assert sum(each.mass for each in found) == pytest.approx(1)


def test_modes_are_where_the_components_are_and_have_their_masses():
    found = modes(mixture([0.2, 0.5, 0.3], [-10, 0, 20], [0.01, 1, 0.1]))
    assert [each.place for each in found] == pytest.approx([-10, 0, 20], abs=0.05)
    assert [each.mass for each in found] == pytest.approx([0.2, 0.5, 0.3], abs=1e-9)


def test_a_narrow_component_on_top_of_a_wide_one_is_no_second_mode():
    assert len(modes(mixture([0.5, 0.5], [0.01, 0], [0.01, 2]))) == 1


def test_a_component_with_next_to_no_weight_is_a_mode_only_if_asked_for():
    slight = mixture([0.999, 0.001], [0, 30], [1, 1])
    assert len(modes(slight)) == 1
    assert [each.mass for each in modes(slight, least_mass=0)] == pytest.approx([0.999, 0.001])


def test_components_of_one_mean_have_one_mode():
    assert len(modes(mixture([0.25, 0.5, 0.25], [3, 3, 3], [0.1, 1, 10]))) == 1


@pytest.mark.parametrize("distance", [1.0, 3.0, 10.0, 30.0])
def test_the_mass_beyond_zero_is_exact_far_out_in_the_tail(distance):
    tail = math.erfc(distance / math.sqrt(2)) / 2
    assert mass_below(mixture([1.0], [distance], [1.0])) == pytest.approx(tail, rel=1e-9, abs=0)
    assert mass_above(mixture([1.0], [-distance], [1.0])) == pytest.approx(tail, rel=1e-9, abs=0)
    assert mass_above(mixture([1.0], [distance], [1.0])) == pytest.approx(1 - tail, rel=1e-15)
