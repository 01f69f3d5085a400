"""The size of a search, estimated before it begins, against the search itself."""

from fractions import Fraction

import pytest

from tests.theory.strategies import tree_machine
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.machines.named_sources import sources_class
from theory.machines.universal.machine import universal_class
from theory.measures.effort import _RUN_STEPS, expected_steps
from theory.measures.measure import leaves


def steps_of_all_runs(model_class, condition_bits):
    return sum(
        run.steps + _RUN_STEPS
        for member in model_class.members
        for z in (model_class.conditions(condition_bits) if member.reads_condition else [""])
        for _, run in leaves(member, z, model_class.bound)
    )


@pytest.mark.parametrize("bits", [0, 1, 7])
def test_where_all_leaves_are_equally_deep_it_is_exact(bits):
    def reads(tape):
        for _ in range(bits):
            tape.read()

    machine = FunctionMachine("reads", reads, reads_condition=False)
    one = ModelClass.of("one", [machine], bound=Bound(time=9, space=9), max_length=3)
    assert expected_steps(one, 3) == steps_of_all_runs(one, 3) == (bits + _RUN_STEPS) << bits


def test_members_that_read_the_condition_count_once_for_each():
    copying = ModelClass.of("copying", [tree_machine("copy", "copy")], bound=Bound(time=1, space=9), max_length=3)
    assert expected_steps(copying, 3) == 15 * (1 + _RUN_STEPS)


@pytest.mark.parametrize(
    ("model_class", "condition_bits"), [(mealy_class(), 6), (sources_class(), 0), (universal_class(), 2)]
)
def test_for_the_named_classes_it_has_the_right_size(model_class, condition_bits):
    ratio = Fraction(expected_steps(model_class, condition_bits), steps_of_all_runs(model_class, condition_bits))
    assert Fraction(1, 3) < ratio < 3


def test_a_machine_that_raises_is_left_to_the_real_run():
    raising = FunctionMachine("raises", lambda tape: tape.write(1 // 0))
    assert expected_steps(ModelClass.of("raising", [raising], bound=Bound(9, 9), max_length=0), 0) == _RUN_STEPS
