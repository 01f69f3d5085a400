"""The program `up`: which commands there are, and the one place where every error becomes an exit code.

Commands live in one file each and hang themselves on the app through `register`; their heavy imports (torch, sympy,
numpy) stay inside their functions, so that `up --help` is quick. `main` does not use typer's own error pages: it
enters and invokes the command itself and turns each kind of failure into one line on stderr and one exit code.
"""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import typer.core

import up
from cli import (
    codes,
    compress,
    data,
    demo,
    doctor,
    evaluate,
    experiment,
    finetune,
    models,
    runs,
    score,
    sources,
    theory,
    train,
)
from cli.context import CliContext, ExitCode
from cli.help import use_painted_help
from cli.output import ReaderGoneError, open_closed_streams, point_at_nothing
from up.errors import InputError, RunError
from up.memory import is_out_of_memory, memory_limit_bytes

_HELP = """Universal pre-training: train a model on random computation, before any data is seen.

Do these three first:

\b
  up demo enrich                           watch noise turn into structure
  up train --preset tiny --out runs/tiny   train on it
  up eval runs/tiny                        predict real text, zero-shot
"""

_ORDER = (
    "demo",
    "train",
    "eval",
    "data",
    "finetune",
    "score",
    "compress",
    "decompress",
    "models",
    "runs",
    "experiment",
    "sources",
    "theory",
    "codes",
    "doctor",
)


class _InOrder(typer.core.TyperGroup):
    """Lists the commands in the order in which a newcomer meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        known = {name: place for place, name in enumerate(_ORDER)}
        return sorted(super().list_commands(ctx), key=lambda name: known.get(name, len(known)))


app = typer.Typer(name="up", cls=_InOrder, help=_HELP, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"up {up.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


_MODULES = (
    demo,
    train,
    evaluate,
    data,
    finetune,
    score,
    compress,
    models,
    runs,
    experiment,
    sources,
    theory,
    codes,
    doctor,
)
for _module in _MODULES:
    _module.register(app)


def main(arguments: Sequence[str] | None = None, context: CliContext | None = None) -> int:
    """Run the program and return its exit code; the entry point of the console script.

    Args:
        arguments: the words after `up`; those of this process by default.
        context: consoles to talk through; those of this process by default.

    """
    if "_UP_COMPLETE" in os.environ:  # the shell asks for completions; typer answers by itself
        app(prog_name="up")
    if context is None:
        open_closed_streams()
        context = CliContext.from_streams()
    code = _run(sys.argv[1:] if arguments is None else list(arguments), context)
    try:
        context.stdout.file.flush()
    except ReaderGoneError:  # what was not read is no concern of the command, which has done its work
        return code
    except OSError as error:
        context.error(f"cannot write to stdout: {error.strerror}")
        return code or ExitCode.FAILED
    return code


def _run(arguments: list[str], context: CliContext) -> int:
    """Run a command; every kind of failure becomes one line on stderr and an exit code."""
    try:
        return _invoke(arguments, context)
    except ReaderGoneError:
        return ExitCode.OK
    except BrokenPipeError:  # of what writes to stdout by itself, such as typer's help pages
        point_at_nothing(sys.stdout)
        return ExitCode.OK
    except InputError as error:
        context.error(str(error))
        return ExitCode.BAD_INPUT
    except RunError as error:
        context.error(str(error))
        return ExitCode.FAILED
    except (KeyboardInterrupt, typer.Abort):
        context.error("interrupted")
        return ExitCode.INTERRUPTED
    except OSError as error:  # a full disk, a folder without permission: not ours, and no traceback would help
        if is_out_of_memory(error):
            return _out_of_memory(context, error)
        context.error(str(error))
        return ExitCode.FAILED
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("", "cli", "up", "theory"):
            return _bug(context)
        context.error(f"cannot import {error.name} ({error}): up doctor tries every package")
        return ExitCode.FAILED
    except Exception as error:
        return _out_of_memory(context, error) if is_out_of_memory(error) else _bug(context)


def _out_of_memory(context: CliContext, error: Exception) -> int:
    """Say that memory ran out, and how much there is."""
    traceback.clear_frames(error.__traceback__)  # what they hold may be all that there is
    limit = memory_limit_bytes()
    room = f", of which this process may use {limit / 2**30:.1f} GiB" if limit else ""
    context.error(f"ran out of memory{room}: ask for less at a time, or give it more")
    return ExitCode.FAILED


def _bug(context: CliContext) -> int:
    """Show what is being handled as what it is; everything else has a line of its own."""
    context.stderr.file.write(traceback.format_exc())
    context.error("this is a bug in up, not a mistake of yours: please report it with the lines above")
    return ExitCode.FAILED


def _invoke(arguments: list[str], context: CliContext) -> int:
    command = typer.main.get_command(app)
    use_painted_help(command)
    try:
        with command.make_context("up", arguments, obj=context) as entered:
            command.invoke(entered)
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as error:
        context.error(f"{_what_was_wrong(error)}: see {_help_page(command, arguments)}")
        return ExitCode.BAD_INPUT
    return ExitCode.OK


def _what_was_wrong(error: typer.TyperException) -> str:
    """Say what typer found wrong with the command line: the problem and the value received."""
    problem = error.format_message()
    possibilities = getattr(error, "possibilities", None)
    details = getattr(error.__cause__, "errors", None)  # pydantic, which typer checks values with
    if possibilities:
        problem = f"{error.message} (did you mean {' or '.join(possibilities)}?)"
    elif details is not None:
        detail = details()[0]
        problem = problem.partition(":")[0]
        expected = detail["msg"].partition(",")[0].removeprefix("Input should be ")
        for long, short in (("greater than or equal to", "at least"), ("less than or equal to", "at most")):
            expected = expected.replace(long, short)
        problem = f"{problem} (received {detail['input']!r}): give {expected}"
    problem = re.sub(r"\. Did you mean (.+)\?$", r" (did you mean \1?)", problem).rstrip(".")
    return problem[:1].lower() + problem[1:]


def _help_page(command: Any, arguments: Sequence[str]) -> str:
    """Return the help page of the command that was meant, such as `up demo enrich --help`."""
    path = ["up"]
    for word in arguments:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        path.append(word)
    return f"{' '.join(path)} --help"


if __name__ == "__main__":
    sys.exit(main())
