"""Names of files that are unusual: links that lead nowhere, names that are not UTF-8, a locale that has none.

On disk a name is bytes. Python reads those that are no text in the locale as surrogates, which no file can be written
with; they are shown as the shell writes them, such as `bad\\xff`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.streams import assert_refused

ROOT = Path(__file__).parents[2]


def test_every_command_tells_of_a_link_that_leads_nowhere_in_the_same_line(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").symlink_to("gone")
    told = set()
    for words in (
        arguments("runs"),
        arguments("runs/new"),
        arguments("runs/new", "--plan"),
        ["train", "--resume", "--out", "runs"],
        ["runs"],
        ["runs", "--folder", "runs"],
        ["runs", "show", "runs"],
        ["runs", "compare", "runs/a", "runs/b"],
        ["eval", "runs"],
    ):
        outcome = run(*words)
        assert_refused(outcome, "runs is a link to gone, which is not there")
        told.add(outcome.stderr)
    assert len(told) == 1
    assert os.listdir() == ["runs"]


BAD = os.fsdecode(b"bad\xff")
NO_UTF_8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "LANG": "C"}
SEVERAL = """
import sys
from cli.main import main
words = " ".join(sys.argv[1:]).split(" , ")
for command in words:
    code = main(command.split(" "))
    if code:
        sys.exit(f"{ascii(command)} ended with {code}")
"""


def in_a_locale_without_utf_8(folder: Path, *commands: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run command lines one after the other in a process that knows ASCII only; words may be any bytes."""
    words = b" , ".join(b" ".join(map(os.fsencode, command)) for command in commands)
    return subprocess.run(
        [sys.executable, "-c", SEVERAL, words],
        cwd=folder,
        env={**os.environ, **NO_UTF_8, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
        check=False,
    )


def test_a_run_whose_name_is_no_text_is_trained_resumed_evaluated_and_drawn(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(BAD).write_text("the rain in spain stays mainly in the plain. " * 40)
    out = Path("runs", BAD)
    for words in (
        arguments(out, **{"evaluation.data": json.dumps([BAD])}),
        ["train", "--resume", "--out", str(out)],
        ["eval", str(out), "--samples", "4"],
        ["runs"],
        ["runs", "show", str(out), "--svg", str(out / f"{BAD}.svg"), "--png", str(out / "charts.png")],
        ["runs", "compare", str(out), str(out), "--svg", "both.svg"],
    ):
        outcome = run(*words)
        assert outcome.code == 0, outcome.stderr
        (outcome.stdout + outcome.stderr).encode()  # raises where there is a surrogate
    assert r"bad\xff" in run("runs").stdout
    assert json.loads(run("runs", "show", str(out), "--json").stdout)["path"] == str(out)
    assert (out / f"{BAD}.svg").stat().st_size > 1_000


def test_a_name_that_is_no_text_is_escaped_in_an_error_too(run, tmp_path):
    assert_refused(run("eval", str(tmp_path / BAD)), "there is no run here", r"bad\udcff")
    (tmp_path / BAD).symlink_to("gone")
    assert_refused(run("eval", str(tmp_path / BAD)), r"bad\xff is a link to gone")


def test_events_of_tensorboard_for_such_a_run_are_refused_before_it_begins(run, arguments, tmp_path):
    outcome = run(*arguments(tmp_path / BAD, "--tensorboard"))
    assert_refused(outcome, "TensorBoard cannot write to a folder whose name is no text in this locale")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have UTF-8 names in every locale")
def test_in_a_locale_without_utf_8_all_names_can_be_trained_evaluated_and_drawn(trained, text, arguments, tmp_path):
    """Also a run that was trained elsewhere, where the names of its files are text."""
    shutil.copytree(trained, tmp_path / "früher")
    config = json.loads((trained / "config.json").read_text())
    data = tmp_path / "données.txt"
    shutil.copy(text, data)
    shutil.copytree(trained, tmp_path / "ailleurs")
    shutil.rmtree(tmp_path / "ailleurs" / "checkpoints")
    config["evaluation"]["data"] = [str(data)]
    (tmp_path / "ailleurs" / "config.json").write_text(json.dumps(config))
    settings = {"evaluation.data": '["données.txt"]'}
    outcome = in_a_locale_without_utf_8(
        tmp_path,
        arguments("été", **settings),
        ["runs", "--folder", "."],
        ["eval", "été", "--samples", "4"],
        ["eval", "früher", "--samples", "4", "--data", "données.txt"],
        ["runs", "show", "été", "--svg", "été/é.svg"],
        ["train", "--resume", "--out", "ailleurs"],
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    assert b"Traceback" not in outcome.stderr
    assert (tmp_path / "été" / "é.svg").stat().st_size > 1_000
    found = json.loads((tmp_path / "ailleurs" / "metrics.jsonl").read_text().splitlines()[-1])
    assert found["rows"][0]["data"] == str(data)
