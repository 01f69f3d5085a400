"""A loss or a gradient that is not finite: that step changes no weight and is counted; many in a row end the run."""

import json
import math

import pytest
import torch

from tests.up.runs.cases import CPU, poison_loss, same_tensors, small_state, weights
from up.errors import RunError
from up.runs.events import Finished, Saved
from up.runs.loop import train
from up.training.state import TrainingState
from up.training.step import Step

POISONS = [math.nan, math.inf, -math.inf]


def poison_gradient(state: TrainingState, value: float, steps) -> None:
    """Replace one number in the gradient of those steps; their loss is finite."""

    def change(gradient):
        gradient = gradient.clone()
        gradient[3, 2] = value
        return gradient

    state.model.head.weight.register_hook(lambda gradient: change(gradient) if state.step + 1 in steps else gradient)


@pytest.mark.parametrize("poison", [poison_loss, poison_gradient])
@pytest.mark.parametrize("value", POISONS)
def test_such_a_step_changes_no_weight_and_no_moment_but_counters_and_stream_go_on(poison, value):
    state = small_state()
    poison(state, value, {3})
    assert [state.train_step().skipped for _ in range(2)] == [False, False]
    before, moments = weights(state), state.tensors()
    result = state.train_step()
    assert result.skipped
    assert (result.loss_bits is not None) == (poison is poison_gradient)
    assert result.gradient_norm is None
    assert same_tensors(weights(state), before)
    after = state.tensors()
    for name in moments:
        if name.startswith("optimizer."):
            assert torch.equal(after[name], moments[name]), name
    assert after["counters"].tolist() == [24, 3, 1, 1]
    assert state.stream.instances == 24
    assert not torch.equal(after["stream.buffer_generator"], moments["stream.buffer_generator"])


def test_the_next_steps_are_those_of_a_run_whose_batch_was_only_drawn():
    state, twin = small_state(), small_state()
    poison_loss(state, math.nan, {2})
    assert state.train_step() == twin.train_step()
    state.train_step()
    twin.stream.draw(8)
    twin.instances, twin.step, twin.skipped = 16, 2, 1
    for _ in range(3):
        assert state.train_step() == twin.train_step()
    assert same_tensors(weights(state), weights(twin))


def test_a_finite_step_ends_the_row_but_not_the_count():
    state = small_state()
    poison_loss(state, math.nan, {2, 3, 5})
    rows = []
    for _ in range(6):
        state.train_step()
        rows.append((state.skipped, state.skipped_in_row))
    assert rows == [(0, 0), (1, 1), (2, 2), (2, 0), (3, 1), (3, 0)]


def test_a_run_that_is_poisoned_once_completes_and_its_metrics_say_so(begin):
    run, state, prepared = begin()
    poison_loss(state, math.inf, {4})
    events = list(train(run, state, prepared))
    assert isinstance(events[-1], Finished)
    assert events[-1].complete
    progress = run.metrics.history().steps
    assert [record.skipped_steps for record in progress] == [0, 0, 0, 1, 1, 1, 1, 1]
    assert [record.loss_bits is None for record in progress] == [n == 4 for n in range(1, 9)]
    assert [record.gradient_norm is None for record in progress] == [n == 4 for n in range(1, 9)]
    lines = run.metrics.metrics_path.read_text().splitlines()
    assert all(json.loads(line, parse_constant=pytest.fail) for line in lines)  # NaN and Infinity are not JSON


@pytest.mark.parametrize("allowed", [1, 3])
def test_so_many_in_a_row_end_the_run_with_its_state_saved(begin, allowed):
    run, state, prepared = begin(f"training.stop_after_skipped={allowed}", "training.evaluate_every=8")
    poison_loss(state, math.nan, range(3, 99))
    events = []
    with pytest.raises(RunError) as caught:
        events.extend(train(run, state, prepared))  # keeps those before the error
    last = 8 * (2 + allowed)
    line = str(caught.value)
    assert "\n" not in line
    for said in (f"{allowed} step", f"after {last} instances", "training.learning_rate below 0.0"):
        assert said in line
    assert isinstance(events[-1], Saved)
    assert events[-1].instances == last
    assert sum(isinstance(event, Step) for event in events) == 2 + allowed

    restored = TrainingState(state.config, CPU)
    run.restore(restored)
    assert same_tensors(weights(restored), weights(state))
    assert (restored.skipped, restored.skipped_in_row) == (allowed, allowed)
    with pytest.raises(RunError, match=f"{allowed} step"):  # the same advice, not another attempt
        list(train(run, restored, prepared))


def test_fewer_in_a_row_do_not_end_it_however_many_they_are_in_all(begin):
    run, state, prepared = begin("training.stop_after_skipped=3")
    poison_loss(state, math.nan, {1, 2, 4, 5, 7, 8})
    assert list(train(run, state, prepared))[-1].complete
    assert run.metrics.history().steps[-1].skipped_steps == 6


def test_the_counters_survive_resume(begin):
    """Two skipped before the stop and one after it: three in a row."""
    run, state, prepared = begin("training.stop_after_skipped=3")
    poison_loss(state, math.nan, {2, 3})
    list(train(run, state, prepared, should_stop=lambda: state.step == 3))
    restored = TrainingState(state.config, CPU)
    run.restore(restored)
    assert (restored.skipped, restored.skipped_in_row) == (2, 2)
    poison_loss(restored, math.nan, {4})
    with pytest.raises(RunError, match="3 steps in a row"):
        list(train(run, restored, prepared))


def test_a_model_that_holds_no_finite_numbers_ends_the_run_at_its_evaluation(begin):
    """Such weights come from no step that was taken, but from a decay or a rate beyond all reason."""
    run, state, prepared = begin("training.evaluate_every=16", "training.checkpoint_every=8")
    events = train(run, state, prepared)
    while not isinstance(next(events), Saved):
        continue
    with torch.no_grad():
        state.model.head.weight.fill_(math.nan)
    with pytest.raises(RunError) as caught:
        list(events)
    assert "\n" not in str(caught.value)
    assert "diverged; lower the learning rate" in str(caught.value)
    restored = TrainingState(state.config, CPU)
    run.restore(restored)
    assert all(tensor.isfinite().all() for tensor in weights(restored).values())
