"""Theorem 4.5: six functions, iterated, dominate a machine after n steps."""

from dataclasses import replace
from fractions import Fraction
from math import log2

import numpy as np
import pytest

from theory.checks.registry import UNIVERSALITY
from theory.checks.universality import (
    PRIOR,
    Setting,
    check_universality,
    functions,
    iterate,
    machine_distribution,
    tape_bits,
)
from theory.errors import InputError
from theory.lstm.construction import step_lstm
from theory.lstm.radius import certified_radius
from theory.machines.one_tape import MACHINES, step
from theory.numbers.exact import log2_float

BUSY_BEAVER = Setting(MACHINES["bb2"], cells=7, max_length=4)
LSTM_STEP = step_lstm(MACHINES["bb2"])


def least_log_ratio(observed, tapes):
    return min(log2_float(observed[x] / tapes[x]) for x in tapes)


def test_prior_and_inputs_are_distributions():
    assert sum(PRIOR.values()) == 1
    assert len(BUSY_BEAVER.inputs()) == 31
    assert sum(BUSY_BEAVER.inputs().values()) == 1


def test_setup_steps_and_read_out_are_the_machine():
    members = functions(BUSY_BEAVER, LSTM_STEP)
    for u in BUSY_BEAVER.inputs():
        at, y = BUSY_BEAVER.start(u), members["s"](u)
        for _ in range(8):
            at, y = step(MACHINES["bb2"], at), members["f"](y)
            assert members["r"](y) == tape_bits(at)


def test_the_functions_answer_nonsense_with_nothing():
    members = functions(BUSY_BEAVER, LSTM_STEP)
    assert members["s"]("00000") == members["f"]("0101") == members["r"]("1") == ""
    assert (members["i"]("011"), members["rev"]("011"), members["const"]("011")) == ("011", "110", "1")


def test_after_three_steps_the_bound_is_attained():
    """-18.000 bits exactly: only s, f, f, f, r leaves the tape 0111010 in five applications."""
    result = check_universality(steps=3)
    assert result.holds
    assert result.constants == {"p(r) p(f)^n p(s)": Fraction(1, 2**18)}
    assert min(item.slack for item in result.items) == 1
    assert result.tightest == "0111010"
    assert result.counts["inputs"] == 31
    assert result.counts["outputs"] == 10


def test_after_eight_steps():
    """Observed -18.39, sharpened constant -24.61, the paper's -38."""
    observed = iterate(functions(BUSY_BEAVER, LSTM_STEP), BUSY_BEAVER.inputs(), 10)
    tapes, sharpened = machine_distribution(BUSY_BEAVER, 8)
    assert sum(observed.values()) == sum(tapes.values()) == 1
    assert least_log_ratio(observed, tapes) == pytest.approx(-18.39, abs=0.005)
    assert least_log_ratio(sharpened, tapes) == pytest.approx(-24.61, abs=0.005)
    (constant,) = check_universality(steps=8).constants.values()
    assert constant == Fraction(1, 2**38)


@pytest.mark.parametrize("steps", range(9))
def test_the_sharpened_constant_lies_between(steps):
    observed = iterate(functions(BUSY_BEAVER, LSTM_STEP), BUSY_BEAVER.inputs(), steps + 2)
    tapes, sharpened = machine_distribution(BUSY_BEAVER, steps)
    constant = PRIOR["r"] * PRIOR["s"] * PRIOR["f"] ** steps
    assert all(observed[x] >= sharpened[x] >= constant * tapes[x] for x in tapes)


def test_within_the_certified_radius_f_is_the_same_function():
    """The issue's radius, 0.0492, and m^5: identical distributions, not merely close ones."""
    exact = iterate(functions(BUSY_BEAVER, LSTM_STEP), BUSY_BEAVER.inputs(), 5)
    for seed in range(5):
        shift = np.random.default_rng(seed).uniform(-0.0492, 0.0492, LSTM_STEP.parameter_count)
        assert iterate(functions(BUSY_BEAVER, LSTM_STEP.shifted(shift)), BUSY_BEAVER.inputs(), 5) == exact


@pytest.mark.parametrize("variant", UNIVERSALITY.variants)
def test_each_wrong_variant_is_caught_on_two_of_ten_outputs(variant):
    result = check_universality(steps=3, variant=variant)
    assert not result.holds
    assert sum(not item.holds for item in result.items if item.name != "sharpened") == 2
    assert all(item.holds for item in result.items if item.name == "sharpened") == (variant == "printed-constant")
    assert ("f is an LSTM" in result.remarks[1]) == (variant != "without-f")
    assert result.counterexample.observed < result.counterexample.claimed


@pytest.mark.parametrize(("steps", "caught"), [(3, True), (4, True), (5, True), (8, False)])
def test_the_misprinted_constant_is_violated_while_the_machine_runs(steps, caught):
    assert check_universality(steps=steps, variant="printed-constant").holds is not caught


def test_the_flip_machine_too():
    result = check_universality("flip", steps=2)
    assert result.holds
    assert log2(result.constants["p(r) p(f)^n p(s)"]) == -14


@pytest.mark.parametrize(
    "wrong",
    [
        {"machine_name": "two-three"},
        {"machine_name": "bb9"},
        {"steps": -1},
        {"cells": 3},
        {"max_length": 6},
        {"max_length": 13, "cells": 20},
        {"max_length": -1},
        {"variant": "nonsense"},
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        check_universality(**wrong)


def test_the_theorem_holds_for_a_machine_of_ones_own_that_is_called_like_another():
    """The radius is that of the machine's network, and not that of a name that was asked for before."""
    check_universality("bb2", steps=0)
    flip = MACHINES["flip"]
    result = check_universality(replace(flip, name="bb2"), steps=2, cells=6, max_length=2)
    assert result.holds
    radius = certified_radius(step_lstm(flip), flip, "box", read_out="rounded")
    assert f"parameters moved by up to {radius:.4f}; it gives the same" in " ".join(result.remarks)


def test_what_the_theorem_takes_for_granted_is_told_with_its_numbers():
    said = check_universality(steps=1, cells=6, max_length=2).remarks[-1]
    assert said == (
        "p(f) = 1/16 is that of a named member; a network with Gaussian weights computes f with probability 2^-7404 at"
        " least. That m_C dominates all LSTMs is assumed here."
    )
