"""Short pieces of text under the mixing predictor that ships and under every compressor: where a prior should matter.

    python -m benchmarks.bench_pieces [--model builtin:mixing] [--pieces 8] [--seed 0] [--json FILE]
    python -m benchmarks.bench_pieces --read FILE                            the table of a record

Bits per byte, each the mean over pieces cut at places drawn with a seed out of `stdlib` and `pydoc`. Every piece is a
file of its own, to the predictor as to the compressors; nothing is carried from one to the next. The predictor learns
as it reads and is charged its ideal code length. `from random weights` is the same architecture, untrained and adapting
likewise, the control: what lies between the two is what pre-training gave. The compressors are those of `up score`, at
their strongest level, PPMd at the order that is best for the piece, without headers where the format allows.

Limits: settings of the predictor were chosen on these two corpora. brotli brings along a dictionary of English and of
the web, about 120 kB that its sizes do not count; nor do those of the predictor count its weights.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean

import numpy as np
import torch

from benchmarks.environment import environment
from up.data.corpora import load_corpus, sample_slices
from up.evaluation.compressors import compressed_sizes
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.use.predictor import load_predictor
from up.use.score import untrained

CORPORA = ("stdlib", "pydoc")
SIZES = (1_000, 4_000, 10_000)  # bytes
CONTROL = "from random weights"


def piece_bits(piece: bytes, predictors: dict[str, MixingPredictor]) -> dict[str, float]:
    """Return bits per byte of one piece by the name of the predictor or compressor; installed ones only."""
    bits = {name: float(Stream(predictor).score(piece).mean()) for name, predictor in predictors.items()}
    sizes = ((size.name, size.bits_per_byte) for size in compressed_sizes(piece))
    return bits | {name: each for name, each in sizes if each is not None}


def measure(predictors: dict[str, MixingPredictor], num_pieces: int, seed: int) -> list[dict]:
    """Return a row for each corpus and size: the bits per byte of every piece, by name."""
    rows = []
    for corpus in CORPORA:
        for size in SIZES:
            cut = sample_slices(
                load_corpus(corpus), num_slices=num_pieces, length=size, generator=np.random.default_rng(seed)
            )
            found = [piece_bits(piece.tobytes(), predictors) for piece in cut]
            rows.append(
                {"corpus": corpus, "bytes": size, "bits": {name: [f[name] for f in found] for name in found[0]}}
            )
            print(f"{corpus}, {size:,} bytes: done", flush=True)
    return rows


def table(rows: list[dict]) -> str:
    """Return means over pieces as Markdown, the lowest of each column bold."""
    means = [{name: fmean(bits) for name, bits in row["bits"].items()} for row in rows]
    heads = [f"{row['corpus']}, {row['bytes'] // 1000} kB" for row in rows]
    lines = ["| bits per byte | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for name in means[0]:
        cells = (f"**{m[name]:.3f}**" if m[name] == min(m.values()) else f"{m[name]:.3f}" for m in means)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, or read, and print the table."""
    parser = argparse.ArgumentParser(description="Short pieces under the mixing predictor and compressors.")
    parser.add_argument(
        "--model", default="builtin:mixing", help="folder of a run of the mixing predictor, or builtin:NAME"
    )
    parser.add_argument("--pieces", type=int, default=8, help="pieces of each size and corpus")
    parser.add_argument("--seed", type=int, default=0, help="of the places")
    parser.add_argument("--json", type=Path, help="write the record to this file")
    parser.add_argument("--read", type=Path, help="print the table of this record; nothing is measured")
    arguments = parser.parse_args()
    if arguments.read:
        print(table(json.loads(arguments.read.read_text(encoding="utf-8"))["rows"]))
        return
    torch.set_num_threads(1)
    trained = load_predictor(arguments.model)
    rows = measure({arguments.model: trained, CONTROL: untrained(trained)}, arguments.pieces, arguments.seed)
    settings = {"model": arguments.model, "pieces": arguments.pieces, "seed": arguments.seed}
    if arguments.json:
        record = {"environment": environment(), "settings": settings, "rows": rows}
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
