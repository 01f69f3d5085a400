"""How an experiment is shown while it goes on: two bars in a terminal, plain lines in a pipe."""

import time
from typing import TYPE_CHECKING, Any

from cli.context import CliContext
from cli.run_view import LineView
from theory.words import number_of

if TYPE_CHECKING:  # up.experiments imports torch
    from up.experiments.events import ExperimentEvent

_STOPPING = "stopping; Ctrl-C again ends at once"
_REFRESH_SECONDS = 0.2


class LinesView:
    """Lines on stderr, for a pipe: one for each part, and now and then how far its training is."""

    def __init__(self, cli: CliContext) -> None:
        self.cli = cli
        self.run = LineView(cli)
        self.total = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass

    def show(self, event: "ExperimentEvent") -> None:
        """Tell of an event."""
        from up.experiments.events import Began, PartBegan, PartTold

        if isinstance(event, Began):
            self.total = len(event.parts)
            done = f", {event.complete} complete" if event.complete else ""
            self.cli.note(f"{number_of(self.total, 'part')}{done}")
        elif isinstance(event, PartBegan):
            self.cli.note(f"{event.number} of {self.total}: {event.part.name}")
        elif isinstance(event, PartTold):
            self.run.show(event.event)

    def on_activity(self, activity: str, done: int, total: int) -> None:
        """Say how far something is, if there was nothing to say for long."""
        self.run.on_activity(activity, done, total)

    def on_stop(self) -> None:
        """Remember to say that the wish to stop was heard."""
        self.run.on_stop()


class BarsView:
    """Two bars on stderr: the parts, and what is being done."""

    def __init__(self, cli: CliContext) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=cli.stderr,
            transient=True,
        )
        self.parts = self.bars.add_task("parts", total=None, said="")
        self.work = self.bars.add_task("", total=None, said="")
        self.count = self.instances = 0
        self.stopping = False
        self.drawn = 0.0

    def __enter__(self) -> None:
        self.bars.__enter__()

    def __exit__(self, *exception: Any) -> None:
        self.bars.stop()

    def show(self, event: "ExperimentEvent") -> None:
        """Redraw with what an event tells."""
        from up.experiments.events import Began, PartBegan, PartMeasured, PartTold
        from up.runs.events import Started, Step

        if isinstance(event, Began):
            self.count = len(event.parts)
            self.bars.update(self.parts, total=self.count, completed=event.complete)
            self._say_parts(event.complete)
        elif isinstance(event, PartBegan):
            self.bars.reset(self.work, description=event.part.name, total=None, said="")
        elif isinstance(event, PartMeasured):
            self.bars.advance(self.parts)
            self._say_parts(round(self.bars.tasks[0].completed))
        elif isinstance(event, PartTold) and isinstance(event.event, Started):
            self.instances = event.event.total_instances
        elif isinstance(event, PartTold) and isinstance(event.event, Step):
            done = event.event.instances
            said = f"training {done:,} of {self.instances:,}"
            self._say_work(said, done, self.instances)

    def on_activity(self, activity: str, done: int, total: int) -> None:
        """Show how far an evaluation or a measurement is."""
        if activity != "step":
            self._say_work(f"{activity} {done / total:.0%}", done, total)

    def on_stop(self) -> None:
        """Remember to show that the wish to stop was heard: a signal handler must not draw."""
        self.stopping = True

    def _say_parts(self, done: int) -> None:
        self.bars.update(self.parts, said=f"{done} of {self.count}")

    def _say_work(self, said: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.drawn >= _REFRESH_SECONDS or done == total:
            self.drawn = now
            self.bars.update(self.work, said=_STOPPING if self.stopping else said, completed=done, total=total)
