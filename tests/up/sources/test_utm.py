"""The universal machine as a source: its programs, its outputs against theory's interpreter, its repetitions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.universal import run_from_prose
from theory.compiling import can_compile
from theory.machines.universal.interpreter import run_program
from theory.machines.universal.semantics import INSTRUCTIONS, MachineSize
from up.errors import InputError
from up.recipes.presets import configure
from up.sources import utm
from up.sources.utm import UniversalSource, repeated, run_programs

COMPILED = [False, pytest.param(True, marks=pytest.mark.skipif(not can_compile(), reason="needs numba"))]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def outputs_of(programs_RL, machine, **options):
    """Each program's output as a list."""
    outputs_RN, length_R = run_programs(programs_RL, machine, **options)
    return [row[:length] for row, length in zip(outputs_RN.tolist(), length_R.tolist(), strict=True)]


def text_of(program_L):
    return "".join(INSTRUCTIONS[opcode] for opcode in program_L)


@pytest.mark.skipif(not can_compile(), reason="needs numba")
def test_compiled_it_equals_theorys_plain_interpreter_on_ten_thousand_random_programs():
    machine = UniversalSource(scale=1).machine(64)
    programs_RL = torch.randint(7, (10_000, 100), generator=generator(), dtype=torch.uint8)
    outputs = outputs_of(programs_RL, machine, compiled=True)
    for program_L, output in zip(programs_RL.tolist(), outputs, strict=True):
        assert tuple(output) == run_program(text_of(program_L), machine).output
    assert sum(len(output) > 0 for output in outputs) > 9_000


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("scale", [1, 10])
def test_equals_the_machine_written_from_its_prose(scale, compiled):
    machine = UniversalSource(scale=scale).machine(512)
    programs_RL = torch.randint(7, (60, 100 * scale), generator=generator(1), dtype=torch.uint8)
    outputs = outputs_of(programs_RL, machine, compiled=compiled)
    for program_L, output in zip(programs_RL.tolist(), outputs, strict=True):
        assert list(output) == prose(text_of(program_L), machine)


def prose(program, machine):
    return run_from_prose(
        program,
        alphabet_size=machine.alphabet_size,
        memory_cells=machine.memory_cells,
        max_steps=machine.max_steps,
        output_limit=machine.output_limit,
        inputs=[],
    ).output


@settings(max_examples=200)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(2, 9), st.integers(1, 12), st.integers(1, 200))
def test_equals_theory_and_prose_on_any_program_and_machine(program_L, values, cells, steps):
    machine = MachineSize(alphabet_size=values, memory_cells=cells, max_steps=steps, output_limit=20)
    expected = run_program(text_of(program_L), machine).output
    assert list(expected) == prose(text_of(program_L), machine)
    programs_RL = torch.tensor([program_L], dtype=torch.uint8)
    for compiled in {False, can_compile()}:
        assert tuple(outputs_of(programs_RL, machine, compiled=compiled)[0]) == expected


@pytest.mark.skipif(not can_compile(), reason="needs numba")
def test_plain_and_compiled_give_the_same_rows(monkeypatch):
    source = UniversalSource()
    compiled_RT = source.rows(40, 96, generator(4))
    monkeypatch.setattr("theory.machines.universal.interpreter.can_compile", lambda: False)
    assert torch.equal(source.rows(40, 96, generator(4)), compiled_RT)


def programs_seen(monkeypatch, source, num_rows, num_tokens=32):
    """The programs of each attempt, and the rows."""
    seen, run = [], utm.run_programs

    def seeing(programs_RL, machine, **options):
        seen.append(programs_RL.clone())
        return run(programs_RL, machine, **options)

    monkeypatch.setattr(utm, "run_programs", seeing)
    return seen, source.rows(num_rows, num_tokens, generator(5))


def test_instructions_are_uniform_and_independent(monkeypatch):
    """Chi-squared of 500 x 100 instructions over 7, and of their pairs over 49: below mean plus five deviations."""
    seen, _ = programs_seen(monkeypatch, UniversalSource(scale=1), 250)
    program_I = torch.cat([each.flatten() for each in seen]).long()
    pairs_I = 7 * program_I[:-1:2] + program_I[1::2]
    for drawn_I, kinds in ((program_I, 7), (pairs_I, 49)):
        expected = len(drawn_I) / kinds
        counts = torch.bincount(drawn_I, minlength=kinds).double()
        chi_squared = float(((counts - expected) ** 2 / expected).sum())
        assert chi_squared < kinds - 1 + 5 * (2 * (kinds - 1)) ** 0.5


def test_rows_are_outputs_repeated_under_a_permutation_of_their_own(monkeypatch):
    """Row by row from the programs that were drawn; those without output are drawn again until there is some."""
    source = UniversalSource(scale=2)
    seen, rows_RT = programs_seen(monkeypatch, source, 200)
    outputs = [outputs_of(each, source.machine(32), compiled=False) for each in seen]
    final, later = [], [iter(each) for each in outputs[1:]]
    for first in outputs[0]:
        tries = iter(later)
        while not len(first):
            first = next(next(tries))
        final.append(first)
    assert len(outputs) > 1
    assert len(seen[1]) == sum(len(output) == 0 for output in outputs[0])
    for row_T, output in zip(rows_RT.tolist(), final, strict=True):
        symbols_T = [output[i % len(output)] for i in range(32)]
        names = set(zip(symbols_T, row_T, strict=True))
        assert len(names) == len(set(symbols_T)) == len(set(row_T))  # one token for each symbol
    assert len(set(rows_RT[:, 0].tolist())) > 100


def test_permutations_are_uniform():
    """The first token of 10,000 rows: chi-squared over 256 below its mean plus five standard deviations."""
    first_R = UniversalSource(scale=1).rows(10_000, 2, generator(6))[:, 0].long()
    counts = torch.bincount(first_R, minlength=256).double()
    expected = 10_000 / 256
    assert float(((counts - expected) ** 2 / expected).sum()) < 255 + 5 * (2 * 255) ** 0.5


def test_programs_that_never_write_end_in_a_constant_row(monkeypatch):
    calls = []

    def mute(programs_RL, machine):  # noqa: ARG001
        calls.append(len(programs_RL))
        return torch.ones(len(programs_RL), 16, dtype=torch.uint8), torch.zeros(len(programs_RL), dtype=torch.long)

    monkeypatch.setattr(utm, "run_programs", mute)
    rows_RT = UniversalSource(scale=1).rows(3, 16, generator())
    assert calls == [3] * 32
    assert (rows_RT == rows_RT[:, :1]).all()


def test_many_rows_are_drawn_piece_by_piece_and_no_row_is_none():
    assert UniversalSource(scale=1).rows(600, 8, generator()).shape == (600, 8)
    assert UniversalSource(scale=1).rows(0, 8, generator()).shape == (0, 8)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=9), st.integers(0, 3), st.integers(1, 40))
def test_repetition_has_the_period_of_the_output(output, spare, length):
    outputs_1N, length_1 = torch.tensor([output + [7] * spare]), torch.tensor([len(output)])
    assert repeated(outputs_1N, length_1, length)[0].tolist() == [output[i % len(output)] for i in range(length)]


def test_all_three_bounds_grow_with_the_scale_and_values_fit_the_vocabulary():
    machine = UniversalSource(scale=50).machine(512)
    assert (machine.memory_cells, machine.max_steps, machine.output_limit) == (500, 5_000, 512)
    assert machine.alphabet_size == 128
    printable = UniversalSource(vocabulary_size=95)
    assert printable.machine(9).alphabet_size == 95
    assert int(printable.rows(500, 64, generator()).max()) == 94
    assert UniversalSource().description == "utm, 100 cells of 128 values, 1,000 steps"
    assert configure("tiny", ["source.kind=utm", "source.scale=250"]).source.scale == 250


@pytest.mark.parametrize(
    "bad",
    [{"scale": 0}, {"scale": -3}, {"scale": 10**9}, {"alphabet_size": 1}, {"alphabet_size": 257},
     {"vocabulary_size": 300}],
)  # fmt: skip
def test_bad_settings_are_refused_with_their_value(bad):
    with pytest.raises(InputError, match=str(next(iter(bad.values())))) as caught:
        UniversalSource(**bad)
    assert "\n" not in str(caught.value)
