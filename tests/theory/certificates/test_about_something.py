"""A certificate is about something, says about what, and lists no more than that."""

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.theory.certificates.cases import (
    CASES,
    CERTIFICATES,
    FEW_MEALY,
    TREES,
    certified,
    changed,
    result_of,
    verified,
)
from tests.theory.strategies import BOUND, tree_machine
from theory.certificates.runs import Tally, Wrong, verify_runs
from theory.certificates.verify import verify_certificate
from theory.certificates.write import certificate_text, certify
from theory.checks.iteration import check_iteration
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.machines.mealy import mealy_class
from theory.machines.universal.machine import UniversalMachine
from theory.numbers.bit_strings import strings

STUCK = {"kind": "tree", "name": "silent", "trees": {"": None}}
SILENT = {"machine": STUCK, "word": "", "prior": "1", "unresolved": "1", "runs": {"": {"": "stuck"}}}


def vacuous(check, claims, member=SILENT):
    """A certificate of version 1, which took no offence at it, on the empty condition."""
    head = {"format": "universal-pretraining certificate", "version": 1, "check": check}
    bound, scale = {"time": 1, "space": 1}, None if member["word"] is None else "1"
    return {**head, "bound": bound, "condition_bits": 0, "scale": scale, "members": [member], "claims": claims}


def test_a_class_of_which_nothing_halts_is_refused_by_the_verifier_as_by_the_check(folder):
    domination = vacuous("domination", [{"constant": "1", "least": None}])
    embedding = vacuous(
        "embedding",
        {
            "prior_of_u": "1/4",
            "kappa": "1",
            "strings_where_equal": 0,
            "unresolved": "1",
            "runs_of_u": {"": {"": "stuck"}},
            "lengths": [],
        },
    )
    for certificate in (domination, embedding):
        result = verified(folder, certificate)
        assert not result.holds
        assert result.first_wrong == "no member halts under the bound, so there is nothing to compare"


def test_an_iteration_of_a_single_string_is_refused_by_the_verifier_as_by_the_check(folder):
    writer = {
        "machine": {"kind": "tree", "name": "nothing", "trees": {"": ""}},
        "word": None,
        "prior": "1",
        "unresolved": "0",
        "runs": {"": {"": ""}},
    }
    least = {"ratio": "1", "z": "", "x": ""}
    stages = [
        {"mass": {"": "1"}, "least_step": None, "least_whole": None},
        {"mass": {"": "1"}, "least_step": least, "least_whole": least},
    ]
    claims = {"identity": 0, "constant": "1", "steps": 1, "stages": stages}
    result = verified(folder, vacuous("iteration", claims, writer))
    assert result.first_wrong == "there is a single string in all stages, so that nothing is passed on"
    with pytest.raises(InputError, match=r"a single string in all stages.*received 'ε'"):
        check_iteration(mealy_class(0), steps=1)


@pytest.mark.parametrize("name", CASES)
def test_what_was_verified_is_what_the_check_found(folder, name):
    check, model_class, options = CASES[name]
    result = result_of(check, model_class, **options)
    found = verified(folder, CERTIFICATES[name])
    per_item = {item.name: item.slack for item in result.items}
    if check == "domination":
        assert found.constants == result.constants
        assert {each.name: each.slack for each in found.compared} == {
            n: s for n, s in per_item.items() if s is not None
        }
        assert found.counts["ratios"] == result.counts["triples"]
    elif check == "embedding":
        assert found.constants == {k: v for k, v in result.constants.items() if k != "total mass of u"}
        assert [each.slack for each in found.compared] == [s for n, s in per_item.items() if n.startswith("strings")]
        assert all(found.counts[name] == result.counts[name] for name in ("programs", "programs of u"))
    else:
        assert found.constants == {"p(i)": result.constants["p(i)"]}
        assert min(each.slack for each in found.compared[:2]) == per_item["n = 1"]
        assert found.counts["strings"] == len(
            {x for stage in result.evidence.claims()["stages"] for x in stage["mass"]}
        )
    assert found.tightest.slack == min(each.slack for each in found.compared)
    mixture, conditions = result.evidence.mixture, result.evidence.conditions
    listed = list(strings(conditions)) if isinstance(conditions, int) else conditions
    indices = range(len(model_class.members))
    assert found.unresolved == max(mixture.member(i, z).unresolved for i in indices for z in listed)
    assert found.counts["conditions"] == (
        len(listed) if any(machine.reads_condition for machine in model_class.members) else 1
    )


def test_what_was_rejected_says_nothing_that_was_verified(folder):
    result = verified(folder, changed(CERTIFICATES["domination trees"], ("claims", 1, "constant"), "2/5"))
    assert (result.constants, result.unresolved, result.counts, result.compared) == ({}, None, {}, ())
    assert result.tightest is None


def test_counts_above_the_largest_size_are_read_as_they_are_written(tmp_path, monkeypatch):
    """A machine that reads 17 bits and writes them has 131,072 strings where p_u = m_C; here it has 64, of 6 bits."""

    def echo(tape):
        for _ in range(6):
            tape.write(tape.read())

    members = [FunctionMachine("echo", echo, reads_condition=False)]
    model_class = ModelClass.of("echo", members, bound=Bound(time=12, space=6), max_length=0, words=[""])
    result = result_of("embedding", model_class)
    assert result.counts["strings where p_u = m_C"] == 64
    (tmp_path / "c.json").write_text(certificate_text(result))
    monkeypatch.setattr("theory.certificates.fields.LARGEST", 63)
    assert verify_certificate(tmp_path / "c.json").holds


def test_what_the_reader_would_refuse_is_refused_when_it_is_written(monkeypatch):
    monkeypatch.setattr("theory.certificates.fields.LARGEST_COUNT", 0)
    result = result_of("embedding", FEW_MEALY, max_length=1)
    with pytest.raises(
        InputError, match=r"no certificate that can be verified: .*strings_where_equal should be an integer"
    ):
        certificate_text(result)


def test_a_machine_that_does_not_do_the_same_again_has_no_certificate():
    """It halts when it is run for the first time, by the mixture, and then as u never."""
    runs = []

    def fickle(tape):
        runs.append(1)
        if len(runs) > 1:
            tape.stuck()
        tape.write(1)

    members = [tree_machine("0", "0"), FunctionMachine("fickle", fickle, reads_condition=False)]
    model_class = ModelClass.of("fickle", members, bound=BOUND, max_length=0)
    result = replace(result_of("embedding", model_class), variant=None)
    with pytest.raises(InputError, match=r"what was found is not found again: .*: let every machine do the same"):
        certificate_text(result)


def test_an_iteration_lists_the_conditions_that_occur_and_no_others(folder):
    """One string of 12 bits among them once made it list the 8,191 that are no longer; of 30 bits, no end."""
    members = [tree_machine("copy", "copy"), tree_machine("long", "01" * 6)]
    bound = Bound(time=30, space=12)
    model_class = ModelClass.of("long", members, bound=bound, max_length=1)
    certificate = certify(check_iteration(model_class, steps=2))
    assert certificate["conditions"] == ["", "0", "1", "01" * 6]
    assert [list(member["runs"]) for member in certificate["members"]] == [certificate["conditions"]] * 2
    result = verified(folder, certificate)
    assert result.holds, result.first_wrong
    assert result.bound == "time 30, space 12, 4 conditions that occur, of up to 12 bits"
    missing = {**certificate, "conditions": certificate["conditions"][:-1]}
    assert "runs on 3 conditions are wanted" in verified(folder, missing).first_wrong


def test_no_other_conditions_than_those_that_occur_can_be_listed(folder):
    certificate = json.loads(json.dumps(CERTIFICATES["iteration trees"]))
    certificate["conditions"].append("1111")
    for member in certificate["members"]:
        tree = "1111" if member["machine"]["name"] == "copy" else member["machine"]["trees"][""]
        if "" in member["machine"]["trees"]:
            member["machine"]["trees"]["1111"] = tree
            member["runs"]["1111"] = {"": "1111"} if tree == "1111" else member["runs"][""]
    assert verified(folder, certificate).first_wrong == "the conditions listed are not those that occur"


def test_an_identity_that_copies_one_string_without_reading_it_is_certified(folder):
    """The class {const}, iterated from its own string and another member's, with no member that reads the condition."""

    def one(tape):
        tape.write(1)

    def zero(tape):
        tape.write(0)

    machines = [FunctionMachine(f.__name__, f, reads_condition=False) for f in (one, zero)]
    model_class = ModelClass.of("constants", machines, bound=BOUND, max_length=0)
    result = check_iteration(model_class, steps=1, base={"1": Fraction(1)})
    found = verified(folder, certify(result))
    assert found.holds, found.first_wrong
    assert found.counts["conditions"] == 1


def test_certificates_of_version_1_are_verified_as_ever():
    """Written by the version before this one, which listed all conditions up to a length for an iteration as well."""
    folder = Path(__file__).parent / "version_1"
    results = {path.stem: verify_certificate(path) for path in sorted(folder.glob("*.json"))}
    assert set(results) == {"domination", "embedding", "iteration"}
    for name, result in results.items():
        assert result.holds, (name, result.first_wrong)
        assert result.check == name


def calls_to_verify(folder, certificate):
    """How many functions are called to verify a certificate: a measure of time that does not depend on the machine."""
    (folder / "certificate.json").write_text(json.dumps(certificate))
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        result = verify_certificate(folder / "certificate.json")
    finally:
        sys.setprofile(before)
    assert result.holds, result.first_wrong
    return calls


class TestWork:
    """All of it is counted, and none of it is out of proportion to the file."""

    def test_members_times_conditions_take_no_more_work_than_the_file_is_long(self, folder):
        """Members that do not read the condition, and one that does: four times as many of both once took 16 times."""

        def work(members, bits):
            machines = [tree_machine("copy", "copy"), *(tree_machine(f"one {i}", "1") for i in range(members))]
            machines = [replace(machine, reads_condition=machine.name == "copy") for machine in machines]
            many = ModelClass.of("many", machines, bound=Bound(time=40, space=12), max_length=0)
            return calls_to_verify(folder, certified("domination", many, max_length=bits))

        assert work(200, 6) < 5 * work(50, 4)

    def test_products_of_stages_and_kernels_are_counted(self, folder, monkeypatch):
        """A machine that writes 6 bits, iterated: some 5,000 products a step, and 300 steps of machines in all."""

        def wide(tape):
            for _ in range(6):
                tape.write(tape.read())

        machines = [tree_machine("copy", "copy"), FunctionMachine("wide", wide, reads_condition=False)]
        model_class = ModelClass.of("wide", machines, bound=Bound(time=20, space=6), max_length=2)
        certificate = certify(check_iteration(model_class, steps=2))
        assert verified(folder, certificate).holds
        monkeypatch.setattr("theory.certificates.runs.MOST_STEPS", 20_000)
        with pytest.raises(InputError, match="more than 20,000 steps"):
            verified(folder, certificate)

    def test_room_that_a_short_run_lays_out_is_counted(self):
        """The universal machine makes a tape of all the cells that it may visit, which takes longer than the run."""
        machine = UniversalMachine()
        runs = {"": {machine.encode("!"): ""}}
        tally = Tally()
        with pytest.raises(Wrong, match="programs are missing"):
            verify_runs(tally, "universal", machine, Bound(time=100_000, space=100_000), [""], runs)
        assert tally.steps > 1_000

    def test_long_numbers_count_for_more(self, folder, monkeypatch):
        monkeypatch.setattr("theory.certificates.runs.MOST_STEPS", 200)
        short = certified("domination", TREES, max_length=0)
        assert verified(folder, short).holds
        long = certified(
            "domination", replace(TREES, prior=(Fraction(1, 2**5_000 + 1), *TREES.prior[1:])), max_length=0
        )
        with pytest.raises(InputError, match="more than 200 steps"):
            verified(folder, long)

    def test_programs_that_name_no_member_take_no_more_work_than_the_file_is_long(self, folder):
        """Half of the words of one length name a member: 8 times as many words and others once took 40 times."""

        def work(bits):
            machines = [tree_machine(f"one {i}", "1") for i in range(1 << bits)]
            quiet = [replace(machine, reads_condition=False) for machine in machines]
            words = [f"{i:0{bits}b}0" for i in range(1 << bits)]
            half = ModelClass.of("half", quiet, bound=Bound(time=12, space=2), max_length=0, words=words)
            return calls_to_verify(folder, certified("embedding", half))

        assert work(8) < 12 * work(5)
