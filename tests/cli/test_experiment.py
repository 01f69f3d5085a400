"""`up experiment`: what it lists, what it shows, what it refuses, and what Ctrl-C leaves behind."""

import json
import re
import shutil
import signal
import xml.etree.ElementTree as ElementTree

import pytest

from tests.cli.streams import assert_refused
from tests.up.experiments.fake import Fake
from up.experiments.experiment import Setting
from up.experiments.registry import EXPERIMENTS
from up.experiments.runner import run_experiment


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "fake", "tests.up.experiments.fake:Fake")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """An experiment that is complete; tests that change it take a copy."""
    out = tmp_path_factory.mktemp("experiments") / "one"
    list(run_experiment(Fake(), Setting(scale="smoke", seeds=(0,)), out))
    return out


@pytest.fixture
def other(finished, tmp_path):
    """The same experiment from another machine, on which everything took half a bit more."""
    out = tmp_path / "two"
    out.mkdir()
    shutil.copy(finished / "experiment.json", out)
    lines = [json.loads(line) for line in (finished / "measurements.jsonl").read_text().splitlines()]
    for line in lines:
        line["value"] += 0.5
    (out / "measurements.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return out


class TestList:
    def test_every_experiment_has_its_question(self, run):
        outcome = run("experiment", "list", environment={"COLUMNS": "200"})
        assert (outcome.code, outcome.stderr) == (0, "")
        for name in EXPERIMENTS:
            assert re.search(rf"^{name} +\S.*\?", outcome.stdout, re.MULTILINE), name

    def test_as_json(self, run):
        listed = json.loads(run("experiment", "list", "--json").stdout)
        assert listed["format"] == 1
        assert [each["name"] for each in listed["experiments"]] == list(EXPERIMENTS)
        assert all(each["question"].endswith("?") for each in listed["experiments"])


class TestRun:
    def test_a_run_ends_with_its_verdicts_and_says_where_the_report_is(self, run, tmp_path):
        out = tmp_path / "out"
        outcome = run("experiment", "run", "fake", "--scale", "smoke", "--out", str(out))
        assert outcome.code == 0
        assert "holds: Longer training has a lower loss" in outcome.stdout
        assert "3 of 3: count" in outcome.stderr
        assert str(out / "report.md") in outcome.stderr
        assert (out / "report.md").exists()

    def test_json_has_measurements_findings_and_figures_and_nothing_else_is_on_stdout(self, run, tmp_path):
        outcome = run("experiment", "run", "fake", "--scale", "smoke", "--out", str(tmp_path / "out"), "--json", "-q")
        printed = json.loads(outcome.stdout)
        assert outcome.stderr == ""
        assert printed["format"] == 1
        assert printed["complete"] is True
        (one,) = printed["experiments"]
        assert one["findings"][0]["verdict"] == "holds"
        assert {each["quantity"] for each in one["measurements"]} == {"loss", "bits", "count"}
        assert one["record"]["setting"]["scale"] == "smoke"
        assert printed["figures"][0]["panels"][0]["series"][0]["name"] == "loss"

    def test_in_a_terminal_bars_show_how_far_it_is(self, run, tmp_path):
        outcome = run("experiment", "run", "fake", "--scale", "smoke", "--out", str(tmp_path / "out"), terminal=True)
        assert outcome.code == 0
        assert "3 of 3" in outcome.stderr

    def test_ctrl_c_saves_and_resuming_ends_in_the_same_measurements(self, run, tmp_path, finished, monkeypatch):
        out = tmp_path / "out"
        steps = 0
        measure = Fake.measure

        def interrupted(self, part, *rest):
            nonlocal steps
            steps += 1
            if steps == 2:
                signal.raise_signal(signal.SIGINT)
            return measure(self, part, *rest)

        monkeypatch.setattr(Fake, "measure", interrupted)
        stopped = run("experiment", "run", "fake", "--scale", "smoke", "--out", str(out))
        assert stopped.code == 130
        assert f"continue with: up experiment run --resume --out {out}" in stopped.stderr
        assert "1 of 3 parts so far" in stopped.stdout
        resumed = run("experiment", "run", "--resume", "--out", str(out))
        assert resumed.code == 0
        assert "3 parts, 1 complete" in resumed.stderr
        assert (out / "measurements.jsonl").read_bytes() == (finished / "measurements.jsonl").read_bytes()

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["fkae"], "did you mean fake"),
            (["fake", "--scale", "huge"], "unknown experiment.scale"),
            (["fake", "--seeds", "one"], "--seeds must be whole numbers"),
            (["fake", "--arch", "tree"], "unknown experiment.arch"),
            (["fake", "--instances", "5"], "has no instances to set"),
            ([], "no experiment is named"),
            (["fake", "--resume"], "there is no experiment here"),
        ],
    )
    def test_bad_input_is_one_line(self, run, tmp_path, words, said):
        out = [] if not words else ["--out", str(tmp_path / "new")]
        assert_refused(run("experiment", "run", *words, *out), said)
        assert not (tmp_path / "new").exists()

    def test_a_folder_that_is_taken_is_refused(self, run, finished, tmp_path):
        assert_refused(run("experiment", "run", "fake", "--out", str(finished)), "holds another experiment")
        (tmp_path / "notes").write_text("mine")
        assert_refused(run("experiment", "run", "fake", "--out", str(tmp_path)), "not empty")


class TestShow:
    def test_a_folder_is_shown_without_its_runs_and_figures(self, run, other):
        outcome = run("experiment", "show", str(other))
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        for said in ("A fake | of a kind: two", "Does it fit together?", "holds", "Losses", "╌╌ uniform 8.000"):
            assert said in outcome.stdout

    def test_two_folders_share_their_figures(self, run, finished, other, tmp_path):
        outcome = run("experiment", "show", str(finished), str(other), "--figures", str(tmp_path / "drawn"))
        assert outcome.code == 0
        assert "A loss, one   B loss, two" in outcome.stdout
        assert outcome.stdout.count("Does it fit together?") == 2
        assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"loss.svg", "loss-dark.svg", "loss.png"}
        ElementTree.parse(tmp_path / "drawn" / "loss.svg")

    def test_other_experiments_cannot_be_overlaid(self, run, finished, other):
        record = json.loads((other / "experiment.json").read_text())
        record["experiment"] = "figure-1"
        (other / "experiment.json").write_text(json.dumps(record))
        outcome = run("experiment", "show", str(finished), str(other))
        assert_refused(outcome, "two is the experiment figure-1 and one is fake", "cannot be overlaid")

    def test_other_bytes_under_the_same_name_cannot_be_overlaid(self, run, finished, other):
        path = other / "measurements.jsonl"
        path.write_text(re.sub(r'"text": "[^"]*"', '"text": "0123456789ab"', path.read_text()))
        assert_refused(run("experiment", "show", str(finished), str(other)), "dyck is not the same bytes", "overlaid")

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("measurements.jsonl", "nonsense\n", "line 1 of"),
            ("measurements.jsonl", '{"labels": {}, "quantity": "x", "unit": "", "value": NaN}\n', "no measurement"),
            ("measurements.jsonl", "[1]\n", "no measurement"),
            ("measurements.jsonl", b"\xff\xfe", "is no text"),
            ("experiment.json", "{", "is not JSON"),
            ("experiment.json", '{"format": 2}', "another version"),
            ("experiment.json", '{"format": 1}', "cannot read"),
        ],
    )
    def test_what_is_damaged_is_one_line(self, run, other, name, content, said):
        (other / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        assert_refused(run("experiment", "show", str(other)), said, name)

    def test_a_folder_without_an_experiment_is_refused(self, run, tmp_path):
        assert_refused(run("experiment", "show", str(tmp_path)), "there is no experiment here")

    def test_an_unknown_experiment_in_a_folder_is_refused(self, run, other):
        record = json.loads((other / "experiment.json").read_text())
        (other / "experiment.json").write_text(json.dumps({**record, "experiment": "from the future"}))
        assert_refused(run("experiment", "show", str(other)), "unknown experiment")

    def test_labels_of_a_folder_from_elsewhere_do_not_steer_the_terminal(self, run, other):
        record = json.loads((other / "experiment.json").read_text())
        record["parts"] = ["\x1b[2J"]
        (other / "experiment.json").write_text(json.dumps(record))
        outcome = run("experiment", "show", str(other))
        assert "\x1b" not in outcome.stdout
