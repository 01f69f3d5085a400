"""What pre-training gives the mixing predictor: trained on one source at a time, beside PPM-D and its untrained self.

    python -m benchmarks.bench_mixing [--rows 250] [--steps 300] [--seeds 1] [--only NAME ...] [--stream 100000]
                                      [--json FILE]
    python -m benchmarks.bench_mixing --read FILE                            the table of a record

Bits per character over the last 64 positions of the same slices of `stdlib` and `pydoc`. With `--stream`, bytes 100,000
to 100,000 + STREAM of each in one piece as well, adapting: bits a byte of the first 10,000 and of all of them, and
bytes a second of the processor. Every row is trained for the same number of steps; the seed draws rows, weights and
batches.

`untrained` knows nothing; `noise` and `lstm` are the other controls: what the procedure gives without structure, and
with the paper's source.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.environment import environment
from up.data.corpora import load_corpus, sample_slices
from up.evaluation import ppm
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.pretraining import STEPS, pretrain
from up.model.mixing.stream import Stream
from up.sources.base import Source, make_source
from up.sources.buffer import BufferConfig
from up.sources.stream import CadenceConfig

CORPORA = ("stdlib", "pydoc")
TAIL = 64
ROW_BYTES = 2_048
START, HEAD = 100_000, 10_000
SOURCES: dict[str, Source | None] = {
    "untrained": None,
    "restaurant": make_source("restaurant"),
    "noise": make_source("noise"),
    "lstm": make_source("lstm", hidden_size=102),
}


def draw_rows(source: Source, num_rows: int, seed: int) -> np.ndarray:
    """Return rows of a source, through the buffer if it has one, which 40 batches fill before."""
    stream = source.stream(
        context_length=ROW_BYTES,
        buffer=BufferConfig(),
        cadence=CadenceConfig(burn_in_batches=40),
        source_generator=torch.Generator().manual_seed(seed),
        buffer_generator=torch.Generator().manual_seed(seed + 1),
    )
    return torch.cat([stream.draw(10) for _ in range(-(-num_rows // 10))])[:num_rows].to(torch.uint8).numpy()


def read_streams(predictor: MixingPredictor, num_bytes: int) -> dict[str, dict[str, float]]:
    """Return the figures of reading in one piece, by corpus."""
    found = {}
    for name in CORPORA:
        stream, data = Stream(predictor), load_corpus(name).data[START : START + num_bytes]
        stream.read(b"")  # compiled before the clock starts
        start = time.process_time()
        bits_N = stream.score(data)
        seconds = time.process_time() - start
        head, whole = float(bits_N[:HEAD].mean()), float(bits_N.mean())
        found[name] = {"head": head, "all": whole, "bytes_per_second": len(data) / seconds}
    return found


def measure(name: str, seed: int, arguments: argparse.Namespace, slices: dict[str, np.ndarray]) -> dict:
    """Train one predictor, unless it stays untrained, and return its figures."""
    start, predictor, source = time.process_time(), MixingPredictor(seed=seed), SOURCES[name]
    if source is not None:
        pretrain(predictor, draw_rows(source, arguments.rows, seed), steps=arguments.steps, seed=seed)
    seconds = time.process_time() - start
    bits = {
        corpus: float(predictor.token_bits(slices_NT, first=slices_NT.shape[1] - TAIL).mean())
        for corpus, slices_NT in slices.items()
    }
    row = {"source": name, "seed": seed, "cpu_seconds": seconds, "bits": bits}
    return row | ({"stream": read_streams(predictor, arguments.stream)} if arguments.stream else {})


def bars(slices: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return PPM-D on the same tails, by rule of updating and corpus."""
    found: dict[str, dict[str, float]] = {"PPM-D": {}, "PPM-D, update exclusion": {}}
    for by_corpus, exclusion in zip(found.values(), (False, True), strict=True):
        for name, slices_NT in slices.items():
            first = slices_NT.shape[1] - TAIL
            order = ppm.choose(slices_NT, first_position=first, update_exclusion=exclusion)
            bits_NT = ppm.in_context_bits(slices_NT, order, update_exclusion=exclusion)
            by_corpus[name] = float(bits_NT[:, first:].mean())
    return found


def line(label: str, bits: dict[str, float], row: dict) -> str:
    """Return one line of the table."""
    text = f"{label:>26}" + "".join(f"{bits[name]:8.3f}" for name in CORPORA)
    if "cpu_seconds" in row:
        text += f"{row['cpu_seconds']:8.0f} s"
    for figures in row.get("stream", {}).values():
        text += f"{figures['head']:9.3f}{figures['all']:8.3f}{figures['bytes_per_second']:8,.0f}"
    return text


def main() -> None:
    """Train and measure, or read, and print the table."""
    parser = argparse.ArgumentParser(description="What pre-training gives the mixing predictor.")
    parser.add_argument("--rows", type=int, default=250)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--samples", type=int, default=200, help="slices of each corpus")
    parser.add_argument("--length", type=int, default=512, help="bytes of a slice")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=SOURCES, default=list(SOURCES), metavar="NAME")
    parser.add_argument("--stream", type=int, default=0, help="bytes to read in one piece; 0: none")
    parser.add_argument("--json", type=Path, help="write the record to this file, after every predictor")
    parser.add_argument("--read", type=Path, help="print the table of this record; nothing is trained")
    arguments = parser.parse_args()
    print(f"{'':>26}{'stdlib':>8}{'pydoc':>8}{'trained':>10}{'stdlib: head, all, B/s':>25}{'pydoc':>25}")
    if arguments.read:
        record = json.loads(arguments.read.read_text(encoding="utf-8"))
        for label, bits in record["bars"].items():
            print(line(label, bits, {}))
        for row in record["rows"]:
            print(line(f"{row['source']}, seed {row['seed']}", row["bits"], row))
        return
    torch.set_num_threads(1)
    generators = {name: np.random.default_rng(0) for name in CORPORA}
    slices = {
        name: sample_slices(load_corpus(name), num_slices=arguments.samples, length=arguments.length, generator=draw)
        for name, draw in generators.items()
    }
    record = {"environment": environment(), "settings": {**vars(arguments), "json": None, "read": None}}
    record |= {"bars": bars(slices), "rows": []}
    for label, bits in record["bars"].items():
        print(line(label, bits, {}), flush=True)
    for name in arguments.only:
        for seed in range(arguments.seeds):
            row = measure(name, seed, arguments, slices)
            record["rows"].append(row)
            print(line(f"{name}, seed {seed}", row["bits"], row), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
