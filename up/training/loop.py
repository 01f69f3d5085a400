"""The training loop: takes steps, evaluates, saves, and tells by yielding events. It prints nothing.

for event in train(run, state, prepared):
    match event:
        case Progress(loss_bits=bits): ...
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator

from up.evaluation.bits import PreparedEvaluation
from up.evaluation.rows import EvaluationRow
from up.training.events import Evaluated, Event, Finished, Progress, Saved
from up.training.run_folder import RunFolder
from up.training.state import StepResult, TrainingState

_RATE_SMOOTHING = 0.9
_METRICS_SECONDS = 1.0


def train(
    run: RunFolder,
    state: TrainingState,
    prepared: PreparedEvaluation,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_activity: Callable[[str, int, int], None] = lambda _activity, _done, _total: None,
) -> Iterator[Event]:
    """Train until the run's last instance, or until `should_stop` says so between two steps.

    An evaluation and a checkpoint follow whenever their interval is passed, and both come at the end. A stopped run
    gives up an evaluation that is under way and saves a checkpoint at once.

    Args:
        run: where metrics and checkpoints go.
        state: fresh or restored.
        prepared: slices and baselines of the evaluations.
        should_stop: asked after every step and every batch of an evaluation.
        on_activity: called with `step` or `evaluation`, instances or slices done, and in all, while one is under way.

    Yields:
        `Progress` after every step, and `Evaluated`, `Saved`, `Finished`.
    """
    training = state.config.training
    clock = _Clock(state)
    while state.instances < training.instances:
        before = state.instances
        with clock:
            result = state.train_step(functools.partial(on_activity, "step"))
        yield clock.progress(result, run)
        ending = state.instances == training.instances
        if not should_stop() and (ending or _passes(training.evaluate_every, before, state.instances)):
            rows = _evaluate(state, prepared, should_stop, functools.partial(on_activity, "evaluation"))
            if rows:
                run.append_metrics(
                    {
                        "kind": "evaluation",
                        "instances": state.instances,
                        "rows": [dataclasses.asdict(row) for row in rows],
                    }
                )
                yield Evaluated(instances=state.instances, rows=rows)
        stopping = should_stop()
        if ending or stopping or _passes(training.checkpoint_every, before, state.instances):
            yield Saved(instances=state.instances, path=run.save(state))
        if stopping:
            break
    complete = state.instances == training.instances
    yield Finished(instances=state.instances, elapsed_seconds=clock.elapsed(), complete=complete)


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


def _passes(interval: int, before: int, after: int) -> bool:
    """Whether a multiple of `interval` lies in (before, after]."""
    return after // interval > before // interval


class _Clock:
    """Times the steps, smooths the rate, and writes at most one line of metrics a second.

    The first step of a process carries the burn-in of the buffer and warms the device up: its time in the source is
    left out, and rate, share and forecast start again with the second.
    """

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        self.started = time.perf_counter()
        self.steps = 0
        self.last_metrics = 0.0
        self._restart()

    def _restart(self) -> None:
        self.counted_from = time.perf_counter()
        self.training_seconds = 0.0
        self.source_before = self.state.stream.stopwatch.seconds()
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
            burn_in = self.state.stream.stopwatch.seconds() - self.source_before
            self.source_before += burn_in
            seconds -= burn_in
        self.training_seconds += seconds
        self.steps += 1
        rate = (self.state.instances - self.step_instances) / seconds
        self.rate = rate if self.rate == 0 else _RATE_SMOOTHING * self.rate + (1 - _RATE_SMOOTHING) * rate

    def elapsed(self) -> float:
        """Return seconds since training started in this process."""
        return time.perf_counter() - self.started

    def progress(self, result: StepResult, run: RunFolder) -> Progress:
        """Return the event of a step, and append it to the metrics if the last line is old enough."""
        state = self.state
        total = state.config.training.instances
        # Evaluations and checkpoints go on at the share of the time that they had so far.
        overhead = (time.perf_counter() - self.counted_from) / self.training_seconds
        source_seconds = state.stream.stopwatch.seconds() - self.source_before
        mean_rate = (state.instances - self.instances_before) / self.training_seconds
        event = Progress(
            instances=state.instances,
            total_instances=total,
            step=state.step,
            loss_bits=result.loss_bits,
            learning_rate=result.learning_rate,
            gradient_norm=result.gradient_norm,
            instances_per_second=self.rate,
            source_share=min(1.0, source_seconds / self.training_seconds),
            depth_histogram=state.stream.buffer.depth_histogram(),
            elapsed_seconds=self.elapsed(),
            remaining_seconds=(total - state.instances) / mean_rate * overhead,
        )
        if self.elapsed() - self.last_metrics >= _METRICS_SECONDS or state.instances == total:
            self.last_metrics = self.elapsed()
            run.append_metrics({"kind": "progress", **dataclasses.asdict(event)})
        return event
