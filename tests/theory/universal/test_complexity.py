"""Bounds on K and m are bounds: compared with all programs, with more search, and with the witness's own run."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.bits import strings
from theory.machine import Bound, Status, enumerate_programs
from theory.universal.complexity import complexity, literal_program
from theory.universal.interpreter import can_compile
from theory.universal.machine import UniversalMachine


@pytest.mark.parametrize(("condition", "time"), [("", 15), ("1", 12)])
def test_the_search_finds_all_programs_within_its_tokens(condition: str, time: int) -> None:
    machine = UniversalMachine(reads_condition=bool(condition))
    bound = Bound(time=time, space=9)
    programs = enumerate_programs(machine, condition, bound).programs
    for x in strings(2):
        # a token takes 3 steps to read and 1 to do, so that no more than 4 or 3 fit into the time
        result = complexity(x, condition=condition, bound=bound, max_tokens=5, compiled=False)
        lengths = [len(program) for program, output in programs if output == x]
        assert result.programs == len(lengths)
        assert result.m_lower == sum((Fraction(1, 2**length) for length in lengths), Fraction(0))
        assert result.k_upper_bits == min(lengths, default=None)
        if lengths:
            assert result.is_shortest_within_bound
            assert result.witness is not None
            assert result.witness.bits in {program for program, _ in programs}


def test_the_shortest_programs_of_the_shortest_strings() -> None:
    found = {x: complexity(x, max_tokens=4, compiled=False) for x in ("", "0", "1", "00", "01", "11")}
    assert {x: each.witness and each.witness.program for x, each in found.items()} == {
        "": "!",
        "0": ".!",
        "1": "+.!",
        "00": "..!",
        "01": ".+.!",
        "11": "+..!",
    }
    assert all(each.is_shortest_within_bound for each in found.values())


@settings(deadline=None, max_examples=25)
@given(st.text("01", max_size=8))
def test_more_search_only_tightens(x: str) -> None:
    results = [complexity(x, max_tokens=tokens, compiled=False) for tokens in (1, 2, 3)]
    for less, more in pairwise(results):
        assert less.k_lower_bits <= more.k_lower_bits
        assert less.k_bounded_lower_bits is not None
        assert more.k_bounded_lower_bits is not None
        assert less.k_bounded_lower_bits <= more.k_bounded_lower_bits
        assert less.m_lower <= more.m_lower <= more.m_upper <= less.m_upper
        assert less.k_upper_bits is not None
        assert more.k_upper_bits is not None
        assert more.k_lower_bits <= more.k_upper_bits <= less.k_upper_bits


@given(st.text("01", max_size=60))
def test_the_literal_program_writes_its_string(x: str) -> None:
    machine = UniversalMachine()
    program = machine.encode(literal_program(x))
    run = machine.run(program, "", Bound(time=8 * len(x) + 8, space=len(x) + 1))
    assert (run.status, run.output) == (Status.HALTED, x)
    assert len(program) <= 6 * len(x) + 3


def test_a_witness_runs_as_it_says() -> None:
    result = complexity("0110", max_tokens=4, compiled=False)
    assert result.witness is not None
    run = UniversalMachine().run(result.witness.bits, "", result.bound)
    assert run == result.witness.run
    assert run.output == "0110"


def test_without_time_for_the_literal_program_there_may_be_no_witness() -> None:
    result = complexity("010101", bound=Bound(time=12, space=9), max_tokens=3, compiled=False)
    assert (result.witness, result.k_upper_bits, result.m_lower) == (None, None, 0)
    assert result.k_lower_bits <= 12
    assert result.k_bounded_lower_bits is None  # every run that is still open has run out of time


@pytest.mark.skipif(not can_compile(), reason="needs numba, the extra fast")
def test_compiled_and_plain_searches_agree() -> None:
    assert complexity("010", max_tokens=5, compiled=True) == complexity("010", max_tokens=5, compiled=False)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"string": "012"}, "only the characters 0 and 1"),
        ({"string": "0", "max_tokens": 0}, "out of range"),
        ({"string": "0", "bound": Bound(0, 5)}, "nothing runs"),
    ],
)
def test_bad_input_is_refused(arguments: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        complexity(**arguments)
