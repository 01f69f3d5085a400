"""What lets a small transformer copy: one part of it left out or changed at a time, at equal instances.

    python -m benchmarks.bench_copying [--instances 2000] [--seeds 1] [--only NAME ...] [--json FILE]
    python -m benchmarks.bench_copying --read FILE                           the table of a record

Every model starts from the preset `tiny` and is measured before and after its training, on the last 64 positions of the
same slices of `stdlib` and `pydoc`: what the architecture gives is the first figure, what pre-training adds is the
difference. The last rows are controls: the same model trained on something else. PPM-D stands beside them, with all
orders updated and with update exclusion, each with its best order.

Three changes are no settings, and are made to the model here: heads that all look at the same number of tokens, queries
and keys that start different, and a gate that is blind to what the heads found.
"""

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.environment import environment
from up.data.corpora import load_corpus, sample_slices
from up.evaluation import ppm
from up.evaluation.token_bits import token_bits
from up.model.transformer.copying import CopyHeads
from up.model.transformer.model import Transformer
from up.recipes.config import RunConfig
from up.recipes.presets import configure
from up.training.state import TrainingState

CORPORA = ("stdlib", "pydoc")
TAIL = 64
EQUAL_ORDER = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """A change to the preset: settings, and what is done to the copy heads before training."""

    settings: tuple[str, ...] = ()
    edit: Callable[[CopyHeads], None] | None = None


def equal_orders(copying: CopyHeads) -> None:
    """Let every head look at the last four tokens, through signs of its own."""
    for weight in (copying.query_convolution.weight, copying.key_convolution.weight):
        signs = torch.randint(2, weight.shape, generator=torch.Generator().manual_seed(0)) * 2.0 - 1
        weight.data.copy_(signs)
        weight.data[..., :-EQUAL_ORDER] = 0
    copying.sink_H.data.fill_(copying.sink_H.data[EQUAL_ORDER - 1])


def different_queries(copying: CopyHeads) -> None:
    """Draw the keys anew, so that nothing matches before it was learned."""
    copying.key.weight.data.normal_(0, copying.key.in_features**-0.5, generator=torch.Generator().manual_seed(0))


def blind_gate(copying: CopyHeads) -> None:
    """Take the evidence of the heads away from the gate, for good."""
    copying.gate_evidence.weight.data.zero_()
    copying.gate_evidence.weight.requires_grad_(False)


def blind_and_equal(copying: CopyHeads) -> None:
    """Do both."""
    blind_gate(copying)
    equal_orders(copying)


VARIANTS = {
    "as in tiny": Variant(),
    "no convolutions": Variant(settings=("model.convolution_taps=0",)),
    "no copy heads": Variant(settings=("model.copy_heads=0",)),
    "neither": Variant(settings=("model.copy_heads=0", "model.convolution_taps=0")),
    "1 copy head": Variant(settings=("model.copy_heads=1",)),
    "3 copy heads": Variant(settings=("model.copy_heads=3",)),
    "8 copy heads": Variant(settings=("model.copy_heads=8",)),
    "linear pool": Variant(settings=("model.copy_pool=linear",)),
    "1 attention head": Variant(settings=("model.heads=1",)),
    "heads of one order": Variant(edit=equal_orders),
    "queries and keys drawn apart": Variant(edit=different_queries),
    "gate blind to the heads": Variant(edit=blind_gate),
    "blind gate, one order": Variant(edit=blind_and_equal),
    "blind gate, one order, linear pool": Variant(edit=blind_and_equal, settings=("model.copy_pool=linear",)),
    "batches of 16": Variant(settings=("training.batch=16", "training.batch_start=16")),
    "half the learning rate": Variant(settings=("training.learning_rate=1e-3",)),
    "twice the learning rate": Variant(settings=("training.learning_rate=4e-3",)),
    "trained on lstm": Variant(
        settings=("source.kind=lstm", "source.hidden_size=102", "cadence.burn_in_batches=40"),
    ),
    "trained on noise": Variant(settings=("source.kind=noise",)),
}


def measure(model: Transformer, slices: dict[str, np.ndarray]) -> dict[str, float]:
    """Return bits per character over the tails of all slices, by corpus."""
    bits = {}
    for name, slices_NT in slices.items():
        batches = torch.from_numpy(slices_NT).split(16)
        bits[name] = float(torch.cat([token_bits(model, batch)[:, -TAIL:] for batch in batches]).mean())
    return bits


def train(config: RunConfig, variant: Variant, slices: dict[str, np.ndarray]) -> dict[str, object]:
    """Train one model and return its figures."""
    state = TrainingState(config)
    if variant.edit is not None and state.model.copying is not None:
        variant.edit(state.model.copying)
    untrained = measure(state.model, slices)
    start, losses = time.process_time(), []
    while state.instances < config.training.instances:
        losses.append(state.train_step().loss_bits or math.nan)
    return {
        "untrained": untrained,
        "trained": measure(state.model, slices),
        "loss_bits": sum(losses[-50:]) / len(losses[-50:]),
        "cpu_seconds": time.process_time() - start,
    }


def bars(slices: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return PPM-D on the same tails, by rule of updating and corpus."""
    found: dict[str, dict[str, float]] = {"PPM-D": {}, "PPM-D, update exclusion": {}}
    for (label, by_corpus), exclusion in zip(found.items(), (False, True), strict=True):
        for name, slices_NT in slices.items():
            first = slices_NT.shape[1] - TAIL
            order = ppm.choose(slices_NT, first_position=first, update_exclusion=exclusion)
            bits_NT = ppm.in_context_bits(slices_NT, order, update_exclusion=exclusion)
            by_corpus[name] = float(bits_NT[:, first:].mean())
        print(f"{label:>36}{'':16}{by_corpus['stdlib']:8.3f}{by_corpus['pydoc']:8.3f}", flush=True)
    return found


def line(row: dict) -> str:
    """Return one line of the table: untrained and trained on both corpora."""
    figures = [row[when][name] for when in ("untrained", "trained") for name in CORPORA]
    return f"{row['variant']:>36}" + "".join(f"{bits:8.3f}" for bits in figures) + f"{row['cpu_seconds']:8.0f} s"


def main() -> None:
    """Train and measure, or read, and print the table."""
    parser = argparse.ArgumentParser(description="What lets a small transformer copy.")
    parser.add_argument("--instances", type=int, default=2_000)
    parser.add_argument("--samples", type=int, default=400, help="slices of each corpus")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--json", type=Path, help="the record; what it holds already is not measured again")
    parser.add_argument("--read", type=Path, help="print the table of this record; nothing is trained")
    arguments = parser.parse_args()
    print(f"{'bits per character':>36}{'untrained':>16}{'trained':>16}")
    print(f"{'':>36}" + 2 * f"{CORPORA[0]:>8}{CORPORA[1]:>8}")
    if arguments.read:
        record = json.loads(arguments.read.read_text(encoding="utf-8"))
        for label, bits in record["bars"].items():
            print(f"{label:>36}{'':16}{bits['stdlib']:8.3f}{bits['pydoc']:8.3f}")
        print("\n".join(map(line, record["rows"])))
        return
    torch.set_num_threads(1)
    slices = {
        name: sample_slices(
            load_corpus(name), num_slices=arguments.samples, length=512, generator=np.random.default_rng(0)
        )
        for name in CORPORA
    }
    record = {"environment": environment(), "instances": arguments.instances, "samples": arguments.samples}
    record |= {"bars": bars(slices), "rows": []}
    if arguments.json and arguments.json.exists():
        record["rows"] = json.loads(arguments.json.read_text(encoding="utf-8"))["rows"]
    known = {(row["variant"], row["seed"]) for row in record["rows"]}
    for name in arguments.only:
        for seed in range(arguments.seeds):
            if (name, seed) in known:
                continue
            settings = [f"seed={seed}", f"training.instances={arguments.instances}", *VARIANTS[name].settings]
            figures = train(configure("tiny", settings).resolve("cpu"), VARIANTS[name], slices)
            record["rows"].append({"variant": name, "seed": seed, "settings": settings, **figures})
            print(line(record["rows"][-1]), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
