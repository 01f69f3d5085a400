"""Bounds on K and m are bounds: compared with all programs, with more search, and with the witness's own run."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.universal import run_from_prose
from theory.compiling import can_compile
from theory.machines.machine import Bound, Status
from theory.machines.universal.machine import UniversalMachine
from theory.measures.complexity import complexity, literal_program
from theory.measures.measure import enumerate_programs
from theory.numbers.bit_strings import strings


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


PROGRAMS = [
    (program, "".join(map(str, outcome.output)), outcome.steps, len(outcome.places))
    for tokens in range(5)
    for program in map("".join, product("+-><[].", repeat=tokens))
    if (
        outcome := run_from_prose(
            program, alphabet_size=2, memory_cells=999, max_steps=200, output_limit=999, inputs=[]
        )
    ).stop
    == "HALTED"
    and outcome.tokens_read == tokens
]
"""All programs of up to five tokens, `!` included, that halt within 200 steps: output, steps, cells; from the prose."""


@settings(max_examples=100)
@given(st.text("01", max_size=3), st.integers(1, 30), st.integers(1, 9), st.integers(1, 4))
def test_no_program_contradicts_a_bound(x: str, time: int, space: int, max_tokens: int) -> None:
    result = complexity(x, bound=Bound(time, space), max_tokens=max_tokens, compiled=False)
    bits = {program: 3 * len(program) + 3 for program, output, _, _ in PROGRAMS if output == x}
    within = {
        program
        for program, _, steps, cells in PROGRAMS
        if program in bits and steps + bits[program] <= time and cells + len(x) <= space
    }
    searched = [program for program in within if len(program) < max_tokens]
    assert result.k_lower_bits <= min(bits.values(), default=99)
    assert result.m_upper >= sum(Fraction(1, 1 << length) for length in bits.values())
    assert sum((Fraction(1, 1 << bits[program]) for program in searched), Fraction(0)) <= result.m_lower
    if within:
        assert result.k_bounded_lower_bits is not None
        assert result.k_bounded_lower_bits <= min(bits[program] for program in within)
    if result.witness is None:
        assert not searched
        assert result.m_lower == 0
    elif len(result.witness.program) <= 5:
        assert result.witness.program.rstrip("!") in within
    else:
        assert not searched


def test_a_program_of_one_token_more_is_not_excluded() -> None:
    # `.` was read and written in 4 steps; `!` would need 3 more
    result = complexity("0", bound=Bound(6, 9), max_tokens=1, compiled=False)
    assert result.witness is None
    assert (result.k_bounded_lower_bits, result.k_lower_bits) == (6, 6)


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


def test_the_literal_program_counts_where_it_is_longer_than_what_was_searched() -> None:
    result = complexity("01101", max_tokens=3, compiled=False)
    assert (result.programs, result.k_upper_bits, result.m_lower) == (1, 27, Fraction(1, 2**27))
    assert result.m_upper == result.unresolved  # where the literal program lies


def test_space_beyond_what_the_time_can_fill_changes_nothing() -> None:
    few, many = (complexity("01", bound=Bound(30, space), max_tokens=3, compiled=False) for space in (31, 10**30))
    assert replace(many, bound=few.bound) == few


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


@pytest.mark.skipif(not can_compile(), reason="needs numba")
def test_compiled_and_plain_searches_agree() -> None:
    assert complexity("010", max_tokens=5, compiled=True) == complexity("010", max_tokens=5, compiled=False)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"string": "012"}, "only the characters 0 and 1"),
        ({"string": "0", "max_tokens": 0}, "out of range"),
        ({"string": "0", "bound": Bound(0, 5)}, "nothing runs"),
        ({"string": "0", "bound": Bound(10**7, 5)}, "too long"),
    ],
)
def test_bad_input_is_refused(arguments: dict, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        complexity(**arguments)
