"""The fit finds the power law that points were made of, and says how certain it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from up.experiments.power_law import fit_power_law

X = tuple(np.geomspace(50, 5_000, 12))


@settings(max_examples=10)
@given(st.floats(0.5, 6), st.floats(1, 20), st.floats(0.1, 1.5))
def test_points_on_a_power_law_give_it_back(floor, scale, exponent):
    fit = fit_power_law(X, [floor + scale * x**-exponent for x in X])
    for x in X:
        assert fit.at(x) == pytest.approx(floor + scale * x**-exponent, abs=1e-3)
    assert fit.explained > 0.999


def test_a_hand_worked_one():
    fit = fit_power_law((1, 2, 4, 8, 16), (9, 5, 3, 2, 1.5))  # 1 + 8 / x
    assert (fit.floor, fit.scale, fit.exponent) == pytest.approx((1, 8, 1), abs=5e-3)


def test_the_interval_of_noisy_points_holds_the_exponent_most_times():
    inside = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        noise_N = generator.normal(0, 0.02, len(X))
        fit = fit_power_law(X, [2 + 20 * x**-0.5 + noise for x, noise in zip(X, noise_N, strict=True)])
        low, high = fit.exponent_interval
        inside += low <= 0.5 <= high
    assert inside >= 16  # 95 % in the limit; a residual bootstrap of twelve points has somewhat less


def test_the_same_points_give_the_same_interval():
    y = [3 + 1 / x for x in X]
    assert fit_power_law(X, y) == fit_power_law(X, y)


def test_the_floor_is_never_below_zero_and_rising_points_have_a_negative_scale():
    assert fit_power_law(X, [10 * x**-0.05 - 5 for x in X]).floor == 0
    assert fit_power_law(X, [3 - 2 * x**-0.5 for x in X]).scale < 0
