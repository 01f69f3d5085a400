"""Instances a second of whole training steps, and which share of them the source takes, for presets on a device.

    python -m benchmarks.bench_throughput [--device cuda] [--presets paper-384,...] [--seconds 10] [--json FILE]

A step is what a run does: source batches that are due, a batch from the buffer, forward, backward, clipping and AdamW,
at the preset's full batch, with the microbatch and precision that the device settles. After two steps that are not
counted, steps are timed one by one until the seconds are over, three at least; figures are medians. FLOPs are
those of the model (`up.model.transformer.cost`), without the source. The batch is the final one from the first step on:
lengths of the run do not matter here, but it does.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.environment import environment
from up.device import describe_device
from up.model.transformer.config import TransformerConfig
from up.model.transformer.cost import training_flops_per_token
from up.recipes.config import RunConfig
from up.recipes.presets import configure
from up.training.state import TrainingState


def at_full_batch(preset: str, assignments: Sequence[str]) -> RunConfig:
    """Return a preset whose batch is the final one, and whose blocks all take part, from the first step on."""
    batch = configure(preset, assignments).training.batch
    whole = [f"training.batch_start={batch}", "training.batch_warmup_from=0", "training.batch_warmup_to=0"]
    return configure(preset, [*assignments, *whole, "training.enable_every=0"])


def measure(preset: str, assignments: Sequence[str], device: torch.device, seconds: float) -> dict[str, object]:
    """Return the row of a preset."""
    config = at_full_batch(preset, assignments).resolve(device)
    state = TrainingState(config, device)
    for _ in range(2):
        state.train_step()
    before, times, start = state.stream.source_seconds(), [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        began = time.perf_counter()
        state.train_step()  # reads the loss, so that the device is done when it returns
        times.append(time.perf_counter() - began)
    share = (state.stream.source_seconds() - before) / sum(times)
    rate = config.training.batch / statistics.median(times)
    row: dict[str, object] = {
        "preset": preset,
        "settings": list(assignments),
        "batch": config.training.batch,
        "microbatch": config.training.microbatch,
        "precision": config.training.precision,
        "steps": len(times),
        "instances_per_second": rate,
        "source_share": share,
    }
    if isinstance(config.model, TransformerConfig):
        row["tflops_per_second"] = rate * config.model.context_length * training_flops_per_token(config.model) / 1e12
    if device.type == "cuda":
        row["peak_gib"] = torch.cuda.max_memory_allocated(device) / 2**30
        torch.cuda.reset_peak_memory_stats(device)
    return row


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description="Instances a second of whole training steps.")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--presets", default="paper-384,paper-512,paper-640,paper-1024")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change a setting of every preset")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each preset")
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    rows = []
    for preset in arguments.presets.split(","):
        rows.append(measure(preset, arguments.set, device, arguments.seconds))
        print(
            "  ".join(
                f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
                for name, value in rows[-1].items()
            )
        )
    if arguments.json is not None:
        record = {
            "benchmark": "throughput",
            **environment(),
            "card": describe_device(device).description,
            "presets": rows,
        }
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
