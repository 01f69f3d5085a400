"""Rows a second of the source `restaurant`, compiled by numba against the same function in plain Python, on one core.

    python -m benchmarks.bench_restaurant [--repeats 7] [--json FILE]

Default settings, everything included: parameters, tokens, zlib, rows that the band draws again. Each repeat takes other
rows, the same for both sides, of which the plain side writes the first few, and they must be equal. Figures are medians
of the repeats, a ratio is the median of the ratios within each repeat; compilation is not counted.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from benchmarks.environment import environment
from up.sources.restaurant import RestaurantSource, RowWriter

ROWS = {512: 512, 2048: 128, 16_384: 16}
"""Tokens a row to rows of a repeat; the plain side takes an eighth of them."""


def timed(source: RestaurantSource, writer: RowWriter, states: list[list[int]]) -> tuple[float, list[bytes]]:
    """Return the rows a second, and the rows."""
    start = time.perf_counter()
    rows = [source.row(writer, list(state)) for state in states]
    return len(states) / (time.perf_counter() - start), rows


def measure(num_tokens: int, num_rows: int, repeats: int) -> dict[str, object]:
    """Time both sides once per repeat; the first repeat warms up and is not counted."""
    source = RestaurantSource()
    writers = [RowWriter(num_tokens, max_depth=source.max_depth, compiled=mode) for mode in (True, False)]
    generator = torch.Generator().manual_seed(num_tokens)
    compiled_speeds, plain_speeds = [], []
    for repeat in range(repeats + 1):
        states = torch.randint(1, 1 << 31, (num_rows, 6), generator=generator).tolist()
        compiled, rows = timed(source, writers[0], states)
        plain, plain_rows = timed(source, writers[1], states[: num_rows // 8])
        assert rows[: num_rows // 8] == plain_rows
        if repeat:
            compiled_speeds.append(compiled)
            plain_speeds.append(plain)
    return {
        "tokens": num_tokens,
        "compiled_rows_per_second": statistics.median(compiled_speeds),
        "plain_rows_per_second": statistics.median(plain_speeds),
        "ratio": statistics.median(c / p for c, p in zip(compiled_speeds, plain_speeds, strict=True)),
        "compiled_rows_per_second_all": compiled_speeds,
        "plain_rows_per_second_all": plain_speeds,
    }


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record = {
        "benchmark": "restaurant",
        **environment(),
        "repeats": arguments.repeats,
        "results": [measure(tokens, rows, arguments.repeats) for tokens, rows in ROWS.items()],
    }
    print(f"restaurant on {record['processor']}, 1 thread, {arguments.repeats} repeats; rows a second")
    print(f"{'tokens':>7} {'compiled':>9} {'plain':>7} {'ratio':>6}")
    for result in record["results"]:
        print(
            f"{result['tokens']:>7} {result['compiled_rows_per_second']:>9.1f} "
            f"{result['plain_rows_per_second']:>7.1f} {result['ratio']:>6.1f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
