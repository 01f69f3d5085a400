"""Theory throughput: the universal machine compiled against plain Python, walks over all programs, and class checks.

    python -m benchmarks.bench_theory [--repeats 5] [--json FILE]

The universal machine runs programs of T random tokens (A = 128, M = 10, O = 512) under T steps. Compiled and plain runs
of the same programs alternate, and their results are compared; the plain side runs a part of them. The ratio is the
median of the ratios within each repeat. Compilation is not counted. Walks and checks are given in leaves, members and
strings a second, medians of the repeats.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.environment import environment
from theory.checks.coding import check_coding
from theory.checks.domination import check_domination
from theory.compiling import can_compile
from theory.machines.classes import load_class
from theory.machines.universal.interpreter import Interpreter
from theory.machines.universal.semantics import INSTRUCTIONS, MachineSize, ResultColumn
from theory.measures.complexity import complexity
from theory.measures.omega import stream_measure

STEPS = (100, 1000, 5000)
PROGRAMS = 4096
PLAIN_PROGRAMS = {100: 1024, 1000: 128, 5000: 64}
Row = dict[str, object]


def seconds(run: Callable[..., object], *arguments: object, **options: object) -> float:
    start = time.perf_counter()
    run(*arguments, **options)
    return time.perf_counter() - start


def universal_machine(max_steps: int, repeats: int) -> Row:
    """Time both sides on the same programs; the compiled side runs all of them, the plain side the first ones."""
    size = MachineSize(alphabet_size=128, memory_cells=10, max_steps=max_steps, output_limit=512)
    generator = np.random.default_rng(max_steps)
    programs = generator.integers(len(INSTRUCTIONS), size=(PROGRAMS, max_steps), dtype=np.uint8)
    few = PLAIN_PROGRAMS[max_steps]
    compiled = Interpreter(size, rows=PROGRAMS, stream_length=max_steps, compiled=True)
    plain = Interpreter(size, rows=few, stream_length=max_steps, compiled=False)
    compiled.streams[:PROGRAMS] = programs
    for row in range(few):
        plain.streams[row][:] = programs[row].tolist()
    compiled.run()
    plain.run(1)
    rates = [(PROGRAMS / seconds(compiled.run), few / seconds(plain.run)) for _ in range(repeats)]
    assert compiled.results[:few].tolist() == plain.results, "compiled and plain runs differ"
    for fast_output, plain_output, result in zip(compiled.outputs, plain.outputs, plain.results, strict=False):
        length = result[ResultColumn.OUTPUT_LENGTH]
        assert fast_output[:length].tolist() == plain_output[:length], "compiled and plain outputs differ"
    fast = statistics.median(rate for rate, _ in rates)
    return {
        "max_steps": max_steps,
        "compiled_programs_per_s": fast,
        "plain_programs_per_s": statistics.median(rate for _, rate in rates),
        "ratio": statistics.median(fast / slow for fast, slow in rates),
        "compiled_outputs_per_s": fast * float(compiled.results[:, ResultColumn.OUTPUT_LENGTH].mean()),
    }


def walks(repeats: int) -> list[Row]:
    """Time walks over all programs, compiled and plain."""
    size = MachineSize(alphabet_size=2, memory_cells=4, max_steps=6, output_limit=6)
    rows: list[Row] = []
    for compiled in (True, False):
        leaves = stream_measure(size, compiled=compiled).leaves
        took = statistics.median(seconds(stream_measure, size, compiled=compiled) for _ in range(repeats))
        rows.append({"walk": "stream T=6", "compiled": compiled, "leaves": leaves, "leaves_per_s": leaves / took})
        found = complexity("0110", max_tokens=6, compiled=compiled)
        took = statistics.median(seconds(complexity, "0110", max_tokens=6, compiled=compiled) for _ in range(repeats))
        rows.append(
            {"walk": "K(0110)", "compiled": compiled, "leaves": found.leaves, "leaves_per_s": found.leaves / took}
        )
    return rows


def checks(repeats: int) -> list[Row]:
    """Time checks over whole classes."""
    model_class = load_class("mealy")
    rows: list[Row] = []
    for name, check in (("domination", check_domination), ("coding", check_coding)):
        result = check(model_class)
        took = statistics.median(seconds(check, model_class) for _ in range(repeats))
        strings = result.counts.get("triples", result.counts.get("strings", 0))
        rows.append(
            {
                "check": name,
                "class": model_class.name,
                "seconds": took,
                "machines_per_s": len(model_class.members) / took,
                "strings_per_s": strings / took,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not can_compile():
        parser.error("the comparison needs numba, which cannot be imported here")
    machine = [universal_machine(steps, arguments.repeats) for steps in STEPS]
    print(f"{'T':>6} {'compiled/s':>12} {'plain/s':>10} {'ratio':>7} {'outputs/s':>12}")
    for row in machine:
        print(
            f"{row['max_steps']:>6} {row['compiled_programs_per_s']:>12,.0f} {row['plain_programs_per_s']:>10,.0f}"
            f" {row['ratio']:>7.1f} {row['compiled_outputs_per_s']:>12,.0f}"
        )
    walked, checked = walks(arguments.repeats), checks(arguments.repeats)
    for row in walked:
        mode = "compiled" if row["compiled"] else "plain"
        print(f"{row['walk']:<12} {mode:<9} {row['leaves']:>9,} leaves {row['leaves_per_s']:>12,.0f} leaves/s")
    for row in checked:
        print(
            f"{row['check']:<12} {row['class']:<9} {row['seconds']:>6.2f} s {row['machines_per_s']:>9,.0f} machines/s"
            f" {row['strings_per_s']:>9,.0f} strings/s"
        )
    if arguments.json:
        record = {"environment": environment(), "universal_machine": machine, "walks": walked, "checks": checked}
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
