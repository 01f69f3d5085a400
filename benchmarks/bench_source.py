"""Source throughput: our sampler against a step-by-step `nn.LSTM` loop, interleaved in one run on one thread.

    python -m benchmarks.bench_source [--repeats 7] [--threads 1] [--json FILE]

Both sides draw the same kind of weights and turn 138 random conditions of 512 tokens into 138 sequences at temperature
1e-4, random numbers included. The baseline is one `nn.LSTM` for the whole batch, as in the paper: carried state,
inference mode, softmax and `torch.multinomial` at each step. Ours runs with n sequences per model; n = 138 is the
paper's setting, n = 1 gives every sequence a model of its own. Figures are medians of the repeats; a ratio is the
median of the ratios within each repeat, above 1 where ours is faster.
"""

import argparse
import functools
import json
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.environment import environment
from up.sources.recurrent import RecurrentSource

ROWS, TOKENS, SEED_LENGTH, VOCABULARY, TEMPERATURE = 138, 512, 8, 256, 1e-4


def stepwise_lstm(hidden_size: int, seeds_RS: Tensor, conditions_RT: Tensor) -> Tensor:
    """The baseline: one random LSTM, one step at a time."""
    embedding_size = hidden_size // 2
    input_embedding = nn.Embedding(VOCABULARY, embedding_size)
    condition_embedding = nn.Embedding(VOCABULARY, embedding_size)
    lstm = nn.LSTM(2 * embedding_size, hidden_size, batch_first=True)
    readout = nn.Linear(hidden_size, VOCABULARY)
    with torch.inference_mode():
        multiplier = 1.1 * torch.rand(())
        lstm.weight_ih_l0.mul_(multiplier)
        lstm.weight_hh_l0.mul_(multiplier)
        tokens_RT = torch.empty(ROWS, TOKENS, dtype=torch.long)
        tokens_RT[:, :SEED_LENGTH] = seeds_RS
        state = None
        for t in range(TOKENS - 1):
            step = slice(t, t + 1)
            inputs = torch.cat([input_embedding(tokens_RT[:, step]), condition_embedding(conditions_RT[:, step])], -1)
            output, state = lstm(inputs, state)
            if t + 1 >= SEED_LENGTH:
                probabilities = torch.softmax(readout(output[:, 0]) / TEMPERATURE, dim=-1)
                tokens_RT[:, t + 1] = torch.multinomial(probabilities, 1)[:, 0]
    return tokens_RT


def measure(hidden_size: int, sequences_per_model: list[int], repeats: int) -> dict[str, object]:
    """Time the baseline and every n once per repeat; the first repeat warms up and is not counted."""
    seeds_RS = torch.randint(VOCABULARY, (ROWS, SEED_LENGTH))
    conditions_RT = torch.randint(VOCABULARY, (ROWS, TOKENS))
    sources = {
        n: functools.partial(
            RecurrentSource(hidden_size=hidden_size, sequences_per_model=n).generate,
            generator=torch.Generator().manual_seed(n),
        )
        for n in sequences_per_model
    }
    baseline_s: list[float] = []
    ours_s: dict[int, list[float]] = {n: [] for n in sources}
    for repeat in range(repeats + 1):
        start = time.perf_counter()
        stepwise_lstm(hidden_size, seeds_RS, conditions_RT)
        split = time.perf_counter()
        if repeat:
            baseline_s.append(split - start)
        for n, generate in sources.items():
            start = time.perf_counter()
            generate(seeds_RS, conditions_RT)
            if repeat:
                ours_s[n].append(time.perf_counter() - start)
    return {
        "hidden_size": hidden_size,
        "baseline_seconds": statistics.median(baseline_s),
        "ours": [
            {
                "sequences_per_model": n,
                "models": -(-ROWS // n),
                "seconds": statistics.median(times),
                "sequences_per_second": ROWS / statistics.median(times),
                "ratio": statistics.median(b / t for b, t in zip(baseline_s, times, strict=True)),
            }
            for n, times in ours_s.items()
        ],
    }


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--hidden-sizes", type=int, nargs="+", default=[38, 102])
    parser.add_argument("--sequences-per-model", type=int, nargs="+", default=[ROWS, 16, 8, 4, 1])
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    record = {
        "benchmark": "source",
        **environment(),
        "repeats": arguments.repeats,
        "results": [measure(d, arguments.sequences_per_model, arguments.repeats) for d in arguments.hidden_sizes],
    }
    print(f"{record['torch']} on {record['processor']}, {arguments.threads} thread(s), {arguments.repeats} repeats")
    print(f"{'d_h':>4} {'n':>4} {'models':>7} {'seconds':>9} {'sequences/s':>12} {'times baseline':>15}")
    for result in record["results"]:
        print(f"{result['hidden_size']:>4} {'nn.LSTM loop':>12} {result['baseline_seconds']:>9.3f}")
        for row in result["ours"]:
            print(
                f"{result['hidden_size']:>4} {row['sequences_per_model']:>4} {row['models']:>7} {row['seconds']:>9.3f} "
                f"{row['sequences_per_second']:>12.0f} {row['ratio']:>14.2f}x"
            )
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
