"""Standard streams that are closed, full or without a reader, as a shell hands them to a process.

None may print a traceback, and none may fail because nobody listens.
"""

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.output import Output, ReaderGoneError
from tests.cli.training_runs import drop_checkpoints
from up.runs.folder import open_run

ROOT = Path(__file__).parents[2]
# In processes of their own from the start; `test_every_command.py` does all of them in forks of one.
ARGUMENTS = {"theory verify": "no-such-file", "theory universal": "--time 8 --max-length 1"}
FAST = ("theory list", "theory check-domination", "theory verify", "theory universal", "doctor")
STREAMS = {
    "no stdout": ">&-",
    "no stderr": "2>&-",
    "no streams at all": "<&- >&- 2>&-",
    "a full disk behind stderr": "2>/dev/full",
    "no reader": "| true",
    "no reader of both": "2>&1 | true",
}


def shell(command: str, streams: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in a shell with its streams as they are wanted; the exit code is that of the program."""
    words = f"{command} {ARGUMENTS.get(command, '')}"
    script = f"set -o pipefail; {sys.executable} -m cli.main {words} {streams}"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("command", FAST)
def test_a_quick_command_does_not_fail_because_nobody_listens(command):
    listening = shell(command, "")
    for streams in STREAMS:
        deaf = shell(command, STREAMS[streams])
        assert b"Traceback" not in deaf.stderr + deaf.stdout, streams
        assert b"bug in up" not in deaf.stderr + deaf.stdout, streams
        assert deaf.returncode == listening.returncode, (streams, deaf.stderr)


@pytest.mark.parametrize("words", ["--help", "--version", "train --help", ""])
@pytest.mark.parametrize("streams", STREAMS)
def test_neither_help_nor_version_fails(words, streams):
    ended = shell(words, STREAMS[streams])
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == 0


@pytest.mark.parametrize("streams", ["2>&1 | head -2", "2>/dev/full", ">&- 2>&-", "2>&-"])
def test_a_training_run_whose_reader_is_gone_goes_on_to_its_end(arguments, tmp_path, streams):
    """Exit code 0 means complete; once it was 0 with no checkpoint, although the run had come to its end."""
    words = " ".join(f"'{word}'" for word in arguments(tmp_path / "run", **{"training.checkpoint_every": "48"}))
    ended = shell(words, streams)
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == 0, ended.stderr
    assert open_run(tmp_path / "run").instances_saved() == 48


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_what_batch_systems_send_before_they_kill_is_a_wish_to_stop(name):
    from cli.run_view import StopSignals

    heard = []
    signals = StopSignals(lambda: heard.append(name))
    with signals:
        assert not signals()
        signal.raise_signal(getattr(signal, name))
        assert signals()
        signal.raise_signal(signal.SIGTERM)  # the next one of the same batch system
        assert heard == [name]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_that_nohup_ignores_stays_ignored():
    from cli.run_view import StopSignals

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signals = StopSignals(lambda: None)
        with signals:
            signal.raise_signal(signal.SIGHUP)
            assert not signals()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_ends_also_where_nobody_hears_of_it(copied):
    drop_checkpoints(copied)

    class Closed(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    from cli.context import CliContext
    from cli.main import main

    context = CliContext.from_streams(Closed(), Closed(), {})
    assert main(["train", "--resume", "--out", str(copied), "--device", "cpu"], context) == 0
    assert open_run(copied).instances_saved() == 48


class Broken(io.StringIO):
    """A stream that fails with an error of the system."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def write(self, _text: str) -> int:
        raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EPIPE])
def test_what_is_told_is_dropped_and_a_result_is_not(code):
    told = Output(Broken(code), is_result=False)
    assert told.write("abc") == 3
    told.flush()
    result = Output(Broken(code), is_result=True)
    with pytest.raises(ReaderGoneError if code == errno.EPIPE else OSError):
        result.write("abc")
    assert result.write("more") == 4  # it was told once


def test_a_closed_stream_is_no_terminal_and_drops_what_is_written():
    stream = io.StringIO()
    stream.close()
    output = Output(stream, is_result=False)
    assert not output.isatty()
    assert output.write("abc") == 3
