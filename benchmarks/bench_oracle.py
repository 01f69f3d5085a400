"""The mixing predictor's counting, compiled by numba, against the same functions as plain Python and the oracle.

    python -m benchmarks.bench_oracle [--tokens 128 512 2048] [--repeats 3] [--json FILE]

The first bytes of `stdlib`, one row from nothing: what all experts offer for every decision (`RowReader`), on one
thread. The oracle of the tests, `tests/reference/mixing.py`, keeps every bit in dictionaries and lists, and no array.
Followers and matches it looks for by going through the whole row again, so its time grows with the square of the row;
`counting` leaves these contexts out. Figures are seconds of the processor, a ratio is the median of the ratios within
each repeat; compilation is not counted. `differ` is the share of inputs in which hashes make a difference.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.environment import environment
from tests.reference import mixing as oracle
from up.data.corpora import load_corpus
from up.model.mixing.contexts import FAMILIES, contexts_of
from up.model.mixing.inputs import empty_tables, num_inputs
from up.model.mixing.rows import RowReader, read_row, row_slots
from up.model.mixing.statistics import new_statistics

CONTEXTS = {"all": tuple(FAMILIES), "counting": ("orders", "skips", "masks")}


def seconds_of(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of the processor that a call takes, and what it returns."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def measure(families: tuple[str, ...], num_tokens: int, repeats: int) -> dict[str, Any]:
    """Time all three on the same row."""
    contexts, row = contexts_of(families), bytes(load_corpus("stdlib").data[:num_tokens])
    row_T, kept_T, tables = np.frombuffer(row, np.uint8), np.ones(num_tokens, np.bool_), empty_tables(len(contexts))
    reader = RowReader(contexts, num_tokens)

    def plain() -> np.ndarray[Any, Any]:
        statistics_ = new_statistics(contexts, tables, row_slots(num_tokens, len(contexts)))
        inputs, came = np.empty((8 * num_tokens, num_inputs(len(contexts)))), np.empty(8 * num_tokens)
        read_row(statistics_, row_T, kept_T, np.empty(inputs.shape[1]), inputs, came, np.zeros((0, 0, 0, 0), np.int64))
        return inputs

    sides = {
        "compiled": lambda: reader.read(row_T, kept_T, tables)[0],
        "plain": plain,
        "oracle": lambda: np.array(oracle.inputs_of_row(contexts, row)[0]),
    }
    sides["compiled"]()
    taken: dict[str, list[float]] = {name: [] for name in sides}
    inputs: dict[str, Any] = {}
    for _ in range(repeats):
        for name, call in sides.items():
            seconds, inputs[name] = seconds_of(call)
            taken[name].append(seconds)
    assert (inputs["plain"] == inputs["compiled"]).all()
    differ = float((abs(inputs["oracle"] - inputs["compiled"]) > 1e-9).mean())
    ratios = {
        f"{name}_ratio": statistics.median(
            slow / fast for slow, fast in zip(taken[name], taken["compiled"], strict=True)
        )
        for name in ("plain", "oracle")
    }
    return {"tokens": num_tokens, "contexts": len(contexts), "seconds": taken, "differ": differ, **ratios}


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description="The mixing predictor's counting, compiled, plain, and the oracle.")
    parser.add_argument("--tokens", type=int, nargs="+", default=[128, 512, 2048])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, Any] = {"environment": environment(), "rows": []}
    print(
        f"{'contexts':>10}{'tokens':>8}{'compiled':>12}{'plain':>9}{'oracle':>9}{'plain/':>9}{'oracle/':>9}{'differ':>9}"
    )
    for name, families in CONTEXTS.items():
        for num_tokens in arguments.tokens:
            row = {"name": name, **measure(families, num_tokens, arguments.repeats)}
            record["rows"].append(row)
            fast, plain, slow = (statistics.median(row["seconds"][side]) for side in ("compiled", "plain", "oracle"))
            print(
                f"{name:>10}{num_tokens:8}{fast:10.4f} s{plain:7.2f} s{slow:7.2f} s"
                f"{row['plain_ratio']:9.0f}{row['oracle_ratio']:9.0f}{row['differ']:9.2%}",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
