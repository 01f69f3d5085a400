"""Turing machines on one tape, and the cellular automaton that each of them is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import InputError
from theory.machines.one_tape import (
    HALTED,
    MACHINES,
    PADDING,
    Column,
    Configuration,
    TapeMachine,
    TapeRule,
    column_string,
    columns_of,
    configuration_of,
    configurations,
    load_machine,
    next_column,
    step,
    windows,
)


def test_the_busy_beaver_writes_four_ones_in_six_steps():
    at = Configuration((0,) * 7, 3, "A")
    states = []
    while at.state != HALTED:
        at = step(MACHINES["bb2"], at)
        states.append(at.state)
    assert len(states) == 6
    assert sum(at.tape) == 4
    assert step(MACHINES["bb2"], at) == at


@pytest.mark.parametrize("name", MACHINES)
def test_a_step_is_a_cellular_automaton_of_radius_one(name):
    machine = MACHINES[name]
    for configuration in configurations(machine, 4):
        padded = (PADDING, *columns_of(configuration), PADDING)
        after = tuple(next_column(machine, *padded[at : at + 3]) for at in range(4))
        assert after == columns_of(step(machine, configuration))


@pytest.mark.parametrize("name", MACHINES)
def test_the_windows_are_all_that_tapes_show(name):
    machine = MACHINES[name]
    shown = set()
    for cells in (1, 2, 3):
        for configuration in configurations(machine, cells):
            padded = (PADDING, *columns_of(configuration), PADDING)
            shown |= {padded[at : at + 3] for at in range(cells)}
    listed = list(windows(machine))
    assert len(listed) == len(set(listed))
    assert set(listed) == shown


@pytest.mark.parametrize(
    ("name", "cells", "count"), [("flip", 8, 4352), ("bb2", 6, 1216), ("bb2", 8, 6400), ("two-three", 5, 3888)]
)
def test_the_number_of_configurations(name, cells, count):
    assert sum(1 for _ in configurations(MACHINES[name], cells)) == count


@pytest.mark.parametrize("name", MACHINES)
def test_every_configuration_is_read_back_from_its_bits(name):
    machine = MACHINES[name]
    for configuration in configurations(machine, 3):
        bits = column_string(machine, configuration)
        assert len(bits) == 3 * machine.column_width
        assert configuration_of(machine, bits) == configuration


@given(st.text("01", max_size=24))
def test_other_strings_write_no_configuration(bits):
    machine = MACHINES["bb2"]
    configuration = configuration_of(machine, bits)
    assert configuration is None or column_string(machine, configuration) == bits


def test_two_heads_or_padding_inside_write_no_configuration():
    machine = MACHINES["bb2"]
    assert configuration_of(machine, "100100" + "100100") is None
    assert configuration_of(machine, "100000" + "001000") is None
    assert configuration_of(machine, "100000" + "1000") is None
    assert configuration_of(machine, "") is None


def test_a_head_that_leaves_the_tape_is_gone():
    machine = MACHINES["bb2"]
    gone = step(machine, Configuration((0, 1), 0, "B"))
    assert gone == Configuration((1, 1), None, None)
    assert step(machine, gone) == gone
    assert next_column(machine, PADDING, Column(1), Column(0)) == Column(1)


def test_an_incomplete_or_impossible_table_is_refused():
    with pytest.raises(InputError, match="exactly one rule"):
        TapeMachine(name="half", symbols=2, states=("A",), rules={("A", 0): TapeRule(1, 1, "A")})
    with pytest.raises(InputError, match="unknown symbol or state"):
        TapeMachine(name="lost", symbols=1, states=("A",), rules={("A", 0): TapeRule(0, 1, "C")})


def test_an_unknown_machine_is_refused():
    with pytest.raises(InputError, match="no such tape machine"):
        load_machine("bb7")


RULES = {("A", 0): TapeRule(0, 1, "A")}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"states": ("H",), "rules": {("H", 0): TapeRule(0, 1, "H")}}, "none of them is 'H'"),
        ({"states": ("A", "A")}, "states are distinct names"),
        ({"states": ()}, "states are distinct names"),
        ({"states": ("",), "rules": {("", 0): TapeRule(0, 1, "")}}, "states are distinct names"),
        ({"rules": {("A", 0): TapeRule(0, 2, "A")}}, "a rule moves by one cell"),
        ({"rules": RULES | {(1, "x"): TapeRule(0, 1, "A")}}, "exactly one rule"),
    ],
)
def test_a_table_that_no_column_can_show_is_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        TapeMachine(**{"name": "wrong", "symbols": 1, "states": ("A",), "rules": RULES, **wrong})


MINE = """
from theory.machines.one_tape import LEFT, RIGHT, TapeMachine, TapeRule

print("in the file")
SPINNER = TapeMachine(
    name="spinner", symbols=2, states=("A", "B"),
    rules={
        ("A", 0): TapeRule(1, RIGHT, "B"), ("A", 1): TapeRule(0, LEFT, "A"),
        ("B", 0): TapeRule(1, LEFT, "H"), ("B", 1): TapeRule(1, RIGHT, "A"),
    },
)
NUMBER = 3
"""


def test_a_machine_of_ones_own_is_itself_or_lies_in_a_file(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(MINE)
    spinner = load_machine(f"{tmp_path}/mine.py:SPINNER")
    assert (spinner.name, spinner.rules["B", 0]) == ("spinner", TapeRule(1, -1, "H"))
    assert load_machine(spinner) is spinner
    assert capsys.readouterr() == ("", "in the file\n")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (MINE, "mine.py:NUMBER", "has no TapeMachine of this name"),
        (MINE, "other.py:SPINNER", "there is no such file"),
        (MINE, "mine.py", "no such tape machine"),
        ("1 / 0", "mine.py:SPINNER", "cannot be executed: ZeroDivisionError"),
        ("raise SystemExit", "mine.py:SPINNER", "cannot be executed: SystemExit"),
    ],
)
def test_a_file_that_holds_no_machine_is_refused_in_a_line(tmp_path, text, name, said):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=said):
        load_machine(f"{tmp_path}/{name}")
