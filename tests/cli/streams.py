"""What the tests of the terminal program share: a fake terminal, the outcome of a run, and all commands."""

import dataclasses
import io
from collections.abc import Sequence
from typing import Any


class Terminal(io.StringIO):
    """A text buffer that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@dataclasses.dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str


def leaf_commands(command: Any, path: Sequence[str] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """All commands below `command` that do something, with the words that lead to them."""
    children = getattr(command, "commands", None)
    if children is None:
        return [(tuple(path), command)]
    return [leaf for name, child in children.items() for leaf in leaf_commands(child, (*path, name))]


def assert_refused(outcome: Outcome, *said: str) -> None:
    """Assert that input was refused: exit 2, nothing on stdout, one line on stderr that says all of `said`."""
    assert outcome.code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("up: ")
    assert outcome.stderr.count("\n") == 1
    for each in said:
        assert each in outcome.stderr


def commands_that_run(command: Any, path: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The words of all commands at or below `command`, those of groups that do something by themselves among them."""
    children = getattr(command, "commands", None)
    if children is None:
        return [tuple(path)]
    below = [words for name, child in children.items() for words in commands_that_run(child, (*path, name))]
    return [*([tuple(path)] if command.invoke_without_command else []), *below]
