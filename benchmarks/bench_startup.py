"""Start-up: whole-process time of `up --help` against importing the two libraries that it stands on.

Three commands take turns, so that a change in the machine's load meets all of them alike:

    python -c "pass"                the interpreter
    python -c "import typer, rich"  the yardstick
    python -m cli.main --help       what a user waits for

Medians are over `--repeats` rounds after one round that is not counted. The target is a ratio of at most 4 between the
last two. Run it on an otherwise idle machine: `python -m benchmarks.bench_startup`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.environment import environment

COMMANDS = {
    "python": ["-c", "pass"],
    "typer_and_rich": ["-c", "import typer, rich"],
    "up_help": ["-m", "cli.main", "--help"],
}
TARGET_RATIO = 4.0


def measure(repeats: int) -> dict[str, list[float]]:
    """Return the seconds of every run, by command."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    environment = {**os.environ, "COLUMNS": "80"}
    for round_number in range(repeats + 1):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
            if round_number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    """Run, print the medians, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    seconds = measure(arguments.repeats)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratio = medians["up_help"] / medians["typer_and_rich"]
    for name, times in seconds.items():
        fastest, slowest = 1000 * min(times), 1000 * max(times)
        print(f"{name:16} median {1000 * medians[name]:4.0f} ms, from {fastest:.0f} to {slowest:.0f}")
    print(f"up_help / typer_and_rich = {ratio:.2f} (target: at most {TARGET_RATIO:g})")
    if arguments.json:
        record = {
            "benchmark": "startup",
            **environment(),
            "repeats": arguments.repeats,
            "median_seconds": medians,
            "ratio": ratio,
        }
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
