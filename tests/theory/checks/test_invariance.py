"""Two machines that call each other differ by one bit at most."""

from fractions import Fraction

import pytest
from hypothesis import given

from tests.theory.strategies import BOUND, distributions, halts, model_classes, tree_machine
from theory.checks.invariance import check_invariance, fixed_point
from theory.checks.registry import INVARIANCE
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.machines.named_sources import sources_class
from theory.measures.measure import output_measure


def writes_nothing():
    machines = [FunctionMachine("nothing", lambda tape: None, reads_condition=False)]  # noqa: ARG005
    return ModelClass.of("nothing", machines, bound=Bound(4, 4), max_length=2)


def test_class_b_against_sticky_bits_is_tight_on_19_of_83_strings():
    """Class B writes 83 strings without a condition; the sticky source gives mass to the 64 of six bits among them."""
    result = check_invariance(mealy_class())
    assert result.holds
    assert result.slack_bits == 0
    assert (result.counts["strings"], result.counts["tight"]) == (83, 19)
    tight = {item.name for item in result.items if item.slack == 1}
    assert sorted(map(len, tight - {"ε"})) == [1] * 2 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4


def test_with_disjoint_kinds_every_string_has_no_slack():
    result = check_invariance(writes_nothing())
    assert result.holds
    assert {item.slack for item in result.items} == {1}
    assert len(result.items) == 5


def test_real_machines_that_call_each_other_approach_the_fixed_point():
    """Each call costs a bit, so that cutting off runs leaves little unresolved: the enclosure holds the fixed point."""

    def own_u(tape):
        for _ in range(1 + tape.read()):
            tape.write(1)

    def own_v(tape):
        tape.write(tape.read())

    def call(own, other):
        def run(tape):
            kinds = own, other
            turn = 0
            while tape.read():
                turn = 1 - turn
            kinds[turn](tape)

        return FunctionMachine("calls", run, reads_condition=False)

    bound = Bound(time=20, space=4)
    half = Fraction(1, 2)
    m_u, m_v = fixed_point({"1": half, "11": half}, {"0": half, "1": half})
    for machine, exact in ((call(own_u, own_v), m_u), (call(own_v, own_u), m_v)):
        measure = output_measure(machine, "", bound)
        assert 0 < measure.unresolved < Fraction(1, 1 << 15)
        assert all(measure.lower(x) <= p <= measure.upper(x) for x, p in exact.items())


@given(distributions(max_length=3), distributions(max_length=3))
def test_the_fixed_point_solves_the_equations_and_differs_by_a_bit_at_most(a, b):
    m_u, m_v = fixed_point(a, b)
    for x in m_u:
        assert m_u[x] == (a.get(x, 0) + m_v[x]) / 2
        assert m_v[x] == (b.get(x, 0) + m_u[x]) / 2
        assert m_v[x] <= 2 * m_u[x] <= 4 * m_v[x]
    assert sum(m_u.values()) == sum(m_v.values()) == 1


@given(model_classes(sufficient=False).filter(halts))
def test_it_holds_for_any_class(model_class):
    assert check_invariance(model_class).holds


@pytest.mark.parametrize("variant", INVARIANCE.variants)
@pytest.mark.parametrize("model_class", [mealy_class(), writes_nothing(), sources_class(6)], ids=lambda c: c.name)
def test_every_wrong_variant_is_caught(model_class, variant):
    result = check_invariance(model_class, variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


def test_an_unknown_variant_is_refused():
    with pytest.raises(InputError):
        check_invariance(writes_nothing(), variant="none")


def test_a_class_of_which_nothing_halts_is_refused():
    stuck = ModelClass.of("stuck", [tree_machine("stuck", None)], bound=BOUND, max_length=1)
    with pytest.raises(InputError, match="no member halts under the bound"):
        check_invariance(stuck)


def test_what_the_bound_leaves_open_is_said():
    half = ModelClass.of("half", [tree_machine("half", (None, "1"))], bound=BOUND, max_length=1)
    remark = "Under the bound some runs do not halt: of half, mass 1/2 on condition ε."
    assert any(each.startswith(remark) for each in check_invariance(half).remarks)
