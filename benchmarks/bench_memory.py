"""That the memory of a stream does not grow: resident megabytes as a mixing predictor reads a long file.

    python -m benchmarks.bench_memory [--megabytes 2]

Reads the text of `stdlib`, as often as needed, in pieces of 64 KiB, and prints the largest resident size so far and the
speed of the processor, after every eighth of the way. The arrays of a stream are made at its start; the system hands
their pages over as they are used.
"""

import argparse
import itertools
import resource
import time

import torch

import up
from up.data.corpora import load_corpus
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream

PIECE = 1 << 16


def main() -> None:
    """Read, and print a line for every eighth."""
    parser = argparse.ArgumentParser(description="Memory of a stream along a long file.")
    parser.add_argument("--megabytes", type=float, default=2.0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    predictor, text = up.load("builtin:mixing", device="cpu"), load_corpus("stdlib").data
    assert isinstance(predictor, MixingPredictor)
    stream, total, read, started = Stream(predictor), int(given.megabytes * 1e6), 0, time.process_time()
    print(f"arrays of the stream: {stream.memory_bytes / 1e6:.0f} MB")
    for start in itertools.cycle(range(0, len(text) - PIECE, PIECE)):
        if read >= total:
            break
        before, read = read, read + PIECE
        stream.read(text[start : start + PIECE])
        if 8 * before // total < 8 * read // total or read >= total:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            print(
                f"{read / 1e6:6.2f} MB read, {peak:6.0f} MB resident, {read / (time.process_time() - started):,.0f} B/s"
            )


if __name__ == "__main__":
    main()
