"""Every run says which code made it, on what, with which seeds; and a process on another machine hears of it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

import up
from tests.up.runs.cases import CPU, refusal, small_config
from up.runs import provenance
from up.runs.folder import create_run
from up.runs.provenance import changes_since, describe_process

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "run", small_config("seed=7"))


def test_there_is_an_entry_for_each_process(run):
    assert run.provenance() == []
    run.append_provenance(CPU, ["up", "train"], instances=0)
    run.append_provenance(CPU, ["up", "train", "--resume"], instances=32)
    first, second = run.provenance()
    assert (first["command"], second["command"]) == (["up", "train"], ["up", "train", "--resume"])
    assert (first["instances"], second["instances"]) == (0, 32)
    assert first["started"].endswith("+00:00")
    assert json.loads((run.path / "provenance.json").read_text()) == [first, second]


def test_an_entry_names_seeds_versions_threads_and_device(run):
    run.append_provenance(CPU, ["up", "train"], instances=0)
    (entry,) = run.provenance()
    assert entry["seeds"] == {"run": 7, **run.config().component_seeds()}
    assert set(entry["versions"]) == {"up", "torch", "numpy", "safetensors"}
    assert (entry["versions"]["torch"], entry["versions"]["up"]) == (torch.__version__, up.__version__)
    assert entry["threads"] == torch.get_num_threads()
    assert entry["device"] == "cpu"
    for name in ("device_description", "platform", "python"):
        assert entry[name]


def test_the_commit_is_that_of_the_checkout():
    entry = describe_process(CPU)
    if (CHECKOUT / ".git").exists():
        assert len(entry["commit"]) == 40
        assert entry["commit_dirty"] in (True, False)
    else:
        assert (entry["commit"], entry["commit_dirty"]) == (None, None)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_repository_whose_hook_runs_the_program_is_not_taken_for_its_own(tmp_path, monkeypatch):
    """Git sets GIT_DIR in its hooks, and it beats the folder that git is told to work in."""
    own = describe_process(CPU)["commit"]
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    foreign = ["git", "-C", str(tmp_path), *identity, "commit", "--quiet", "--allow-empty", "-m", "foreign"]
    subprocess.run(foreign, check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert describe_process(CPU)["commit"] == own


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_files_that_differ_from_the_commit_make_it_dirty_and_files_that_it_does_not_know_do_not(tmp_path, monkeypatch):
    def git(*words):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True)

    monkeypatch.setattr(up, "__file__", str(tmp_path / "up" / "__init__.py"))
    (tmp_path / "up").mkdir()
    code = tmp_path / "up" / "__init__.py"
    code.write_text("one = 1\n")

    def found():
        entry = describe_process(CPU)
        return entry["commit"], entry["commit_dirty"]

    assert found() == (None, None)
    git("init", "--quiet")
    assert found() == (None, None)  # a repository without a commit
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    commit, dirty = found()
    assert (len(commit), dirty) == (40, False)
    (tmp_path / "notes").write_text("mine")
    assert found() == (commit, False)
    code.write_text("one = 2\n")
    assert found() == (commit, True)


def test_without_git_the_commit_is_unknown(monkeypatch, tmp_path):
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(up, "__file__", str(tmp_path / "up" / "__init__.py"))

    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(provenance.subprocess, "run", missing)
    assert describe_process(CPU)["commit"] is None


def test_the_same_machine_has_changed_in_nothing():
    assert changes_since([], CPU) == []
    assert changes_since([describe_process(CPU)], CPU) == []


@pytest.mark.parametrize(
    ("name", "value"), [("threads", 99), ("device_description", "an abacus"), ("versions", {"torch": "1.0"})]
)
def test_what_can_change_the_rounding_is_told_with_both_values(name, value):
    now = describe_process(CPU)
    (change,) = changes_since([now, {**now, name: value}], CPU)
    assert change == f"{name.replace('_', ' ')} was {value}, is {now[name]}"


def test_only_the_latest_entry_counts_and_the_commit_does_not():
    now = describe_process(CPU)
    assert changes_since([{**now, "threads": 99}, {**now, "commit": "f" * 40, "python": "9"}], CPU) == []


def test_an_entry_of_an_earlier_version_lacks_a_field():
    now = describe_process(CPU)
    entry = {name: value for name, value in now.items() if name != "threads"}
    assert changes_since([entry], CPU) == [f"threads was None, is {now['threads']}"]


@pytest.mark.parametrize("content", ["", "{", "{}", "3", "[3]", "\x00"])
def test_a_damaged_file_is_refused_in_one_line_that_names_it(run, content):
    path = run.path / "provenance.json"
    path.write_text(content)
    assert str(path) in refusal(run.provenance)
    assert path.read_text() == content
