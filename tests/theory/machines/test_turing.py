"""Four-tape machines from a transition table, and the class of all two-state machines of one kind."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.programs import halting_programs
from tests.theory.strategies import bit_strings
from theory.checks.domination import check_domination
from theory.errors import InputError
from theory.machines.machine import Bound, Status
from theory.machines.turing import (
    CONDITION_END,
    HALT,
    Rule,
    TuringMachine,
    WatchedTape,
    one_state_class,
    table_class,
    two_state_class,
)
from theory.measures.measure import enumerate_programs, output_measure
from theory.numbers.bit_strings import is_prefix_free, kraft_sum

ROOMY = Bound(time=60, space=60)
REVERSE = TuringMachine(
    "reverse",
    {"A": WatchedTape.CONDITION, "B": WatchedTape.CONDITION},
    {
        ("A", "0"): Rule("A", condition_move=1),
        ("A", "1"): Rule("A", condition_move=1),
        ("A", CONDITION_END): Rule("B", condition_move=-1),
        ("B", "0"): Rule("B", condition_move=-1, emit="0"),
        ("B", "1"): Rule("B", condition_move=-1, emit="1"),
        ("B", CONDITION_END): Rule(HALT),
    },
)
TWICE = TuringMachine(  # takes bits up to the first 0, keeps them on the work tape, and writes 1^n 0 twice
    "twice",
    {"A": WatchedTape.PROGRAM, "B": WatchedTape.WORK, "C": WatchedTape.WORK, "D": WatchedTape.WORK},
    {
        ("A", "1"): Rule("A", write="1", move=1, emit="1"),
        ("A", "0"): Rule("B", write="0", move=-1, emit="0"),
        ("B", "1"): Rule("B", move=-1),
        ("B", "0"): Rule("C", move=1),
        ("C", "1"): Rule("C", move=1, emit="1"),
        ("C", "0"): Rule(HALT, emit="0"),
    },
)
ONE_STATE, TWO_STATE = one_state_class(), two_state_class()
ALL = st.sampled_from([*ONE_STATE.members, *TWO_STATE.members])


@given(bit_strings)
def test_a_machine_whose_condition_head_moves_both_ways_reverses(condition):
    run = REVERSE.run("", condition, ROOMY)
    assert (run.status, run.output, run.steps) == (Status.HALTED, condition[::-1], 2 * len(condition) + 2)


@given(st.integers(0, 8))
def test_a_machine_that_uses_its_work_tape_writes_its_program_twice(n):
    run = TWICE.run("1" * n + "0" + "111", "", ROOMY)
    assert (run.status, run.output, run.bits_read) == (Status.HALTED, ("1" * n + "0") * 2, n + 1)


@pytest.mark.parametrize(
    ("machine", "program", "bound", "status"),
    [
        (TWICE, "11", ROOMY, Status.NEEDS_INPUT),
        (TWICE, "1110", Bound(time=5, space=60), Status.OUT_OF_TIME),
        (TWICE, "1110", Bound(time=60, space=4), Status.OUT_OF_SPACE),
        (TuringMachine("none", {"A": WatchedTape.WORK}, {}), "", ROOMY, Status.STUCK),
    ],
)
def test_every_way_to_end_is_a_status_within_the_bound(machine, program, bound, status):
    run = machine.run(program, "", bound)
    assert run.status is status
    assert run.steps <= bound.time
    assert run.space <= bound.space


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"start": "Z"}, "state that looks at no tape"),
        ({"rules": {("A", "0"): Rule("B")}}, "state that looks at no tape"),
        ({"rules": {("A", "0"): Rule("A", emit="x")}}, "only the characters 0 and 1"),
    ],
)
def test_a_table_with_a_state_or_an_output_that_is_none_is_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        TuringMachine("wrong", {"A": WatchedTape.PROGRAM}, **{"rules": {("A", "0"): Rule(HALT)}, **wrong})


@given(ALL, st.sampled_from(["", "0", "11"]), st.integers(0, 8), st.integers(0, 17))
def test_every_machine_of_the_class_is_prefix_free_and_enumerated_completely(machine, condition, time, space):
    bound = Bound(time, space)
    enumeration = enumerate_programs(machine, condition, bound)
    programs = [program for program, _ in enumeration.programs]
    assert is_prefix_free(programs)
    assert kraft_sum(programs) + enumeration.unresolved == 1
    assert dict(enumeration.programs) == halting_programs(machine, condition, bound, max_length=time)


@given(ALL, st.integers(0, 6), st.integers(0, 10), st.integers(0, 3), st.integers(0, 4))
def test_more_time_and_space_never_lower_a_probability(machine, time, space, more_time, more_space):
    tight = output_measure(machine, "1", Bound(time, space))
    loose = output_measure(machine, "1", Bound(time + more_time, space + more_space))
    assert all(tight.lower(x) <= loose.lower(x) for x in tight.mass)
    assert loose.unresolved <= tight.unresolved


def test_4096_machines_with_distinct_names_and_a_complete_code():
    assert len({member.name for member in TWO_STATE.members}) == 4096
    assert kraft_sum(TWO_STATE.words) == 1
    assert sum(member.reads_condition for member in TWO_STATE.members) == 2048


def test_16_machines_with_one_state_half_of_them_on_the_condition():
    assert len({member.name for member in ONE_STATE.members}) == 16
    assert kraft_sum(ONE_STATE.words) == 1
    assert sum(member.reads_condition for member in ONE_STATE.members) == 8


@pytest.mark.parametrize("states", [0, 3])
def test_other_numbers_of_states_are_refused(states):
    with pytest.raises(InputError, match="too many machines, or none"):
        table_class(states)


def test_a_geometric_source_by_hand():
    """0 -> write 1, move right, stay in A; 1 -> halt: the output 1^n has probability 2^-(n + 1)."""
    machine = TWO_STATE.members[TWO_STATE.index("program 1>A halt 0<A 0<A")]
    measure = output_measure(machine, "", Bound(time=5, space=20))
    assert dict(measure.mass) == {"1" * n: Fraction(1, 2 ** (n + 1)) for n in range(5)}
    assert measure.unresolved == Fraction(1, 32)


def test_the_mixture_dominates_all_4096_although_many_never_halt():
    result = check_domination(table_class(2, time=4), max_length=0)
    assert result.holds
    assert result.counts["members"] == 4096
    assert any(item.slack is None for item in result.items)


def test_a_run_takes_time_in_proportion_to_its_steps_however_much_it_writes():
    """Twice as many steps once took four times as long, as all that was written was copied in each of them."""
    writer = TuringMachine("writer", {"A": WatchedTape.WORK}, {("A", "0"): Rule("A", emit="01" * 64)})

    def seconds(steps):
        start = time.process_time()
        assert len(writer.run("", "", Bound(time=steps, space=10**9)).output) == 128 * steps
        return time.process_time() - start

    few = min(seconds(2_000) for _ in range(5))
    assert min(seconds(16_000) for _ in range(5)) < 24 * few  # 8 times the steps; copying would take 64 times as long
