"""What a check computes in two ways: where the two differ, it does not hold."""

from fractions import Fraction
from itertools import count, islice

from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import BOUND, distributions, model_classes, tree_machine
from theory.checks.domination import check_domination
from theory.checks.equalities import kernel_equality, mixture_equalities, weighed, weighed_backwards
from theory.checks.invariance import Caller
from theory.checks.result import equality
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine, Status
from theory.measures.measure import output_measure
from theory.measures.mixture import Mixture, iterates


@given(model_classes(sufficient=False))
def test_the_runs_of_any_class_add_up_to_its_mixture(model_class):
    mixture = Mixture(model_class)
    found = list(mixture_equalities(mixture, ["", "0", "11"]))
    assert len(found) == 4
    assert all(each.holds for each in found)


@given(model_classes(sufficient=False), distributions(max_length=2))
def test_iterates_of_any_class_are_passed_through_its_mixture(model_class, base):
    mixture = Mixture(model_class)
    stages = list(islice(iterates(base, mixture), 4))
    assert kernel_equality(stages, mixture).holds
    wrong = [*stages[:2], {**stages[2], "0": stages[2].get("0", Fraction(0)) + Fraction(1, 1000)}, stages[3]]
    failure = kernel_equality(wrong, mixture).failure
    assert failure is not None
    assert failure.where == "n = 2"


@given(distributions(max_length=3), st.integers(0, 3))
def test_what_is_passed_through_functions_weighs_the_same_from_either_end(base, times):
    functions = [(Fraction(1, 2), lambda x: x[::-1]), (Fraction(1, 3), lambda x: f"{x}1"), (Fraction(1, 6), len_bits)]
    current = dict(base)
    for _ in range(times):
        following: dict[str, Fraction] = {}
        for x, p in current.items():
            for share, function in functions:
                following[function(x)] = following.get(function(x), Fraction(0)) + p * share
        current = following
    assert weighed_backwards(functions, base, times) == weighed(current)


def len_bits(x):
    return format(len(x), "b")


def test_the_first_difference_is_named_and_all_places_are_counted():
    found = equality("one", [None, ([("", "here"), ("x", "")], 1, 2), ([("x", "1")], 1, 3)])
    assert (found.holds, found.places) == (False, 3)
    assert found.failure is not None
    assert (found.failure.where, found.failure.claimed, found.failure.observed) == ("here, x = ε", 1, 2)
    assert found.failure.sentence == "one: 2 was found in place of 1"


def test_a_machine_that_writes_something_else_the_next_time_is_noticed():
    """Its measure has mass 1 and is dominated; but it is the measure of no machine."""
    calls = count()
    fickle = FunctionMachine("fickle", lambda tape: tape.write(next(calls) % 2), reads_condition=False)
    result = check_domination(ModelClass.of("mine", [fickle], bound=Bound(4, 4), max_length=0))
    assert all(item.holds for item in result.items)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.where == "fickle, z = ε, program = ε"


def test_a_caller_runs_its_own_kind_after_0_and_the_other_after_1():
    zero, one = tree_machine("zero", ("0", "00")), tree_machine("one", "1")
    caller = Caller((zero, BOUND), (one, BOUND))
    assert caller.run("00", "", caller.bound).output == "0"
    assert (caller.run("10", "", caller.bound).output, caller.run("10", "", caller.bound).bits_read) == ("1", 2)
    assert caller.run("1", "", caller.bound).status is Status.NEEDS_INPUT
    assert caller.run("11", "", caller.bound).status is Status.OUT_OF_TIME
    measure = output_measure(caller, "", caller.bound)
    quarter = Fraction(1, 4)
    assert (measure.mass, measure.unresolved) == ({"0": quarter, "00": quarter, "1": quarter}, quarter)


@given(st.text(alphabet="01", max_size=6), st.integers(0, 8))
def test_a_caller_never_steps_beyond_its_bound(program, time):
    caller = Caller((tree_machine("zero", ("0", "00")), BOUND), (tree_machine("one", "1"), BOUND))
    run = caller.run(program, "", Bound(time, 4))
    assert run.bits_read <= min(run.steps, len(program))
    assert run.steps <= time
