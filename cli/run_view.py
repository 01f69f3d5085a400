"""How a training run is shown while it goes on: a live dashboard in a terminal, plain lines in a pipe; and Ctrl-C."""

import contextlib
import dataclasses
import math
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from cli.context import CliContext
from cli.render.training import Dashboard, evaluation_line, progress_line

if TYPE_CHECKING:  # up.runs imports torch
    from up.runs.events import Event

_LINE_SECONDS = 10.0
_FRAMES_PER_SECOND = 4
_LONG_STEP_SECONDS = 1.0
_STOPPING = "stopping after this step; Ctrl-C again ends at once"


class LineView:
    """One plain line on stderr every few seconds, for a pipe; silent under `--quiet`."""

    def __init__(self, cli: CliContext) -> None:
        self.cli = cli
        self.last = time.monotonic()
        self.first = True
        self.stopping = self.stop_told = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass

    def show(self, event: "Event") -> None:
        """Tell of an event, if it is time for a line."""
        from up.runs.events import Evaluated, Progress

        if isinstance(event, Progress):
            now = time.monotonic()
            if self.first or now - self.last >= _LINE_SECONDS or event.instances == event.total_instances:
                self.first, self.last = False, now
                self.cli.note(progress_line(event))
        elif isinstance(event, Evaluated):
            self.cli.note(evaluation_line(event.rows))

    def on_activity(self, activity: str, done: int, total: int) -> None:
        """Say how far a step or an evaluation is, if there was nothing to say for long, and that a stop was heard."""
        now = time.monotonic()
        if self.stopping and not self.stop_told:
            self.stop_told = True
            self.cli.note(_STOPPING)
        elif now - self.last >= 3 * _LINE_SECONDS:
            self.last = now
            self.cli.note(f"{activity}: {done:,} of {total:,}")

    def on_stop(self) -> None:
        """Remember to say that the wish to stop was heard: a signal handler must not print."""
        self.stopping = True


class LiveView:
    """The dashboard on stderr, redrawn a few times a second."""

    def __init__(self, cli: CliContext) -> None:
        from rich.live import Live

        self.dashboard = Dashboard()
        self.losses: list[float] = []
        self.shown = time.monotonic()
        self.stopping = ""
        self.live = Live(self.dashboard, console=cli.stderr, refresh_per_second=_FRAMES_PER_SECOND)

    def __enter__(self) -> None:
        self.live.__enter__()

    def __exit__(self, *exception: object) -> None:
        self._draw(activity="", rows=())  # the last evaluation goes to stdout
        self.live.stop()

    def show(self, event: "Event") -> None:
        """Redraw with what an event tells."""
        from up.runs.events import Evaluated, Progress

        self.shown = time.monotonic()
        if isinstance(event, Progress):
            loss_bits = event.record.loss_bits
            self.losses.append(math.nan if loss_bits is None else loss_bits)
            self._draw(progress=event, losses=self.losses, activity=self.stopping)
        elif isinstance(event, Evaluated):
            self._draw(rows=event.rows, evaluated_at=event.instances, activity=self.stopping)

    def on_activity(self, activity: str, done: int, total: int) -> None:
        """Show an evaluation that is under way, and a step that takes long enough to be waited for."""
        if activity == "step" and not self.stopping and time.monotonic() - self.shown < _LONG_STEP_SECONDS:
            return
        self._draw(activity=self.stopping or f"{activity} {done / total:.0%}")

    def on_stop(self) -> None:
        """Remember to show that the wish to stop was heard: a signal handler must not draw."""
        self.stopping = _STOPPING

    def _draw(self, **changes: Any) -> None:
        self.dashboard = dataclasses.replace(self.dashboard, **changes)
        self.live.update(self.dashboard)


@contextlib.contextmanager
def stop_signals(on_stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop, which the loop grants; the second one ends at once."""
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            raise KeyboardInterrupt
        stopped = True
        on_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
