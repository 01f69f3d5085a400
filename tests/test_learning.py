"""The main job end to end: a short run on random computation predicts real bytes better than chance."""

import pytest
import torch

from up.evaluation.bits import EvaluationConfig, prepare
from up.training.events import Finished
from up.training.loop import train
from up.training.presets import configure
from up.training.run_folder import create_run, load_model
from up.training.state import TrainingState


@pytest.mark.slow
def test_a_short_run_predicts_real_text_and_code_that_it_never_saw(tmp_path):
    """1,200 instances of `tiny`: over the last 64 characters at least 0.3 and 0.1 bits below uniform."""
    device = torch.device("cpu")
    config = configure("tiny", ["training.instances=1200", "evaluation.samples=8"]).resolve(device)
    run = create_run(tmp_path / "run", config)
    prepared = prepare(config.evaluation, context_length=512, device=device)
    events = list(train(run, TrainingState(config, device), prepared))
    assert isinstance(events[-1], Finished)
    assert events[-1].complete

    measured = prepare(EvaluationConfig(samples=200), context_length=512, device=device)
    stdlib, pydoc = measured.evaluate(load_model(run.path, device))
    assert stdlib.tail_bits + 2 * stdlib.tail_stderr < 7.7
    assert pydoc.tail_bits + 2 * pydoc.tail_stderr < 7.9
