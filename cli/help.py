"""Help pages: the plain layout of typer within 80 columns, with headings and names picked out in a terminal.

The layout comes from typer without its rich boxes, which keeps `up --help` quick and readable in a pipe. Colour is
added to the finished text, and only where the injected console may show it.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

from cli.context import CliContext
from theory.words import docstring_of

_HEADING = re.compile(r"^(Usage|Arguments|Options|Commands):", re.MULTILINE)
_LIST = re.compile(r"^(Arguments|Options|Commands):\n", re.MULTILINE)
_NAME = re.compile(r"^( {2})(\S+(?: \S+)*)(?= {2}|$)", re.MULTILINE)


def group_of_commands(about: str) -> typer.Typer:
    """Return a group that shows its help where none of its commands is named."""
    group = typer.Typer(help=about, rich_markup_mode=None, invoke_without_command=True)
    group.callback()(_show_help)
    return group


def _show_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def paint_help(text: str) -> str:
    r"""Make headings bold and the names of arguments, options and commands cyan.

    >>> paint_help("Options:\n  --seed <int>  The seed.")
    '\x1b[1mOptions:\x1b[0m\n  \x1b[36m--seed <int>\x1b[0m  The seed.'
    """
    first_list = _LIST.search(text)
    prose_end = first_list.start() if first_list else len(text)
    prose, lists = text[:prose_end], text[prose_end:]
    return _HEADING.sub("\x1b[1m\\1:\x1b[0m", prose + _NAME.sub("\\1\x1b[36m\\2\x1b[0m", lists))


class _HelpContext(typer.Context):
    def get_help(self) -> str:
        text = super().get_help()
        injected = self.find_root().obj
        shows_colour = isinstance(injected, CliContext) and injected.stdout.color_system is not None
        return paint_help(text) if shows_colour else text


def use_painted_help(command: Any) -> None:
    """Give a command and its sub-commands help pages in colour, with their text also under `python -OO`."""
    for each in _with_subcommands(command):
        each.context_class = _HelpContext
        if not each.help and each.callback is not None:
            each.help = docstring_of(inspect.unwrap(each.callback))


def _with_subcommands(command: Any) -> Iterator[Any]:
    yield command
    for child in getattr(command, "commands", {}).values():
        yield from _with_subcommands(child)
