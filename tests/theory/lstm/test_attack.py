"""Attacks: the gradient is the derivative, and networks break outside the certified radius, not inside."""

import numpy as np
import pytest

from theory.errors import InputError
from theory.lstm.attack import Answers, Tapes, gradient_attack, margin_gradient, margin_gradients, sampled_failures
from theory.lstm.construction import forward, step_lstm
from theory.machines.one_tape import MACHINES

MACHINE = MACHINES["bb2"]
LSTM_STEP = step_lstm(MACHINE)
TAPES = Tapes.of(MACHINE, 2)


@pytest.mark.parametrize("at", [(5, 0, 4), (20, 1, 0), (27, 1, 5)])
def test_the_gradient_is_the_derivative(at):
    generator = np.random.default_rng(3)
    lstm = LSTM_STEP.shifted(generator.normal(scale=0.1, size=LSTM_STEP.parameter_count))
    direction = generator.normal(size=LSTM_STEP.parameter_count)
    margin, gradient = margin_gradient(lstm, TAPES, at)
    step = 1e-6
    ahead, _ = margin_gradient(lstm.shifted(step * direction), TAPES, at)
    behind, _ = margin_gradient(lstm.shifted(-step * direction), TAPES, at)
    assert (ahead - behind) / (2 * step) == pytest.approx(gradient @ direction, rel=1e-6)

    configuration, cell, bit = at
    answer = forward(lstm, TAPES.tokens_BTD)[configuration, cell, bit]
    sign = 1 if TAPES.steps_BND[configuration, cell, bit] else -1
    assert margin == pytest.approx(sign * (answer - 0.5), abs=1e-12)


@pytest.mark.parametrize(("region", "within", "outside"), [("box", 0.0535, 0.061), ("ball", 0.2196, 0.33)])
def test_the_certificate_is_near_tight(region, within, outside):
    """Broken at 1.24 times the notes' 0.0492 and 1.61 times their 0.2049 at the latest."""
    kind = {"region": region, "read_out": "saturated"}
    assert gradient_attack(LSTM_STEP, TAPES, radius=within, **kind) is None
    shift = gradient_attack(LSTM_STEP, TAPES, radius=outside, **kind)
    assert shift is not None
    reached = np.abs(shift).max() if region == "box" else np.linalg.norm(shift)
    assert reached <= outside * (1 + 1e-12)
    assert TAPES.broken(LSTM_STEP.shifted(shift), "saturated")


def test_gradients_of_many_answers_are_those_of_each_alone_for_one_network_and_for_a_stack():
    ats = [(5, 0, 4), (20, 1, 0), (27, 1, 5), (3, 0, 1)]
    shifts = np.random.default_rng(1).normal(scale=0.1, size=(len(ats), LSTM_STEP.parameter_count))
    margins, gradients = margin_gradients(LSTM_STEP, TAPES, ats)
    stacked_margins, stacked_gradients = margin_gradients(LSTM_STEP.shifted(shifts), TAPES, ats)
    for k, at in enumerate(ats):
        margin, gradient = margin_gradient(LSTM_STEP, TAPES, at)
        np.testing.assert_allclose(gradients[k], gradient, atol=1e-15)
        assert margins[k] == pytest.approx(margin, abs=1e-15)
        margin, gradient = margin_gradient(LSTM_STEP.shifted(shifts[k]), TAPES, at)
        np.testing.assert_allclose(stacked_gradients[k], gradient, atol=1e-14)
        assert stacked_margins[k] == pytest.approx(margin, abs=1e-14)


@pytest.mark.parametrize(("region", "radius"), [("box", 0.059), ("box", 0.08), ("ball", 0.3), ("ball", 0.4)])
def test_answers_attacked_together_break_the_network_as_one_after_another(region, radius):
    def furthest(gradient):
        return -radius * (np.sign(gradient) if region == "box" else gradient / np.linalg.norm(gradient))

    def one_after_another():
        for at in Answers.of(LSTM_STEP, TAPES).promising(radius, region)[:8]:
            shift = np.zeros(LSTM_STEP.parameter_count)
            for _ in range(12):
                shift = furthest(margin_gradient(LSTM_STEP.shifted(shift), TAPES, at)[1])
                if TAPES.broken(LSTM_STEP.shifted(shift), "saturated"):
                    return shift
        return None

    expected = one_after_another()
    found = gradient_attack(LSTM_STEP, TAPES, radius=radius, region=region, read_out="saturated")
    assert (found is None) == (expected is None)
    if expected is not None:
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_stack_of_networks_is_run_as_each_alone():
    shifts = np.random.default_rng(2).uniform(-0.3, 0.3, (5, LSTM_STEP.parameter_count))
    alone = [bool(TAPES.broken(LSTM_STEP.shifted(shift), "saturated")) for shift in shifts]
    assert TAPES.broken(LSTM_STEP.shifted(shifts), "saturated").tolist() == alone
    assert TAPES.broken_among(LSTM_STEP, shifts, "saturated").tolist() == alone
    assert True in alone


@pytest.mark.parametrize("cells", [13, 10**9])
def test_tapes_with_too_many_configurations_are_refused(cells):
    with pytest.raises(InputError, match="fewer cells"):
        Tapes.of(MACHINE, cells)


def test_failures_of_random_networks_rise_from_none_to_all():
    """Of 100 networks on 4 cells 0, 0, 0, 16, 90 and 99 failed at 1, 2, 3, 4, 6 and 8 times 0.0492.

    At random corners of the box it is 0, 4, 63, 95, 100 and 100, so the rates depend on how one samples.
    """
    tapes = Tapes.of(MACHINE, 4)
    failed = [
        sampled_failures(
            LSTM_STEP,
            tapes,
            radius=multiple * 0.0492,
            read_out="saturated",
            samples=30,
            generator=np.random.default_rng(0),
        )
        for multiple in (1, 4, 6, 8)
    ]
    assert failed == sorted(failed)
    assert failed[0] == 0 < failed[1] < 30 == failed[3]
