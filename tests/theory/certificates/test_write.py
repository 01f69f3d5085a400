"""What a check finds is written and verified, whatever the class and the bound; what cannot be written is refused."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.programs import halting_programs
from tests.theory.certificates.cases import (
    CASES,
    CERTIFICATES,
    FEW_MEALY,
    GOOD,
    STATUSES,
    TREES,
    certified,
    result_of,
    verified,
)
from tests.theory.strategies import BOUND, halts, model_classes, tree_machine
from theory.certificates.verify import verify_certificate
from theory.certificates.write import certificate_text, certify
from theory.checks.coding import check_coding
from theory.checks.domination import check_domination
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.machines.named_sources import sources_class
from theory.machines.turing import two_state_class
from theory.machines.universal.machine import universal_class
from theory.numbers.bit_strings import complete_code


@pytest.mark.parametrize("name", CASES)
def test_what_a_check_finds_is_written_and_verified(tmp_path, name):
    check, model_class, options = CASES[name]
    (tmp_path / "c.json").write_text(certificate_text(result_of(check, model_class, **options)))
    result = verify_certificate(tmp_path / "c.json")
    assert result.holds, result.first_wrong
    assert (result.check, result.members) == (check, len(model_class.members))
    assert json.loads((tmp_path / "c.json").read_text()) == CERTIFICATES[name]


class Counting:
    """A machine that counts its runs."""

    def __init__(self, machine):
        self.machine, self.name, self.reads_condition, self.runs = machine, machine.name, machine.reads_condition, 0

    def run(self, program, condition, bound):
        self.runs += 1
        return self.machine.run(program, condition, bound)


@pytest.mark.parametrize("name", ["domination", "embedding", "iteration"])
def test_a_certificate_is_written_from_the_runs_of_the_result_alone(name):
    machines = [Counting(machine) for machine in FEW_MEALY.members]
    result = result_of(name, replace(FEW_MEALY, members=tuple(machines)))
    before = [machine.runs for machine in machines]
    assert certify(result)["check"] == name
    assert [machine.runs for machine in machines] == before
    assert min(before) > 0


def test_class_b_attains_its_constant(tmp_path):
    (tmp_path / "c.json").write_text(certificate_text(result_of("domination", mealy_class())))
    assert verify_certificate(tmp_path / "c.json").holds
    certificate = json.loads((tmp_path / "c.json").read_text())
    assert (
        sum(
            len(runs) - sum(o in STATUSES for o in runs.values())
            for m in certificate["members"]
            for runs in m["runs"].values()
        )
        == 28_152
    )
    tight = [claim for claim in certificate["claims"] if claim["least"]["ratio"] == claim["constant"]]
    assert {claim["constant"] for claim in tight} == {"1/256"}


@given(model_classes(sufficient=False).filter(halts), st.integers(0, 2))
def test_domination_of_random_classes_round_trips(folder, model_class, max_length):
    result = verified(folder, certified("domination", model_class, max_length=max_length))
    assert result.holds, result.first_wrong


@given(model_classes(sufficient=False).filter(halts))
def test_embedding_of_random_classes_round_trips(folder, model_class):
    coded = replace(model_class, words=complete_code(len(model_class.members)))
    result = verified(folder, certified("embedding", coded, max_length=1))
    assert result.holds, result.first_wrong


@given(model_classes(with_identity=True), st.integers(1, 3))
@settings(max_examples=30)
def test_iteration_of_random_classes_round_trips(folder, model_class, steps):
    result = verified(folder, certified("iteration", model_class, steps=steps))
    assert result.holds, result.first_wrong


@given(
    st.sampled_from(
        [
            *mealy_class(3).members[::11],
            *sources_class(3).members,
            *two_state_class(1).members[::397],
            *universal_class().members,
            *TREES.members,
        ]
    ),
    st.integers(0, 7),
    st.integers(0, 4),
)
@settings(max_examples=150)
def test_under_any_bound_the_listed_runs_are_all_programs(folder, machine, time, space):
    """Beside each machine stands one that halts at once, since a check refuses a class in which nothing does."""
    at_once = FunctionMachine("at once", lambda _tape: None, reads_condition=False)
    model_class = ModelClass.of("two", [machine, at_once], bound=Bound(time, space), max_length=1)
    certificate = certified("domination", model_class)
    result = verified(folder, certificate)
    assert result.holds, result.first_wrong
    for z, runs in certificate["members"][0]["runs"].items():
        listed = {program: outcome for program, outcome in runs.items() if outcome not in STATUSES}
        assert listed == halting_programs(machine, z, model_class.bound, time)


def test_too_much_work_is_refused_on_both_sides(folder, monkeypatch):
    monkeypatch.setattr("theory.certificates.runs.MOST_STEPS", 30)
    for work in (lambda: verified(folder, GOOD), lambda: certified("domination", TREES)):
        with pytest.raises(InputError, match="more than 30 steps"):
            work()


def test_too_large_a_file_is_refused_on_both_sides(tmp_path, monkeypatch):
    (tmp_path / "c.json").write_text(certificate_text(result_of("domination", TREES)))
    size = (tmp_path / "c.json").stat().st_size
    for module in ("file", "write"):
        monkeypatch.setattr(f"theory.certificates.{module}.MOST_BYTES", size)
    (tmp_path / "again.json").write_text(certificate_text(result_of("domination", TREES)))
    assert verify_certificate(tmp_path / "again.json").holds
    for module in ("file", "write"):
        monkeypatch.setattr(f"theory.certificates.{module}.MOST_BYTES", size - 1)
    with pytest.raises(InputError, match="too large"):
        verify_certificate(tmp_path / "again.json")
    with pytest.raises(InputError, match="too large"):
        certificate_text(result_of("domination", TREES))


def test_a_machine_that_no_certificate_can_hold_is_refused_when_it_is_written():
    for name in ("two\nlines", "x" * 201):
        named = ModelClass.of("named", [tree_machine(name, "1")], bound=BOUND, max_length=0)
        with pytest.raises(InputError, match="cannot be written down"):
            certified("domination", named)


def test_code_that_reads_much_is_no_tree():
    def until_one(tape):
        while not tape.read():
            pass

    machine = FunctionMachine("until one", until_one, reads_condition=False)
    patient = ModelClass.of("patient", [machine], bound=Bound(time=301, space=1), max_length=0)
    with pytest.raises(InputError, match="machine until one is code that reads too much"):
        certified("domination", patient)
    assert certified("domination", replace(patient, bound=Bound(time=300, space=1)))["members"][0]["unresolved"] != "0"


def test_what_has_no_certificate():
    with pytest.raises(
        InputError, match=r"no certificate \(received 'coding'\): choose domination, embedding, iteration"
    ):
        certify(check_coding(FEW_MEALY))
    with pytest.raises(InputError, match="a wrong variant has no certificate"):
        certify(check_domination(FEW_MEALY, variant="double-constant"))
    with pytest.raises(InputError, match="needs a code"):
        certified("embedding", TREES)
    with pytest.raises(InputError, match="needs a member that copies"):
        certified("iteration", sources_class(3))
    with pytest.raises(InputError, match="at least one step"):
        certified("iteration", TREES, steps=0)
    primes = [Fraction(1, 2**p - 1) for p in (1279, 2203, 2281, 3217)]  # of Mersenne: no common factors
    with pytest.raises(InputError, match="the sum of the priors is too long"):
        certified("domination", replace(TREES, members=(*TREES.members, tree_machine("0", "0")), prior=tuple(primes)))
    with pytest.raises(InputError, match="bound is too large"):
        certified("domination", replace(TREES, bound=Bound(time=10**6, space=1)))


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            verify_certificate(path)
