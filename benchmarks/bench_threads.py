"""What a second thread is worth on a CPU, alone and beside a process that keeps one core busy.

    python -m benchmarks.bench_threads [--repeats 3] [--json FILE]

Each figure is a process of its own, since OpenMP reads OMP_WAIT_POLICY once: training steps of the preset `tiny` and
source batches of 144 rows at 102 units, n = 8, in instances and sequences per second. Medians of the repeats.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from benchmarks.environment import environment

TRAINING_STEPS, SOURCE_BATCHES = 6, 3


def training_rate(threads: int) -> float:
    """Return instances per second of `tiny` without its source, in this process."""
    from up.recipes.presets import configure
    from up.training.state import TrainingState

    torch.set_num_threads(threads)
    state = TrainingState(
        configure("tiny", ["cadence.burn_in_batches=0"]).resolve(torch.device("cpu")), torch.device("cpu")
    )
    state.train_step()
    in_source, instances, start = state.stream.source_seconds(), state.instances, time.perf_counter()
    for _ in range(TRAINING_STEPS):
        state.train_step()
    seconds = time.perf_counter() - start - (state.stream.source_seconds() - in_source)
    return (state.instances - instances) / seconds


def source_rate(threads: int) -> float:
    """Return sequences per second of the sampler with so many threads, in this process."""
    from up.sources.recurrent import RecurrentSource, draw_weights
    from up.sources.recurrent_kernel import generate_sequences

    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    weights = draw_weights(RecurrentSource(hidden_size=102), 18, generator=generator)
    arguments = {
        "seeds_RS": torch.randint(256, (144, 8), generator=generator),
        "conditions_RT": torch.randint(256, (144, 512), generator=generator),
        "uniforms_TR": torch.rand(504, 144, generator=generator, dtype=torch.float64),
    }
    generate_sequences(weights, cell="lstm", temperature=1e-4, **arguments)
    start = time.perf_counter()
    for _ in range(SOURCE_BATCHES):
        generate_sequences(weights, cell="lstm", temperature=1e-4, **arguments)
    return 144 * SOURCE_BATCHES / (time.perf_counter() - start)


def measured(what: str, threads: int, policy: str, *, contended: bool, repeats: int) -> float:
    """Return the median rate over fresh processes, beside a spinning competitor if asked."""
    competitor = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if contended else None
    try:
        rates = []
        for _ in range(repeats):
            command = [sys.executable, "-m", "benchmarks.bench_threads", "--one", what, "--threads", str(threads)]
            environment_with_policy = {**os.environ, "OMP_WAIT_POLICY": policy}
            result = subprocess.run(command, env=environment_with_policy, capture_output=True, text=True, check=True)
            rates.append(float(result.stdout))
        return statistics.median(rates)
    finally:
        if competitor is not None:
            competitor.kill()
            competitor.wait()


def main() -> None:
    """Run all combinations, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    parser.add_argument("--one", choices=["training", "source"], help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print({"training": training_rate, "source": source_rate}[arguments.one](arguments.threads))
        return
    rows = []
    print(f"{'':10} {'threads':>7} {'waiting':>8} {'alone':>8} {'beside a busy core':>19}   per second")
    for what in ("training", "source"):
        for threads, policy in ((1, "passive"), (2, "active"), (2, "passive")):
            alone, beside = (
                measured(what, threads, policy, contended=contended, repeats=arguments.repeats)
                for contended in (False, True)
            )
            rows.append({"what": what, "threads": threads, "policy": policy, "alone": alone, "beside": beside})
            print(f"{what:10} {threads:>7} {policy:>8} {alone:>8.1f} {beside:>19.1f}", flush=True)
    if arguments.json:
        record = {"benchmark": "threads", **environment(), "repeats": arguments.repeats, "rows": rows}
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
