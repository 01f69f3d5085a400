"""The proof's own radius, and the probability of an initialisation, against independent sums."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from theory.lstm.construction import Gains, step_lstm
from theory.lstm.lipschitz import lipschitz_radius, matrix_step
from theory.lstm.probability import log2_probability
from theory.lstm.radius import certified_margin, certified_radius
from theory.machines.one_tape import MACHINES

MACHINE = MACHINES["bb2"]
LSTM_STEP = step_lstm(MACHINE)
MARGIN = certified_margin(LSTM_STEP, MACHINE, 0.0, "box")


@pytest.mark.parametrize(("tokens", "radius"), [(4, 5.2e-6), (8, 9.1e-11), (24, 8.53e-30)])
def test_the_radius_by_norms(tokens, radius):
    """The notes' numbers, for answers that are rounded; saturated ones have 0.5 less to lose."""
    assert lipschitz_radius(LSTM_STEP, tokens=tokens, margin=MARGIN) == pytest.approx(radius, rel=1e-3)


def test_it_loses_3_95_bits_with_every_token():
    """As many as the norm of the recurrent weights has: log2 15.44 = 3.949, and a little for the open gates."""
    lost = math.log2(
        lipschitz_radius(LSTM_STEP, tokens=23, margin=MARGIN) / lipschitz_radius(LSTM_STEP, tokens=24, margin=MARGIN)
    )
    assert lost == pytest.approx(3.95, abs=0.01)
    assert np.linalg.norm(LSTM_STEP.recurrent_weight) == pytest.approx(15.443, abs=1e-3)


def test_the_printed_matrix_step_moves_the_product_by_0_804():
    two, one, p = Fraction(2), Fraction(1), Fraction(2475, 10000)
    assert p < 1 / (two + one + 1)
    assert float(matrix_step(weight_norm=two, input_bound=one, tolerance=p, as_printed=True)[1]) == pytest.approx(
        0.804, abs=5e-4
    )
    for tolerance in (Fraction(1, 10**6), p, Fraction(1), Fraction(50)):
        allowed, change = matrix_step(weight_norm=two, input_bound=one, tolerance=tolerance)
        assert 0 < allowed <= 1
        assert change <= tolerance


@pytest.mark.parametrize(
    ("radius", "region", "bits"),
    [(0.0492, "box", -7902.1), (0.2049, "ball", -10921.3), (9.1e-11, "ball", -54914.1)],
)
def test_the_probability_of_an_initialisation(radius, region, bits):
    """The notes have -7,908, -10,942 and -54,913 for weights that are larger by about 0.5 per cent."""
    assert float(log2_probability(LSTM_STEP, radius=radius, region=region)) == pytest.approx(bits, abs=0.1)


@pytest.mark.parametrize("region", ["box", "ball"])
def test_a_point_has_no_probability(region):
    with pytest.raises(ValueError, match="positive"):
        log2_probability(LSTM_STEP, radius=0.0, region=region)


def test_the_box_bound_is_below_the_integral_and_near_it():
    with mpmath.workdps(30):
        values, counts = np.unique(LSTM_STEP.vector, return_counts=True)
        integral = sum(
            int(k) * mpmath.log(mpmath.ncdf(0.0492 - abs(float(v))) - mpmath.ncdf(-0.0492 - abs(float(v))), 2)
            for v, k in zip(values, counts, strict=True)
        )
    bound = float(log2_probability(LSTM_STEP, radius=0.0492, region="box"))
    assert integral - 1.5 < bound <= integral


@pytest.mark.parametrize("name", ["flip", "two-three"])
def test_the_ball_bound_is_jensens(name):
    """808 parameters are an even number, 2,387 an odd one: two forms of the gamma function."""
    lstm = step_lstm(MACHINES[name])
    n, r = lstm.parameter_count, 0.1
    with mpmath.workdps(30):
        volume = mpmath.pi ** (mpmath.mpf(n) / 2) * mpmath.mpf(r) ** n / mpmath.gamma(mpmath.mpf(n) / 2 + 1)
        density = (2 * mpmath.pi) ** (-mpmath.mpf(n) / 2)
        square = mpmath.fsum(mpmath.mpf(float(w)) ** 2 for w in lstm.vector)
        exact = mpmath.log(volume * density, 2) - (square + n * mpmath.mpf(r) ** 2 / (n + 2)) / 2 / mpmath.log(2)
    bound = float(log2_probability(lstm, radius=r, region="ball"))
    assert bound <= exact
    assert bound == pytest.approx(float(exact), abs=1e-9)


def test_other_gains_are_likelier():
    """-7,204 bits at (5, 2.875, 4.5, 2), read out by rounding; -7,404 at the gains of the construction."""

    def bits(gains):
        lstm = step_lstm(MACHINE, gains)
        radius = certified_radius(lstm, MACHINE, "box", read_out="rounded", digits=10)
        return float(log2_probability(lstm, radius=radius, region="box"))

    assert bits(Gains(event=5.0, delay=2.875, gate=4.5, margin=2.0)) > -7210 > -7400 > bits(Gains())
