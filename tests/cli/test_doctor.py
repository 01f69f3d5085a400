import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from rich.cells import cell_len

import up
from cli import doctor

FIELDS = {
    "up",
    "python",
    "packages",
    "broken",
    "folders",
    "devices",
    "corpora",
    "free_disk_bytes",
    "disk_problem",
    "terminal",
    "problems",
}


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


def test_what_is_needed_is_what_the_package_depends_on_numba_included():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", each)[0] for each in project["dependencies"]}
    assert "numba" in names
    assert names == set(doctor.NEEDED)
    assert not names & set(doctor.OPTIONAL)


def test_a_missing_optional_library_is_no_problem(run, monkeypatch):
    monkeypatch.setattr(doctor, "OPTIONAL", ("no-such-library",))
    outcome = run("doctor")
    assert outcome.code == 0
    assert "not installed (optional)" in outcome.stdout


@pytest.mark.parametrize(("needed", "code"), [(("torch", "numpy"), 1), ((), 0)])
def test_a_package_that_is_installed_and_cannot_be_imported_is_not_vouched_for(run, monkeypatch, needed, code):
    def why_broken(module):
        return f"TypeError: {module} is broken" if module in ("numpy", "torch.utils.tensorboard") else None

    monkeypatch.setattr(doctor, "NEEDED", needed)
    monkeypatch.setattr(doctor, "why_broken", why_broken)
    outcome = run("doctor", environment={"COLUMNS": "200"})
    assert outcome.code == code
    rows = {line.split()[1]: line for line in outcome.stdout.splitlines() if line.startswith(("ok", "!!"))}
    optional = "cannot be imported (optional): TypeError: torch.utils.tensorboard is broken"
    assert rows["tensorboard"].startswith("!!")
    assert optional in rows["tensorboard"]
    assert ("numpy cannot be imported (TypeError: numpy is broken): reinstall it" in outcome.stdout) == bool(needed)
    assert json.loads(run("doctor", "--json").stdout)["broken"]["tensorboard"] == why_broken("torch.utils.tensorboard")


def test_the_three_packages_come_from_one_folder(run):
    report = json.loads(run("doctor", "--json").stdout)
    root = str(Path(up.__file__).resolve().parents[1])
    assert report["folders"] == {"cli": root, "up": root, "theory": root}


def test_a_package_from_another_folder_is_a_problem():
    ours, theirs = Path("/env/site-packages"), Path("/home/me")
    assert doctor.foreign_packages({"cli": ours, "up": ours, "theory": ours}, {"theory": [doctor.DISTRIBUTION]}) == []
    (problem,) = doctor.foreign_packages({"cli": ours, "up": ours, "theory": theirs}, {})
    assert problem.startswith("the package theory comes from /home/me, and cli from /env/site-packages: install up in")


def test_a_distribution_that_installs_a_package_of_our_name_is_a_problem_and_exit_1(run, tmp_path, monkeypatch):
    metadata = tmp_path / "theory_of_everything-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theory-of-everything\nVersion: 1.0\n")
    (metadata / "top_level.txt").write_text("theory\n")
    monkeypatch.syspath_prepend(tmp_path)
    outcome = run("doctor")
    assert outcome.code == 1
    said = " ".join(outcome.stdout.split())
    assert "theory-of-everything installs a package theory as well: install up in an environment of its own" in said


@pytest.mark.parametrize("name", ["cli", "up", "theory"])
def test_a_file_of_our_name_in_the_working_folder_does_not_break_the_console_entry(tmp_path, name):
    """What pip installs as `up` looks at the folder of the script, not at the working folder."""
    (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong file was imported')\n")
    script = tmp_path / "bin" / "up"
    script.parent.mkdir()
    script.write_text("import sys\nfrom cli.main import main\nsys.exit(main())\n")
    root = str(Path(up.__file__).resolve().parents[1])
    outcome = subprocess.run(
        [sys.executable, str(script), "theory", "check-coding", "--max-length", "2", "--quiet"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "holds for all of" in outcome.stdout


def test_the_console_entry_is_the_function_that_the_tests_call():
    entries = importlib.metadata.entry_points(group="console_scripts", name="up")
    assert {entry.value for entry in entries} == {"cli.main:main"}


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no folder that nobody may write to")
def test_a_folder_that_runs_cannot_be_written_to_is_a_problem_and_exit_1(run, monkeypatch):
    monkeypatch.chdir("/proc")
    outcome = run("doctor")
    assert outcome.code == 1
    assert re.search(r"^!!  disk", outcome.stdout, re.MULTILINE)
    assert "cannot write the output folder" in " ".join(outcome.stdout.split())
    report = json.loads(run("doctor", "--json").stdout)
    assert report["problems"] == [report["disk_problem"]]


def test_a_link_in_the_place_of_the_runs_that_leads_nowhere_is_a_problem(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to("gone")
    outcome = run("doctor", "--json")
    assert outcome.code == 1
    assert "runs is a link to gone" in json.loads(outcome.stdout)["disk_problem"]


def test_free_space_is_that_of_the_nearest_folder_that_exists(tmp_path):
    free = doctor._free_disk_bytes(tmp_path / "not" / "there")
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
