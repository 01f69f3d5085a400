"""The training loop: takes steps, evaluates, saves, and tells by yielding events. It prints nothing.

for event in train(run, state, prepared):
    match event:
        case Step(loss_bits=loss_bits): ...
"""

import functools
import time
from collections.abc import Callable, Iterator

from theory.words import number_of
from up.errors import RunError
from up.evaluation.bits import PreparedEvaluation
from up.evaluation.rows import EvaluationRow
from up.runs.events import Evaluated, Event, Finished, Saved, Timing
from up.runs.folder import RunFolder
from up.training.state import TrainingState

Activity = Callable[[str, int, int], None]
"""Called with `step` or `evaluation`, instances or slices done, and in all, while one is under way."""

_RATE_SMOOTHING = 0.9
_TIMING_SECONDS = 1.0


def never() -> bool:
    """Answer that nobody wishes to stop."""
    return False


def nobody(_activity: str, _done: int, _total: int) -> None:
    """Listen to an activity and do nothing."""


def train(
    run: RunFolder,
    state: TrainingState,
    prepared: PreparedEvaluation,
    *,
    should_stop: Callable[[], bool] = never,
    on_activity: Activity = nobody,
) -> Iterator[Event]:
    """Train until the run's last instance, or until `should_stop` says so between two steps.

    An evaluation and a checkpoint follow whenever their interval is passed, and both come at the end; a run that keeps
    its best checkpoint saves one, too, after every evaluation that is better than all before. A stopped run
    gives up an evaluation that is under way and saves a checkpoint at once; when it is resumed, it begins with that
    evaluation. A run whose evaluations have not improved for `training.patience` of them saves a checkpoint and ends.

    Args:
        run: where metrics and checkpoints go.
        state: fresh, or restored from the run.
        prepared: slices and baselines of the evaluations.
        should_stop: asked once between two steps, and after every batch of an evaluation.
        on_activity: told how far a step or an evaluation is.

    Yields:
        `Step` after every step, `Timing` now and then before it, and `Evaluated`, `Saved`, `Finished`.

    Raises:
        RunError: so many steps in a row were skipped as the configuration allows, after a checkpoint; or a file
            cannot be written.
    """
    training = state.config.training
    clock = _Clock(state)
    _, last = run.metrics.latest()
    evaluated = last.instances if last is not None else -1 if training.evaluate_at_start else 0
    ended_early = run.has_lost_patience()
    while True:
        stopping = should_stop()  # asked once: what follows must agree on the answer
        if _due(training.evaluate_every, evaluated, state) and not stopping:
            rows = _evaluate(state, prepared, should_stop, functools.partial(on_activity, "evaluation"))
            stopping = not rows
            if rows:
                evaluated = state.instances
                event = Evaluated(instances=state.instances, rows=rows)
                run.metrics.append(event)
                yield event
                if run.is_saved(state.instances):  # by a stop, which gave this evaluation up
                    run.save(state)
                elif training.keep == "best" and _is_best(run, event):
                    yield Saved(instances=state.instances, path=run.save(state))
                ended_early = run.has_lost_patience()
        failing = state.skipped_in_row >= training.stop_after_skipped
        ending = stopping or failing or (ended_early and not run.is_saved(state.instances))
        if ending or _due(training.checkpoint_every, run.instances_saved(), state):
            yield Saved(instances=state.instances, path=run.save(state))
        if failing:
            raise _diverged(state)
        if stopping or ended_early or state.instances == training.instances:
            break
        with clock:
            step = state.train_step(functools.partial(on_activity, "step"))
        run.metrics.append(step)
        if clock.is_due():
            timing = clock.timing()
            run.metrics.append(timing)
            yield timing
        yield step
    complete = (ended_early or state.instances == training.instances) and evaluated == state.instances
    ended_early = ended_early and state.instances < training.instances
    elapsed = clock.elapsed()
    yield Finished(instances=state.instances, elapsed_seconds=elapsed, complete=complete, ended_early=ended_early)


class _StoppedError(Exception):
    """The user stopped the run while it was being evaluated."""


def _evaluate(
    state: TrainingState,
    prepared: PreparedEvaluation,
    should_stop: Callable[[], bool],
    on_progress: Callable[[int, int], None],
) -> tuple[EvaluationRow, ...]:
    """Return the rows of an evaluation, or none if it was stopped half-way."""

    def watch(done: int, total: int) -> None:
        on_progress(done, total)
        if should_stop():
            raise _StoppedError

    try:
        return prepared.evaluate(state.model, progress=watch)
    except _StoppedError:
        return ()


def _is_best(run: RunFolder, event: Evaluated) -> bool:
    best = run.metrics.best(run.config().training.best_by)
    return best is not None and best.instances == event.instances


def _due(interval: int, done_at: int, state: TrainingState) -> bool:
    """Whether a multiple of `interval`, or the end of the run, was passed since something was done last."""
    passed = state.instances // interval > done_at // interval
    return passed or (state.instances == state.config.training.instances and done_at != state.instances)


def _diverged(state: TrainingState) -> RunError:
    return RunError(
        f"{number_of(state.skipped_in_row, 'step')} in a row had a loss or gradient that was not finite; the state is "
        f"saved after {number_of(state.instances, 'instance')}: start a new run with a training.learning_rate below "
        f"{state.config.training.learning_rate:g}, a longer training.warmup_instances, or training.precision=fp32"
    )


class _Clock:
    """Times the steps and smooths the rate.

    The first step of a process carries the burn-in of the buffer and warms the device up: its time in the source is
    left out, and rate, share and forecast start again with the second.
    """

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        self.started = time.perf_counter()
        self.steps = 0
        self.last_timing = 0.0
        self._restart()

    def _restart(self) -> None:
        self.counted_from = time.perf_counter()
        self.training_seconds = 0.0
        self.source_before = self.state.stream.source_seconds()
        self.instances_before = self.state.instances
        self.rate = 0.0

    def __enter__(self) -> None:
        if self.steps == 1:
            self._restart()
        self.step_started = time.perf_counter()
        self.step_instances = self.state.instances

    def __exit__(self, *exception: object) -> None:
        seconds = time.perf_counter() - self.step_started
        if self.steps == 0:
            burn_in = self.state.stream.source_seconds() - self.source_before
            self.source_before += burn_in
            self.counted_from += burn_in
            seconds -= burn_in
        self.training_seconds += seconds
        self.steps += 1
        rate = (self.state.instances - self.step_instances) / seconds
        self.rate = rate if self.rate == 0 else _RATE_SMOOTHING * self.rate + (1 - _RATE_SMOOTHING) * rate

    def elapsed(self) -> float:
        """Return seconds since training started in this process."""
        return time.perf_counter() - self.started

    def is_due(self) -> bool:
        """Whether it is time to tell how fast the run is: at the first step, once a second, and at the end."""
        at_an_end = self.steps == 1 or self.state.instances == self.state.config.training.instances
        return at_an_end or self.elapsed() - self.last_timing >= _TIMING_SECONDS

    def timing(self) -> Timing:
        """Return how fast the run is and what is left; evaluations and checkpoints go on at their share so far."""
        state = self.state
        self.last_timing = self.elapsed()
        overhead = (time.perf_counter() - self.counted_from) / self.training_seconds
        mean_rate = (state.instances - self.instances_before) / self.training_seconds
        source_seconds = state.stream.source_seconds() - self.source_before
        return Timing(
            instances=state.instances,
            instances_per_second=self.rate,
            source_share=min(1.0, source_seconds / self.training_seconds),
            elapsed_seconds=self.elapsed(),
            remaining_seconds=(state.config.training.instances - state.instances) / mean_rate * overhead,
        )
