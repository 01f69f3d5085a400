"""`up finetune`: both runs, the closing table, and every mistake in one line."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.streams import assert_refused
from tests.cli.training_runs import drop_checkpoints, outcome_of

SETTINGS = (
    "--set",
    "evaluation.samples=4",
    "--set",
    "training.learning_rate=0.02",
    "--device",
    "cpu",
    "--samples",
    "4",
)


@pytest.fixture(scope="session")
def notes(tmp_path_factory) -> Path:
    words, path = random.Random(0), tmp_path_factory.mktemp("notes") / "notes.txt"
    path.write_text(" ".join(words.choice(["the", "rain", "in", "spain", "falls"]) for _ in range(1_000)))
    return path


@pytest.fixture(scope="session")
def words(trained, notes, text):
    """The words of a finetuning of three steps in a folder."""

    def of(out: Path, *more: str) -> list[str]:
        start = ["finetune", str(trained), "--data", str(notes), "--also", str(text), "--out", str(out)]
        return [*start, "--instances", "24", *SETTINGS, *more]

    return of


@pytest.fixture(scope="session")
def finished(words, tmp_path_factory) -> Path:
    """A finetuning that is complete, from a process of its own; tests that change it take a copy."""
    out = tmp_path_factory.mktemp("finetuned") / "out"
    done = subprocess.run([sys.executable, "-m", "cli.main", *words(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (out.parent / "stdout").write_text(done.stdout)
    return out


def test_the_closing_table_has_every_model_and_bar_and_says_what_each_gave(finished, notes):
    shown = (finished.parent / "stdout").read_text()
    (heading,) = (line.split() for line in shown.splitlines() if line.startswith("data "))
    assert heading == ["data", "untrained", "zero-shot", "finetuned", "scratch", "PPM", "xz"]
    assert "Zero-shot" not in shown
    assert f"{notes.name}:test: pre-training " in shown.replace("\n", " ") or "pre-training" in shown
    assert "finetuned ends " in shown
    assert "after it has read the training part" in shown
    assert "ratio is that of scratch to finetuned" in shown


def test_what_is_complete_is_shown_again_and_nothing_is_trained(run, finished):
    before = {path: path.read_bytes() for path in finished.rglob("*.*") if path.is_file()}
    outcome = run("finetune", "--resume", "--out", str(finished), "--json", "--quiet")
    assert (outcome.code, outcome.stderr) == (0, "")
    found = json.loads(outcome.stdout)
    assert (found["command"], found["complete"]) == ("finetune", True)
    assert [each["model"] for each in found["models"]] == ["zero-shot", "finetuned", "scratch"]
    assert [each["bits"] for each in found["reached"]] == sorted((r["bits"] for r in found["reached"]), reverse=True)
    assert {path: path.read_bytes() for path in finished.rglob("*.*") if path.is_file()} == before


def test_another_loss_is_compared_when_it_is_named(run, finished, tmp_path):
    out = shutil.copytree(finished, tmp_path / "out")
    outcome = run("finetune", "--resume", "--out", str(out), "--loss", "7.5", "--samples", "4", "--json", "--quiet")
    assert [each["bits"] for each in json.loads(outcome.stdout)["reached"]] == [7.5]


def test_a_run_that_lost_its_last_checkpoints_ends_as_before(run, finished, tmp_path):
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    (out / "report.json").unlink()
    drop_checkpoints(out / "scratch")
    assert run("finetune", "--resume", "--out", str(out), "--device", "cpu", "--samples", "4", "--quiet").code == 0
    assert outcome_of(out / "scratch") == outcome_of(finished / "scratch")
    assert (
        json.loads((out / "report.json").read_text())["models"]
        == json.loads((finished / "report.json").read_text())["models"]
    )


def test_the_runs_are_runs_like_any_other(run, finished):
    listed = json.loads(run("runs", "--folder", str(finished), "--json").stdout)["runs"]
    assert {each["name"]: each["state"] for each in listed} == {"finetuned": "complete", "scratch": "complete"}
    compared = json.loads(
        run("runs", "compare", str(finished / "finetuned"), str(finished / "scratch"), "--json").stdout
    )
    assert {each["name"].partition(".")[0] for each in compared["settings"]} == {"initial_weights"}
    outcome = run("eval", str(finished / "finetuned"), "--samples", "4", "--device", "cpu", "--quiet")
    assert outcome.code == 0
    assert "Trained on data, in bits per character" in outcome.stdout


def test_a_plan_writes_nothing(run, words, tmp_path):
    outcome = run(*words(tmp_path / "out", "--plan"))
    assert outcome.code == 0
    assert "real bytes of" in outcome.stdout
    assert "the same from scratch" in outcome.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_processes_that_are_killed_at_random_end_as_if_nothing_had_happened(finished, words, tmp_path):
    out, moments = tmp_path / "out", random.Random(0)
    for _ in range(60):
        resume = ["finetune", "--resume", "--out", str(out), "--device", "cpu", "--samples", "4"]
        command = resume if (out / "finetuning.json").exists() else words(out)
        process = subprocess.Popen([sys.executable, "-m", "cli.main", *command, "--quiet"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + moments.uniform(3, 12)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
    assert process.returncode == 0
    for name in ("finetuned", "scratch"):
        assert outcome_of(out / name) == outcome_of(finished / name)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["finetune", "--data", "stdlib"], "give a run to finetune"),
        (["finetune", "builtin:tiny"], "give --data to finetune on"),
        (["finetune", "builtin:nothing", "--data", "stdlib", "--out", "out"], "no model of this name ships with up"),
        (["finetune", "nothing", "--data", "stdlib", "--out", "out"], "there is no run here"),
        (["finetune", "builtin:tiny", "--data", "nothing.txt", "--out", "out"], "no such data"),
        (["finetune", "builtin:tiny", "--data", "short.txt", "--out", "out"], "too short"),
        (["finetune", "builtin:tiny", "--data", "stdlib", "--out", "builtin:tiny"], "nothing is trained into a model"),
        (["finetune", "builtin:tiny", "--data", "stdlib:test", "--out", "out"], "name the whole, stdlib"),
        (["finetune", "builtin:tiny", "--data", "stdlib", "--also", "none", "--out", "out"], "no such data"),
        (
            ["finetune", "builtin:tiny", "--data", "stdlib", "--set", "model.width=256", "--out", "out"],
            "that of the run",
        ),
        (["finetune", "builtin:tiny", "--data", "stdlib", "--data-at", "a=b", "--out", "out"], "goes on"),
        (["finetune", "--resume"], "--resume needs the folder to continue"),
        (["finetune", "--resume", "--out", "out"], "there is no finetuning here"),
        (["finetune", "builtin:tiny", "--resume", "--out", "out"], "has its own RUN"),
        (["finetune", "--resume", "--no-baseline", "--instances", "3", "--out", "out"], "--instances, --no-baseline"),
        (["train", "--resume", "--out", "."], "there is no run here"),
    ],
)
def test_what_cannot_be_finetuned_is_refused_in_one_line_and_nothing_is_written(run, more, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("short.txt").write_text("too short")
    outcome = run(*more)
    assert_refused(outcome, said)
    assert [path.name for path in tmp_path.iterdir()] == ["short.txt"]


def test_a_folder_with_a_finetuning_is_not_overwritten(run, words, finished):
    assert_refused(run(*words(finished)), "holds another finetuning")


def test_sources_list_real_data_apart(run):
    found = json.loads(run("sources", "--json").stdout)
    assert "text" not in [each["name"] for each in found["sources"]]
    assert [each["name"] for each in found["real_data"]] == ["text"]
    assert "real bytes" in run("sources").stdout
