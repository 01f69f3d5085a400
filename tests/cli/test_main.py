import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import up
from cli import main as main_module
from cli.context import CliContext, ExitCode
from cli.help import paint_help
from tests.cli.streams import assert_refused, leaf_commands
from up.errors import InputError, RunError

ROOT = Path(__file__).parents[2]
COMMAND = typer.main.get_command(main_module.app)
LEAVES = leaf_commands(COMMAND)
PAGES = [(), ("demo",), *(path for path, _ in LEAVES)]
HEAVY = ("torch", "sympy", "numpy")


def options_with_a_number():
    for path, command in LEAVES:
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.type_descriptor.annotation in (int, float):
                yield pytest.param(path, parameter.opts[0], id=f"{' '.join(path)} {parameter.opts[0]}")


def options(leaf):
    return [word for parameter in leaf.params for word in (*parameter.opts, *parameter.secondary_opts)]


def process(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("path", PAGES, ids=" ".join)
def test_every_command_has_a_help_page_within_80_columns_and_without_colour_in_a_pipe(path, capsys, monkeypatch, run):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(*path, "--help").code == ExitCode.OK
    page = capsys.readouterr().out
    assert page.startswith(f"Usage: {' '.join(('up', *path))}")
    assert max(map(len, page.splitlines())) <= 80
    assert "\x1b" not in page


@pytest.mark.parametrize(("path", "leaf"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_every_command_that_prints_data_has_json_and_quiet(path, leaf):
    assert {"--json", "--quiet"} <= set(options(leaf)), path


def test_bare_up_and_a_bare_group_print_their_help_and_succeed(run, capsys):
    assert run().code == ExitCode.OK
    page = capsys.readouterr().out
    places = [page.index(line) for line in ("up demo enrich ", "up train --preset tiny ", "up eval runs/tiny ")]
    assert places == sorted(places)
    assert run("demo").code == ExitCode.OK
    assert "enrich" in capsys.readouterr().out


def test_help_in_a_terminal_is_the_same_text_in_colour(capsys, run):
    run("demo", "--help")
    plain = capsys.readouterr().out
    painted = paint_help(plain)
    assert painted.startswith("\x1b[1mUsage:\x1b[0m")
    assert "\n  \x1b[36menrich\x1b[0m  Watch" in painted
    assert "\n  Small experiments" in painted
    assert re.sub(r"\x1b\[\d*m", "", painted) == plain


@pytest.mark.parametrize(("path", "option"), list(options_with_a_number()))
def test_a_number_that_is_none_is_refused_in_one_line(path, option, run):
    outcome = run(*path, option, "seven")
    assert_refused(outcome, option, "'seven'", f"up {' '.join(path)} --help")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("bogus", ("no such command 'bogus'", "see up --help")),
        ("dem", ("'dem'", "did you mean 'demo'?")),
        ("demo enrch", ("did you mean 'enrich'?", "see up demo --help")),
        ("demo enrich --widht 3", ("no such option: --widht (did you mean --width?)", "see up demo enrich --help")),
        ("demo enrich --depth", ("'--depth' requires an argument", "see up demo enrich --help")),
        ("demo enrich extra", ("extra", "see up demo enrich --help")),
        ("demo enrich --json=1", ("'--json' does not take a value",)),
        ("eval", ("missing argument 'RUN'", "see up eval --help")),
        ("--bogus", ("no such option: --bogus", "see up --help")),
        ("demo enrich --depth -1", ("depth", "-1")),
        ("demo enrich --depth 1000000", ("depth", "1000000")),
        ("demo enrich --source rnn", ("unknown source", "rnn")),
        ("demo enrich --length 8", ("length", "8")),
        ("demo enrich --length 99999999999", ("length", "99999999999")),
        ("demo enrich --width 3", ("width", "3")),
        ("demo enrich --width 99999999", ("width", "99999999")),
        ("demo enrich --seed -1", ("seed", "-1")),
        ("demo enrich --temperature 0", ("temperature must be positive", "0")),
        ("demo enrich --temperature inf", ("temperature must be finite", "inf")),
        ("demo enrich --temperature nan", ("temperature must be finite", "nan")),
        ("demo enrich --temperature nan", ("temperature", "nan")),
    ],
)
def test_bad_input_is_one_line_on_stderr_that_names_it_and_exit_2(arguments, said, run):
    assert_refused(run(*arguments.split()), *said)


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (InputError("bad", received=3, remedy="give 4"), 2, "up: bad (received 3): give 4"),
        (RunError("the loss is not finite: lower the rate"), 1, "up: the loss is not finite: lower the rate"),
        (PermissionError(13, "Permission denied", "runs"), 1, "up: [Errno 13] Permission denied: 'runs'"),
        (KeyboardInterrupt(), 130, "up: interrupted"),
        (
            ImportError("libtorch.so: cannot open shared object file", name="torch._C"),
            1,
            "up: cannot import torch._C (libtorch.so: cannot open shared object file): up doctor tries every package",
        ),
    ],
)
def test_failures_become_one_line_and_an_exit_code(raised, code, line, run, monkeypatch):
    monkeypatch.setattr("cli.doctor.examine", raiser(raised))
    outcome = run("doctor")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (code, "", f"{line}\n")


TRIED = "you tried to allocate 8796093022208 bytes. Error code 12 (Cannot allocate memory)"


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        MemoryError("Unable to allocate 8.00 TiB for an array with shape (1099511627776,) and data type float64"),
        RuntimeError(
            f"[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: {TRIED}"
        ),
        RuntimeError("[enforce fail at alloc_cpu.cpp:83] data. DefaultCPUAllocator: not enough memory: you tried ..."),
        RuntimeError("MPS backend out of memory (MPS allocated: 18.13 GB)"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("unable to mmap 123 bytes from file </x>: Cannot allocate memory (12)"),
    ],
)
def test_memory_that_runs_out_is_one_line_with_what_there_is(raised, run, monkeypatch):
    monkeypatch.setattr("cli.doctor.examine", raiser(raised))
    monkeypatch.setattr("cli.main.memory_limit_bytes", lambda: 3 << 29)
    outcome = run("doctor")
    line = "up: ran out of memory, of which this process may use 1.5 GiB: ask for less at a time, or give it more\n"
    assert (outcome.code, outcome.stdout, outcome.stderr) == (1, "", line)


@pytest.mark.parametrize(
    "raised",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        ImportError("cannot import name 'nothing' from 'up.config'", name="up.config"),
        ImportError("bad magic number"),
    ],
)
def test_what_is_neither_a_lack_of_memory_nor_a_package_of_others_stays_a_bug(raised, run, monkeypatch):
    monkeypatch.setattr("cli.doctor.examine", raiser(raised))
    outcome = run("doctor")
    assert outcome.code == 1
    assert "Traceback" in outcome.stderr
    assert "a bug in up" in outcome.stderr


def test_a_bug_shows_its_traceback_and_is_called_a_bug(run, monkeypatch):
    monkeypatch.setattr("cli.doctor.examine", raiser(ZeroDivisionError("planted")))
    outcome = run("doctor", "--json")
    assert outcome.code == ExitCode.FAILED
    assert outcome.stdout == ""
    assert "ZeroDivisionError: planted" in outcome.stderr
    assert outcome.stderr.splitlines()[-1].startswith("up: this is a bug in up")


def raiser(error):
    def fail(*_):
        raise error

    return fail


def test_a_reader_that_leaves_is_no_failure():
    class ClosedPipe(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    for arguments in (["doctor"], ["doctor", "--json"]):
        stderr = io.StringIO()
        assert main_module.main(arguments, CliContext.from_streams(ClosedPipe(), stderr, {})) == ExitCode.OK
        assert stderr.getvalue() == ""


def test_a_real_closed_pipe_leaves_no_traceback():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "cli.main", "--help"],
            cwd=ROOT,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_version(run, capsys):
    assert run("--version").code == ExitCode.OK
    assert capsys.readouterr().out == f"up {up.__version__}\n"


def heavy_modules_after_help(folder: Path) -> set[str]:
    """Return the heavy libraries that a fresh process has imported once `up --help` is printed."""
    script = "import sys; from cli.main import main; main(['--help']); print(*sys.modules, sep='\\n')"
    ended = process("-c", script, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return set(HEAVY) & set(ended.stdout.splitlines())


def test_help_imports_no_heavy_library():
    assert heavy_modules_after_help(ROOT) == set()


@pytest.mark.parametrize("module", ["doctor.py", "render/enrichment.py"])
def test_a_planted_heavy_import_is_caught(module, tmp_path):
    for package in ("cli", "up", "theory"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "cli" / module
    planted.write_text(planted.read_text().replace("\nimport ", "\nimport numpy\nimport ", 1))
    assert heavy_modules_after_help(tmp_path) == {"numpy"}


def test_the_shell_can_complete_commands_and_options():
    words = {"up demo ": "enrich", "up demo enrich --dep": "--depth"}
    for line, completion in words.items():
        position = str(len(line.split(" ")) - 1)
        ended = process("-m", "cli.main", _UP_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=position)
        assert completion in ended.stdout.split()


def test_the_completion_script_calls_up():
    ended = process("-m", "cli.main", _UP_COMPLETE="source_bash")
    assert ended.returncode == 0
    assert "_UP_COMPLETE=complete_bash" in ended.stdout
    assert ended.stdout.rstrip().endswith(" up")


def test_streams_of_a_real_process_are_kept_apart():
    ended = process("-m", "cli.main", "demo", "enrich", "--depth", "x", GITHUB_ACTIONS="true", FORCE_COLOR="1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "\x1b" not in ended.stderr


PAGES_IN_ONE = """
import contextlib, io, sys
from cli.main import main
for words in sys.argv[1:]:
    main([*words.split(), "--help"])
    print("=" * 8)
"""


def test_help_says_the_same_where_python_leaves_docstrings_out():
    pages = [" ".join(path) for path in [*PAGES, ("runs",), ("sources",), ("theory",)]]
    usual, stripped = (process(*flags, "-c", PAGES_IN_ONE, *pages, COLUMNS="80").stdout for flags in ((), ("-OO",)))
    assert usual.count("=" * 8) == len(pages)
    assert stripped == usual
