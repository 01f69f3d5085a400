"""The hand-written LSTM computes one step of its machine, exactly, on every configuration."""

import math

import numpy as np
import pytest
import torch

from tests.reference.lstm import answers
from theory.errors import InputError
from theory.lstm.construction import LSTM, Gains, forward, padded_columns, read, step_lstm
from theory.machines.one_tape import MACHINES, Configuration, column_string, configuration_of, configurations, step

CASES = [("flip", 8), ("bb2", 6), ("bb2", 8), ("two-three", 5)]


def tokens_and_steps(name, cells):
    machine = MACHINES[name]
    before = list(configurations(machine, cells))
    after = padded_columns(machine, [step(machine, configuration) for configuration in before])
    return padded_columns(machine, before), after[:, 1:-1]


@pytest.mark.parametrize(
    ("name", "hidden", "parameters"), [("flip", 11, 808), ("bb2", 15, 1416), ("two-three", 20, 2387)]
)
def test_the_size_of_the_networks(name, hidden, parameters):
    lstm = step_lstm(MACHINES[name])
    assert lstm.hidden_size == hidden
    assert lstm.parameter_count == lstm.vector.size == parameters


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize(("name", "cells"), CASES)
def test_the_network_steps_every_configuration(name, cells, dtype):
    tokens, steps = tokens_and_steps(name, cells)
    said = forward(step_lstm(MACHINES[name]), tokens, dtype)
    assert said.dtype == dtype
    assert (read(said, "rounded") == steps).all()
    assert (read(said, "saturated") == steps).all()


def test_the_nominal_margin():
    tokens, steps = tokens_and_steps("bb2", 8)
    said = forward(step_lstm(MACHINES["bb2"]), tokens)
    margin = np.where(steps == 1, said - 1, -said).min()
    assert margin == pytest.approx(0.93663, abs=5e-6)


def test_the_printed_bias_breaks_864_of_1216_configurations():
    """y' = 3y - 1 needs the bias 3b - 1; the paper prints b - 1."""
    tokens, steps = tokens_and_steps("bb2", 6)
    edge = step_lstm(MACHINES["bb2"], Gains(margin=0.0))

    def wrong(readout_bias):
        moved = LSTM(
            input_weight=edge.input_weight,
            recurrent_weight=edge.recurrent_weight,
            bias=edge.bias,
            readout_weight=3 * edge.readout_weight,
            readout_bias=readout_bias,
        )
        return int((read(forward(moved, tokens), "rounded") != steps).any(axis=(1, 2)).sum())

    assert wrong(edge.readout_bias - 1) == 864
    assert wrong(3 * edge.readout_bias - 1) == 0


def test_a_margin_of_one_is_the_corrected_step():
    edge, inside = (step_lstm(MACHINES["bb2"], Gains(margin=margin)) for margin in (0.0, 1.0))
    np.testing.assert_allclose(inside.readout_weight, 3 * edge.readout_weight, rtol=1e-15)
    np.testing.assert_allclose(inside.readout_bias, 3 * edge.readout_bias - 1, rtol=1e-15)


def test_the_busy_beaver_runs_inside_the_network():
    machine, lstm = MACHINES["bb2"], step_lstm(MACHINES["bb2"])
    at = Configuration((0,) * 7, 3, "A")
    for _ in range(6):
        tokens = padded_columns(machine, [at])
        bits = "".join(f"{bit:.0f}" for bit in read(forward(lstm, tokens), "rounded").ravel())
        assert bits == column_string(machine, step(machine, at))
        at = configuration_of(machine, bits)
    assert at.state == "H"
    assert sum(at.tape) == 4


@pytest.mark.parametrize("name", MACHINES)
def test_the_network_is_what_its_equations_say(name):
    tokens, _ = tokens_and_steps(name, 2)
    lstm = step_lstm(MACHINES[name])
    said = forward(lstm, tokens)
    for at in range(0, len(tokens), 5):
        expected = np.array(answers(lstm, tokens[at].tolist()))[2:]
        np.testing.assert_allclose(said[at], expected, atol=1e-12)


@pytest.mark.parametrize("name", MACHINES)
def test_the_network_is_a_torch_lstm(name):
    tokens, _ = tokens_and_steps(name, 3)
    ours = step_lstm(MACHINES[name])
    theirs = torch.nn.LSTM(tokens.shape[2], ours.hidden_size, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for parameter, value in (
            (theirs.weight_ih_l0, ours.input_weight),
            (theirs.weight_hh_l0, ours.recurrent_weight),
            (theirs.bias_ih_l0, ours.bias),
            (theirs.bias_hh_l0, np.zeros_like(ours.bias)),
        ):
            parameter.copy_(torch.from_numpy(value))
        hidden, _ = theirs(torch.from_numpy(tokens.astype(np.float64)))
    expected = hidden.numpy()[:, 2:] @ ours.readout_weight.T + ours.readout_bias
    np.testing.assert_allclose(forward(ours, tokens), expected, atol=1e-12)


def test_a_shift_moves_every_parameter_once():
    lstm = step_lstm(MACHINES["flip"])
    shift = np.arange(lstm.parameter_count, dtype=np.float64)
    np.testing.assert_array_equal(lstm.shifted(shift).vector, lstm.vector + shift)


@pytest.mark.parametrize(
    "gains", [{"event": 0.0}, {"delay": -1.0}, {"gate": math.nan}, {"event": math.inf}, {"margin": -0.5}]
)
def test_impossible_gains_are_refused(gains):
    with pytest.raises(InputError):
        Gains(**gains)
