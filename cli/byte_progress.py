"""How far a file has been worked through and how long it will take, on stderr: a bar in a terminal, lines in a pipe.

Limits: the time left is what is left at the speed so far; of a pipe, whose length is unknown, there is none.
"""

import contextlib
import time
from collections.abc import Callable, Iterator

from cli.context import CliContext
from cli.render.training import duration
from theory.words import number_of

FIRST_LINE_SECONDS, LINE_SECONDS = 1.0, 10.0


@contextlib.contextmanager
def byte_progress(cli: CliContext, text: str) -> Iterator[Callable[[int, int | None], None]]:
    """Give a function to call with the bytes done and, if they are known, those in all; silent under `--quiet`."""
    if cli.quiet:
        yield lambda _done, _total: None
    elif cli.stderr.color_system is not None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=cli.stderr, transient=True) as bar:
            task = bar.add_task(text, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield ByteLines(cli, text)


class ByteLines:
    """A line after the first second, and then every ten."""

    def __init__(self, cli: CliContext, text: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._cli, self._text, self._clock = cli, text, clock
        self._begun: tuple[float, int] | None = None
        self._due = clock() + FIRST_LINE_SECONDS

    def __call__(self, done: int, total: int | None) -> None:
        """Say how far things are, if it is time for a line."""
        now = self._clock()
        if self._begun is None:  # what came before, such as loading a model, says nothing of the speed
            self._begun = now, done
        elif now >= self._due:
            self._due = now + LINE_SECONDS
            self._cli.note(f"{self._text}: {self._state(now, done, total)}")

    def _state(self, now: float, done: int, total: int | None) -> str:
        if not total:
            return f"{number_of(done, 'byte')} so far"
        assert self._begun is not None
        start, first = self._begun
        left = (now - start) * (total - done) / (done - first) if done > first else float("inf")
        return f"{100 * done // total} %, {duration(max(left, 0.0))} left"
