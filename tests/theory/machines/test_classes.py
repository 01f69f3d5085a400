"""Model classes: what is accepted, and how one is found by name."""

import textwrap
from fractions import Fraction

import pytest

from tests.theory.strategies import BOUND, tree_machine
from theory.errors import InputError
from theory.machines.classes import ModelClass, class_names, load_class
from theory.machines.mealy import mealy_class

A, B = tree_machine("a", ("0", "1")), tree_machine("b", (None, "1"))


def test_without_words_and_prior_a_complete_code_gives_both():
    model_class = ModelClass.of("three", [A, B, tree_machine("c", "")], bound=BOUND, max_length=1)
    assert model_class.words == ("0", "10", "11")
    assert model_class.prior == (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
    assert [model_class.code_length_bits(i) for i in range(3)] == [1, 2, 2]
    assert model_class.index("c") == 2


def test_a_prior_alone_comes_from_no_code():
    model_class = ModelClass.of("two", [A, B], bound=BOUND, max_length=1, prior=[Fraction(1, 3), Fraction(1, 3)])
    assert model_class.words == ()
    assert model_class.code_length_bits(0) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"prior": [Fraction(1)]}, "one prior for each"),
        ({"prior": [Fraction(1), Fraction(1, 9)]}, "more than 1"),
        ({"prior": [Fraction(1), Fraction(0)]}, "positive"),
        ({"prior": [0.5, 0.5]}, "exact fraction"),
        ({"words": ["0", "01"]}, "prefix-free"),
        ({"words": ["0"], "prior": [Fraction(1, 2)] * 2}, "one word for each"),
        ({"words": ["0", "1x"]}, "only the characters"),
        ({"max_length": -1}, "not negative"),
        ({"machines": [A, A]}, "same name"),
        ({"machines": []}, "no members"),
        ({"prior": [Fraction(1), Fraction(1, 2**14_500)]}, "more than 1"),
        ({"prior": [Fraction(1, 2), Fraction(-1, 2**14_500)]}, "positive"),
    ],
)
def test_what_makes_no_class_is_refused(changes, problem):
    machines = changes.pop("machines", [A, B])
    with pytest.raises(InputError, match=problem):
        ModelClass.of("wrong", machines, **{"bound": BOUND, "max_length": 1, **changes})


def test_a_prior_is_that_of_the_code_or_it_is_not():
    of = {"bound": BOUND, "max_length": 1}
    half = [Fraction(1, 2)] * 2
    assert ModelClass.of("two", [A, B], **of).prior_is_of_code
    assert not ModelClass.of("two", [A, B], **of, prior=half).prior_is_of_code  # there are no words
    assert ModelClass.of("two", [A, B], **of, prior=half, words=["0", "1"]).prior_is_of_code
    assert not ModelClass.of("two", [A, B], **of, prior=half, words=["0", "10"]).prior_is_of_code


def test_a_user_defines_a_class_in_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        textwrap.dedent(
            """
            from theory.machines.classes import ModelClass
            from theory.machines.machine import Bound, FunctionMachine

            def fair_bit(tape):
                tape.write(tape.read())

            CLASS = ModelClass.of("mine", [FunctionMachine("fair", fair_bit)],
                                  bound=Bound(time=8, space=8), max_length=1)
            NUMBER = 3
            """
        )
    )
    assert load_class(f"{path}:CLASS").members[0].name == "fair"
    assert load_class(f"{path}:CLASS", max_length=4).max_length == 4
    with pytest.raises(InputError, match="no ModelClass"):
        load_class(f"{path}:NUMBER")


def test_named_classes_are_loaded_at_a_length():
    assert "mealy" in class_names()
    assert load_class("mealy") == mealy_class()
    assert load_class("mealy", max_length=3).max_length == 3


@pytest.mark.parametrize("name", ["melly", "nowhere.py:CLASS", "theory/machines/mealy.py", "a:b"])
def test_an_unknown_class_is_refused(name):
    with pytest.raises(InputError):
        load_class(name)


def test_an_unknown_member_is_refused():
    with pytest.raises(InputError, match="no such member"):
        mealy_class(2).index("nobody")
