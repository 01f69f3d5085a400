import io
from collections.abc import Callable

import pytest

from cli.context import CliContext
from cli.main import main
from tests.cli.streams import Outcome, Terminal

Run = Callable[..., Outcome]


@pytest.fixture
def run() -> Run:
    """Run the program in this process with injected streams, in a pipe unless told that there is a terminal."""

    def run_with(*arguments: str, terminal: bool = False, environment: dict[str, str] | None = None) -> Outcome:
        stdout, stderr = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        given = {"TERM": "xterm-256color", "COLUMNS": "80"} if environment is None else environment
        code = main(arguments, CliContext.from_streams(stdout, stderr, given))
        return Outcome(code, stdout.getvalue(), stderr.getvalue())

    return run_with
