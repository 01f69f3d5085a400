"""Exact masses of the universal machine's outputs."""

from fractions import Fraction
from itertools import pairwise, product

import pytest

from tests.reference.universal import run_from_prose
from theory.compiling import can_compile
from theory.machines.machine import Bound
from theory.machines.universal.machine import UniversalMachine
from theory.machines.universal.semantics import MachineSize
from theory.measures.measure import output_measure
from theory.measures.omega import StreamMeasure, halting_measure, stream_measure
from theory.numbers.bit_strings import strings

needs_numba = pytest.mark.skipif(not can_compile(), reason="needs numba")


def bits_machine(max_steps: int, memory_cells: int = 4) -> MachineSize:
    return MachineSize(alphabet_size=2, memory_cells=memory_cells, max_steps=max_steps, output_limit=max_steps)


def prefix_bounds(measure: StreamMeasure, x: str) -> tuple[Fraction, Fraction]:
    """Bounds on the mass of x_ without a bound on time: what has written x, and with it what may still come to."""
    lower = sum((mass for output, mass in measure.mass.items() if output.startswith(x)), Fraction(0))
    return lower, lower + sum((measure.mass.get(x[:length], Fraction(0)) for length in range(len(x))), Fraction(0))


@needs_numba
def test_seven_steps_have_785431_leaves_and_prefix_000_the_mass_4027_over_117649() -> None:
    measure = stream_measure(bits_machine(7))
    assert measure.leaves == 785_431
    assert prefix_bounds(measure, "000")[0] == Fraction(4027, 117_649)
    assert round(float(measure.mass[""]), 3) == 0.348
    assert sum(measure.mass.values()) == 1


@needs_numba
@pytest.mark.parametrize("cells", [1, 2, 3, 4, 5, 8])
def test_the_tape_wraps_within_seven_steps_only_if_it_has_fewer_than_four_cells(cells: int) -> None:
    assert (stream_measure(bits_machine(7, cells)).leaves == 785_431) == (cells >= 4)


def test_masses_are_those_of_all_streams_run_from_the_prose() -> None:
    expected: dict[str, Fraction] = {}
    for stream in product("+-><[].", repeat=4):
        outcome = run_from_prose(
            "".join(stream), alphabet_size=2, memory_cells=3, max_steps=4, output_limit=9, inputs=[]
        )
        output = "".join(map(str, outcome.output))
        expected[output] = expected.get(output, Fraction(0)) + Fraction(1, 7**4)
    assert stream_measure(bits_machine(4, 3), compiled=False).mass == expected


@needs_numba
def test_compiled_and_plain_walks_agree() -> None:
    assert stream_measure(bits_machine(5), compiled=True) == stream_measure(bits_machine(5), compiled=False)


def test_prefix_bounds_close_in_as_time_grows() -> None:
    measures = [stream_measure(bits_machine(steps), compiled=False) for steps in (1, 2, 3, 4)]
    for x in strings(3):
        for earlier, later in pairwise(measures):
            (low, high), (later_low, later_high) = prefix_bounds(earlier, x), prefix_bounds(later, x)
            assert low <= later_low <= later_high <= high


@pytest.mark.parametrize("reads_condition", [False, True])
@pytest.mark.parametrize("bound", [Bound(0, 5), Bound(3, 0), Bound(3, 1), Bound(9, 2), Bound(12, 3), Bound(13, 9)])
def test_the_walk_finds_what_the_bitwise_enumeration_finds(bound: Bound, reads_condition: bool) -> None:
    machine = UniversalMachine(reads_condition)
    condition = "10" if reads_condition else ""
    walked = halting_measure(bound, condition=condition, compiled=False)
    enumerated = output_measure(machine, condition, bound)
    assert walked.mass == enumerated.mass
    assert walked.unresolved == enumerated.unresolved


@pytest.mark.parametrize("bound", [Bound(15, 9), Bound(15, 3), Bound(15, 2), Bound(15, 1), Bound(11, 9)])
def test_masses_are_those_of_all_programs_run_from_the_prose(bound: Bound) -> None:
    """Time is a step for each bit read and each instruction, space the cells visited and the bits written."""
    expected: dict[str, Fraction] = {}
    for tokens in range(4):  # and the word for the end; a token takes 4 steps or more
        for program in map("".join, product("+-><[].", repeat=tokens)):
            outcome = run_from_prose(
                program, alphabet_size=2, memory_cells=99, max_steps=99, output_limit=99, inputs=[]
            )
            halts = outcome.stop == "HALTED" and outcome.tokens_read == tokens
            used = len(outcome.places) + len(outcome.output)
            if halts and outcome.steps + 3 * (tokens + 1) <= bound.time and used <= bound.space:
                output = "".join(map(str, outcome.output))
                expected[output] = expected.get(output, Fraction(0)) + Fraction(1, 8 ** (tokens + 1))
    assert halting_measure(bound, compiled=False).mass == expected


def test_mass_and_gap_sum_to_one() -> None:
    measure = halting_measure(Bound(time=15, space=9), compiled=False)
    assert measure.total + measure.unresolved == 1


def test_omega_grows_with_time_and_with_space() -> None:
    in_time = [halting_measure(Bound(time, 9), compiled=False).total for time in (3, 7, 11, 15)]
    assert in_time == [Fraction(1, 8), Fraction(15, 64), Fraction(169, 512), Fraction(1693, 4096)]
    in_space = [halting_measure(Bound(15, space), compiled=False).total for space in (1, 2, 3, 4, 5)]
    assert in_space == sorted(in_space)
    assert in_space[0] == Fraction(479, 2048)


def test_space_beyond_what_the_time_can_fill_changes_nothing() -> None:
    assert halting_measure(Bound(12, 10**30), compiled=False) == halting_measure(Bound(12, 13), compiled=False)


def test_walks_that_would_not_end_are_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        halting_measure(Bound(time=100, space=9))
    with pytest.raises(ValueError, match="too large"):
        stream_measure(bits_machine(20))
    with pytest.raises(ValueError, match="digit strings"):
        stream_measure(MachineSize(alphabet_size=64, max_steps=2))
