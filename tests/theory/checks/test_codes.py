"""Three codes stand in order over the programs of small machines; more time and space never lengthen the shortest."""

from dataclasses import replace
from fractions import Fraction

import pytest

from theory.checks.budget import check_budget
from theory.checks.codes import check_codes, cut_posterior
from theory.checks.registry import BUDGET, CODES
from theory.errors import InputError
from theory.machines.classes import load_class
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.measures.program_codes import halting, program_code

BOTH = pytest.mark.parametrize(("check", "declared"), [(check_codes, CODES), (check_budget, BUDGET)])


def test_936_programs_compute_73_functions_of_one_bit():
    result = check_codes(mealy_class())
    assert result.holds
    assert result.counts == {"programs": 936, "functions": 73, "label sets": 4}
    assert result.constants["sum of 2^-|z|"] == 1
    first = result.items[0].numbers
    assert [round(first[name], 2) for name in ("Bayesian", "variational", "two-part")] == [8.0, 8.53, 10.56]


def test_on_two_bits_they_stand_in_order_for_all_16_label_sets():
    result = check_codes(mealy_class(), input_bits=2)
    assert result.holds
    assert len(result.items) == 16


def test_four_more_steps_shorten_the_mean_code_and_unused_tape_does_not_lengthen_it():
    result = check_budget(mealy_class())
    (curve,) = result.curves
    assert result.holds
    assert list(curve.values) == sorted(curve.values, reverse=True)
    assert curve.values[0] - curve.values[-1] > 1
    assert {item.slack_bits for item in result.items if "10 to 10,14" in item.name} == {0}


def test_eq_103_is_attained_by_every_bound():
    quasi = [item for item in check_budget(mealy_class()).items if item.name.startswith("quasi")]
    assert len(quasi) == 6
    assert all(item.slack == 1 for item in quasi)


def test_a_program_that_runs_for_ever_on_one_input_is_no_hypothesis():
    def loops_on_1(tape):
        tape.write(tape.read())
        while tape.condition(0) == 1:
            pass

    machine = FunctionMachine("loops on 1", loops_on_1)
    assert halting(machine, ["0"], Bound(9, 9)).programs == ["0", "1"]
    assert halting(machine, ["0", "1"], Bound(9, 9)).programs == []


def test_a_program_that_does_not_fit_the_tape_is_no_hypothesis():
    machine = FunctionMachine("three", lambda tape: [tape.read() for _ in range(3)] and None)
    assert len(halting(machine, [""], Bound(9, 3)).programs) == 8
    assert halting(machine, [""], Bound(9, 2)).programs == []


def test_outputs_are_read_by_the_rule_of_laplace():
    def writes(tape):
        for _ in range(2):
            tape.write(1)

    code = program_code(halting(FunctionMachine("11", writes), [""], Bound(9, 9)))
    assert code.functions == (((Fraction(1, 4), Fraction(3, 4)),),)
    assert code.prior == (1,)


def test_a_posterior_is_cut_to_the_likeliest_and_scaled():
    true = {0: Fraction(1, 2), 1: Fraction(1, 8), 2: Fraction(3, 8)}
    assert cut_posterior(true, 2) == {0: Fraction(4, 7), 2: Fraction(3, 7)}


@BOTH
def test_every_wrong_variant_is_caught(check, declared):
    for variant in declared.variants:
        result = check(mealy_class(), variant=variant)
        assert not result.holds
        assert result.counterexample is not None


@BOTH
def test_bad_input_is_refused(check, declared):
    assert declared.class_name == "mealy"
    without_words = replace(load_class("turing-1"), words=())
    nothing = replace(mealy_class(), bound=Bound(0, 0))
    for model_class, wrong in (
        (mealy_class(), {"variant": "x"}),
        (mealy_class(), {"input_bits": -1}),
        (mealy_class(), {"repeats": 0}),
        (without_words, {}),
        (nothing, {}),
    ):
        with pytest.raises(InputError):
            check(model_class, **wrong)
