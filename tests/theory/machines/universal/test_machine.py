"""The universal machine over bits: a prefix code for tokens, and the promises of `theory.machines.machine.Machine`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.machines.classes import load_class
from theory.machines.machine import Bound, Status
from theory.machines.universal.machine import UniversalMachine, universal_class
from theory.measures.measure import enumerate_programs
from theory.numbers.bit_strings import is_prefix_free, kraft_sum

machines = st.builds(UniversalMachine, reads_condition=st.booleans())
bit_strings = st.text("01", max_size=40)


@pytest.mark.parametrize("reads_condition", [False, True])
def test_the_words_are_a_complete_prefix_code(reads_condition: bool) -> None:
    words = UniversalMachine(reads_condition).words
    assert is_prefix_free(words)
    assert kraft_sum(words) == 1


def test_a_program_and_its_halt() -> None:
    machine = UniversalMachine()
    run = machine.run(machine.encode("+.>.!"), "", Bound(time=19, space=4))
    assert (run.status, run.output, run.steps, run.space, run.bits_read) == (Status.HALTED, "10", 19, 4, 15)


def test_the_condition_is_read_bit_by_bit_and_zero_follows() -> None:
    machine = UniversalMachine(reads_condition=True)
    assert machine.run(machine.encode(",.,.,.!"), "11", Bound(time=99, space=9)).output == "110"


@given(machines, bit_strings, st.text("01", max_size=4), st.integers(0, 30), st.integers(0, 6))
def test_a_run_stays_within_its_bound(machine: UniversalMachine, program: str, z: str, time: int, space: int) -> None:
    run = machine.run(program, z, Bound(time, space))
    assert run.steps <= time
    assert run.bits_read <= min(run.steps, len(program))
    assert (run.status is Status.NEEDS_INPUT) <= (run.bits_read == len(program))
    if run.status is Status.HALTED:
        assert run.space <= space


@given(machines, bit_strings, bit_strings, st.integers(0, 30), st.integers(0, 6))
def test_a_run_depends_only_on_the_bits_that_it_read(
    machine: UniversalMachine, program: str, more: str, time: int, space: int
) -> None:
    bound = Bound(time, space)
    run = machine.run(program, "", bound)
    if run.status is not Status.NEEDS_INPUT:
        assert machine.run(program[: run.bits_read] + more, "", bound) == run


@pytest.mark.parametrize(("program", "time"), [("", 0), ("0", 1), ("00", 2), ("00000", 6)])
def test_without_time_for_another_bit_a_run_is_out_of_time_and_wants_none(program: str, time: int) -> None:
    for more in ("", "0", "11111111"):
        run = UniversalMachine().run(program + more, "", Bound(time, 9))
        assert (run.status, run.bits_read, run.steps) == (Status.OUT_OF_TIME, len(program), time)


@given(machines, bit_strings, st.integers(1, 30), st.integers(1, 6), st.integers(0, 30), st.integers(0, 6))
def test_a_run_that_halted_is_the_same_under_every_larger_bound(
    machine: UniversalMachine, program: str, time: int, space: int, more_time: int, more_space: int
) -> None:
    run = machine.run(program, "01", Bound(time, space))
    if run.status is Status.HALTED:
        assert machine.run(program, "01", Bound(time + more_time, space + more_space)) == run


def test_halting_programs_are_prefix_free_and_nothing_is_lost() -> None:
    enumeration = enumerate_programs(UniversalMachine(), "", Bound(time=12, space=6))
    programs = [program for program, _output in enumeration.programs]
    assert is_prefix_free(programs)
    assert kraft_sum(programs) + enumeration.unresolved == 1


def test_the_class_has_a_member_with_and_one_without_a_condition() -> None:
    assert [member.reads_condition for member in universal_class().members] == [False, True]
    assert load_class("universal") == universal_class()
