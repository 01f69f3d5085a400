"""Lemma 4.1: a class with a machine that runs all of C dominates m_C."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given

from tests.theory.strategies import BOUND, coded, model_classes, tree_machine
from theory.checks.embedding import check_embedding, embedding_class, prior_constant
from theory.checks.registry import EMBEDDING
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.mealy import mealy_class
from theory.machines.named_sources import sources_class

CLASS_B = mealy_class()


def test_class_b_936_programs_on_which_p_u_is_m_c():
    """The zero-slack case: D's other member writes nothing, so that m_D = p_D(u) m_C on every other string."""
    result = check_embedding(CLASS_B)
    assert result.holds
    assert result.slack_bits == 0
    assert result.counts["programs"] == result.counts["programs of u"] == 936
    assert result.counts["strings"] == result.counts["strings where p_u = m_C"] == 83
    assert result.constants == {"p_D(u)": Fraction(1, 4), "kappa": 1, "total mass of u": 1}


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


def test_a_class_without_a_code_is_refused():
    model_class = ModelClass.of("x", [tree_machine("a", "1")], bound=BOUND, max_length=1, prior=[Fraction(1)])
    with pytest.raises(InputError, match="needs a code"):
        check_embedding(model_class)
