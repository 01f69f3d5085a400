"""One process trains in a folder at a time, and its lock ends with it however it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.up.runs.cases import refusal, small_config
from up.runs import folder as run_folder
from up.runs.folder import create_run, hold, in_use

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from pathlib import Path
from up.runs.folder import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of the folder `run`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def held(path: Path) -> None:
    with hold(path):
        pytest.fail("two processes hold one folder")


def test_a_folder_that_another_process_holds_is_refused_until_that_process_is_dead(holder, tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "_LOCK_SECONDS", 0.1)
    path = tmp_path / "run"
    assert in_use(path)
    line = refusal(held, path)
    for said in ("another process is training", str(path), "--out"):
        assert said in line
    assert [file.name for file in path.iterdir()] == [".lock"]
    holder.kill()
    holder.wait()
    assert not in_use(path)
    with hold(path):
        assert in_use(path) is True


def test_looking_whether_a_folder_is_in_use_changes_nothing(tmp_path):
    assert not in_use(tmp_path / "nowhere")
    assert not in_use(tmp_path)
    assert list(tmp_path.iterdir()) == []
    run = create_run(tmp_path / "run", small_config())
    assert not in_use(run.path)
    with hold(run.path):
        assert in_use(run.path)
    assert not in_use(run.path)
    with hold(run.path):  # it can be held again
        assert in_use(run.path)


def test_a_folder_that_was_made_for_a_run_that_came_to_nothing_is_removed(tmp_path):
    def fail(path: Path) -> None:
        with hold(path):
            assert path.exists()
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - raised two lines above
        fail(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with pytest.raises(ValueError):  # noqa: PT011
        fail(tmp_path / "old")
    assert (tmp_path / "old").exists()  # it was there before


def test_a_run_stays_when_its_lock_is_released(tmp_path):
    with hold(tmp_path / "run"):
        create_run(tmp_path / "run", small_config())
    assert (tmp_path / "run" / "config.json").exists()


def test_a_lock_that_cannot_be_made_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in refusal(held, tmp_path / "file")
    assert "below a file" in refusal(held, tmp_path / "file" / "run")


def test_a_folder_that_may_not_be_written_is_refused_in_one_line(tmp_path, monkeypatch):
    """Whoever runs the tests may be allowed everything, so the refusal of the system is planted."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_folder.filelock, "FileLock", refuse)
    line = refusal(held, tmp_path / "run")
    assert "cannot write the output folder (Permission denied)" in line
