"""Slices a second of the in-context bars PPM and CTW, compiled by numba against plain Python, on one core.

    python -m benchmarks.bench_bars [--repeats 5] [--length 512] [--json FILE]

Slices of `stdlib`, other ones in each repeat, of which the plain side takes the first few, and the bits must be equal.
Figures are medians of the repeats, a ratio is the median of the ratios within each repeat; compilation is not counted.
The oracles of the tests, in fractions, are slower still and not timed.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.environment import environment
from up.data.corpora import Corpus, load_corpus, sample_slices
from up.evaluation import ctw, ppm

SLICES, PLAIN_SLICES = 128, 8
BARS = {"ppm, order": (ppm.in_context_bits, (1, 3, 8)), "ctw, depth": (ctw.in_context_bits, (8, 24, 48))}
"""What is measured, and at which settings."""

Bits = npt.NDArray[np.float64]


def timed(
    bar: Callable[..., Bits], slices_NT: npt.NDArray[np.uint8], setting: int, compiled: bool
) -> tuple[float, Bits]:
    """Return the slices a second, and their bits."""
    start = time.perf_counter()
    bits_NT = bar(slices_NT, setting, compiled=compiled)
    return len(slices_NT) / (time.perf_counter() - start), bits_NT


def measure(corpus: Corpus, name: str, setting: int, length: int, repeats: int) -> dict[str, object]:
    """Time both sides once per repeat; the first repeat warms up and is not counted."""
    bar, generator = BARS[name][0], np.random.default_rng(0)
    compiled_speeds, plain_speeds = [], []
    for repeat in range(repeats + 1):
        slices_NT = sample_slices(corpus, num_slices=SLICES, length=length, generator=generator)
        compiled, bits_NT = timed(bar, slices_NT, setting, True)
        plain, plain_bits_NT = timed(bar, slices_NT[:PLAIN_SLICES], setting, False)
        np.testing.assert_allclose(bits_NT[:PLAIN_SLICES], plain_bits_NT, rtol=1e-12)
        if repeat:
            compiled_speeds.append(compiled)
            plain_speeds.append(plain)
    return {
        "bar": f"{name} {setting}",
        "compiled_slices_per_second": statistics.median(compiled_speeds),
        "plain_slices_per_second": statistics.median(plain_speeds),
        "ratio": statistics.median(c / p for c, p in zip(compiled_speeds, plain_speeds, strict=True)),
        "compiled_slices_per_second_all": compiled_speeds,
        "plain_slices_per_second_all": plain_speeds,
    }


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--length", type=int, default=512, help="tokens a slice")
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    corpus = load_corpus("stdlib")
    record = {
        "benchmark": "bars",
        **environment(),
        "repeats": arguments.repeats,
        "length": arguments.length,
        "results": [
            measure(corpus, name, setting, arguments.length, arguments.repeats)
            for name, (_, settings) in BARS.items()
            for setting in settings
        ],
    }
    print(
        f"bars on {record['processor']}, 1 thread, slices of {arguments.length} a second, {arguments.repeats} repeats"
    )
    print(f"{'':>14} {'compiled':>9} {'plain':>7} {'ratio':>6}")
    for result in record["results"]:
        print(
            f"{result['bar']:>14} {result['compiled_slices_per_second']:>9.0f} "
            f"{result['plain_slices_per_second']:>7.1f} {result['ratio']:>6.1f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
