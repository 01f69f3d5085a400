"""Machines under bounds: statuses, enumeration, and the measures that come of it."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.programs import halting_programs
from tests.theory.strategies import bit_strings, short, tree_machine, trees
from theory.errors import InputError
from theory.machines.machine import Bound, FunctionMachine, Status
from theory.measures.measure import Measure, enumerate_programs, output_measure
from theory.numbers.bit_strings import is_prefix_free, kraft_sum

ROOMY = Bound(time=20, space=20)
any_tree = trees(short | st.just("copy") | st.none())


def forever(tape):
    while True:
        tape.tick()


def reader(tape):
    """Copies its program up to and with the first 0: output 1^n 0."""
    while tape.read():
        tape.write(1)
    tape.write(0)


@pytest.mark.parametrize(
    ("function", "program", "bound", "status", "bits_read"),
    [
        (reader, "1100", ROOMY, Status.HALTED, 3),
        (reader, "11", ROOMY, Status.NEEDS_INPUT, 2),
        (reader, "1111", Bound(time=3, space=9), Status.OUT_OF_TIME, 2),
        (reader, "1111", Bound(time=9, space=1), Status.OUT_OF_SPACE, 2),
        (forever, "0", ROOMY, Status.OUT_OF_TIME, 0),
        (lambda tape: tape.stuck(), "0", ROOMY, Status.STUCK, 0),
        (lambda tape: tape.use(21), "0", ROOMY, Status.OUT_OF_SPACE, 0),
    ],
)
def test_every_way_to_end_is_a_status(function, program, bound, status, bits_read):
    run = FunctionMachine("m", function).run(program, "", bound)
    assert (run.status, run.bits_read) == (status, bits_read)
    assert run.steps <= bound.time
    assert run.space <= bound.space


@given(any_tree, bit_strings, st.integers(0, 9), st.integers(0, 6))
def test_enumeration_finds_what_trying_every_string_finds(tree, condition, time, space):
    machine, bound = tree_machine("m", tree), Bound(time, space)
    enumeration = enumerate_programs(machine, condition, bound)
    assert dict(enumeration.programs) == halting_programs(machine, condition, bound, max_length=min(time, 7))
    assert [p for p, _ in enumeration.programs] == sorted(p for p, _ in enumeration.programs)


@given(any_tree, bit_strings, st.integers(0, 9), st.integers(0, 6))
def test_halting_programs_are_prefix_free_and_their_kraft_sum_is_1_minus_what_is_unresolved(
    tree, condition, time, space
):
    enumeration = enumerate_programs(tree_machine("m", tree), condition, Bound(time, space))
    programs = [program for program, _ in enumeration.programs]
    assert is_prefix_free(programs)
    assert kraft_sum(programs) + enumeration.unresolved == 1


@given(any_tree, bit_strings, st.integers(0, 9), st.integers(0, 6), st.integers(0, 5), st.integers(0, 5))
def test_more_time_and_space_raise_the_lower_and_drop_the_upper_bound_of_every_string(
    tree, condition, time, space, more_time, more_space
):
    machine = tree_machine("m", tree)
    tight = output_measure(machine, condition, Bound(time, space))
    loose = output_measure(machine, condition, Bound(time + more_time, space + more_space))
    for x in {**tight.mass, **loose.mass, "0101": None}:
        assert tight.lower(x) <= loose.lower(x) <= loose.upper(x) <= tight.upper(x)


def test_a_function_that_catches_every_exception_does_not_catch_the_bound():
    def stubborn(tape):
        while True:
            with suppress(Exception):
                tape.read()

    assert FunctionMachine("m", stubborn).run("0", "", ROOMY).status is Status.NEEDS_INPUT


def test_there_is_nothing_on_either_side_of_the_condition():
    def looks_around(tape):
        for place in (-1, 0, 1, 2):
            bit = tape.condition(place)
            tape.write(bit is None)

    assert FunctionMachine("m", looks_around).run("", "01", ROOMY).output == "1001"


@pytest.mark.parametrize("bit", [0, 1, "0", "1", False, True])
def test_what_is_written_is_one_bit_whatever_its_type(bit):
    assert FunctionMachine("m", lambda tape: tape.write(bit)).run("", "", ROOMY).output == str(int(bit))


@pytest.mark.parametrize("bit", [2, -1, "01", "", "x", None])
def test_anything_else_is_refused_and_the_machine_named(bit):
    machine = FunctionMachine("wide", lambda tape: tape.write(bit))
    with pytest.raises(InputError, match="machine wide fails on program ε: ValueError: a machine writes 0 or 1"):
        machine.run("", "", ROOMY)


def test_a_function_that_raises_is_named_with_the_program_it_fails_on():
    def fails(tape):
        tape.read()
        tape.write(1 // tape.read())

    with pytest.raises(InputError, match="machine fails fails on program 00: ZeroDivisionError"):
        enumerate_programs(FunctionMachine("fails", fails), "", ROOMY)


def test_each_run_that_does_not_halt_is_listed_with_its_reason():
    machine = tree_machine("m", (None, ("1", ("111", "0"))))
    enumeration = enumerate_programs(machine, "", Bound(time=5, space=2))
    assert dict(enumeration.outcomes) == {"0": Status.STUCK, "10": "1", "110": Status.OUT_OF_TIME, "111": "0"}
    assert enumeration.unresolved == Fraction(5, 8)


def test_a_measure_of_a_fair_bit():
    measure = output_measure(tree_machine("m", ("0", "1")), "", ROOMY)
    assert measure == Measure({"0": Fraction(1, 2), "1": Fraction(1, 2)})
    assert measure.is_exact
    assert measure.total == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Bound(time=-1, space=0),
        lambda: Bound(time=0, space=-1),
        lambda: output_measure(tree_machine("m", ""), "0x1", ROOMY),
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
