"""One process trains in a folder at a time, and its lock ends with it however it ends."""

import contextlib
import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.up.runs.cases import refusal, small_config
from tests.up.runs.no_locks import REFUSALS, refuse_locks
from up.runs import lock, place
from up.runs.folder import create_run
from up.runs.place import hold, in_use

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from pathlib import Path
from up.runs.place import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


WITHOUT_LOCKS = """
import fcntl
def refuse(*_):
    raise OSError(38, "no locks here")
fcntl.flock = refuse
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of the folder `run`."""
    with holding(tmp_path / "run", HOLDER) as process:
        yield process


@pytest.fixture
def holder_without_locks(tmp_path):
    """The same where the system has no locks."""
    with holding(tmp_path / "run", WITHOUT_LOCKS + HOLDER) as process:
        yield process


@contextlib.contextmanager
def holding(path: Path, program: str):
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
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
    monkeypatch.setattr(place, "_LOCK_SECONDS", 0.1)
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

    monkeypatch.setattr(lock.filelock, "FileLock", refuse)
    line = refusal(held, tmp_path / "runs" / "run")
    assert "cannot write the output folder (Permission denied)" in line
    assert list(tmp_path.iterdir()) == []


class TestWithoutLocksOfTheSystem:
    """Some file systems have none, and `flock` says so in three ways."""

    @pytest.fixture(autouse=True, params=REFUSALS, ids=errno.errorcode.get)
    def refused(self, request, monkeypatch):
        refuse_locks(monkeypatch, request.param)
        return request.param

    def owner(self, path: Path, **changes: object) -> None:
        """Leave the file of an owner behind, this process but for some changes."""
        with hold(path):
            (path / "kept").touch()
            said = json.loads((path / ".lock.owner").read_text())
        (path / ".lock.owner").write_text(json.dumps({**said, **changes}))

    def test_a_run_is_held_by_one_at_a_time_and_is_free_afterwards(self, tmp_path):
        for _ in range(2):
            with hold(tmp_path / "run"):
                (tmp_path / "run" / "kept").touch()
                assert in_use(tmp_path / "run")
                assert "another process is training" in refusal(held, tmp_path / "run")
            assert not in_use(tmp_path / "run")
        assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [".lock", "kept"]

    def test_a_copied_lock_is_nobodys(self, tmp_path):
        (tmp_path / ".lock").touch()
        assert not in_use(tmp_path)
        with hold(tmp_path):
            assert in_use(tmp_path)

    def test_the_owner_is_another_process_until_that_is_killed(self, holder_without_locks, tmp_path):
        assert in_use(tmp_path / "run")
        line = refusal(held, tmp_path / "run")
        assert f"if process {holder_without_locks.pid} of " in line
        assert f"remove {tmp_path / 'run' / '.lock.owner'}" in line
        holder_without_locks.kill()
        holder_without_locks.wait()
        assert not in_use(tmp_path / "run")
        with hold(tmp_path / "run"):
            assert in_use(tmp_path / "run")

    @pytest.mark.parametrize(
        ("changes", "in_the_way"),
        [
            ({"begun": "1"}, False),  # another process has its number now
            ({"pid": 2**22 + 1}, False),  # larger than any
            ({"host": "elsewhere", "pid": 2**22 + 1}, True),
            ({"processes": "pid:[1]", "pid": 2**22 + 1}, True),  # in a container
        ],
    )
    def test_an_owner_counts_unless_it_is_known_to_be_gone(self, tmp_path, changes, in_the_way):
        self.owner(tmp_path / "run", **changes)
        assert in_use(tmp_path / "run") is in_the_way
        if in_the_way:
            assert "remove " in refusal(held, tmp_path / "run")
            (tmp_path / "run" / ".lock.owner").unlink()
        with hold(tmp_path / "run"):
            assert in_use(tmp_path / "run")

    def test_an_owner_that_cannot_be_read_is_in_the_way_and_the_line_says_what_to_remove(self, tmp_path):
        (tmp_path / ".lock").touch()
        (tmp_path / ".lock.owner").write_text("{")  # its process was killed as it began
        assert in_use(tmp_path)
        assert f"remove {tmp_path / '.lock.owner'}" in refusal(held, tmp_path)

    def test_a_start_that_fails_leaves_no_folder(self, tmp_path):
        with pytest.raises(ValueError), hold(tmp_path / "runs" / "new"):  # noqa: PT011 - raised here
            raise ValueError
        assert list(tmp_path.iterdir()) == []
