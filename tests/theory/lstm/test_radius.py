"""The certified radius: against mpmath's intervals, against networks inside it, and against the numbers known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.lstm import least_margin
from theory.lstm.attack import Tapes, margin_gradient
from theory.lstm.construction import padded_columns, step_lstm
from theory.lstm.radius import certified_margin, certified_radius
from theory.machines.one_tape import MACHINES, Configuration, next_column, one_hot, step, windows

MACHINE = MACHINES["bb2"]
LSTM_STEP = step_lstm(MACHINE)
TAPES = Tapes.of(MACHINE, 3)


def test_the_networks_own_margin():
    """All windows, any history: 0.9366 beyond 0 and 1, just below the least that tapes of 8 cells show (0.93663)."""
    margin = certified_margin(LSTM_STEP, MACHINE, 0.0, "box") - 0.5
    assert 0.9366 < margin < 0.936627


@pytest.mark.parametrize(("region", "radius"), [("box", 0.0492), ("ball", 0.2049)])
def test_the_radii_of_the_notes_are_certified(region, radius):
    assert certified_margin(LSTM_STEP, MACHINE, radius, region) > 0.5


@pytest.mark.parametrize(
    ("region", "read_out", "radius"),
    [
        ("box", "saturated", 0.0535),
        ("ball", "saturated", 0.2196),
        ("box", "rounded", 0.0628),
        ("ball", "rounded", 0.2617),
    ],
)
def test_the_certified_radii(region, read_out, radius):
    found = certified_radius(LSTM_STEP, MACHINE, region, read_out=read_out)
    assert radius < found < radius + 2e-4
    required = 0.5 if read_out == "saturated" else 0.0
    assert certified_margin(LSTM_STEP, MACHINE, found, region) > required
    assert certified_margin(LSTM_STEP, MACHINE, found + 2**-14, region) <= required


@pytest.mark.parametrize("name", ["flip", "two-three"])
def test_the_other_machines_have_a_radius(name):
    machine = MACHINES[name]
    assert certified_margin(step_lstm(machine), machine, 0.03, "box") > 0.5


@pytest.mark.parametrize("region", ["box", "ball"])
@pytest.mark.parametrize("shown", [slice(0, None, 4), pytest.param(slice(None), marks=pytest.mark.slow)])
def test_mpmath_certifies_the_same_region_at_0_999_r(shown, region):
    """A second interval arithmetic, sharing no code, finds the margin too, and one no smaller."""
    radius = 0.999 * certified_radius(LSTM_STEP, MACHINE, region)
    before = [[one_hot(MACHINE, column) for column in window] for window in windows(MACHINE)]
    after = [one_hot(MACHINE, next_column(MACHINE, *window)) for window in windows(MACHINE)]
    margin = least_margin(LSTM_STEP, before[shown], after[shown], radius, region)
    assert margin > 0.5
    assert margin >= certified_margin(LSTM_STEP, MACHINE, radius, region) - 1e-9


@given(st.integers(0, 2**32 - 1), st.sampled_from(["box", "corner", "ball"]))
@settings(max_examples=30, deadline=None)
def test_no_network_within_the_radius_is_wrong(seed, kind):
    generator = np.random.default_rng(seed)
    shift = generator.normal(size=LSTM_STEP.parameter_count)
    if kind == "ball":
        shift *= 0.2196 / np.linalg.norm(shift)
    elif kind == "corner":
        shift = 0.0535 * np.sign(shift)
    else:
        shift = generator.uniform(-0.0535, 0.0535, shift.size)
    assert not TAPES.broken(LSTM_STEP.shifted(shift), "saturated")


@pytest.mark.parametrize("region", ["box", "ball"])
def test_long_tapes_are_stepped_rightly_where_the_margin_falls_fastest(region):
    """Tapes of 50 cells, and for each answer on short tapes the shift that moves it most to first order."""
    generator = np.random.default_rng(0)
    before = [
        Configuration(tuple(generator.integers(2, size=50).tolist()), int(head), str(state))
        for head in (0, 1, 2, 25, 47, 48, 49)
        for state in MACHINE.flags
        for _ in range(3)
    ]
    after = padded_columns(MACHINE, [step(MACHINE, configuration) for configuration in before])
    tapes = Tapes(padded_columns(MACHINE, before), after[:, 1:-1])
    radius = certified_radius(LSTM_STEP, MACHINE, region)
    for at in list(np.ndindex(*TAPES.steps_BND.shape))[::29]:
        _, gradient = margin_gradient(LSTM_STEP, TAPES, at)
        shift = np.sign(gradient) if region == "box" else gradient / np.linalg.norm(gradient)
        assert not tapes.broken(LSTM_STEP.shifted(-radius * shift), "saturated")


@pytest.mark.parametrize("radius", [2.0, 5.0, 1e3])
def test_no_margin_is_known_at_a_radius_where_the_cell_state_may_grow_for_ever(radius):
    """Minus infinity or a large negative number, never a number that is none."""
    assert certified_margin(LSTM_STEP, MACHINE, radius, "box") < -30


def test_a_network_that_is_wrong_has_no_radius():
    broken = LSTM_STEP.shifted(np.zeros(LSTM_STEP.parameter_count))
    broken.readout_bias[0] -= 3
    assert certified_radius(broken, MACHINE, "box") == 0.0


def test_the_margin_shrinks_with_the_radius():
    margins = [certified_margin(LSTM_STEP, MACHINE, radius, "ball") for radius in (0.0, 0.05, 0.1, 0.2, 0.4)]
    assert margins == sorted(margins, reverse=True)


def test_a_looser_bound_on_the_cell_state_gives_smaller_radii(monkeypatch):
    """With 9 in the place of 1 / (1 - f) they are near the 0.0492 and 0.2049 of the notes."""
    monkeypatch.setattr("theory.lstm.radius._largest_cell", lambda *_: 9.0)
    assert 0.049 < certified_radius(LSTM_STEP, MACHINE, "box") < 0.050
    assert 0.203 < certified_radius(LSTM_STEP, MACHINE, "ball") < 0.205
