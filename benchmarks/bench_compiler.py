"""Compiled programs: how fast they are compiled and run, and the vectorised interpreter against the plain one.

    python -m benchmarks.bench_compiler [--length 8] [--repeat 7] [--json FILE]

Seconds to compile a program and to compare its network with the vectorised interpreter on all words of a length, and
seconds of both interpreters on these words; tests have both give the same.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks.environment import environment
from up.compiler.agreement import compare
from up.compiler.cases import load_program
from up.compiler.compile import compile_program
from up.compiler.interpreter import interpret
from up.compiler.vectorised import interpret_all

PROGRAMS = ("parity", "reverse", "increment", "brackets", "share")
"""Of `up.compiler.cases`: those of two symbols."""


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def measure(name: str, length: int, repeat: int) -> dict[str, Any]:
    """Return seconds of a program on all words of a length, sides in turn."""
    program = load_program(name)
    words = list(product(program.alphabet, repeat=length))
    agree: list[bool] = []
    sides: dict[str, Callable[[], object]] = {
        "compile and compare": lambda: agree.append(compare(compile_program(program), words).agree),
        "vectorised": lambda: interpret_all(program, words),
        "plain": lambda: [interpret(program, word) for word in words],
    }
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(repeat):
        for side, call in sides.items():
            times[side].append(seconds(call))
    ratio = statistics.median(plain / fast for plain, fast in zip(times["plain"], times["vectorised"], strict=True))
    return {"program": name, "inputs": len(words), "agree": all(agree), "seconds": times, "ratio": ratio}


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measure(name, given.length, given.repeat) for name in PROGRAMS]
    print(f"{'program':<10}{'inputs':>8}{'compile and compare':>21}{'vectorised':>12}{'plain':>9}{'ratio':>7}  agree")
    for row in rows:
        middle = {side: statistics.median(times) for side, times in row["seconds"].items()}
        print(
            f"{row['program']:<10}{row['inputs']:>8}{middle['compile and compare']:>21.3f}{middle['vectorised']:>12.4f}"
            f"{middle['plain']:>9.3f}{row['ratio']:>7.0f}  {row['agree']}"
        )
    if given.json:
        record = {"environment": environment(), "length": given.length, "rows": rows}
        given.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
