import importlib.metadata
import json
import platform
import shutil

import pytest
from rich.cells import cell_len

import up
from cli import doctor

FIELDS = {"up", "python", "packages", "devices", "corpora", "free_disk_bytes", "terminal", "problems"}


def test_json_is_one_object_with_what_this_machine_has(run):
    outcome = run("doctor", "--json")
    assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    report = json.loads(outcome.stdout)
    assert set(report) == FIELDS
    assert (report["up"], report["python"]) == (up.__version__, platform.python_version())
    assert report["packages"]["torch"] == importlib.metadata.version("torch")
    assert report["devices"][0]["name"] == "cpu"
    assert {corpus["name"]: corpus["size_bytes"] > 100_000 for corpus in report["corpora"]} == {
        "stdlib": True,
        "pydoc": True,
    }
    assert report["terminal"] == {"is_terminal": False, "colour": False, "width_columns": 80}
    assert report["problems"] == []


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_table_fits_and_loses_nothing(run, columns):
    outcome = run("doctor", environment={"COLUMNS": str(columns)})
    assert outcome.code == 0
    assert all(cell_len(line) <= columns for line in outcome.stdout.splitlines())
    for said in (importlib.metadata.version("torch"), "stdlib", "pydoc", "everything needed is here"):
        assert said in outcome.stdout


def test_a_missing_library_is_a_problem_and_exit_1(run, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED", ("torch", "no-such-library"))
    outcome = run("doctor")
    assert outcome.code == 1
    assert "no-such-library is not installed" in outcome.stdout
    assert "everything needed is here" not in outcome.stdout
    report = json.loads(run("doctor", "--json").stdout)
    assert len(report["problems"]) == 1
    assert report["packages"]["no-such-library"] is None


def test_a_missing_optional_library_is_no_problem(run, monkeypatch):
    monkeypatch.setattr(doctor, "OPTIONAL", ("no-such-library",))
    outcome = run("doctor")
    assert outcome.code == 0
    assert "not installed (optional)" in outcome.stdout


def test_free_space_is_that_of_the_nearest_folder_that_exists(tmp_path):
    free = doctor._free_disk_bytes(tmp_path / "not" / "there")
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
