"""`up theory` from the command line: the checks, their wrong variants, files, JSON, and bad input."""

import io
import json
import os
import stat
import subprocess
import sys
import types
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from cli import theory as theory_command
from cli import theory_checks
from cli.context import CliContext
from cli.main import main
from cli.render.exact import exact
from cli.theory_checks import result_object
from tests.cli.streams import assert_refused
from tests.theory.checks.test_check import MINE
from tests.theory.mutations.wrong import WRONG
from theory.checks import coding, domination
from theory.checks.mutations import MUTATIONS
from theory.checks.registry import CHECKS
from theory.machines.mealy import mealy_class

ROOT = Path(__file__).parents[2]


def small(name):
    """The words of a check that is done in no time."""
    check, words = CHECKS[name], ["theory", f"check-{name}"]
    for option in check.all_options:
        if option.name in check.quick:
            words += [option.flag or f"--{option.name.replace('_', '-')}", str(check.quick[option.name])]
    return words


def object_of(outcome, code=0):
    assert (outcome.code, outcome.stdout.count("\n")) == (code, 1), outcome.stderr
    return json.loads(outcome.stdout)


@pytest.fixture
def only_small(monkeypatch):
    """A registry of two checks, on class B with few strings."""

    def check_domination(_model_class, *, variant=None, advance=None):
        return domination.check_domination(mealy_class(4), variant=variant, advance=advance)

    def check_coding(_model_class, *, variant=None):
        return coding.check_coding(mealy_class(3), variant=variant)

    small_ones = types.ModuleType("small_ones")
    small_ones.check_domination, small_ones.check_coding = check_domination, check_coding
    monkeypatch.setitem(sys.modules, "small_ones", small_ones)
    quick = {name: replace(CHECKS[name], module="small_ones") for name in ("domination", "coding")}
    monkeypatch.setattr(theory_command, "CHECKS", quick)


@pytest.mark.parametrize("name", CHECKS)
class TestEveryCheck:
    def test_its_page_has_statement_verdict_and_where_to_read_on_in_80_columns(self, run, name):
        outcome = run(*small(name))
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        page = " ".join(outcome.stdout.split())
        assert page.startswith(f"{name} {CHECKS[name].source} ")
        assert " holds for all of " in page
        assert f"read more: {CHECKS[name].module.replace('.', '/')}.py" in page
        assert "\x1b" not in outcome.stdout

    def test_as_json_fractions_are_exact(self, run, name):
        found = object_of(run(*small(name), "--json", "--quiet"))
        assert (found["command"], found["check"], found["holds"]) == (f"theory check-{name}", name, True)
        assert (found["variant"], found["counterexample"]) == (None, None)
        assert found["items"]
        result = CHECKS[name].run(CHECKS[name].quick)
        assert {key: Fraction(text) for key, text in found["constants"].items()} == result.constants
        assert [item["holds"] for item in found["items"]] == [item.holds for item in result.items]
        for item, expected in zip(found["items"], result.items, strict=True):
            assert expected.slack is None or Fraction(item["slack"]) == expected.slack

    def test_a_wrong_variant_exits_1_with_the_counterexample(self, run, name):
        variant = list(CHECKS[name].variants)[-1]
        outcome = run(*small(name), "--break", variant)
        assert (outcome.code, outcome.stderr) == (1, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        page = " ".join(outcome.stdout.split())
        assert f"Deliberately wrong, variant {variant}: " in page
        assert " FAILS for " in page
        assert "counterexample " in page
        found = object_of(run(*small(name), "--break", variant, "--json"), code=1)
        assert (found["holds"], found["variant"]) == (False, variant)
        assert set(found["counterexample"]) == {"where", "claimed", "observed", "sentence"}

    def test_help_names_the_variants(self, run, capsys, name):
        assert run("theory", f"check-{name}", "--help").code == 0
        said = " ".join(capsys.readouterr().out.split())
        assert ", ".join(CHECKS[name].variants) in said.replace("- ", "-")
        assert ("--class" in said) == (CHECKS[name].class_name is not None)
        assert ("--certificate" in said) == bool(CHECKS[name].certificate)


def test_class_b_at_its_full_length(run):
    """The numbers of section 4.1: 28,152 programs, 60,960 triples, 128 of them tight, 2^-8."""
    page = " ".join(run("theory", "check-domination").stdout.split())
    assert "members 252; conditions 127; programs 28,152; triples 60,960; tight 128; failures 0" in page
    assert "8 1/256 1/256 -8.000 0 x = 0111, z = 001" in page
    assert "and 242 more with at least this slack; --all shows all" in page


def test_all_shows_every_member(run):
    outcome = run(*small("domination"), "--all")
    assert outcome.stdout.count("\nmealy ") + outcome.stdout.count("\ncoin ") == 252
    assert "more with at least this slack" not in outcome.stdout


def test_a_variant_that_is_not_caught_is_said_and_exits_0(run, monkeypatch):
    result = coding.check_coding(mealy_class(3))

    def check_as_if_right(_model_class, *, variant=None):
        return replace(result, variant=variant)

    monkeypatch.setattr(coding, "check_coding", check_as_if_right)
    outcome = run(*small("coding"), "--break", "converse")
    assert outcome.code == 0
    assert "NOT CAUGHT: the check accepts the wrong variant converse" in outcome.stdout


def test_a_variant_that_is_true_of_a_small_class_is_said_to_be_so(run):
    """On strings of 3 bits every string has two members that write it alike, so that 2 p(c) is no mistake there."""
    outcome = run("theory", "check-domination", "--max-length", "3", "--break", "double-constant")
    assert (outcome.code, outcome.stderr) == (0, "")
    page = " ".join(outcome.stdout.split())
    assert "holds for all of 252 items; least slack 0 bits" in page
    assert "The wrong variant double-constant is true of all that was gone through here" in page
    assert "NOT CAUGHT" not in page


def test_under_its_quick_settings_a_check_must_catch_as_under_its_defaults():
    check = CHECKS["domination"]
    assert check.must_catch({})
    assert check.must_catch({"max_length": None, "class_name": "mealy"} | {"time": None})
    assert check.must_catch(check.quick)
    assert not check.must_catch({"max_length": 3})
    assert not check.must_catch(check.quick | {"class_name": "sources"})


def test_work_that_would_not_end_is_refused_at_once(run):
    outcome = run("theory", "check-domination", "--max-length", "20", "--time", "3")
    assert_refused(outcome, "check-domination would take about 5,400,000,000 steps")
    assert "(received 'max_length 20, time 3'): give smaller values" in outcome.stderr


def test_long_work_says_its_size_beforehand_and_then_how_far_it_is(run, monkeypatch):
    monkeypatch.setattr(theory_checks, "_LONG_STEPS", 1)
    lines = run(*small("domination")).stderr.splitlines()
    assert lines[0] == "up: check-domination has about 86,000 steps to go through"
    assert lines[1:] == [f"up: checking domination: {done} of 31" for done in (8, 16, 24, 31)]
    assert run(*small("domination"), "--quiet").stderr == ""


def test_the_list_has_every_check_and_class(run):
    outcome = run("theory", "list")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    listed = object_of(run("theory", "list", "--json"))
    assert [each["check"] for each in listed["checks"]] == list(CHECKS)
    for each in listed["checks"]:
        assert f"{each['command']} " in outcome.stdout
        assert tuple(each["variants"]) == tuple(CHECKS[each["check"]].variants)
    for name in listed["classes"]:
        assert f"\n{name} " in outcome.stdout


def test_the_list_of_mutations_says_what_is_wrong_and_who_notices(run):
    outcome = run("theory", "list", "--mutations")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    listed = object_of(run("theory", "list", "--mutations", "--json"))
    assert [each["name"] for each in listed["mutations"]] == [mutation.name for mutation in MUTATIONS]
    for each in listed["mutations"]:
        assert f"\n{each['name']} " in f"\n{outcome.stdout}"
        assert set(each["checks"]) <= set(CHECKS)


class TestWhatIsComputedInTwoWays:
    def test_it_is_counted_and_listed_with_all(self, run):
        few, every = run(*small("invariance")), run(*small("invariance"), "--all")
        said = "Computed in two ways: 9 kinds of number at "
        assert said in few.stdout
        assert said in every.stdout
        assert "m_U = m_C/2 + m_V/2: " not in few.stdout
        assert "m_U = m_C/2 + m_V/2: " in every.stdout
        assert max(map(len, every.stdout.splitlines())) <= 80

    def test_what_differs_is_named_with_both_numbers_and_no_certificate_is_written(self, run, monkeypatch, tmp_path):
        with monkeypatch.context() as patch:
            WRONG["double-mixture"](patch)
            outcome = run(*small("domination"), "--certificate", str(tmp_path / "domination.json"))
        assert (outcome.code, list(tmp_path.iterdir())) == (1, [])
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        assert "✗ m_C(x|z) is the sum of p(c) p_c(x|z)" in outcome.stdout
        page = " ".join(outcome.stdout.split())
        assert "FAILS for 0 of 252 items; 1 of what was computed in two ways is not equal" in page
        assert "counterexample z = ε, x = ε claimed " in page

    def test_a_wrong_variant_is_caught_by_the_items_alone(self, run):
        found = object_of(run(*small("invariance"), "--break", "one-way", "--json"), code=1)
        assert found["equalities"] == []
        assert not all(item["holds"] for item in found["items"])


@pytest.mark.usefixtures("only_small")
class TestAll:
    def test_one_table_of_all_checks(self, run):
        outcome = run("theory", "all", "-q")
        assert (outcome.code, outcome.stderr) == (0, "")
        rows = [line.split() for line in outcome.stdout.splitlines()]
        assert rows[0] == ["check", "class", "items", "slack", "verdict", "seconds"]
        assert rows[1][:5] == ["domination", "mealy", "252", "0", "holds"]
        assert "2 of 2 hold" in outcome.stdout

    def test_every_variant_is_caught(self, run):
        outcome = run("theory", "all", "--break", "-q")
        assert outcome.code == 0
        assert outcome.stdout.count(" caught ") == 3
        assert "3 of 3 wrong variants caught" in outcome.stdout

    @pytest.mark.parametrize("words", [[], ["--break"]])
    def test_what_goes_wrong_exits_1(self, run, monkeypatch, words):
        def check_upside_down(model_class, *, variant=None):
            result = coding.check_coding(model_class, variant=variant)
            return replace(result, holds=not result.holds)

        monkeypatch.setattr(sys.modules["small_ones"], "check_coding", check_upside_down)
        outcome = run("theory", "all", *words, "-q")
        assert outcome.code == 1
        assert ("NOT CAUGHT" if words else "FAILS") in outcome.stdout
        assert object_of(run("theory", "all", *words, "--json", "-q"), code=1)["holds"] is False

    def test_as_json(self, run):
        found = object_of(run("theory", "all", "--json", "-q"))
        assert (found["command"], found["holds"], found["breaks"]) == ("theory all", True, False)
        assert [(each["check"], each["holds"]) for each in found["checks"]] == [("domination", True), ("coding", True)]
        assert all("slack_bits" in each and "items" not in each for each in found["checks"])


class TestCertificates:
    @pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if check.certificate])
    def test_one_is_written_verified_and_rejected_when_changed(self, run, tmp_path, name):
        path = tmp_path / "certificate.json"
        written = run(*small(name), "--certificate", str(path))
        assert written.code == 0
        assert written.stderr == f"up: wrote {path}; re-check it with: up theory verify {path}\n"
        verified = run("theory", "verify", str(path))
        assert (verified.code, verified.stderr) == (0, "")
        assert "verified: all of " in verified.stdout
        found = object_of(run("theory", "verify", str(path), "--json"))
        assert (found["check"], found["holds"], found["first_wrong"]) == (name, True, None)

        text = path.read_text()
        changed = text.replace('"1/256"', '"1/128"', 1)
        assert changed != text
        path.write_text(changed)
        rejected = run("theory", "verify", str(path))
        assert rejected.code == 1
        assert "REJECTED after " in rejected.stdout
        assert object_of(run("theory", "verify", str(path), "--json"), code=1)["first_wrong"]

    def test_what_was_verified_is_told_with_its_numbers(self, run, tmp_path):
        path = tmp_path / "certificate.json"
        run(*small("domination"), "--certificate", str(path))
        result = CHECKS["domination"].run(CHECKS["domination"].quick)
        page = " ".join(run("theory", "verify", str(path)).stdout.split())
        programs, triples = (f"{result.counts[name]:,}" for name in ("programs", "triples"))
        assert f"counted programs {programs}; conditions 31; strings 31; ratios {triples} constants 252," in page
        assert "unresolved 0 least ratio 1/256 = 0.00390625, mealy 0.1.0h at x = 010, z = 01 slack 0 bits" in page
        found = object_of(run("theory", "verify", str(path), "--json"))
        assert (found["unresolved"], found["slack"], len(found["constants"])) == ("0/1", "1/1", 252)
        assert found["counts"]["ratios"] == result.counts["triples"]
        slacks = [(item.name, item.slack) for item in result.items]
        assert [(each["name"], Fraction(each["slack"])) for each in found["compared"]] == slacks
        assert set(found["compared"][0]) == {"name", "constant", "ratio", "z", "x", "slack"}

    def test_its_own_words_are_shown_and_not_obeyed(self, run, tmp_path):
        path = tmp_path / "\x1b[31m.json"
        written = run(*small("domination"), "--certificate", str(path))
        verified = run("theory", "verify", str(path))
        assert verified.code == 0
        for said in (written.stderr, verified.stdout):
            assert "\x1b" not in said
            assert "\\x1b[31m.json" in said.replace("\n", "")  # a long path is broken into lines

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_pipe_that_may_never_end_is_refused(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        words = [sys.executable, "-m", "cli.main", "theory", "verify", str(tmp_path / "pipe")]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
        assert (done.returncode, done.stdout) == (2, "")
        assert "up: the certificate is no regular file" in done.stderr

    def test_a_wrong_variant_has_none(self, run, tmp_path):
        path = tmp_path / "certificate.json"
        outcome = run(*small("domination"), "--break", "double-constant", "--certificate", str(path))
        assert_refused(outcome, "a wrong variant has no certificate")
        assert not path.exists()

    def test_without_a_folder_to_go_to_nothing_is_run(self, run, tmp_path):
        path = tmp_path / "missing" / "certificate.json"
        assert_refused(run(*small("domination"), "--certificate", str(path)), "no folder to go to")

    def test_what_cannot_be_written_is_told_in_place_of_the_page(self, run, tmp_path):
        assert_refused(run(*small("domination"), "--certificate", str(tmp_path)), "cannot be written")

    def test_one_is_written_through_a_link_and_keeps_the_mode_of_the_file(self, run, tmp_path):
        (tmp_path / "shared").write_text("old")
        (tmp_path / "shared").chmod(0o604)
        (tmp_path / "certificate.json").symlink_to("shared")
        assert run(*small("domination"), "--certificate", str(tmp_path / "certificate.json")).code == 0
        assert (tmp_path / "certificate.json").is_symlink()
        assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o604
        assert run("theory", "verify", str(tmp_path / "shared")).code == 0

    @pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
    def test_a_reader_of_one_that_leaves_is_no_mistake(self):
        words = " ".join(small("domination"))
        script = f"set -o pipefail; {sys.executable} -m cli.main {words} --certificate /dev/stdout | true"
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr

    def test_one_is_written_also_when_nobody_reads_the_page(self, tmp_path):
        class Closed(io.StringIO):
            def write(self, _text):
                raise BrokenPipeError

        path = tmp_path / "certificate.json"
        context = CliContext.from_streams(Closed(), io.StringIO(), {})
        assert main([*small("domination"), "--certificate", str(path)], context) == 0
        assert path.exists()

    def test_what_is_no_certificate_is_refused(self, run, tmp_path):
        path = tmp_path / "certificate.json"
        assert_refused(run("theory", "verify", str(path)), "cannot be read")
        path.write_text("{}")
        assert_refused(run("theory", "verify", str(path)))


class TestComplexity:
    def test_bounds_and_witness(self, run):
        outcome = run("theory", "complexity", "11", "--max-tokens", "4")
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        page = " ".join(outcome.stdout.split())
        assert "K within the bound exactly 12 bits: the witness is shortest" in page
        assert "Witness +..! as bits 000110110111 (12 bits)" in page

    def test_where_nothing_was_found_the_witness_bounds_the_mass(self, run):
        page = " ".join(run("theory", "complexity", "01101", "--max-tokens", "3").stdout.split())
        assert "m, at least 1/134217728 ≈ 7.451e-09, from the witness" in page
        assert "(27 bits)" in page

    def test_too_little_time_leaves_nothing(self, run):
        outcome = run("theory", "complexity", "11", "--time", "4", "--max-tokens", "3")
        assert outcome.code == 0
        assert "no program for it was found within the bound" in outcome.stdout

    def test_as_json_masses_are_fractions(self, run):
        found = object_of(run("theory", "complexity", "11", "--max-tokens", "4", "--condition", "1", "--json"))
        assert (found["string"], found["condition"], found["bound"]) == ("11", "1", {"time": 64, "space": 64})
        lower, upper, open_mass = (Fraction(found[name]) for name in ("m_lower", "m_upper", "unresolved"))
        assert upper == lower + open_mass
        assert lower >= Fraction(1, 1 << found["k_upper_bits"])
        assert len(found["witness"]["bits"]) == found["k_upper_bits"]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["012"], "only the characters 0 and 1"),
            (["01", "--condition", "x"], "only the characters 0 and 1"),
            (["01", "--time", "-1"], "bound on time is not negative"),
            (["01", "--max-tokens", "0"], "max_tokens is out of range"),
            ([], "missing argument 'BITS'"),
        ],
    )
    def test_bad_input(self, run, words, said):
        assert_refused(run("theory", "complexity", *words), said)


class TestUniversal:
    def test_masses_and_omega_grow(self, run):
        outcome = run("theory", "universal", "--time", "12")
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        found = object_of(run("theory", "universal", "--time", "12", "--json"))
        assert len(found["mass"]) == 15
        assert Fraction(found["omega"]) + Fraction(found["unresolved"]) == 1
        omegas = {(p["time"], p["space"]): Fraction(p["omega"]) for p in found["growth"]}
        assert omegas[12, 8] == Fraction(found["omega"])
        for (time, space), omega in omegas.items():
            assert all(omega <= more for (t, s), more in omegas.items() if t >= time and s >= space)

    @pytest.mark.parametrize("name", ["time", "space"])
    def test_without_time_or_space_there_is_no_picture(self, run, name):
        outcome = run("theory", "universal", f"--{name}", "0")
        assert_refused(outcome, f"without {name} no program runs (received 0): give --{name} 1 or more")

    def test_bad_input(self, run):
        assert_refused(run("theory", "universal", "--time", "-1"), "bound on time is not negative")
        assert_refused(run("theory", "universal", "--time", "99"), "tree of programs is too large")
        assert_refused(run("theory", "universal", "--max-length", "7"), "max-length is out of range")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check-domination", "--class", "nothing"], "choose mealy, sources, turing-1, turing-2, universal"),
        (["check-domination", "--class", "missing.py:CLASS"], "there is no such file"),
        (["check-domination", "--break", "nothing"], "choose double-constant"),
        (["check-domination", "--max-length", "-1"], "a length is not negative"),
        (["check-domination", "--time", "-1"], "a bound on time is not negative"),
        (["check-domination", "--space", "x"], "see up theory check-domination --help"),
        (["check-prediction", "--condition", "2"], "only the characters 0 and 1"),
        (["check-prediction", "--class", "universal"], "is not sufficient"),
        (["check-iteration", "--steps", "0"], "at least one step"),
        (["check-lstm", "--machine", "nothing"], "take one of flip, bb2, two-three"),
        (["check-lstm", "--seed", "-1"], "a seed is not negative"),
        (["check-lstm", "--samples", "100001"], "invalid value for '--samples'"),
        (["check-domination", "--max-length", "21"], "invalid value for '--max-length'"),
        (["check-domination", "--time", "99999999999999999999"], "invalid value for '--time'"),
        (["check-iteration", "--steps", "99999999999999999999"], "invalid value for '--steps'"),
        (["check-universality", "--cells", "99999999999999999999"], "invalid value for '--cells'"),
        (["check-universality", "--machine", "two-three"], "take a 2-symbol machine"),
        (["check-nothing"], "no such command"),
    ],
)
def test_bad_input_is_one_line(run, words, said):
    assert_refused(run("theory", *words), said)


def test_a_class_of_ones_own_and_files_that_hold_none(run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    assert object_of(run("theory", "check-domination", "--class", f"{path}:CLASS", "--json"))["class"] == "mine"
    assert_refused(run("theory", "check-domination", "--class", f"{path}:NUMBER"), "no ModelClass of this name")


def test_a_tape_machine_of_ones_own(run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from theory.machines.one_tape import LEFT, RIGHT, TapeMachine, TapeRule\n"
        "TURNER = TapeMachine(name='turner', symbols=2, states=('A',),\n"
        "                     rules={('A', 0): TapeRule(1, RIGHT, 'H'), ('A', 1): TapeRule(0, LEFT, 'A')})\n"
        "NUMBER = 3\n"
    )
    for name in ("lstm", "universality"):
        words = small(name)
        outcome = run(*words, "--machine", f"{path}:TURNER")
        assert (outcome.code, outcome.stderr) == (0, "")
        assert "turner" in outcome.stdout
        assert_refused(run(*words, "--machine", f"{path}:NUMBER"), "no TapeMachine of this name")


BAD = """
import sys
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine

def late(tape):
    tape.write(2 // tape.read())

def leave(tape):
    sys.exit(0)

class Odd:
    name, reads_condition = "odd", False
    def run(self, program, condition, bound):
        return 3

def one(machine, bound=Bound(time=8, space=8)):
    return ModelClass.of("bad", [machine], bound=bound, max_length=1)

LATE, LEAVE, ODD = one(FunctionMachine("late", late)), one(FunctionMachine("leave", leave)), one(Odd())
PAIR = one(FunctionMachine("late", late), bound=(8, 8))
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LATE", "ZeroDivisionError"),
        ("LEAVE", "SystemExit: 0"),  # not a check that holds
        ("ODD", "AttributeError: 'int' object has no attribute 'bits_read'"),
        ("PAIR", "AttributeError: 'tuple' object has no attribute 'time'"),
    ],
)
@pytest.mark.parametrize("check", ["domination", "coding"])
def test_what_a_class_of_ones_own_does_wrong_is_one_line(run, tmp_path, check, name, said):
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    assert_refused(run("theory", f"check-{check}", "--class", f"{path}:{name}"), said)


def test_a_bug_of_this_program_is_not_blamed_on_the_user(run, monkeypatch):
    def fail(_model_class, *, variant=None, advance=None):
        raise ZeroDivisionError(variant, advance)

    monkeypatch.setattr(domination, "check_domination", fail)
    outcome = run("theory", "check-domination", "--class", "mealy")
    assert outcome.code == 1
    assert "this is a bug in up" in outcome.stderr


def test_fractions_longer_than_python_writes_by_itself_are_shown_and_survive_as_json():
    long = Fraction(1, 3**20_000)
    result = replace(CHECKS["coding"].run(CHECKS["coding"].quick), constants={"c": long})
    out = io.StringIO()
    CliContext.from_streams(out, io.StringIO(), {}).emit_json(result_object(result))
    assert json.loads(out.getvalue())["constants"]["c"].startswith("1/")
    assert len(json.loads(out.getvalue())["constants"]["c"]) > 9_000
    with pytest.raises(ValueError, match="Exceeds the limit"):
        str(long)  # it holds again
    assert exact(long) == "≈ 2^-31699, a fraction of 1 over 9,543 digits"
    assert exact(2**20_000) == "≈ 2^20000, a number of 6,021 digits"


RARE = """
from fractions import Fraction
from theory import Bound, FunctionMachine, ModelClass


def fair_bit(tape):
    tape.write(tape.read())


def copy(tape):
    place = 0
    while (bit := tape.condition(place)) is not None:
        tape.write(bit)
        place += 1


CLASS = ModelClass.of("rare", [FunctionMachine("fair", fair_bit), FunctionMachine("copy", copy)],
                      bound=Bound(time=8, space=8), max_length=1, prior=[Fraction(1, 2**14500), Fraction(1, 2)])
"""
OF_RARE = [
    (name, variant)
    for name in ("domination", "prediction", "iteration", "mix", "resources")
    for variant in (None, *CHECKS[name].variants)
    if variant not in ("entropy-grows", "lacking-dup")  # refused for this class; of a class of its own
]


@pytest.mark.parametrize(("check", "variant"), OF_RARE)
def test_a_class_whose_prior_has_thousands_of_digits_is_checked_as_any_other(check, variant, run, tmp_path):
    """2^-14500 has more digits than Python writes: texts of errors that did not occur, and those of counterexamples."""
    path = tmp_path / "rare.py"
    path.write_text(RARE)
    words = ["theory", f"check-{check}", "--class", f"{path}:CLASS", "-q", *(["--break", variant] if variant else [])]
    for more in ([], ["--json"]):
        outcome = run(*words, *more)
        assert outcome.stderr == ""
        assert outcome.code in ((0,) if variant is None else (0, 1))


def test_what_a_string_of_thousands_of_bits_weighs_is_json(run):
    bits = "01" * 2_000
    outcome = run("theory", "complexity", bits, "--json", "-q")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert len(json.loads(outcome.stdout)["m_lower"]) > 4_300


def test_no_check_imports_torch():
    words = [small(name) for name in ("domination", "lstm")]
    code = (
        "import sys; from cli.main import main\n"
        f"for words in {[*words, ['theory', 'complexity', '01', '--max-tokens', '3']]!r}: assert main(words) == 0\n"
        "print('torch' in sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "False\n"


def test_a_class_of_ones_own_prints_to_stderr_and_imports_what_lies_beside_it(run, tmp_path, capsys):
    (tmp_path / "parts.py").write_text("print('beside')\nfrom theory import Bound\nBOUND = Bound(time=8, space=8)\n")
    (tmp_path / "mine.py").write_text(
        "from parts import BOUND\n"
        "from theory import FunctionMachine, ModelClass\n"
        "print('at the top')\n"
        "def fair_bit(tape):\n"
        "    print('in a member')\n"
        "    tape.write(tape.read())\n"
        "CLASS = ModelClass.of('mine', [FunctionMachine('fair', fair_bit)], bound=BOUND, max_length=1)\n"
    )
    outcome = run("theory", "check-domination", "--class", f"{tmp_path}/mine.py:CLASS", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.stdout)["class"] == "mine"
    printed = capsys.readouterr()
    assert printed.out == ""
    for said in ("beside", "at the top", "in a member"):
        assert said in printed.err
