"""What a sequence of each source costs on one thread, and how varied the sequences are.

    python -m benchmarks.bench_source_kinds [--kinds lstm utm] [--rows 138] [--repeats 5] [--json FILE]

Each source at its default settings draws rows of 512 tokens; those that read conditions read half constant rows, half
noise, and take their seeds from them, as the buffer of Algorithm 1 begins. Times are those of the process, not of the
clock, so that neighbours count for less; medians of the repeats, after one that is not counted. Entropy is the order-0
entropy of a row's own tokens, in bits; a row is constant if all its tokens after the seed are equal. Figures of variety
are over all repeats. For `utm` the plain and the compiled machine run the same 256 programs; a ratio is that of the
least times, since a compiled run takes less than a millisecond.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.environment import environment
from up.config import from_dict
from up.sources.base import ConditionalSource
from up.sources.registry import SOURCES, source_type

TOKENS, VOCABULARY = 512, 256


def draw(source: object, rows: int, generator: torch.Generator) -> tuple[float, Tensor, int]:
    """Return the seconds of one draw, the rows, and the length of their seeds."""
    if not isinstance(source, ConditionalSource):
        start = time.process_time()
        tokens_RT = source.rows(rows, TOKENS, generator)  # type: ignore[attr-defined]
        return time.process_time() - start, tokens_RT, 0
    conditions_RT = torch.randint(VOCABULARY, (rows, TOKENS), generator=generator)
    conditions_RT[::2] = conditions_RT[::2, :1]
    seeds_RS = conditions_RT[torch.randperm(rows, generator=generator), : source.seed_length]
    conditions_RT = conditions_RT[torch.randperm(rows, generator=generator)]
    start = time.process_time()
    tokens_RT = source.generate(seeds_RS, conditions_RT, generator)
    return time.process_time() - start, tokens_RT, source.seed_length


def entropy_bits(row_T: Tensor) -> float:
    """Return the order-0 entropy of one row."""
    share_V = torch.bincount(row_T.long()).double() / len(row_T)
    share_V = share_V[share_V > 0]
    return float(-(share_V * share_V.log2()).sum())


def measure(kind: str, rows: int, repeats: int) -> dict[str, object]:
    """Draw from one source and return what the table shows."""
    source = from_dict(source_type(kind), {"kind": kind})
    generator = torch.Generator().manual_seed(0)
    seconds, entropies, constant = [], [], []
    for repeat in range(repeats + 1):
        elapsed, tokens_RT, seed_length = draw(source, rows, generator)
        if repeat:
            seconds.append(elapsed)
        entropies += [entropy_bits(row_T) for row_T in tokens_RT]
        free_RT = tokens_RT[:, seed_length:]
        constant += (free_RT == free_RT[:, :1]).all(1).tolist()
    return {
        "kind": kind,
        "description": source.description,
        "rows_per_second": rows / statistics.median(seconds),
        "median_entropy_bits": statistics.median(entropies),
        "constant_share": sum(constant) / len(constant),
        "rows_looked_at": len(constant),
    }


def plain_over_compiled(repeats: int) -> dict[str, float]:
    """Return how many times as long the plain machine takes as the compiled one, at each scale of the paper."""
    from up.sources.utm import STEPS, UniversalSource, run_programs

    ratios = {}
    for scale in (1, 10, 50, 250):
        machine = UniversalSource(scale=scale).machine(TOKENS)
        programs_RL = torch.randint(7, (256, STEPS * scale), dtype=torch.uint8)
        least = {}
        for compiled in (True, False):
            taken = []
            for _ in range(repeats * (10 if compiled else 1) + 1):
                start = time.process_time()
                run_programs(programs_RL, machine, compiled=compiled)
                taken.append(time.process_time() - start)
            least[compiled] = min(taken)
        ratios[str(scale)] = least[False] / least[True]
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(SOURCES))
    parser.add_argument("--rows", type=int, default=138)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = [measure(kind, arguments.rows, arguments.repeats) for kind in arguments.kinds]
    print(f"{'rows/s':>9} {'entropy':>8} {'constant':>9}  source")
    for result in results:
        print(
            f"{result['rows_per_second']:>9,.0f} {result['median_entropy_bits']:>8.2f} "
            f"{result['constant_share']:>9.1%}  {result['description']}"
        )
    report = {"environment": environment(), "arguments": vars(arguments) | {"json": None}, "results": results}
    if "utm" in arguments.kinds:
        report["utm_plain_over_compiled"] = ratios = plain_over_compiled(arguments.repeats)
        print("utm, plain over compiled: " + ", ".join(f"{r:.0f}x at scale {s}" for s, r in ratios.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
