"""`up runs` from the command line: the list, one run and several, their files, their JSON, and bad input."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.streams import assert_refused
from tests.up.runs.cases import CPU, small_config
from tests.up.runs.test_overview import a_row, a_run, a_step
from up.runs.events import Evaluated, Timing
from up.runs.place import hold

PNG_START = b"\x89PNG"


def trained(path, *assignments, shift=0.0):
    """A run that has written what a run of 64 instances writes."""
    records = []
    for instances in range(8, 65, 8):
        records.append(a_step(instances, loss_bits=8.0 - instances / 32 + shift))
        if instances % 32 == 0:
            rows = tuple(a_row(name, tail_bits=7.0 - instances / 64 + shift) for name in ("stdlib", "pydoc"))
            records.append(Evaluated(instances=instances, rows=rows))
        speed = {
            "instances_per_second": 20.0,
            "source_share": 0.25,
            "elapsed_seconds": instances / 20,
            "remaining_seconds": 9.0,
        }
        records.append(Timing(instances=instances, **speed))
    run = a_run(path, *assignments, records=records, saved=64)
    run.append_provenance(CPU, ["/bin/up", "train", "--out", "runs/x"], instances=0)
    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of two runs; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("made") / "runs"
    trained(folder / "one", "seed=1")
    trained(folder / "two", "seed=2", "training.learning_rate=0.004", shift=-0.25)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "runs"))


def object_of(outcome):
    assert (outcome.code, outcome.stdout.count("\n")) == (0, 1), outcome.stderr
    return json.loads(outcome.stdout)


class TestList:
    def test_every_run_is_listed_with_its_state_and_figures(self, run, folder):
        a_run(folder / "fresh")
        outcome = run("runs", "--folder", str(folder))
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        for name in ("one", "two", "fresh"):
            assert f"\n{name}" in outcome.stdout
        assert "complete      64/64" in outcome.stdout
        assert "stopped        0/64" in outcome.stdout
        assert "6.000" in outcome.stdout
        assert "5.750" in outcome.stdout
        assert "\x1b" not in outcome.stdout

    def test_runs_is_the_folder_where_none_is_named(self, run, folder, monkeypatch):
        monkeypatch.chdir(folder.parent)
        assert {each["path"] for each in object_of(run("runs", "--json"))["runs"]} == {"runs/one", "runs/two"}

    def test_as_json_each_run_has_its_figures_in_full(self, run, folder):
        (folder / "one" / "provenance.json").unlink()
        (folder / "two" / "config.json").write_text("[]")
        listed = object_of(run("runs", "--folder", str(folder), "--json"))
        assert (listed["command"], listed["folder"]) == ("runs", str(folder))
        one, two = listed["runs"]
        assert (one["name"], one["state"], one["instances"], one["total_instances"]) == ("one", "complete", 64, 64)
        assert (one["seed"], one["evaluated_at"], one["started"], one["problem"]) == (1, 64, None, None)
        assert [row["tail_bits"] for row in one["rows"]] == [6.0, 6.0]
        assert (two["name"], two["state"], two["rows"]) == ("two", "broken", [])
        assert "config.json" in two["problem"]

    def test_a_broken_run_does_not_hide_the_others(self, run, folder):
        (folder / "two" / "metrics.jsonl").write_text("nonsense\n")
        outcome = run("runs", "--folder", str(folder))
        assert outcome.code == 0
        assert "complete" in outcome.stdout
        assert "broken" in outcome.stdout
        assert "is no record of a run" in " ".join(outcome.stdout.split())

    def test_a_run_in_training_is_running(self, run, folder):
        with hold(folder / "one"):
            states = {
                each["name"]: each["state"]
                for each in object_of(run("runs", "--folder", str(folder), "--json"))["runs"]
            }
        assert states == {"one": "running", "two": "complete"}

    def test_a_run_itself_is_listed_alone(self, run, folder):
        assert [each["name"] for each in object_of(run("runs", "--folder", str(folder / "two"), "--json"))["runs"]] == [
            "two"
        ]

    def test_no_runs_is_one_line_and_no_mistake(self, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty").mkdir()
        for arguments, named in ((["runs"], "runs"), (["runs", "--folder", "empty"], "empty")):
            outcome = run(*arguments)
            assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
            assert outcome.stdout.startswith(f"no runs in {named}; ")
            assert object_of(run(*arguments, "--json"))["runs"] == []

    def test_a_folder_that_does_not_exist_is_refused(self, run, tmp_path):
        missing = str(tmp_path / "missing")
        assert_refused(run("runs", "--folder", missing), missing, "--folder")

    @pytest.mark.parametrize("options", [["--json"], ["--quiet"], ["--folder", "x"]])
    def test_options_before_show_are_not_silently_ignored(self, run, folder, options):
        assert_refused(run("runs", *options, "show", str(folder / "one")), "up runs show --help")


class TestShow:
    def test_header_and_charts_fit_80_columns(self, run, folder):
        outcome = run("runs", "show", str(folder / "one"))
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        page = " ".join(outcome.stdout.split())
        for said in (
            "complete, 64 of 64 instances",
            "modern, width 16, 1 block, 4 heads, fp32",
            "lstm, 4 units",
            "at 0 instances: up train --out runs/x",
            "6.000 ± 0.030 bits per character over the last 8 after 64 instances; Markov 5.000",
            "╌╌ Markov, order 1 5.000",
            "Learning rate at the base width",
            "Batch 8 instances a step throughout",
            "Throughput instances/s",
            "Buffer depth share of 160 rows",
        ):
            assert said in page, said

    def test_as_json_it_is_everything_that_was_recorded(self, run, folder):
        shown = object_of(run("runs", "show", str(folder / "one"), "--json"))
        assert (shown["command"], shown["name"], shown["state"]) == ("runs show", "one", "complete")
        assert [step["instances"] for step in shown["steps"]] == list(range(8, 65, 8))
        assert [each["instances"] for each in shown["evaluations"]] == [32, 64]
        assert len(shown["timings"]) == 8
        assert shown["config"]["seed"] == 1
        assert shown["provenance"][0]["command"] == ["/bin/up", "train", "--out", "runs/x"]

    def test_a_half_written_last_line_is_left_out(self, run, folder):
        with (folder / "one" / "metrics.jsonl").open("a") as handle:
            handle.write('{"kind": "step", "instances": 7')
        assert object_of(run("runs", "show", str(folder / "one"), "--json"))["steps"][-1]["instances"] == 64

    def test_a_broken_line_in_the_middle_is_named(self, run, folder):
        path = folder / "one" / "metrics.jsonl"
        lines = path.read_text().splitlines()
        lines[1] = lines[1][:-5]
        path.write_text("\n".join([*lines, ""]))
        assert_refused(run("runs", "show", str(folder / "one")), "line 2 of", str(path))

    def test_a_run_that_has_not_trained_shows_where_it_comes_from(self, run, tmp_path):
        a_run(tmp_path / "fresh")
        outcome = run("runs", "show", str(tmp_path / "fresh"))
        assert outcome.code == 0
        assert "nothing trained yet" in outcome.stdout
        assert "width 16" in outcome.stdout

    @pytest.mark.parametrize("words", [["missing"], ["missing", "--json"]])
    def test_a_folder_that_is_no_run_is_refused(self, run, tmp_path, words):
        assert_refused(run("runs", "show", str(tmp_path / words[0]), *words[1:]), "there is no run here", "missing")

    def test_figures_are_written_and_said_on_stderr(self, run, folder, tmp_path):
        svg, png = tmp_path / "charts.svg", tmp_path / "charts.png"
        outcome = run("runs", "show", str(folder / "one"), "--svg", str(svg), "--png", str(png))
        assert outcome.code == 0
        assert outcome.stderr == f"up: wrote {svg}\nup: wrote {png}\n"
        assert "Loss" in outcome.stdout
        assert svg.read_text().startswith("<?xml")
        assert png.read_bytes().startswith(PNG_START)

    def test_quiet_and_json_write_the_figure_and_say_nothing_else(self, run, folder, tmp_path):
        png = tmp_path / "charts.png"
        outcome = run("runs", "show", str(folder / "one"), "--png", str(png), "--json", "--quiet")
        assert outcome.stderr == ""
        assert object_of(outcome)["name"] == "one"
        assert png.read_bytes().startswith(PNG_START)

    @pytest.mark.parametrize(
        ("option", "name", "said"),
        [
            ("--svg", "charts.png", "must end in .svg"),
            ("--png", "charts", "must end in .png"),
            ("--svg", "missing/charts.svg", "no such folder"),
            ("--png", "folder.png", "there is a folder"),
        ],
    )
    def test_a_figure_that_cannot_be_written_is_refused_before_anything_is_printed(
        self, run, folder, tmp_path, option, name, said
    ):
        (tmp_path / "folder.png").mkdir()
        for command in (["show", str(folder / "one")], ["compare", str(folder / "one"), str(folder / "two")]):
            assert_refused(run("runs", *command, option, str(tmp_path / name)), said, str(tmp_path))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "runs"]

    def test_without_matplotlib_the_remedy_is_to_install_it(self, run, folder, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)  # importing it then raises ModuleNotFoundError
        monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
        outcome = run("runs", "show", str(folder / "one"), "--svg", str(tmp_path / "charts.svg"))
        assert_refused(outcome, "matplotlib", "pip install matplotlib")


class TestCompare:
    def test_settings_bits_and_curves_side_by_side(self, run, folder):
        outcome = run("runs", "compare", str(folder / "one"), str(folder / "two"))
        assert (outcome.code, outcome.stderr) == (0, "")
        assert max(map(len, outcome.stdout.splitlines())) <= 80
        page = " ".join(outcome.stdout.split())
        for said in (
            "seed 1 2",
            "training.learning_rate 0.002 0.004",
            "6.000 ± 0.030",
            "5.750 ± 0.030 -0.250 ± 0.042",
            "A one B two",
        ):
            assert said in page, said

    def test_as_json_differences_have_their_standard_errors(self, run, folder):
        three = [str(folder / name) for name in ("one", "two", "one")]
        compared = object_of(run("runs", "compare", *three, "--json"))
        assert [each["name"] for each in compared["runs"]] == ["one", "two", "one"]
        assert {each["name"]: each["values"] for each in compared["settings"]}["seed"] == [1, 2, 1]
        stdlib = [each for each in compared["bits"] if each["data"] == "stdlib"]
        assert [each["tail_difference_bits"] for each in stdlib] == [None, -0.25, 0.0]
        assert stdlib[1]["tail_difference_stderr"] == pytest.approx(0.03 * 2**0.5)

    def test_runs_of_one_name_are_told_apart_by_their_paths(self, run, folder, tmp_path):
        shutil.copytree(folder / "two", tmp_path / "other" / "one")
        outcome = run(
            "runs", "compare", str(folder / "one"), str(tmp_path / "other" / "one"), environment={"COLUMNS": "200"}
        )
        assert f"A {folder / 'one'}   B {tmp_path / 'other' / 'one'}" in outcome.stdout

    def test_a_figure_has_both_runs(self, run, folder, tmp_path):
        svg = tmp_path / "charts.svg"
        assert run("runs", "compare", str(folder / "one"), str(folder / "two"), "--svg", str(svg)).code == 0
        assert "one against two" in svg.read_text()  # matplotlib names drawn text in a comment

    def test_runs_without_metrics_are_compared_by_their_settings(self, run, tmp_path):
        a_run(tmp_path / "one", "seed=1")
        a_run(tmp_path / "two", "seed=2")
        outcome = run("runs", "compare", str(tmp_path / "one"), str(tmp_path / "two"))
        assert outcome.code == 0
        assert "no evaluation yet" in outcome.stdout

    def test_one_run_too_many_runs_and_no_run_are_refused(self, run, folder, tmp_path):
        one, missing = str(folder / "one"), str(tmp_path / "missing")
        assert_refused(run("runs", "compare", one), "at least two runs", "up runs compare --help")
        assert_refused(run("runs", "compare", *[one] * 27), "at most 26 runs", "27")
        assert_refused(run("runs", "compare", one, missing), "there is no run here", missing)
        assert_refused(run("runs", "compare"), "missing argument 'RUN'", "up runs compare --help")


def test_runs_of_another_architecture_are_read(run, tmp_path):
    assert small_config(arch="paper").model.arch == "paper"
    a_run(tmp_path / "paper", "model.arch=paper", records=[a_step(8), a_step(16, loss_bits=None, skipped_steps=1)])
    page = " ".join(run("runs", "show", str(tmp_path / "paper")).stdout.split())
    assert "paper, width 16" in page
    assert "skipped 1 step whose loss or gradient was not finite" in page


@pytest.mark.parametrize(
    "words",
    [("runs", "--folder", ""), ("runs", "show", ""), ("runs", "compare", "", "x"), ("runs", "show", "x", "--svg", "")],
)
def test_an_empty_path_is_refused(run, words):
    assert_refused(run(*words), "the path is empty")
