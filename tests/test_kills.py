"""Runs that are killed at random moments and at random lines of a checkpoint's writing end as if nothing had happened.

The number survived is printed at the end of the test session.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "model.width": 16,
    "model.base_width": 16,
    "model.depth": 3,
    "model.progressive_group": 1,
    "model.context_length": 32,
    "model.dropout": 0.1,
    "source.kind": "lstm",
    "source.hidden_size": 4,
    "training.keep": "latest",
    "buffer.source_batch": 8,
    "buffer.reset_constant": 1,
    "buffer.reset_noise": 1,
    "cadence.burn_in_batches": 2,
    "cadence.source_rows_per_instance": 0.5,
    "training.batch": 8,
    "training.batch_start": 4,
    "training.batch_warmup_to": 100,
    "training.microbatch": 8,
    "evaluation.tail_positions": 8,
    "evaluation.samples": 4,
}


@pytest.fixture
def kill(tmp_path, record_property):
    """Run the benchmark with options of a test's own, and return its record."""
    text = tmp_path / "text"
    text.write_text("peter piper picked a peck of pickled pepper. " * 40)

    def kill_with(*options: str, instances: int, **intervals: int):
        lengths = {f"training.{name}": value for name, value in intervals.items()}
        settings = {**SETTINGS, **lengths, "evaluation.data": json.dumps([str(text)])}
        chosen = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        words = ["--preset", "tiny", "--device", "cpu", "--instances", str(instances), *chosen]
        record = tmp_path / "record.json"
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_kills", "--json", str(record), *options, "--", *words],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert record.exists(), done.stderr + done.stdout
        record_property("summary", f"{' '.join(options)}: {done.stdout.splitlines()[0]}")
        assert done.returncode == 0, done.stdout
        return json.loads(record.read_text())

    return kill_with


def test_twenty_random_kills_are_survived_bit_for_bit(kill):
    record = kill(
        "--kills", "20", "--seconds", "0.4", "--start", "fork",
        instances=240, enable_every=60, evaluate_every=60, checkpoint_every=40,
    )  # fmt: skip
    assert record["kills"] == 20
    assert record["runs_equal"]
    assert record["kills_that_left_a_checkpoint_half_written"] >= 1


@pytest.mark.slow
def test_signals_that_save_and_kills_that_do_not_are_survived_by_real_processes(kill):
    """Fresh processes, as a user starts them; SIGTERM and SIGINT besides SIGKILL."""
    record = kill(
        "--kills", "20", "--seconds", "6", "--start", "spawn", "--stops",
        instances=16000, enable_every=4000, evaluate_every=2400, checkpoint_every=800,
    )  # fmt: skip
    assert record["kills"] == 20
    assert record["runs_equal"]
    assert record["kills_that_left_a_checkpoint_half_written"] >= 1
    assert record["kills_that_were_answered_with_a_checkpoint"] >= 1
