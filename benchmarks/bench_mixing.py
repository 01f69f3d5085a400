"""What pre-training gives the mixing predictor: trained on one source at a time, beside PPM-D and its untrained self.

    python -m benchmarks.bench_mixing [--preset mixing] [--set A.B=C ...] [--seeds 5] [--only NAME ...] [--samples 200]
                                      [--real PATH ...] [--stream 100000] [--json FILE]
    python -m benchmarks.bench_mixing --read FILE [FILE ...]                 the table of one record or more

Bits per character over the last 64 positions of the same slices of `stdlib` and `pydoc`. With `--stream`, bytes 100,000
to 100,000 + STREAM of each in one piece as well, adapting: bits a byte of the first 10,000 and of all of them, and
bytes a second of the processor. Every row is a run of the preset, its last state (`training.keep=latest`): only the
source differs. The seed is that of the run: of rows, weights and drawn bytes.

`preset` is the source of the preset; other names say which source, or sources in equal shares, take its place.

Controls: `untrained` has learned nothing, but begins with equal weights for all votes; `random output` begins with an
output layer as `nn.Linear` draws it; `noise` is what the procedure gives without structure; `lstm` is the paper's
source and nothing else; `real` is the upper line, rows cut at random out of the files that `--real` names, which are no
code and no documentation. A record is written after every run, and a run that is in it is not repeated.
"""

import argparse
import json
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from benchmarks.environment import environment
from up.data.corpora import load_corpus, sample_slices
from up.evaluation import ppm
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.recipes.presets import configure
from up.sources.stream import Stream as Instances
from up.training.state import TrainingState

CORPORA = ("stdlib", "pydoc")
TAIL = 64
START, HEAD = 100_000, 10_000
MIXES = {
    "restaurant + lexicon": ("restaurant", "lexicon"),
    "restaurant + lexicon + lstm": ("restaurant", "lexicon", "lstm"),
    "restaurant + lstm": ("restaurant", "lstm"),
    "restaurant + tree": ("restaurant", "tree"),
    "restaurant + utm": ("restaurant", "utm"),
    "restaurant + automaton": ("restaurant", "automaton"),
    "restaurant + dyck": ("restaurant", "dyck"),
    "restaurant + nca": ("restaurant", "nca"),
    "restaurant + transformer": ("restaurant", "transformer"),
}
SINGLE = (
    "restaurant",
    "lexicon",
    "noise",
    "lstm",
    "utm",
    "tree",
    "automaton",
    "dyck",
    "nca",
    "transformer",
    "pointwise",
)
UNTRAINED = ("untrained", "random output")
NAMES = (*UNTRAINED, "preset", *SINGLE, *MIXES, "real")


class RealBytes(Instances):
    """Instances cut out of files at random places; the upper line, and no source of the house."""

    def __init__(self, paths: list[Path], length: int, seed: int) -> None:
        self.texts = [np.frombuffer(path.read_bytes(), np.uint8) for path in paths]
        self.length, self.generator = length, np.random.default_rng(seed)

    def draw(self, num_instances: int) -> torch.Tensor:
        """Return that many, of shape (num_instances, length); every file comes equally often."""
        rows = []
        for _ in range(num_instances):
            text = self.texts[self.generator.integers(len(self.texts))]
            start = int(self.generator.integers(len(text) - self.length + 1))
            rows.append(text[start : start + self.length])
        return torch.from_numpy(np.stack(rows))

    def state(self) -> dict[str, torch.Tensor]:
        """Return nothing: what is measured here is not resumed."""
        return {}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Do nothing."""

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return nothing."""
        return {}

    def source_seconds(self) -> float:
        """Return 0: reading a file takes no time to speak of."""
        return 0.0

    def forecast_seconds(self, instances: int) -> float:  # noqa: ARG002
        """Return 0."""
        return 0.0


def train(name: str, seed: int, arguments: argparse.Namespace) -> MixingPredictor:
    """Return the predictor of a run, or the one that it would start from."""
    settings = [f"seed={seed}", *arguments.settings]
    if name in MIXES:
        settings += ["source.kind=mix", f"source.members={json.dumps(MIXES[name])}"]
    elif name in SINGLE:
        settings.append(f"source.kind={name}")
    config = configure(arguments.preset, settings).resolve("cpu")
    length = config.model.context_length
    stream = RealBytes(arguments.real, length, seed) if name == "real" else None
    state = TrainingState(config, "cpu", stream)
    while name not in UNTRAINED and state.instances < config.training.instances:
        state.train_step()
    assert isinstance(state.model, MixingPredictor)
    if name == "random output":
        with torch.no_grad():
            torch.manual_seed(seed)
            state.model.gate.third.reset_parameters()
    return state.model.eval()


def read_streams(predictor: MixingPredictor, num_bytes: int) -> dict[str, dict[str, float]]:
    """Return the figures of reading in one piece, by corpus."""
    found = {}
    for name in CORPORA:
        stream, data = Stream(predictor), load_corpus(name).data[START : START + num_bytes]
        stream.read(b"")  # compiled before the clock starts
        start = time.process_time()
        bits_N = stream.score(data)
        seconds = time.process_time() - start
        head, whole = float(bits_N[:HEAD].mean()), float(bits_N.mean())
        found[name] = {"head": head, "all": whole, "bytes_per_second": len(data) / seconds}
    return found


def measure(name: str, seed: int, arguments: argparse.Namespace, slices: dict[str, np.ndarray]) -> dict:
    """Train one predictor, unless it stays untrained, and return its figures."""
    start = time.process_time()
    predictor = train(name, seed, arguments)
    seconds = time.process_time() - start
    bits = {
        corpus: float(predictor.token_bits(slices_NT, first=slices_NT.shape[1] - TAIL).mean())
        for corpus, slices_NT in slices.items()
    }
    row = {"source": name, "seed": seed, "cpu_seconds": seconds, "bits": bits}
    return row | ({"stream": read_streams(predictor, arguments.stream)} if arguments.stream else {})


def bars(slices: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return PPM-D on the same tails, by rule of updating and corpus."""
    found: dict[str, dict[str, float]] = {"PPM-D": {}, "PPM-D, update exclusion": {}}
    for by_corpus, exclusion in zip(found.values(), (False, True), strict=True):
        for name, slices_NT in slices.items():
            first = slices_NT.shape[1] - TAIL
            order = ppm.choose(slices_NT, first_position=first, update_exclusion=exclusion)
            bits_NT = ppm.in_context_bits(slices_NT, order, update_exclusion=exclusion)
            by_corpus[name] = float(bits_NT[:, first:].mean())
    return found


def line(label: str, bits: dict[str, float], row: dict) -> str:
    """Return one line of the table."""
    text = f"{label:>26}" + "".join(f"{bits[name]:8.3f}" for name in CORPORA)
    if "cpu_seconds" in row:
        text += f"{row['cpu_seconds']:8.0f} s"
    for figures in row.get("stream", {}).values():
        text += f"{figures['head']:9.3f}{figures['all']:8.3f}{figures['bytes_per_second']:8,.0f}"
    return text


def summary(rows: list[dict]) -> list[str]:
    """Return a line for each source: mean and standard deviation over seeds, and how much of the upper line it gives.

    The share is (untrained - trained) / (untrained - real), seed by seed.
    """
    by_source: dict[str, dict[int, dict]] = {}
    for row in rows:
        by_source.setdefault(row["source"], {})[row["seed"]] = row
    lines = []
    for name, seeds in by_source.items():
        text = f"{name:>26}"
        for corpus in CORPORA:
            found = [row["bits"][corpus] for row in seeds.values()]
            spread = statistics.stdev(found) if len(found) > 1 else 0.0
            shares = [
                (by_source["untrained"][seed]["bits"][corpus] - row["bits"][corpus])
                / (by_source["untrained"][seed]["bits"][corpus] - by_source["real"][seed]["bits"][corpus])
                for seed, row in seeds.items()
                if seed in by_source.get("untrained", {}) and seed in by_source.get("real", {})
            ]
            text += f"{statistics.mean(found):8.3f} ± {spread:.3f}"
            text += f"{statistics.mean(shares):7.0%}" if shares and name not in ("untrained", "real") else " " * 7
        lines.append(f"{text}  {len(seeds)} seeds")
    return lines


def show(record: dict) -> None:
    """Print the table of a record."""
    print(f"{'':>26}{'stdlib':>8}{'pydoc':>8}{'trained':>10}{'stdlib: head, all, B/s':>25}{'pydoc':>25}")
    for label, bits in record["bars"].items():
        print(line(label, bits, {}))
    for row in record["rows"]:
        print(line(f"{row['source']}, seed {row['seed']}", row["bits"], row))
    print("\n".join(["", "over seeds; share of what real bytes of another kind give", *summary(record["rows"])]))


def main() -> None:
    """Train and measure, or read, and print the table."""
    parser = argparse.ArgumentParser(description="What pre-training gives the mixing predictor.")
    parser.add_argument("--preset", default="mixing")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="A.B=C")
    parser.add_argument("--samples", type=int, default=200, help="slices of each corpus")
    parser.add_argument("--length", type=int, default=512, help="bytes of a slice")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=["untrained", "preset", "noise", "lstm"])
    parser.add_argument("--real", nargs="+", type=Path, default=[], metavar="PATH", help="files of the upper line")
    parser.add_argument("--stream", type=int, default=0, help="bytes to read in one piece; 0: none")
    parser.add_argument("--json", type=Path, help="write the record to this file, after every predictor")
    parser.add_argument("--read", nargs="+", type=Path, help="print the tables of these records; nothing is trained")
    arguments = parser.parse_args()
    if arguments.read:
        for path in arguments.read:
            show(json.loads(path.read_text(encoding="utf-8")))
        return
    torch.set_num_threads(1)
    generators = {name: np.random.default_rng(0) for name in CORPORA}
    slices = {
        name: sample_slices(load_corpus(name), num_slices=arguments.samples, length=arguments.length, generator=draw)
        for name, draw in generators.items()
    }
    kept = ("preset", "settings", "samples", "length", "stream")
    settings = {name: getattr(arguments, name) for name in kept} | {"real": [path.name for path in arguments.real]}
    record = {"environment": environment(), "settings": settings, "bars": bars(slices), "rows": []}
    if arguments.json and arguments.json.exists():
        record["rows"] = json.loads(arguments.json.read_text(encoding="utf-8"))["rows"]
    done = {(row["source"], row["seed"]) for row in record["rows"]}
    for seed in range(arguments.seeds):
        for name in arguments.only:
            if (name, seed) in done:
                continue
            row = measure(name, seed, arguments, slices)
            record["rows"].append(row)
            print(line(f"{name}, seed {seed}", row["bits"], row), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    show(record)


if __name__ == "__main__":
    main()
