"""Lemma 4.1: a class with a machine that runs all of C dominates m_C."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.programs import halting_programs
from tests.theory.strategies import BOUND, model_classes, tree_machine
from theory.checks.embedding import check_embedding, embedding_class, prior_constant
from theory.checks.registry import EMBEDDING
from theory.errors import InputError
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Status
from theory.machines.mealy import mealy_class
from theory.machines.named_sources import sources_class
from theory.measures.measure import enumerate_programs
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import is_prefix_free, kraft_sum

CLASS_B = mealy_class()


def coded(model_class, words=None):
    """The same members with the prior of a complete code."""
    return ModelClass.of("coded", model_class.members, bound=model_class.bound, max_length=2, words=words)


def test_class_b_936_programs_on_which_p_u_is_m_c():
    """The zero-slack case: D's other member writes nothing, so that m_D = p_D(u) m_C on every other string."""
    result = check_embedding(CLASS_B)
    assert result.holds
    assert result.slack_bits == 0
    assert result.counts["programs"] == result.counts["programs of u"] == 936
    assert result.counts["strings"] == result.counts["strings where p_u = m_C"] == 83
    assert result.constants == {"p_D(u)": Fraction(1, 4), "kappa": 1, "total mass of u": 1}


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


@given(model_classes())
def test_the_lemma_holds_with_kappa_for_any_prior(model_class):
    """The random prior has nothing to do with the complete code that is added here."""
    words = coded(model_class).words
    assert check_embedding(replace(model_class, words=words), max_length=1).holds


def test_an_incomplete_code_costs_its_kraft_sum():
    result = check_embedding(sources_class(4))
    assert result.holds
    assert result.constants["kappa"] == prior_constant(sources_class(4)) == Fraction(7, 8)
    assert result.constants["total mass of u"] == Fraction(7, 8)
    assert result.slack_bits == 0


@pytest.mark.parametrize("time", [2, 4, 6, 8])
def test_with_the_footnotes_pairing_the_ratio_falls_with_the_bound(time):
    """min p_u / m_C = 2^-3, 2^-5, 2^-7, 2^-9, and u has less than half of the mass."""
    result = check_embedding(mealy_class(time), variant="footnote-pairing")
    assert not result.holds
    least = min(item.slack for item in result.items if item.slack is not None)
    assert least == Fraction(1, 2 ** (time + 1))
    assert float(result.constants["total mass of u"]) == pytest.approx(0.45, abs=0.007)


def test_a_machine_that_dominates_but_is_not_the_mixture_is_told_apart(monkeypatch):
    """p_u = m_C is a claim of its own: here D has a u that never writes ε, which D's other member makes up for."""
    ours = coded(ModelClass.of("ours", [tree_machine("a", ""), tree_machine("b", "0")], bound=BOUND, max_length=1))
    other = coded(ModelClass.of("other", [tree_machine("a", "0"), tree_machine("b", "0")], bound=BOUND, max_length=1))
    assert check_embedding(ours).holds
    embedding_of_other = embedding_class(other)
    monkeypatch.setattr("theory.checks.embedding.embedding_class", lambda *_, **__: embedding_of_other)
    result = check_embedding(ours)
    assert [item.name for item in result.items if not item.holds] == ["p_u = m_C"]
    assert result.counterexample is not None
    assert result.counterexample.observed == 0


def test_a_class_that_lacks_u_misses_every_string_but_the_empty_one():
    """82 of the 83 strings of class B: 64 of six bits, and the 19 that the check of invariance counts. (Not 81.)"""
    result = check_embedding(CLASS_B, variant="without-u")
    assert not result.holds
    assert result.counts["failures"] == 82


@pytest.mark.parametrize("model_class", [CLASS_B, sources_class(3)], ids=["mealy", "sources"])
@pytest.mark.parametrize("variant", EMBEDDING.variants)
def test_every_wrong_variant_is_caught(model_class, variant):
    result = check_embedding(model_class, variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


def test_a_program_that_names_no_member_is_stuck_as_soon_as_that_is_clear():
    u = ClassInterpreter(ModelClass.of("one", [tree_machine("a", "1")], bound=BOUND, max_length=1, words=["00"]))
    run = u.run("0111", "", u.bound)
    assert (run.status, run.bits_read) == (Status.STUCK, 2)
    assert u.run("0", "", u.bound).status is Status.NEEDS_INPUT


def test_a_class_without_a_code_is_refused():
    model_class = ModelClass.of("x", [tree_machine("a", "1")], bound=BOUND, max_length=1, prior=[Fraction(1)])
    with pytest.raises(InputError, match="needs a code"):
        check_embedding(model_class)
