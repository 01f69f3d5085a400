"""Class B: the numbers that its description promises."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.programs import halting_programs
from theory.machines.machine import Bound, Status
from theory.machines.mealy import COPY, mealy_class, mealy_machines
from theory.measures.measure import enumerate_programs
from theory.numbers.bit_strings import kraft_sum, strings

CLASS_B = mealy_class()


def test_252_machines_with_a_complete_code_and_its_prior():
    assert len(CLASS_B.members) == len({member.name for member in CLASS_B.members}) == 252
    assert kraft_sum(CLASS_B.words) == sum(CLASS_B.prior) == 1
    assert sum(member.reads_condition for member in mealy_machines()) == 6**3
    assert CLASS_B.members[0].name == COPY


def test_all_28152_programs_with_kraft_sums_of_1():
    """Machines that watch the condition have the empty program for each of 127 conditions; the coins have 720."""
    found = 0
    for condition in strings(6):
        for member in CLASS_B.members:
            if member.reads_condition or not condition:
                enumeration = enumerate_programs(member, condition, CLASS_B.bound)
                assert kraft_sum([program for program, _ in enumeration.programs]) == 1
                assert all(len(output) <= 6 for _, output in enumeration.programs)
                found += len(enumeration.programs)
    assert found == 216 * 127 + 720 == 28152


def test_the_copy_machine_copies():
    copy = CLASS_B.members[0]
    assert all(copy.run("", z, CLASS_B.bound).output == z for z in strings(6))


@pytest.mark.parametrize("name", ["coin 0.1h", "coin h1.", "coin 1.0."])
def test_the_enumeration_of_a_coin_is_that_of_trying_every_string(name):
    coin = CLASS_B.members[CLASS_B.index(name)]
    assert dict(enumerate_programs(coin, "", CLASS_B.bound).programs) == halting_programs(coin, "", CLASS_B.bound, 6)


@given(st.sampled_from(CLASS_B.members), st.sampled_from(["", "0", "0110"]), st.integers(0, 7), st.integers(0, 7))
def test_under_every_bound_the_programs_are_those_of_trying_every_string_and_no_mass_is_lost(
    machine, condition, time, space
):
    """Also where a machine runs out of space on one value of a bit and not on the other."""
    bound = Bound(time, space)
    enumeration = enumerate_programs(machine, condition, bound)
    assert dict(enumeration.programs) == halting_programs(machine, condition, bound, 6)
    assert kraft_sum([program for program, _ in enumeration.programs]) + enumeration.unresolved == 1


def test_out_of_space_is_told_apart_by_the_bit_that_asks_for_too_much():
    """On 0 the coin halts and writes nothing; on 1 it writes, for which there is no cell."""
    coin = CLASS_B.members[CLASS_B.index("coin h1h")]
    enumeration = enumerate_programs(coin, "", Bound(time=6, space=0))
    assert enumeration.programs == (("0", ""),)
    assert enumeration.unresolved == Fraction(1, 2)


@pytest.mark.parametrize(
    ("name", "program", "condition", "bound", "status", "output"),
    [
        ("mealy 0.1.1.", "", "01", Bound(6, 6), Status.HALTED, "011111"),  # writes on at the end until the clock
        ("mealy 0.1.h", "", "0110", Bound(3, 6), Status.OUT_OF_TIME, "011"),
        ("mealy 0.1.h", "", "0110", Bound(6, 2), Status.OUT_OF_SPACE, "01"),
        ("coin 0.1h", "00", "", Bound(6, 6), Status.NEEDS_INPUT, "00"),
        ("coin 0.1h", "001", "", Bound(6, 6), Status.HALTED, "001"),
    ],
)
def test_runs_by_hand(name, program, condition, bound, status, output):
    run = CLASS_B.members[CLASS_B.index(name)].run(program, condition, bound)
    assert (run.status, run.output) == (status, output)
