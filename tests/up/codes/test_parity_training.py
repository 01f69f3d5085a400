"""Training of the transformer of table 1: it learns, goes on where it was stopped, and keeps the compiled solution."""

import dataclasses

import pytest
import torch

from up.codes.parity import ParityTask, manual_weights, random_weights
from up.codes.parity_state import STATE_NAME, ParityConfig, begin
from up.codes.parity_training import train_parity
from up.device import keyed_generator
from up.errors import InputError, RunError

TASK = ParityTask(width=16, hidden=32, prompt=2, layers=5, train_lengths=(1, 3), test_lengths=(4, 4))
SMALL = ParityConfig(
    task=TASK,
    objective="likelihood",
    steps=60,
    warmup=5,
    batch=64,
    divergence_samples=2,
    examples=500,
    test_examples=200,
)
VARIATIONAL = dataclasses.replace(SMALL, objective="variational")


def stop_at(step):
    def progress(done, _total):
        if done == step:
            raise KeyboardInterrupt

    return progress


def test_training_for_the_data_shortens_the_answers(tmp_path):
    before, after = train_parity(SMALL, tmp_path)
    assert (before.steps, after.steps) == (0, 60)
    assert after.data.value < 0.5 * before.data.value
    assert after.train_accuracy.value > max(0.8, before.train_accuracy.value)
    assert (after.weights, after.prior_bits) == (None, None)
    assert list(after.by_length) == [1, 2, 3, 4]


def test_training_for_the_weights_shortens_them_and_at_coefficient_0_the_answers_instead(tmp_path):
    ends = {}
    for coefficient in (0.0, 1.0):
        config = dataclasses.replace(VARIATIONAL, steps=30, coefficient=coefficient, learning_rate=1e-2)
        before, ends[coefficient] = train_parity(config, tmp_path / str(coefficient))
        assert before.weights.value == pytest.approx(6.8 * TASK.weights, rel=0.1)
        assert before.prior_bits == 466
    assert ends[1.0].weights.value < min(before.weights.value, ends[0.0].weights.value) - 200
    assert ends[0.0].data.value < ends[1.0].data.value


def test_the_compiled_solution_stays_right_and_short(tmp_path):
    before, after = train_parity(dataclasses.replace(VARIATIONAL, start="manual"), tmp_path)
    for result in (before, after):
        assert result.train_accuracy.value == result.test_accuracy.value == 1
        assert result.data.value < 1e-3
        assert set(result.by_length.values()) == {1.0}
    assert before.weights.value <= after.weights.value < 1.3 * before.weights.value


@pytest.mark.parametrize("config", [SMALL, VARIATIONAL])
def test_a_training_that_was_stopped_ends_as_one_that_was_not(tmp_path, config):
    config = dataclasses.replace(config, steps=9)
    whole = train_parity(config, tmp_path / "whole")
    for step in (4, 7):
        with pytest.raises(KeyboardInterrupt):
            train_parity(config, tmp_path / "stopped", progress=stop_at(step))
    seen = []
    resumed = train_parity(config, tmp_path / "stopped", progress=lambda done, _total: seen.append(done))
    assert list(dict.fromkeys(seen)) == [0, 8, 9]
    assert resumed == whole
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == [STATE_NAME]


def test_a_state_of_another_training_is_not_taken_up(tmp_path):
    config = dataclasses.replace(SMALL, steps=3)
    train_parity(config, tmp_path)
    other = dataclasses.replace(config, seed=1)
    assert train_parity(other, tmp_path) == train_parity(other, tmp_path / "fresh")


@pytest.mark.parametrize("kept", [0, 10, 1_000, -1])
def test_a_state_that_was_cut_off_is_refused_and_named(tmp_path, kept):
    with pytest.raises(KeyboardInterrupt):
        train_parity(VARIATIONAL, tmp_path, progress=stop_at(2))
    path = tmp_path / STATE_NAME
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=f"damaged or cannot be read.*{STATE_NAME}"):
        train_parity(VARIATIONAL, tmp_path)


def test_random_starts_of_both_objectives_are_the_same_network_and_seeds_differ():
    plain, coded = (begin(config, torch.device("cpu")) for config in (SMALL, VARIATIONAL))
    own_N = plain.tensors["weights_N"].detach()
    assert torch.equal(own_N, random_weights(TASK, keyed_generator(40, 0)))
    drawn_SN = coded.draw(50, keyed_generator(1)).detach()
    assert torch.allclose(drawn_SN.mean(0), own_N, atol=0.01)
    other = begin(dataclasses.replace(SMALL, seed=1), torch.device("cpu"))
    assert not torch.allclose(other.tensors["weights_N"], own_N)
    manual = begin(dataclasses.replace(VARIATIONAL, start="manual"), torch.device("cpu"))
    assert torch.allclose(manual.draw(50, keyed_generator(1)).mean(0), manual_weights(TASK), atol=0.01)


def test_the_rate_rises_and_falls_to_a_tenth():
    config = dataclasses.replace(SMALL, steps=1_000, warmup=10, learning_rate=1.0)
    assert [config.rate(step) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert config.rate(1_000) == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [{"objective": "x"}, {"start": "x"}, {"seed": -1}, {"batch": 0}, {"coefficient": -1}])
def test_a_training_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        dataclasses.replace(SMALL, **wrong)


def test_a_state_that_cannot_be_written_says_to_make_room(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(RunError, match="make room, then --resume"):
        train_parity(dataclasses.replace(SMALL, steps=1), tmp_path / "taken")
