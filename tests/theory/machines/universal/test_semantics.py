"""The bounded universal machine: its rules by worked examples, and equality with an interpreter from the prose."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory.machines.universal.interpreter
from tests.reference.universal import run_from_prose
from theory.compiling import can_compile
from theory.machines.universal.interpreter import Interpreter, assemble, run_program
from theory.machines.universal.semantics import SYMBOLS, MachineSize, ResultColumn, Stop, interpret_rows

MODES = [
    False,
    pytest.param(True, marks=pytest.mark.skipif(not can_compile(), reason="needs numba")),
]
sizes = st.builds(
    MachineSize,
    alphabet_size=st.sampled_from([2, 3, 9]),
    memory_cells=st.sampled_from([1, 2, 3, 10]),
    max_steps=st.sampled_from([1, 2, 7, 60, 300]),
    output_limit=st.sampled_from([1, 3, 20]),
)


def agree(program: str, size: MachineSize, inputs: list[int]) -> None:
    expected = run_from_prose(
        program,
        alphabet_size=size.alphabet_size,
        memory_cells=size.memory_cells,
        max_steps=size.max_steps,
        output_limit=size.output_limit,
        inputs=inputs,
    )
    run = run_program(program, size, inputs=inputs)
    visited = min(max(expected.places) - min(expected.places) + 1, size.memory_cells)
    assert (run.stop.name, list(run.output), run.steps, run.tokens_read, run.cells) == (
        expected.stop,
        expected.output,
        expected.steps,
        expected.tokens_read,
        visited,
    )


@given(st.text("+-><[].,{", max_size=40), sizes, st.lists(st.integers(0, 255), max_size=4))
def test_any_program_runs_as_the_prose_says(program: str, size: MachineSize, inputs: list[int]) -> None:
    agree(program, size, inputs)


@given(st.text("+[]{.>", max_size=30), sizes)
def test_programs_of_brackets_run_as_the_prose_says(program: str, size: MachineSize) -> None:
    agree(program, size, [])


def test_ten_thousand_random_programs_run_as_the_prose_says() -> None:
    rng = random.Random(0)
    for _ in range(10_000):
        program = "".join(rng.choices("+-><[].,{", k=rng.choice([3, 8, 20, 60, 120])))
        size = MachineSize(
            alphabet_size=rng.choice([2, 3, 9]),
            memory_cells=rng.choice([1, 2, 3, 10]),
            max_steps=rng.choice([1, 5, 50, 200]),
            output_limit=rng.choice([1, 3, 20]),
        )
        agree(program, size, [rng.randrange(9) for _ in range(rng.choice([0, 3]))])


@pytest.mark.skipif(not can_compile(), reason="needs numba")
def test_the_compiled_function_gives_the_same_results_bit_for_bit() -> None:
    rng = random.Random(1)
    size = MachineSize(alphabet_size=9, memory_cells=5, max_steps=200, output_limit=30)
    programs = [rng.choices(range(len(SYMBOLS)), k=80) for _ in range(2000)]
    plain, compiled = (Interpreter(size, rows=2000, stream_length=80, compiled=mode) for mode in (False, True))
    for interpreter in (plain, compiled):
        for row, program in enumerate(programs):
            interpreter.streams[row][:] = program
        assert interpreter.run(inputs=[3, 1, 4, 1, 5]) == 2000
    assert compiled.results.tolist() == plain.results
    for row, result in enumerate(plain.results):
        length = result[ResultColumn.OUTPUT_LENGTH]
        assert compiled.outputs[row][:length].tolist() == plain.outputs[row][:length]


@pytest.mark.skipif(not can_compile(), reason="needs numba")
def test_numbas_own_switch_gives_the_same_results_on_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    size = MachineSize(alphabet_size=256, memory_cells=3, max_steps=900, output_limit=40)
    compiled = Interpreter(size, rows=1, stream_length=4, compiled=True)
    monkeypatch.setattr(theory.machines.universal.interpreter, "compiled_interpreter", lambda: interpret_rows)
    switched_off = Interpreter(size, rows=1, stream_length=4, compiled=True)
    for interpreter in (compiled, switched_off):
        interpreter.streams[0][:] = assemble("+[.+")
        interpreter.run(word_lengths=[300] * len(SYMBOLS))  # bits and cells beyond 8 bits
    assert compiled.results.tolist() == switched_off.results.tolist()
    assert compiled.results[0][ResultColumn.BITS_READ] == 900


def run(program: str, **size: int) -> tuple[str, tuple[int, ...], int]:
    result = run_program(program, MachineSize(**size))
    return result.stop.name, result.output, result.steps


def test_the_end_of_a_program_costs_no_step() -> None:
    assert run("") == ("HALTED", (), 0)
    assert run("+.") == ("HALTED", (1,), 2)


def test_cells_wrap_and_the_head_wraps() -> None:
    assert run("-.", alphabet_size=5) == ("HALTED", (4,), 2)
    assert run("+>>>.", memory_cells=3) == ("HALTED", (1,), 5)
    assert run("<+>>>.", memory_cells=3)[1] == (1,)


def test_a_timeout_wins_over_the_output_limit_in_the_same_step() -> None:
    assert run("+.", max_steps=2, output_limit=1)[0] == "TIMEOUT"
    assert run("+.", max_steps=3, output_limit=1)[0] == "OUTPUT_LIMIT"


def test_a_run_of_exactly_t_steps_is_a_timeout_even_where_the_program_ends() -> None:
    assert run("+.", max_steps=2)[0] == "TIMEOUT"


def test_a_loop_runs_until_its_cell_is_zero_and_goes_on_at_its_continuation() -> None:
    assert run("++[.-]>+.") == ("HALTED", (2, 1, 1), 14)


def test_a_skipped_loop_has_its_continuation_first_and_its_body_when_it_is_needed() -> None:
    # Outer loop: cell 1 is 0 at first, so `{` is skipped and `+<-]` follows. In the second pass cell 1 is 1: the body
    # `.-]` is read only now. Then the outer loop ends, and its continuation `.` comes last.
    assert run("++[>{+<-]" + ".-]" + ".") == ("HALTED", (1, 0), 22)


def test_an_unmatched_closing_bracket_is_skipped() -> None:
    assert run("]]+.") == ("HALTED", (1,), 4)


def test_the_kind_of_a_loop_is_decided_by_the_cell_not_by_its_sign() -> None:
    for cells in ("", "+"):
        assert run(f"{cells}[+.]>.", max_steps=30) == run(f"{cells}{{+.]>.", max_steps=30)


def test_input_is_stored_modulo_the_alphabet_and_is_zero_when_it_runs_out() -> None:
    size = MachineSize(alphabet_size=4)
    assert run_program(",.,.,.", size, inputs=[7, 2]).output == (3, 2, 0)


def test_buffers_can_be_reused_and_memory_starts_clear() -> None:
    interpreter = Interpreter(MachineSize(memory_cells=2), rows=1, stream_length=4, compiled=False)
    interpreter.streams[0][:] = assemble("+>+.")
    interpreter.run()
    interpreter.streams[0][:] = assemble(".>.!")
    interpreter.run()
    assert interpreter.outputs[0][:2] == [0, 0]


@pytest.mark.parametrize("compiled", MODES)
def test_the_odometer_visits_every_leaf_once(compiled: bool) -> None:
    interpreter = Interpreter(MachineSize(max_steps=3), rows=400, stream_length=3, compiled=compiled)
    rows = interpreter.run(token_kinds=7)
    leaves = [
        tuple(int(token) for token in stream[: result[ResultColumn.TOKENS_READ]])
        for stream, result in zip(interpreter.streams[:rows], interpreter.results[:rows], strict=True)
    ]
    assert len(set(leaves)) == len(leaves)
    assert leaves == sorted(leaves)
    assert sum(7 ** (3 - len(leaf)) for leaf in leaves) == 7**3


def test_a_run_that_leaves_its_target_stops() -> None:
    interpreter = Interpreter(MachineSize(alphabet_size=2), rows=1, stream_length=4, compiled=False)
    interpreter.streams[0][:] = assemble("+..!")
    for target, stop in (([1, 1], Stop.HALTED), ([1], Stop.DEVIATED), ([1, 0], Stop.DEVIATED), ([], Stop.DEVIATED)):
        interpreter.run(target=target)
        assert Stop(interpreter.results[0][ResultColumn.STOP]) is stop


def test_space_counts_cells_and_output() -> None:
    for max_space, stop in ((2, "OUT_OF_SPACE"), (3, "HALTED")):
        assert run(">.", max_space=max_space)[0] == stop


@pytest.mark.parametrize(
    "size",
    [{"alphabet_size": 1}, {"alphabet_size": 257}, {"max_steps": 0}, {"max_space": 0}, {"memory_cells": 2**31}],
)
def test_a_machine_that_cannot_be_is_refused(size: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="received"):
        MachineSize(**size)


def test_an_unknown_instruction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown instructions \(received '\?x'\)"):
        run_program("+x?", MachineSize())


def test_a_stream_without_an_end_is_exhausted() -> None:
    interpreter = Interpreter(MachineSize(), rows=1, stream_length=2, compiled=False)
    interpreter.streams[0][:] = assemble("++")
    interpreter.run()
    assert Stop(interpreter.results[0][ResultColumn.STOP]) is Stop.EXHAUSTED
