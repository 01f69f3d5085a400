"""A shortened program writes what the original wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.machines.universal.interpreter import run_program
from theory.machines.universal.semantics import MachineSize
from theory.machines.universal.shortening import shorten
from theory.measures.omega import stream_measure

programs = st.text("+-><[].{", max_size=60)
sizes = st.builds(
    MachineSize,
    alphabet_size=st.sampled_from([2, 3, 9]),
    memory_cells=st.sampled_from([1, 2, 3, 10]),
    max_steps=st.sampled_from([5, 50, 200]),
    output_limit=st.sampled_from([5, 20]),
)


@given(programs, sizes)
def test_the_output_of_a_shortened_program_begins_with_the_output_of_the_original(
    program: str, size: MachineSize
) -> None:
    shortened = shorten(program, size)
    before, after = run_program(program, size), run_program(shortened, size)
    assert after.output[: len(before.output)] == before.output
    assert len(shortened) <= len(program)


@pytest.mark.parametrize(
    ("program", "shortened"),
    [
        ("+.>>>", "+."),  # nothing is written after `.`
        ("]+[.", "+."),  # brackets without partners
        ("+-+<>.", "+."),  # steps that cancel
        ("++[.-]", "++[.-]"),  # a loop that is needed stays
        ("++[>{+<-].-].", "++[>[+<-].-]."),  # and so does a skipped one whose body was entered
        ("+[>", ""),
    ],
)
def test_what_is_cut(program: str, shortened: str) -> None:
    assert shorten(program, MachineSize()) == shortened


def test_an_entered_loop_that_is_never_closed_stays() -> None:
    program = "++[>{+<-]."  # the body of `{` begins with the last `.`; without `{` it would not be reached
    assert shorten(program, MachineSize()) == "++[>[+<-]."


def test_a_shortened_program_bounds_the_mass_of_its_output_from_below() -> None:
    size = MachineSize(alphabet_size=2, memory_cells=9, max_steps=5, output_limit=5)
    measure = stream_measure(size, compiled=False)
    for program in ("+.-..", "<.>..", "+[..]", "[]+-."):
        output = "".join(map(str, run_program(program, size).output))
        assert 7 ** len(shorten(program, size)) * measure.prefix_lower(output) >= 1


def test_a_program_that_reads_input_is_refused() -> None:
    with pytest.raises(ValueError, match="reads input"):
        shorten(",.", MachineSize())
