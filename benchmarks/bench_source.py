"""Source throughput: our sampler against a step-by-step `nn.LSTM` loop, interleaved in one run on one thread.

    python -m benchmarks.bench_source [--device cuda] [--repeats 7] [--threads 1] [--json FILE]

Both sides draw the same kind of weights and turn 138 random conditions of 512 tokens into 138 sequences at temperature
1e-4, random numbers included. The baseline is one `nn.LSTM` for the whole batch, as in the paper: carried state,
inference mode, softmax and `torch.multinomial` at each step. Ours runs with n sequences per model; n = 138 is the
paper's setting, n = 1 gives every sequence a model of its own. Figures are medians of the repeats; a ratio is the
median of the ratios within each repeat, above 1 where ours is faster. On a GPU, where the loop over tokens is recorded
and replayed (`up.sources.capture`), the same loop launched step by step stands beside it.
"""

import argparse
import functools
import json
import statistics
import time
import unittest.mock
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.environment import environment
from up.sources.recurrent import RecurrentSource

ROWS, TOKENS, SEED_LENGTH, VOCABULARY, TEMPERATURE = 138, 512, 8, 256, 1e-4


def launched(_name: str, function: Callable[..., Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Stand in for `up.sources.capture.captured`, without a record."""
    return function(*inputs)


def seconds_of(call: Callable[[], Tensor]) -> float:
    """Return how long a call takes until its result is there."""
    start = time.perf_counter()
    if call().is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def stepwise_lstm(hidden_size: int, seeds_RS: Tensor, conditions_RT: Tensor) -> Tensor:
    """The baseline: one random LSTM, one step at a time."""
    embedding_size, device = hidden_size // 2, seeds_RS.device
    input_embedding = nn.Embedding(VOCABULARY, embedding_size, device=device)
    condition_embedding = nn.Embedding(VOCABULARY, embedding_size, device=device)
    lstm = nn.LSTM(2 * embedding_size, hidden_size, batch_first=True, device=device)
    readout = nn.Linear(hidden_size, VOCABULARY, device=device)
    with torch.inference_mode():
        multiplier = 1.1 * torch.rand((), device=device)
        lstm.weight_ih_l0.mul_(multiplier)
        lstm.weight_hh_l0.mul_(multiplier)
        tokens_RT = torch.empty(ROWS, TOKENS, dtype=torch.long, device=device)
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


def measure(
    hidden_size: int, sequences_per_model: Sequence[int], repeats: int, device: torch.device
) -> dict[str, object]:
    """Time the baseline and every n once per repeat, interleaved; the first four rounds warm up and are not counted."""
    seeds_RS = torch.randint(VOCABULARY, (ROWS, SEED_LENGTH), device=device)
    conditions_RT = torch.randint(VOCABULARY, (ROWS, TOKENS), device=device)
    calls: dict[str, Callable[[], Tensor]] = {
        "baseline": functools.partial(stepwise_lstm, hidden_size, seeds_RS, conditions_RT)
    }
    for n in sequences_per_model:
        calls[f"ours {n}"] = functools.partial(
            RecurrentSource(hidden_size=hidden_size, sequences_per_model=n).generate,
            seeds_RS,
            conditions_RT,
            torch.Generator(device).manual_seed(n),
        )
    seconds: dict[str, list[float]] = {}
    for repeat in range(-4, repeats):
        for name, call in calls.items():
            found = {name: seconds_of(call)}
            if device.type == "cuda" and name != "baseline":
                with unittest.mock.patch("up.sources.recurrent_kernel.captured", launched):
                    found[f"launched {name}"] = seconds_of(call)
            if repeat >= 0:
                for of, value in found.items():
                    seconds.setdefault(of, []).append(value)
    baseline = seconds["baseline"]
    rows = []
    for n in sequences_per_model:
        times = seconds[f"ours {n}"]
        row: dict[str, object] = {
            "sequences_per_model": n,
            "models": -(-ROWS // n),
            "seconds": statistics.median(times),
            "sequences_per_second": ROWS / statistics.median(times),
            "ratio": statistics.median(b / t for b, t in zip(baseline, times, strict=True)),
        }
        one_by_one = seconds.get(f"launched ours {n}")
        if one_by_one is not None:
            row["launched_seconds"] = statistics.median(one_by_one)
            row["replay_ratio"] = statistics.median(b / t for b, t in zip(one_by_one, times, strict=True))
        rows.append(row)
    return {"hidden_size": hidden_size, "baseline_seconds": statistics.median(baseline), "ours": rows}


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--hidden-sizes", type=int, nargs="+", default=[38, 102])
    parser.add_argument("--sequences-per-model", type=int, nargs="+", default=[ROWS, 16, 8, 4, 1])
    parser.add_argument("--json", type=Path, help="write the record to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    record = {
        "benchmark": "source",
        **environment(),
        "repeats": arguments.repeats,
        "results": [
            measure(d, arguments.sequences_per_model, arguments.repeats, torch.device(arguments.device))
            for d in arguments.hidden_sizes
        ],
    }
    print(f"{record['torch']} on {record['processor']}, {arguments.threads} thread(s), {arguments.repeats} repeats")
    print(f"{'d_h':>4} {'n':>4} {'models':>7} {'seconds':>9} {'sequences/s':>12} {'times baseline':>15}")
    for result in record["results"]:
        print(f"{result['hidden_size']:>4} {'nn.LSTM loop':>12} {result['baseline_seconds']:>9.3f}")
        for row in result["ours"]:
            print(
                f"{result['hidden_size']:>4} {row['sequences_per_model']:>4} {row['models']:>7} {row['seconds']:>9.3f} "
                f"{row['sequences_per_second']:>12.0f} {row['ratio']:>14.2f}x"
                + (f"  {row['replay_ratio']:.2f} times launching" if "replay_ratio" in row else "")
            )
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
