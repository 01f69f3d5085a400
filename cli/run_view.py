"""How a training run is shown while it goes on: a live dashboard in a terminal, plain lines in a pipe; and Ctrl-C."""

import dataclasses
import math
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from cli.context import CliContext
from cli.render.training import Dashboard, evaluation_line, progress_line

if TYPE_CHECKING:  # up.runs imports torch
    from up.runs.events import Event, Timing

_LINE_SECONDS = 10.0
_FRAMES_PER_SECOND = 4
_LONG_STEP_SECONDS = 1.0
_STOPPING = "stopping after this step; Ctrl-C again ends at once"


class LineView:
    """One plain line on stderr every few seconds, for a pipe; silent under `--quiet`."""

    def __init__(self, cli: CliContext, *, zero_shot: bool = True) -> None:
        self.cli, self.zero_shot = cli, zero_shot
        self.last = time.monotonic()
        self.first = True
        self.stopping = self.stop_told = False
        self.total_instances = 0
        self.timing: Timing | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass

    def show(self, event: "Event") -> None:
        """Tell of an event, if it is time for a line."""
        from up.runs.events import Evaluated, Started, Step, Timing

        if isinstance(event, Started):
            self.total_instances = event.total_instances
        elif isinstance(event, Timing):
            self.timing = event
        elif isinstance(event, Step):
            now = time.monotonic()
            is_last = event.instances == self.total_instances
            if self.timing is not None and (self.first or is_last or now - self.last >= _LINE_SECONDS):
                self.first, self.last = False, now
                self.cli.note(progress_line(event, self.timing, self.total_instances))
        elif isinstance(event, Evaluated):
            self.cli.note(evaluation_line(event.rows, zero_shot=self.zero_shot))

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

    def __init__(self, cli: CliContext, *, zero_shot: bool = True) -> None:
        from rich.live import Live

        self.dashboard = Dashboard(zero_shot=zero_shot)
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
        from up.runs.events import Evaluated, Started, Step, Timing

        self.shown = time.monotonic()
        if isinstance(event, Started):
            self._draw(total_instances=event.total_instances)
        elif isinstance(event, Timing):
            self._draw(timing=event)
        elif isinstance(event, Step):
            self.losses.append(math.nan if event.loss_bits is None else event.loss_bits)
            self._draw(step=event, losses=self.losses, activity=self.stopping)
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


def view_of(cli: CliContext, *, zero_shot: bool = True) -> LineView | LiveView:
    """Return the view of a run that fits where stderr goes."""
    view = LiveView if not cli.quiet and cli.stderr.color_system is not None else LineView
    return view(cli, zero_shot=zero_shot)


class StopSignals:
    """Turns the first Ctrl-C or other signal into a wish to stop; a Ctrl-C after that ends the process at once.

    SIGHUP is what a terminal sends that is closed, and a connection that is dropped; under `nohup` it stays ignored.
    SIGTERM, SIGUSR1, SIGUSR2 and SIGXCPU are what batch systems send before they kill, some of them one after the
    other. A context manager: it listens inside, and the signals do as before outside. Called, it says whether the wish
    was heard.
    """

    _NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")  # Windows has the first two

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._stopped = False
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Whether the wish to stop was heard."""
        return self._stopped

    def __enter__(self) -> None:
        numbers = [getattr(signal, name) for name in self._NAMES if hasattr(signal, name)]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            numbers.remove(signal.SIGHUP)
        self._before = {number: signal.signal(number, self._stop) for number in numbers}

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self._stopped:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self._stopped = True
        self._on_stop()
