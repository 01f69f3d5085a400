"""What a command is given to talk with: two consoles, standard input, the output mode and the exit codes.

Nothing in `cli/` opens a stream or reads the environment by itself: `main` builds one `CliContext` from the real
streams and a test builds one from string buffers. Data goes to stdout; progress, notes, warnings and errors go to
stderr. Colour and animation need a terminal that can show them and a user who has not set `NO_COLOR`.
"""

import contextlib
import dataclasses
import enum
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Any, BinaryIO, TextIO, cast

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from cli.output import Output
from theory.words import visible

PIPE_WIDTH = 80
"""Columns of output that goes to no terminal, unless COLUMNS says otherwise."""

# C0 without the line break, C1, and what turns the direction of text: a name may hold any of them.
_STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout and nothing else.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]


class ExitCode(enum.IntEnum):
    """How the program ends."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    INTERRUPTED = 130


@dataclasses.dataclass(frozen=True, kw_only=True)
class CliContext:
    """The consoles and the output mode of one invocation.

    Attributes:
        stdout: console for data; it has a colour system only where colour is allowed.
        stderr: console for progress, notes, warnings and errors.
        stdin: bytes to read where a command is told to; None where the process has no such stream.
        json_output: print one JSON object instead of text.
        quiet: no progress and no notes; warnings and errors still appear.

    """

    stdout: Console
    stderr: Console
    stdin: BinaryIO | None = None
    json_output: bool = False
    quiet: bool = False

    @classmethod
    def from_streams(
        cls,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: BinaryIO | None = None,
    ) -> "CliContext":
        """Build the context of a process; streams and environment default to this process's own."""
        environment = os.environ if environment is None else environment
        return cls(
            stdout=_console(sys.stdout if stdout is None else stdout, environment, is_result=True),
            stderr=_console(sys.stderr if stderr is None else stderr, environment, is_result=False),
            stdin=getattr(sys.stdin, "buffer", None) if stdin is None else stdin,
        )

    @classmethod
    def of(cls, context: typer.Context, *, json_output: bool = False, quiet: bool = False) -> "CliContext":
        """Return the context that `main` injected, with a command's own output mode; a fresh one outside `main`."""
        injected = context.obj if isinstance(context.obj, cls) else cls.from_streams()
        return dataclasses.replace(injected, json_output=json_output, quiet=quiet)

    @property
    def can_animate(self) -> bool:
        """Whether stdout may show movement: a terminal that may show colour (see `_console`), and no JSON."""
        return self.stdout.color_system is not None and not self.json_output

    @property
    def binary_stdout(self) -> "BinaryStdout":
        """Stdout as what takes bytes."""
        return BinaryStdout(self.stdout)

    def emit_json(self, value: Any) -> None:
        """Write one JSON object to stdout; call it once, and print nothing else there.

        Dataclasses become objects, tuples become lists, enums their values, fractions strings p/q, of any number of
        digits. The text is ASCII, so that it survives any locale.

        Raises:
            ValueError: a number that is not finite, which JSON cannot carry.

        """
        with _long_integers():
            plain = _plain(value)
            assert isinstance(plain, dict), "a command's JSON is an object, so that fields can be added later"
            text = json.dumps(plain, allow_nan=False)
        self.stdout.file.write(text + "\n")
        self.stdout.file.flush()

    def note(self, text: str) -> None:
        """Say something useful on stderr; `--quiet` silences it. Quoted input is shown, not obeyed."""
        if not self.quiet:
            self.stderr.print(f"up: {visible(text)}", style="dim", soft_wrap=True)

    def warn(self, text: str) -> None:
        """Say on stderr that something may not be what the user expects; `--quiet` does not silence it."""
        self.stderr.print(f"up: warning: {visible(text)}", style="yellow", soft_wrap=True)

    def error(self, text: str) -> None:
        """Say in one line on stderr what failed; control characters of quoted input are shown, not obeyed."""
        self.stderr.print(f"up: {visible(' '.join(text.split()))}", style="red", soft_wrap=True)

    @contextlib.contextmanager
    def status(self, text: str) -> Iterator[None]:
        """Show a spinner on stderr while something takes a moment; nothing in a pipe or under `--quiet`."""
        if self.quiet or self.stderr.color_system is None:
            yield
        else:
            with self.stderr.status(text, spinner="dots"):
                yield

    @contextlib.contextmanager
    def progress(self, text: str) -> Iterator[Callable[[int, int | None], None]]:
        """Give a function to call with (done, total): a bar on stderr in a terminal, a line per quarter in a pipe.

        While the total is not known, it is None: the bar moves to and fro, and nothing is said in a pipe.
        """
        if self.quiet:
            yield lambda _done, _total: None
        elif self.stderr.color_system is not None:
            from rich.progress import Progress

            with Progress(console=self.stderr, transient=True) as bar:
                task = bar.add_task(text, total=None)
                yield lambda done, total: bar.update(task, completed=done, total=total)
        else:
            yield _QuarterLines(self, text)


class ShowingConsole(Console):
    """A console that shows what would steer the terminal, such as an escape in the name of a file, and never sends it.

    What it sends of its own, colours and movements of the cursor, are no text of a segment. A cell of a table is as
    wide as what it was given to hold, so that the end of such a name may be cut off there.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, in the text of which everything can be read."""
        for text, style, control in super().render(renderable, options):
            shown = text if control else _STEERING.sub(lambda found: visible(found[0]), text)
            yield Segment(shown, style, control)


class BinaryStdout:
    """Takes bytes for stdout."""

    def __init__(self, stdout: Console) -> None:
        self._stdout = stdout

    def write(self, part: bytes, /) -> int:
        """Write them; see `cli.output.Output` for what becomes of a reader that has left or a full disk."""
        return cast(Output, self._stdout.file).write_bytes(part)


class _QuarterLines:
    """Notes progress at every quarter of the way."""

    def __init__(self, context: CliContext, text: str) -> None:
        self._context, self._text, self._quarters = context, text, 0

    def __call__(self, done: int, total: int | None) -> None:
        if total is None:
            return
        quarters = 4 * done // total
        if quarters > self._quarters:
            self._quarters = quarters
            self._context.note(f"{self._text}: {done:,} of {total:,}")


def _console(stream: TextIO, environment: Mapping[str, str], *, is_result: bool) -> Console:
    """Make a console that writes plain text of a fixed width unless `stream` is a terminal that can do more."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a bar or a block in a Latin-1 locale must not end the program
    output = Output(stream, is_result=is_result)
    is_terminal = output.isatty()
    colour = is_terminal and not environment.get("NO_COLOR") and environment.get("TERM") not in ("dumb", "unknown")
    columns = environment.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) > 0 else None if is_terminal else PIPE_WIDTH
    return ShowingConsole(
        file=cast(TextIO, output),
        force_terminal=is_terminal,
        color_system="auto" if colour else None,
        no_color=not colour,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        _environ=environment,
    )


def _plain(value: Any) -> Any:
    """Turn dataclasses, enums, fractions, paths and tuples into what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return value


@contextlib.contextmanager
def _long_integers() -> Iterator[None]:
    """Let integers of any length become text: exact results have thousands of digits, and Python refuses them.

    Only what is written: the limit stays where text is read, such as options and certificates.
    """
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)
