"""The order of events, when evaluations and checkpoints fall, stopping, and what the metrics hold."""

import dataclasses
import json
import types

import pytest

from tests.up.runs.cases import CPU, same_tensors, small_state, weights
from up.runs import loop
from up.runs.events import Evaluated, Finished, Saved, Timing
from up.runs.folder import load_model, open_run
from up.runs.loop import train
from up.runs.overview import summarise_run
from up.training.state import TrainingState
from up.training.step import Step


def places(events, kind):
    return [event.instances for event in events if isinstance(event, kind)]


def metrics(run):
    return [json.loads(line) for line in run.metrics.metrics_path.read_text().splitlines()]


def test_events_come_in_order_and_the_run_ends_with_an_evaluation_and_a_checkpoint(begin):
    run, state, prepared = begin("training.evaluate_every=32", "training.checkpoint_every=64")
    events = list(train(run, state, prepared))
    kinds = [type(event).__name__ for event in events if not isinstance(event, Timing)]
    assert kinds == [*["Step"] * 4, "Evaluated", *["Step"] * 4, "Evaluated", "Saved", "Finished"]
    assert places(events, Step) == [8, 16, 24, 32, 40, 48, 56, 64]
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 9))
    finished = events[-1]
    assert (finished.instances, finished.complete) == (64, True)
    assert [event.path for event in events if isinstance(event, Saved)] == run.checkpoints()


@pytest.mark.parametrize(
    ("evaluate_every", "checkpoint_every", "evaluated", "saved"),
    [
        (20, 64, [24, 40, 64], [64]),  # 20, 40 and 60 are passed; the last one falls together with the end
        (64, 20, [64], [24, 40, 64]),
        (1, 1000, [8, 16, 24, 32, 40, 48, 56, 64], [64]),
        (1000, 1000, [64], [64]),
    ],
)
def test_evaluations_and_checkpoints_fall_where_their_intervals_are_passed(
    begin, evaluate_every, checkpoint_every, evaluated, saved
):
    run, state, prepared = begin(
        f"training.evaluate_every={evaluate_every}", f"training.checkpoint_every={checkpoint_every}"
    )
    events = list(train(run, state, prepared))
    assert (places(events, Evaluated), places(events, Saved)) == (evaluated, saved)


def test_a_stop_saves_at_once_and_evaluates_no_more(begin):
    run, state, prepared = begin("training.evaluate_every=8", "training.checkpoint_every=64")
    asked = iter([False] * 6 + [True] * 100)
    seen = list(train(run, state, prepared, should_stop=lambda: next(asked)))
    kinds = [type(event).__name__ for event in seen[-3:]]
    assert kinds == ["Step", "Saved", "Finished"]
    assert not seen[-1].complete
    assert seen[-1].instances == seen[-2].instances == seen[-3].instances < 64
    assert len(run.checkpoints()) == 1


def test_a_stop_within_an_evaluation_gives_it_up_and_resuming_begins_with_it(begin):
    run, state, prepared = begin("training.evaluate_every=16", "evaluation.batch_size=1")
    stopped, done = False, []

    def on_activity(activity, slices, total):
        nonlocal stopped
        if activity == "evaluation":
            done.append((slices, total))
            stopped = slices == 2

    events = list(train(run, state, prepared, should_stop=lambda: stopped, on_activity=on_activity))
    assert done == [(1, 4), (2, 4)]
    told = [type(event).__name__ for event in events if not isinstance(event, Timing)]
    assert told == ["Step", "Step", "Saved", "Finished"]
    assert not events[-1].complete
    assert [(line["kind"], line["instances"]) for line in metrics(run)] == [("step", 8), ("step", 16)]

    again = TrainingState(state.config, CPU)
    run.restore(again)
    first = next(train(run, again, prepared))
    assert (type(first), first.instances) == (Evaluated, 16)


def test_steps_and_evaluations_tell_how_far_they_are(begin):
    run, state, prepared = begin("training.microbatch=3", "evaluation.batch_size=3", "training.evaluate_every=64")
    told = []
    list(train(run, state, prepared, on_activity=lambda *activity: told.append(activity)))
    assert told == [("step", done, 8) for done in (3, 6, 8)] * 8 + [("evaluation", done, 4) for done in (3, 4)]


def test_a_stop_in_the_last_step_is_resumed_with_the_last_evaluation_alone(begin):
    run, state, prepared = begin("training.evaluate_every=64")
    events = list(train(run, state, prepared, should_stop=lambda: state.instances == 64))
    assert places(events, Saved)[-1] == 64
    assert places(events, Evaluated) == []
    assert not events[-1].complete

    again = TrainingState(state.config, CPU)
    run.restore(again)
    rest = list(train(run, again, prepared))
    assert (places(rest, Step), places(rest, Evaluated)) == ([], [64])
    assert rest[-1].complete
    run.restore(state)
    assert [type(event) for event in train(run, state, prepared)] == [Finished]  # it is not done a third time


def test_a_finished_run_has_nothing_left_to_do(begin):
    run, state, prepared = begin()
    list(train(run, state, prepared))
    again = TrainingState(state.config, CPU)
    run.restore(again)
    (event,) = train(run, again, prepared)
    assert isinstance(event, Finished)
    assert event.complete


def test_a_stopped_run_continues_to_the_same_weights_and_evaluations(begin):
    """Evaluations and checkpoints in between change nothing either."""
    run, state, prepared = begin("training.evaluate_every=24", "model.dropout=0.2")
    whole = list(train(run, state, prepared))

    part, first, _ = begin(
        "training.evaluate_every=24", "model.dropout=0.2", "training.checkpoint_every=16", name="part"
    )
    list(train(part, first, prepared, should_stop=lambda: first.instances >= 40))
    second = TrainingState(open_run(part.path).config(), CPU)
    part.restore(second)
    rest = list(train(part, second, prepared))
    assert places(rest, Step) == [48, 56, 64]
    assert same_tensors(weights(second), weights(state))
    assert [event.rows for event in rest if isinstance(event, Evaluated)] == [
        event.rows for event in whole if isinstance(event, Evaluated) and event.instances > 40
    ]


def test_the_metrics_hold_every_step_and_every_evaluation_as_they_were_yielded(begin):
    run, state, prepared = begin("training.evaluate_every=32")
    events = list(train(run, state, prepared))
    history = run.metrics.history()
    assert history.steps == tuple(event for event in events if isinstance(event, Step))
    assert history.evaluations == tuple(
        Evaluated(instances=event.instances, rows=event.rows) for event in events if isinstance(event, Evaluated)
    )
    assert [line["kind"] for line in metrics(run)] == [*["step"] * 4, "evaluation"] * 2


@pytest.mark.parametrize(("seconds", "written"), [(0.0, [8, 16, 24, 32, 40, 48, 56, 64]), (1e9, [8, 64])])
def test_timings_are_thinned_but_the_first_step_and_the_last_have_theirs(begin, monkeypatch, seconds, written):
    monkeypatch.setattr(loop, "_TIMING_SECONDS", seconds)
    run, state, prepared = begin()
    events = list(train(run, state, prepared))
    timings = run.metrics.history().timings
    assert [timing.instances for timing in timings] == written
    assert timings == tuple(event for event in events if isinstance(event, Timing))


def test_the_metrics_of_two_runs_of_one_seed_are_the_same_bytes(begin):
    """Nothing in them depends on the machine or the hour."""
    contents = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run, state, prepared = begin(f"seed={seed}", name=name)
        list(train(run, state, prepared))
        contents.append(run.metrics.metrics_path.read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_a_step_and_its_timing_tell_the_state_of_the_run(begin, monkeypatch):
    monkeypatch.setattr(loop, "_TIMING_SECONDS", 0.0)
    run, state, prepared = begin("buffer.capacity_multiple=4", "model.dropout=0")
    expected = small_state("buffer.capacity_multiple=4", "model.dropout=0")
    timing = None
    for event in train(run, state, prepared):
        if isinstance(event, Timing):
            timing = event
        elif isinstance(event, Step):
            assert event == expected.train_step()
            assert (event.enabled_blocks, event.skipped_steps) == (1, 0)
            assert event.observations == {"depth": expected.stream.buffer.depth_histogram()}
            assert sum(event.observations["depth"]) == 32
            assert timing.instances == event.instances
            assert 0 <= timing.source_share <= 1
            assert (timing.source_share > 0) == (event.step > 1)  # the burn-in of the first step does not count
            assert timing.instances_per_second > 0
            assert (timing.remaining_seconds > 0) == (event.instances < 64)
    assert timing.remaining_seconds == 0


def test_the_time_left_is_that_of_the_steps_so_far(begin, monkeypatch):
    """A clock that advances by 0.5 seconds at each reading: eight instances a step, half the time outside of steps."""
    readings = iter(range(10**6))
    monkeypatch.setattr(loop, "time", types.SimpleNamespace(perf_counter=lambda: next(readings) / 2))
    run, state, prepared = begin("training.evaluate_every=64")
    timings = [event for event in train(run, state, prepared) if isinstance(event, Timing)]
    assert [timing.instances for timing in timings] == list(range(8, 65, 8))  # more than a second between them
    assert timings[0].instances_per_second > 16  # its time in the source, on the real clock, is left out
    assert all(timing.instances_per_second == pytest.approx(16) for timing in timings[1:])
    for timing in timings[1:-1]:
        per_instance = timing.elapsed_seconds / timing.instances
        assert timing.remaining_seconds == pytest.approx((64 - timing.instances) * per_instance, rel=0.5)


def test_a_wish_to_stop_that_comes_between_two_questions_is_granted_at_the_next_step(begin):
    """A signal may come at any moment: asked twice, the loop once heard no and then yes, and saved nothing."""
    for heard in range(8):
        run, state, prepared = begin("training.evaluate_every=16", "training.checkpoint_every=64", name=f"run-{heard}")
        asked = iter([False] * heard)
        finished = list(train(run, state, prepared, should_stop=lambda asked=asked: next(asked, True)))[-1]
        assert finished.instances == run.instances_saved() < 64
        assert not finished.complete
        restored = TrainingState(state.config, CPU)
        run.restore(restored)
        assert same_tensors(weights(restored), weights(state))


class Told:
    """An evaluation that finds what it is told, whatever the model."""

    def __init__(self, prepared, tail_bits):
        self.prepared, self.tail_bits = prepared, iter(tail_bits)

    def evaluate(self, model, *, progress=None):
        bits = next(self.tail_bits)
        rows = self.prepared.evaluate(model, progress=progress)
        return tuple(dataclasses.replace(row, tail_bits=bits) for row in rows)


KEEPING = ("training.keep=best", "training.evaluate_every=16", "training.checkpoint_every=24")


@pytest.mark.parametrize(
    ("tail_bits", "best"),
    [((7.0, 5.0, 6.0, 6.5), 32), ((5.0, 6.0, 5.0, 7.0), 16), ((7.0, 6.0, 5.5, 5.0), 64)],
)
def test_the_best_checkpoint_is_saved_when_it_is_found_and_is_the_model_of_the_run(begin, tail_bits, best):
    run, state, prepared = begin(*KEEPING, instances=64)
    at = {}
    for event in train(run, state, Told(prepared, tail_bits)):
        if isinstance(event, Evaluated):
            at[event.instances] = weights(state)
    assert run.instances_saved() == 64
    assert run.instances_of_model() == best
    overview = summarise_run(run)
    assert (overview.evaluated_at, overview.instances_of_model) == (best, best)
    assert overview.rows[0].tail_bits == min(tail_bits)
    assert {int(path.name) for path in run.checkpoints()} >= {best, 64}
    assert len(run.checkpoints()) <= 3  # the two latest ones and the best
    assert same_tensors(load_model(run.path, CPU).state_dict(), at[best])


def test_a_run_that_keeps_the_latest_loads_the_latest(begin):
    run, state, prepared = begin(*KEEPING[1:], instances=64)
    list(train(run, state, Told(prepared, (5.0, 6.0, 7.0, 8.0))))
    assert run.instances_of_model() == 64
    assert same_tensors(load_model(run.path, CPU).state_dict(), weights(state))


def test_a_resumed_run_remembers_its_best(begin):
    run, state, prepared = begin(*KEEPING, instances=64)
    list(train(run, state, Told(prepared, (5.0, 6.0)), should_stop=lambda: state.instances >= 40))
    assert (run.instances_saved(), run.instances_of_model()) == (40, 16)
    restored = TrainingState(state.config, CPU)
    run.restore(restored)
    list(train(run, restored, Told(prepared, (5.5, 5.2))))
    assert (run.instances_saved(), run.instances_of_model()) == (64, 16)
