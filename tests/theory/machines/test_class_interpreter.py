"""The machine u of Lemma 4.1, which is every member of a class."""

from hypothesis import given
from hypothesis import strategies as st

from tests.reference.programs import halting_programs
from tests.theory.strategies import BOUND, coded, model_classes, tree_machine
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Status
from theory.measures.measure import enumerate_programs
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import is_prefix_free, kraft_sum


@given(model_classes(sufficient=False), st.sampled_from(["", "0", "10"]))
def test_the_interpreter_of_a_complete_code_has_the_measure_of_the_mixture(model_class, condition):
    model_class = coded(model_class)
    u = ClassInterpreter(model_class)
    one = ModelClass.of("u", [u], bound=u.bound, max_length=2)
    ours, theirs = Mixture(model_class).measure(condition), Mixture(one).measure(condition)
    assert theirs == ours


@given(model_classes(), st.booleans())
def test_the_interpreter_is_a_prefix_free_machine(model_class, recoded):
    u = ClassInterpreter(coded(model_class), recoded)
    bound = Bound(u.bound.time, u.bound.space)
    enumeration = enumerate_programs(u, "1", bound)
    programs = [program for program, _ in enumeration.programs]
    assert is_prefix_free(programs)
    assert kraft_sum(programs) + enumeration.unresolved == 1
    short = {p: x for p, x in enumeration.programs if len(p) <= 8}
    assert halting_programs(u, "1", bound, max_length=8) == short


@given(model_classes(), st.booleans())
def test_each_program_of_the_interpreter_is_the_pair_of_a_member_and_its_program(model_class, recoded):
    """Footnote 4 codes the program x once more, as 1^|x| 0 x."""
    model_class = coded(model_class)
    u = ClassInterpreter(model_class, recoded)
    expected = {
        word + ("1" * len(program) + "0") * recoded + program: output
        for word, member in zip(model_class.words, model_class.members, strict=True)
        for program, output in enumerate_programs(member, "0", model_class.bound).programs
    }
    assert dict(enumerate_programs(u, "0", u.bound).programs) == expected


def test_a_program_that_names_no_member_is_stuck_as_soon_as_that_is_clear():
    u = ClassInterpreter(ModelClass.of("one", [tree_machine("a", "1")], bound=BOUND, max_length=1, words=["00"]))
    run = u.run("0111", "", u.bound)
    assert (run.status, run.bits_read) == (Status.STUCK, 2)
    assert u.run("0", "", u.bound).status is Status.NEEDS_INPUT
