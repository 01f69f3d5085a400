import dataclasses
import enum
import io
import json
import math
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from cli.context import CliContext
from tests.cli.streams import Terminal


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    path: Path
    colours: tuple[Colour, ...]


def context(*, terminal: bool = False, quiet: bool = False, **environment: str) -> CliContext:
    streams = [Terminal() if terminal else io.StringIO() for _ in range(2)]
    return dataclasses.replace(CliContext.from_streams(*streams, environment), quiet=quiet)


def written(console) -> str:
    return console.file.getvalue()


def test_json_is_one_object_on_one_line_with_plain_values():
    cli = context()
    cli.emit_json({"point": Point(1, Path("a"), (Colour.RED,)), "text": "é\n\x00"})
    assert written(cli.stdout).count("\n") == 1
    assert json.loads(written(cli.stdout)) == {
        "point": {"x": 1, "path": "a", "colours": ["red"]},
        "text": "é\n\x00",
    }
    assert written(cli.stdout).isascii()
    assert written(cli.stderr) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_refuses_numbers_that_json_does_not_have(value):
    cli = context()
    with pytest.raises(ValueError, match="JSON"):
        cli.emit_json({"bits": value})
    assert written(cli.stdout) == ""


def test_a_terminal_gets_colour_and_may_animate():
    cli = context(terminal=True, TERM="xterm-256color")
    cli.stdout.print("x", style="red")
    assert "\x1b[" in written(cli.stdout)
    assert cli.can_animate
    assert not dataclasses.replace(cli, json_output=True).can_animate


@pytest.mark.parametrize(
    ("terminal", "environment"),
    [
        (False, {"TERM": "xterm-256color"}),
        (False, {"TERM": "xterm-256color", "FORCE_COLOR": "1"}),
        (True, {"TERM": "xterm-256color", "NO_COLOR": "1"}),
        (True, {"TERM": "dumb"}),
    ],
)
def test_no_colour_and_no_animation_in_a_pipe_or_when_unwanted(terminal, environment):
    cli = context(terminal=terminal, **environment)
    cli.stdout.print("x", style="bold red")
    cli.error("bad")
    assert "\x1b" not in written(cli.stdout) + written(cli.stderr)
    assert not cli.can_animate


@pytest.mark.parametrize(("environment", "width"), [({}, 80), ({"COLUMNS": "120"}, 120), ({"COLUMNS": "wide"}, 80)])
def test_a_pipe_is_80_columns_wide_unless_columns_says_otherwise(environment, width):
    assert context(**environment).stdout.width == width


def test_quiet_silences_notes_and_progress_but_neither_warnings_nor_errors():
    cli = context(quiet=True)
    cli.note("note")
    with cli.status("status"), cli.progress("progress") as progress:
        progress(1, 1)
    assert written(cli.stderr) == ""
    cli.warn("careful")
    cli.error("failed")
    assert written(cli.stderr) == "up: warning: careful\nup: failed\n"


def test_progress_in_a_pipe_is_one_plain_line_for_each_quarter():
    cli = context()
    with cli.progress("slices") as progress:
        for done in range(1, 1001):
            progress(done, 1000)
    assert written(cli.stderr).splitlines() == [
        f"up: slices: {done} of 1,000" for done in ("250", "500", "750", "1,000")
    ]
    assert written(cli.stdout) == ""


def test_progress_towards_an_end_that_is_not_known_says_nothing_in_a_pipe_and_moves_a_bar_in_a_terminal():
    piped, shown = context(), context(terminal=True, TERM="xterm-256color", COLUMNS="80")
    for cli in (piped, shown):
        with cli.progress("slices") as progress:
            progress(10, None)
    assert written(piped.stderr) == ""
    assert "slices" in written(shown.stderr)


def test_an_error_is_one_line_whatever_it_quotes():
    cli = context()
    cli.error("bad value\n  'a" + "b" * 300 + "\x1b[31m'")
    assert written(cli.stderr).count("\n") == 1
    assert "\x1b" not in written(cli.stderr)
    assert r"\x1b[31m" in written(cli.stderr)


def test_characters_that_the_locale_lacks_do_not_end_the_program():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    cli = CliContext.from_streams(stream, io.StringIO(), {})
    cli.stdout.print("▁█")
    stream.flush()
    assert raw.getvalue() == b"??\n"


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x9b31m", "\u202egnp.exe"])
def test_a_name_in_a_table_steers_no_terminal(evil):
    table = Table.grid()
    table.add_row(Text(evil), evil)
    for cli in (context(), context(terminal=True, TERM="xterm-256color")):
        cli.stdout.print(table)
        cli.stdout.print(Text(f"a\n{evil}", style="red"), evil)
        assert evil not in written(cli.stdout)
        assert evil[0] not in written(cli.stdout).replace("\x1b[31m", "").replace("\x1b[0m", "")
        assert written(cli.stdout).count(evil.encode("unicode_escape").decode()) >= 2


def test_colours_and_the_cursor_of_the_house_are_still_sent():
    cli = context(terminal=True, TERM="xterm-256color")
    with cli.status("measuring"):
        pass
    cli.stdout.print("x", style="red")
    assert "\x1b[31mx\x1b[0m" in written(cli.stdout)
    assert "\x1b[?25l" in written(cli.stderr)
    assert "\x1b[?25h" in written(cli.stderr)
