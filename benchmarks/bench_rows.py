"""Throughput of the sources without a buffer, on one thread: rows of 512 tokens a second.

    python -m benchmarks.bench_rows [--repeats 7] [--json FILE] [KIND ...]

Each source draws batches of 16, 64 and 256 rows of bytes; figures are medians of the repeats, and one before them warms
up.
`tree plain` is what `tree` does where numba cannot be imported.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.environment import environment
from up.config import from_dict
from up.sources.base import RowSource
from up.sources.registry import SOURCES, source_type
from up.sources.tree_kernel import write_rows

TOKENS, BATCHES = 512, (16, 64, 256)


def drawers(kinds: list[str]) -> dict[str, Callable[[int], object]]:
    """A function of the number of rows for each source without a buffer."""
    generator = torch.Generator().manual_seed(0)
    found: dict[str, Callable[[int], object]] = {}
    for kind in kinds:
        source = from_dict(source_type(kind), {"kind": kind})
        if isinstance(source, RowSource):
            found[kind] = lambda rows, draw=source.rows: draw(rows, TOKENS, generator)
    if "tree" in found:
        numbers = np.random.default_rng(0)

        def draw_plainly(rows: int) -> object:
            keys = numbers.integers(2**64, size=rows, dtype=np.uint64)
            return write_rows(keys, numbers.random((TOKENS, rows, 8)), 256, 8, 2**52)

        found["tree plain"] = draw_plainly
    return found


def rows_per_second(draw: Callable[[int], object], rows: int, repeats: int) -> float:
    """The median over the repeats, after one that warms up."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        draw(rows)
        seconds.append(time.perf_counter() - start)
    return rows / statistics.median(seconds[1:])


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", default=list(SOURCES), help="sources; all if left out")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record = {"benchmark": "rows", **environment(), "repeats": arguments.repeats, "rows_per_second": {}}
    print(f"{record['torch']} on {record['processor']}, 1 thread, {arguments.repeats} repeats")
    print(f"{'rows in a batch':<16}" + "".join(f"{batch:>10}" for batch in BATCHES))
    for name, draw in drawers(arguments.kinds).items():
        speeds = {batch: rows_per_second(draw, batch, arguments.repeats) for batch in BATCHES}
        record["rows_per_second"][name] = speeds
        print(f"{name:<16}" + "".join(f"{speed:>10,.0f}" for speed in speeds.values()))
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
