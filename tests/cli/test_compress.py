"""`up compress` and `up decompress`: what they say, their JSON, pipes, and what is refused."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.byte_progress import ByteLines
from cli.context import CliContext
from cli.main import main
from tests.cli.forked import quick_predictor
from tests.cli.streams import Outcome, Terminal, assert_refused
from up.use import predictor

PROSE = b"the cat sat on the mat; the mat sat on the cat. " * 20
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Files to compress, and a predictor that takes moments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predictor, "load_predictor", lambda _name: quick_predictor())
    Path("prose").write_bytes(PROSE)
    Path("more").write_bytes(PROSE[:100])


def piped(data: bytes, *words: str) -> tuple[Outcome, bytes]:
    """The outcome of a command that is given bytes, and the bytes that it gave."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    code = main(words, CliContext.from_streams(stdout, stderr, {}, io.BytesIO(data)))
    assert isinstance(stdout.buffer, io.BytesIO)
    return Outcome(code, "", stderr.getvalue()), stdout.buffer.getvalue()


def test_files_come_back_and_each_is_told_of_in_a_line(run):
    outcome = run("compress", "prose", "more")
    assert outcome.code == 0, outcome.stderr
    sizes = [os.path.getsize(f"{name}.up") for name in ("prose", "more")]
    bits = [8 * size / length for size, length in zip(sizes, (len(PROSE), 100), strict=True)]
    expected = rf"prose\.up: 960 bytes in {sizes[0]}, {bits[0]:.3f} bits per byte, \d+\.\d s\nmore\.up: 100 bytes .*\n"
    assert re.fullmatch(expected, outcome.stdout)
    assert sorted(os.listdir()) == ["more.up", "prose.up"]
    assert run("decompress", "prose.up", "more.up").stdout.startswith("prose: 960 bytes in")
    assert Path("prose").read_bytes() == PROSE
    assert sorted(os.listdir()) == ["more", "prose"]


def test_json_has_path_output_sizes_bits_and_seconds_of_each_file_and_nothing_else(run):
    outcome = run("compress", "prose", "--keep", "--json", "-q")
    assert outcome.stderr == ""
    told = json.loads(outcome.stdout)
    seconds = told["files"][0].pop("seconds")
    assert seconds > 0
    size = os.path.getsize("prose.up")
    expected = {"path": "prose", "output": "prose.up", "bytes": 960, "compressed_bytes": size}
    assert told == {"command": "compress", "files": [{**expected, "bits_per_byte": 8 * size / 960}]}
    told = json.loads(run("decompress", "prose.up", "-o", "back", "--json", "-q").stdout)
    assert told["command"] == "decompress"
    assert {**told["files"][0], "seconds": 0} == {
        "path": "prose.up",
        "output": "back",
        "bytes": 960,
        "compressed_bytes": size,
        "bits_per_byte": 8 * size / 960,
        "seconds": 0,
    }


def test_from_pipe_to_pipe_only_the_bytes_go_to_stdout(run):
    outcome, packed = piped(PROSE, "compress", "-")
    assert outcome.code == 0
    assert "standard output: 960 bytes in" in outcome.stderr
    outcome, back = piped(packed, "decompress", "-", "-q")
    assert (outcome.code, outcome.stderr, back) == (0, "", PROSE)
    assert piped(PROSE, "compress", "-", "--no-verify", "-q")[1] == packed
    run("compress", "prose", "--keep", "-q")
    assert Path("prose.up").read_bytes() == packed
    assert piped(b"", "decompress", "prose.up", "-o", "-", "-q")[1] == PROSE


def test_a_damaged_file_gives_one_line_and_no_byte(run):
    _, packed = piped(PROSE, "compress", "-")
    outcome, back = piped(packed[:-1], "decompress", "-")
    assert (outcome.code, back) == (2, b"")
    assert "cannot decompress standard input: the file is cut off" in outcome.stderr
    Path("prose.up").write_bytes(packed + b"!")
    assert_refused(run("decompress", "prose.up", "-o", "back"), "something stands after the end of the file")
    assert not Path("back").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("compress", "missing argument 'FILE"),
        ("compress missing", "there is no such file (received 'missing')"),
        ("compress .", "this is a folder and no file (received '.')"),
        ("compress prose missing", "there is no such file (received 'missing')"),
        ("compress /dev/full", "this is a device and no file"),
        ("compress prose more -o both", "one output for several files"),
        ("compress prose -o more", "the output exists already (received 'more')"),
        ("compress prose -o missing/prose.up", "the output has no folder to go to"),
        ("compress prose -o - --json", "the JSON and the file would both go to stdout"),
        ("decompress prose", "does not end in .up"),
        ("decompress prose -o back", "cannot decompress prose: this is no .up file"),
        ("compress - -", "a file is named twice"),
    ],
)
def test_what_is_refused_is_one_line_and_leaves_all_files(run, words, said):
    assert_refused(run(*words.split(), "-q"), said)
    assert sorted(os.listdir()) == ["more", "prose"]


def test_an_empty_path_is_refused_and_so_is_an_empty_name(run):
    assert_refused(run("compress", ""), "the path is empty")
    assert_refused(run("compress", "prose", "--output", ""), "the path is empty")
    assert_refused(run("compress", "prose", "--model", ""), "the name is empty")


def test_a_terminal_gets_no_compressed_bytes(run):
    assert "nothing to look at in a terminal" in run("compress", "prose", "-o", "-", terminal=True).stderr


@pytest.mark.parametrize("command", ["compress prose", "decompress prose.up"])
def test_a_full_disk_is_one_line_and_exit_1(run, command):
    run("compress", "prose", "--keep", "-q")
    outcome = run(*command.split(), "-o", "/dev/full")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "cannot write /dev/full (No space left on device)" in outcome.stderr


def test_another_kind_of_model_is_refused_with_a_remedy(run, monkeypatch):
    monkeypatch.undo()  # the true one
    path = str(ROOT / "README.md")
    assert_refused(run("compress", path, "--keep", "-o", os.devnull, "--model", "builtin:tiny"), "builtin:mixing")
    assert_refused(run("compress", path, "--keep", "-o", os.devnull, "--model", "no/run"), "there is no run here")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told_by_lines(*steps: tuple[float, int, int | None]) -> list[str]:
    stderr, clock = io.StringIO(), Clock()
    lines = ByteLines(CliContext.from_streams(io.StringIO(), stderr, {}), "compressing it", clock)
    for clock.now, done, total in steps:
        lines(done, total)
    return stderr.getvalue().splitlines()


def test_the_time_left_is_told_after_the_first_second_and_then_every_ten():
    steps = [(second / 2, 500 * second, 1_000 * 60) for second in range(1, 61)]
    assert told_by_lines(*steps) == [
        "up: compressing it: 1 %, 59 s left",
        "up: compressing it: 18 %, 49 s left",
        "up: compressing it: 35 %, 39 s left",
    ]


def test_loading_says_nothing_of_the_speed_and_a_pipe_has_no_time_left():
    assert told_by_lines((30, 100, 1_000), (31, 200, 1_000)) == ["up: compressing it: 20 %, 8 s left"]
    assert told_by_lines((0, 1, None), (2, 2_000, None)) == ["up: compressing it: 2,000 bytes so far"]


def test_a_terminal_has_a_bar_with_the_time_left(monkeypatch):
    from rich.progress import Progress

    kinds = []
    monkeypatch.setattr(
        Progress, "update", lambda self, _task, **_: kinds.append([type(c).__name__ for c in self.columns])
    )
    stderr = Terminal()
    assert main(["compress", "prose"], CliContext.from_streams(io.StringIO(), stderr, {"TERM": "xterm-256color"})) == 0
    assert "TimeRemainingColumn" in kinds[0]
    assert "compressing prose" in stderr.getvalue()


PROGRAM = """
import sys
from cli.main import main
from tests.cli.forked import quick_predictor
from up.use import predictor
predictor.load_predictor = lambda _name: quick_predictor()
sys.exit(main(sys.argv[1:]))
"""


def begun(*words: str, **streams: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=environment, **streams)


def test_ctrl_c_is_exit_130_and_no_partial_file():
    Path("prose").write_bytes(PROSE * 2_000)
    process = begun("compress", "prose", stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"up: compressing prose: ")
    assert any(name.endswith(".partial") for name in os.listdir())
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130
    assert said.splitlines()[-1] == b"up: interrupted"
    assert sorted(os.listdir()) == ["more", "prose"]


def test_a_reader_that_leaves_is_nobodys_mistake():
    process = begun("compress", "prose", "-o", "-", "-q", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_a_full_disk_behind_stdout_is_one_line():
    with open("/dev/full", "wb") as full:
        process = begun("compress", "prose", "-o", "-", "-q", stdout=full.fileno(), stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stderr.read() == b"up: cannot write standard output (No space left on device): make room first\n"
    process.stderr.close()
    assert process.wait() == 1


def test_a_name_that_would_steer_the_terminal_is_shown_and_not_obeyed(run):
    Path("\x1b[31m").write_bytes(b"text")
    assert run("compress", "\x1b[31m").stdout.startswith("\\x1b[31m.up: ")
