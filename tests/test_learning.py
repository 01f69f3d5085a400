"""The main job end to end: a short run predicts real bytes better than chance; the paper's form stays finite."""

import pytest
import torch

from up.evaluation.bits import EvaluationConfig, prepare
from up.recipes.presets import configure
from up.runs.evaluate import prepare_evaluation
from up.runs.events import Finished
from up.runs.folder import create_run, load_model
from up.runs.loop import train
from up.training.state import TrainingState


@pytest.mark.slow
def test_a_short_run_predicts_real_text_and_code_that_it_never_saw_better_than_its_untrained_self(tmp_path):
    """1,200 instances of `tiny`, over the last 64 characters of the same slices; PPM-D has all orders updated."""
    device = torch.device("cpu")
    config = configure("tiny", ["training.instances=1200", "evaluation.samples=8"]).resolve(device)
    run = create_run(tmp_path / "run", config)
    prepared = prepare(config.evaluation, context_length=512, device=device)
    events = list(train(run, TrainingState(config, device), prepared))
    assert isinstance(events[-1], Finished)
    assert events[-1].complete

    measured = prepare_evaluation(config, EvaluationConfig(samples=200), device=device)
    rows = measured.evaluate(load_model(run.path, device))
    assert [row.data for row in rows] == ["stdlib", "pydoc"]
    for row in rows:
        assert row.tail_bits < row.untrained_tail_bits - 0.08
        assert row.tail_bits < row.ppm_tail_bits


@pytest.mark.slow
def test_a_mixing_predictor_learns_from_random_computation_and_not_from_noise(tmp_path):
    """120 instances of `mixing-small`: better than its untrained self and than PPM-D; after noise worse than either."""
    device, tails = torch.device("cpu"), {}
    for name, settings in {"preset": [], "noise": ["source.kind=noise"]}.items():
        settings += ["training.instances=120", "training.keep=latest", "training.learning_rate=3e-3"]
        config = configure("mixing-small", [*settings, "evaluation.samples=8"]).resolve(device)
        run = create_run(tmp_path / name, config)
        prepared = prepare_evaluation(config, config.evaluation, device=device)
        assert list(train(run, TrainingState(config, device), prepared))[-1].complete
        measured = prepare_evaluation(config, EvaluationConfig(samples=60, context_length=512), device=device)
        tails[name] = measured.evaluate(load_model(run.path, device))
    for preset, noise in zip(tails["preset"], tails["noise"], strict=True):
        assert preset.tail_bits < preset.untrained_tail_bits - 0.1
        assert preset.tail_bits < preset.ppm_tail_bits
        assert noise.tail_bits > noise.untrained_tail_bits + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_papers_form_at_width_384_trains_200_instances_in_finite_numbers(depth, precision, tmp_path):
    """25 steps of eight instances at the full context of 512; with 16 blocks half of them join after the first step.

    So short a run of rows that passed through no network twice learns nothing: it starts at chance and stays near it.

    One core takes two to six minutes for each of the four.
    """
    device = torch.device("cpu")
    settings = [f"model.depth={depth}", f"training.precision={precision}", "training.instances=200"]
    settings += ["training.batch=8", "training.batch_start=8", "training.evaluate_every=200", "evaluation.samples=8"]
    config = configure("paper-384", [*settings, "training.checkpoint_every=200"]).resolve(device)
    run, state = create_run(tmp_path / "run", config), TrainingState(config, device)
    prepared = prepare(config.evaluation, context_length=512, device=device)
    assert list(train(run, state, prepared))[-1].complete

    steps = run.metrics.history().steps
    assert len(steps) == 25
    assert steps[-1].skipped_steps == 0
    assert all(step.loss_bits is not None and step.gradient_norm is not None for step in steps)
    assert [step.enabled_blocks for step in steps] == [8, *[depth] * 24]
    for model in (state.model, load_model(run.path, device)):
        assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
    assert all(abs(step.loss_bits - 8) < 0.5 for step in steps)
