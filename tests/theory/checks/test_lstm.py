"""The check of Lemma 4.4 as a whole."""

from fractions import Fraction

import pytest

from theory.checks.lstm import check_lstm
from theory.checks.registry import LSTM_BALL
from theory.errors import InputError
from theory.machines.one_tape import TapeMachine, TapeRule


@pytest.fixture(scope="module")
def result():
    return check_lstm()


def test_the_lemma_holds_for_the_busy_beaver(result):
    assert result.holds
    assert result.counterexample is None
    assert result.counts["configurations"] == 1216
    assert result.counts["parameters"] == 1416
    assert all(item.holds for item in result.items)


def test_the_least_slack_is_next_to_none(result):
    """The certified radius is as large as it can be shown to be: a zero-slack case."""
    assert 0 < result.slack_bits < 0.005
    assert result.tightest.startswith("certified")
    assert all(Fraction(1, 20) < radius < Fraction(1, 4) for radius in result.constants.values())


def test_what_no_item_can_contradict_is_told(result):
    assert "The certified items repeat the interval arithmetic that chose the radii" in result.remarks[1]
    assert result.remarks[2] == "The matrix product is one example of that step of the proof."


def test_norms_fall_below_intervals_with_every_token(result):
    norms, certified = result.curves
    assert list(norms.values) == sorted(norms.values, reverse=True)
    assert norms.values[0] < certified.values[0]


def test_norms_and_intervals_are_compared_for_the_same_read_out(result):
    """Saturated answers lie 0.9366 beyond 0 and 1; rounded ones, 1.4366 beyond 1/2, would give the notes' 5.2e-6."""
    norms = {item.name: item.numbers["radius"] for item in result.items if item.name.startswith("norms")}
    assert norms["norms, 4 tokens"] == pytest.approx(5.2e-6 * 0.93662 / 1.43662, rel=1e-4)


def test_a_radius_of_0_is_a_failure():
    """The network with the printed bias is wrong at once: no ball around it, so no probability."""
    wrong = check_lstm(samples=1, variant="printed-bias")
    certified = [item for item in wrong.items if item.name.startswith("certified")]
    assert [item.numbers["radius"] for item in certified] == [0, 0]
    assert not any(item.holds for item in certified)


@pytest.mark.parametrize(
    ("variant", "where", "observed"),
    [
        ("printed-bias", "every step in float64", 864),
        ("matrix-step", "a matrix product", Fraction(128601, 160000)),
        ("outside-radius", "sampled in the box", 20),
    ],
)
def test_each_wrong_variant_is_caught(variant, where, observed):
    wrong = check_lstm(samples=20, variant=variant)
    assert not wrong.holds
    assert wrong.variant == variant
    assert (wrong.counterexample.where, wrong.counterexample.observed) == (where, observed)


def test_every_variant_is_tested():
    assert set(LSTM_BALL.variants) == {"printed-bias", "matrix-step", "outside-radius"}


@pytest.mark.parametrize(
    "wrong", [{"machine_name": "bb3"}, {"cells": 0}, {"cells": 40}, {"samples": 0}, {"variant": "nonsense"}]
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        check_lstm(**wrong)


def machine_of(symbols, states, rules):
    keys = [(state, symbol) for state in states for symbol in range(symbols)]
    table = {key: TapeRule(symbols - 1 - key[1], *rules[place % len(rules)]) for place, key in enumerate(keys)}
    return TapeMachine(name="mine", symbols=symbols, states=states, rules=table)


@pytest.mark.parametrize(
    "machine",
    [
        machine_of(2, ("start", "other"), [(1, "other"), (-1, "start"), (-1, "other"), (1, "H")]),
        machine_of(3, ("A",), [(-1, "A"), (-1, "H")]),  # it never moves to the right
        machine_of(1, ("A",), [(1, "A")]),  # all that it has is a head
    ],
    ids=["two states", "three symbols", "one symbol"],
)
def test_the_lemma_holds_for_a_machine_of_ones_own(machine):
    result = check_lstm(machine, cells=3, attack_cells=1, samples=2)
    assert result.holds
    assert result.bound.startswith("mine: all tapes of 3 cells")
    assert not check_lstm(machine, cells=3, attack_cells=1, samples=2, variant="matrix-step").holds


def test_a_machine_too_large_for_a_network_or_a_radius_is_refused_at_once():
    with pytest.raises(InputError, match="too many symbols and states for a network"):
        check_lstm(machine_of(600, ("A", "B"), [(1, "A")]), cells=1)
    with pytest.raises(InputError, match="too many symbols and states for its radius"):
        check_lstm(machine_of(20, tuple("ABCDE"), [(1, "A")]), cells=1)
