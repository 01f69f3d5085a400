import json

import pytest

from tests.up.runs.cases import CPU, small_config
from up.evaluation.bits import prepare
from up.runs.folder import create_run
from up.training.state import TrainingState


@pytest.fixture
def begin(tmp_path):
    """Return a function that makes a run of 64 instances in steps of eight, with a small text to evaluate on."""
    text = tmp_path / "text"
    text.write_text("how much wood would a woodchuck chuck? " * 20)

    def begin_run(*assignments: str, name: str = "run", **options):
        data = f"evaluation.data={json.dumps([str(text)])}"
        config = small_config(data, *assignments, **options)
        prepared = prepare(config.evaluation, context_length=config.model.context_length, device=CPU)
        return create_run(tmp_path / name, config), TrainingState(config, CPU), prepared

    return begin_run
