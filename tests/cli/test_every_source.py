"""Every source, from the command line: it trains, goes on to the same bytes, evaluates, and shows itself."""

import json
import shutil

import pytest

from tests.cli.training_runs import drop_checkpoints, outcome_of
from up.sources.registry import SOURCES

SETTINGS = {
    "model.depth": "1",
    "model.context_length": "128",
    "cadence.burn_in_batches": "2",
    "training.evaluate_every": "500",
    "training.checkpoint_every": "256",
    "evaluation.samples": "8",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_trains_tiny_for_500_instances_and_goes_on_bit_for_bit(run, text, tmp_path, kind):
    chosen = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    out = tmp_path / "run"
    words = ["train", "--preset", "tiny", "--source", kind, "--instances", "500", "--device", "cpu", "--quiet"]
    outcome = run(*words, *chosen, "--set", f'evaluation.data=["{text}"]', "--out", str(out))
    assert (outcome.code, outcome.stderr) == (0, "")
    whole = outcome_of(out)
    losses = [json.loads(line)["loss_bits"] for line in whole["metrics.jsonl"].splitlines() if b'"step"' in line]
    assert all(loss is not None and loss < 9 for loss in losses)

    stopped = shutil.copytree(out, tmp_path / "stopped")
    drop_checkpoints(stopped)
    assert run("train", "--resume", "--out", str(stopped), "--device", "cpu", "--quiet").code == 0
    assert outcome_of(stopped) == whole

    (row,) = json.loads(run("eval", str(out), "--source", kind, "--samples", "8", "--json", "--quiet").stdout)["rows"]
    assert (row["data"], row["samples"]) == (kind, 8)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_shows_itself_in_the_demo(run, kind):
    outcome = run("demo", "enrich", "--source", kind, "--length", "64", "--depth", "2")
    assert (outcome.code, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.lstrip().startswith("entropy") for line in lines) == 3
