"""Programs that are counted in groups are those that are found one by one."""

from collections import Counter

import pytest

from theory.checks.registry import CHECKS
from theory.checks.resources import timed_measure
from theory.machines.classes import load_class
from theory.machines.machine import Bound, Status
from theory.machines.universal.machine import UniversalMachine, universal_class
from theory.measures.measure import enumerate_programs, leaves
from theory.measures.mixture import Mixture
from theory.measures.programs import programs

MACHINES = [UniversalMachine(reads, wraps) for reads in (False, True) for wraps in (False, True)]
BOUNDS = [Bound(0, 5), Bound(3, 0), Bound(3, 1), Bound(9, 2), Bound(12, 3), Bound(13, 9), Bound(16, 4)]


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_the_walk_of_the_universal_machine_finds_the_programs_that_are_found_bit_by_bit(machine, bound):
    for condition in ("", "10"):
        found: Counter[tuple[str, int, int]] = Counter()
        groups = list(programs(machine, condition, bound))
        for group in groups:
            if group.output is not None:
                found[group.output, group.length_bits, group.steps] += group.count
        halted = [(p, run) for p, run in leaves(machine, condition, bound) if run.status is Status.HALTED]
        assert found == Counter((run.output, len(p), run.steps) for p, run in halted)
        assert list(dict.fromkeys(x for x, _, _ in found)) == list(dict.fromkeys(run.output for _, run in halted))
        assert sum(group.mass for group in groups) == 1


@pytest.mark.parametrize("name", ["mealy", "sources", "universal"])
def test_members_of_a_mixture_are_measured_as_when_their_programs_are_listed(name):
    model_class = load_class(name, 2)
    counted, listed = Mixture(model_class), Mixture(model_class)
    for index in range(len(model_class.members)):
        for z in model_class.conditions(1):
            enumeration = listed.runs(index, z)
            measure = counted.member(index, z)
            assert list(measure.mass.items()) == list(enumeration.measure().mass.items())
            assert measure.unresolved == enumeration.unresolved == listed.member(index, z).unresolved
    assert counted.programs_found == listed.programs_found > 0
    counted.runs(0)
    assert counted.programs_found == listed.programs_found


def test_the_universal_machine_is_not_run_program_by_program(monkeypatch):
    def run(*_):
        raise AssertionError("a program was run alone")

    monkeypatch.setattr(UniversalMachine, "run", run)
    model_class = universal_class()
    assert Mixture(model_class).measure("01").unresolved > 0
    members = list(zip(model_class.members, model_class.prior, strict=True))
    assert timed_measure(members, model_class.bound).mass


def test_the_order_of_time_and_mass_is_checked_up_to_a_time_of_23():
    result = CHECKS["resources"].run({"time": 23})
    assert result.holds
    assert result.counts["strings"] > CHECKS["resources"].run({"time": 15}).counts["strings"]


def test_a_bound_that_leaves_no_program_is_one_run_that_does_not_halt():
    for machine in MACHINES:
        (group,) = programs(machine, "", Bound(0, 5))
        assert group.output is None
        assert group.mass == enumerate_programs(machine, "", Bound(0, 5)).unresolved == 1
