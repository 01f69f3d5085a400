"""The in-context Markov model on the paper's data sets, beside the figures of the author's published code.

    python -m benchmarks.bench_markov [--samples 2000] [--data-dir FOLDER] [--json FILE]

Bits for a character, over the last 64 of 512, for the orders 0 to 5, with each smoothing; V is the number of symbols
that occur in the data. The paper charges for the last character only, whose error is several times as large. Of wp and
german it is the validation part, as published; where only a prefix of wp is at hand, that of the prefix. What is not at
hand is left out.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.environment import environment
from up.data.corpora import load_corpus, sample_slices
from up.data.real_sets import REAL_SETS, data_folder, find_real_set
from up.evaluation.markov import ORDERS, SMOOTHINGS, MarkovModel, in_context_bits

CONTEXT_LENGTH, TAIL = 512, 64
PUBLISHED_SMOOTHING = 0.1
"""With this one, most of the published figures come out; which one was used was not published."""

PUBLISHED = {
    "aut": (1.3315, 1.2994, 1.1592, 1.1775, 1.1911, 1.2878),
    "bits": (1.1875, 1.1961, 1.2226, 1.2693, 1.3434, 1.4328),
    "bitsflip": (1.0065, 1.0092, 1.0180, 1.0251, 1.0579, 1.0995),
    "bitsrep": (1.0057, 1.0127, 1.0215, 0.6922, 0.6957, 0.7379),
    "champ": (3.3676, 2.4247, 2.6952, 3.3094, 3.9252, 4.3293),
    "dyck": (1.3888, 1.1604, 1.1765, 1.0077, 1.0747, 1.1769),
    "ndfa": (3.5141, 0.7293, 0.3716, 0.3918, 0.4352, 0.5322),
    "toy": (4.2825, 2.6090, 1.9711, 2.4323, 2.8710, 3.3567),
    "toy2": (2.9741, 1.8884, 1.6806, 2.1302, 2.8098, 3.3454),
    "code": (5.2035, 4.4917, 4.4966, 4.9268, 5.3235, 5.5718),
    "german": (4.7195, 4.4797, 5.4201, 6.1300, 6.4844, 6.6779),
    "wp": (4.9800, 4.8119, 5.6298, 6.3050, 6.7800, 7.0469),
}
"""By order; `MARKOV_CTX` of the author's data module."""


def tail_bits(tokens_NT: npt.NDArray[np.int64], model: MarkovModel, symbols: int) -> npt.NDArray[np.float64]:
    """Return the bits over the tail of each slice, float64 of shape (N,)."""
    return in_context_bits(tokens_NT, model, vocabulary_size=symbols)[:, -TAIL:].mean(axis=1)


def measure(name: str, samples: int, data_dir: Path | None) -> dict[str, object]:
    """Return the mean bits over the tail by order and smoothing, and the standard error of the best."""
    corpus = load_corpus(f"{name}:validation" if name in REAL_SETS else name, data_dir=data_dir)
    symbols = np.unique(corpus.data)
    generator = np.random.default_rng(0)
    slices_NT = sample_slices(corpus, num_slices=samples, length=CONTEXT_LENGTH, generator=generator)
    tokens_NT = np.searchsorted(symbols, slices_NT)
    models = [[MarkovModel(order=order, smoothing=smoothing) for smoothing in SMOOTHINGS] for order in ORDERS]
    bits_OSN = np.array([[tail_bits(tokens_NT, model, len(symbols)) for model in row] for row in models])
    mean_OS = bits_OSN.mean(axis=2)
    best = np.unravel_index(mean_OS.argmin(), mean_OS.shape)
    return {
        "data": corpus.name,
        "label": corpus.label,
        "symbols": len(symbols),
        "bits": mean_OS.tolist(),
        "stderr_of_best": float(bits_OSN[best].std(ddof=1) / np.sqrt(samples)),
        "published": PUBLISHED[name],
    }


def main() -> None:
    """Run, print a table, and write the record if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    print(f"{'data':<18}{'V':>4}  published  smoothing {PUBLISHED_SMOOTHING}  best smoothing  ± ")
    for name in PUBLISHED:
        if name in REAL_SETS and find_real_set(name, data_folder(given.data_dir)) is None:
            print(f"{name:<18} is not at hand")
            continue
        row = measure(name, given.samples, given.data_dir)
        rows.append(row)
        mean_OS = np.array(row["bits"])
        fixed_O = mean_OS[:, SMOOTHINGS.index(PUBLISHED_SMOOTHING)]
        order, smoothing = divmod(int(mean_OS.argmin()), len(SMOOTHINGS))
        print(
            f"{row['data']:<18}{row['symbols']:>4}"
            f"  {min(PUBLISHED[name]):.3f} ({int(np.argmin(PUBLISHED[name]))})"
            f"  {fixed_O.min():>9.3f} ({int(fixed_O.argmin())})"
            f"  {mean_OS.min():>6.3f} ({order}, {SMOOTHINGS[smoothing]:g})"
            f"  {row['stderr_of_best']:.3f}",
            flush=True,
        )
    if given.json:
        record = {"environment": environment(), "samples": given.samples, "smoothings": SMOOTHINGS, "rows": rows}
        given.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
