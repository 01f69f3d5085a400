"""Whole files, one after the other, in bits per byte: under a predictor that adapts, and under compressors.

Nothing is read before every file that is named has been looked at, so that a mistake in the last name does not cost
the time of all others. What comes through a pipe can only be looked at by reading it, and is read in its turn.

A file is read once, in chunks. Each column of the predictor is a stream of its own that starts afresh with each file:

    adapting    the trained predictor, which learns from each byte after predicting it
    frozen      the same, but its gate and second stage do not learn; only its statistics go on
    scratch     the same architecture from random initial weights, adapting: the control. What pre-training gives is its
                code length minus that of the adapting predictor

Each column is an ideal code length, the sum of -log2 p over all bytes: what an arithmetic coder comes to within a few
bytes of, without the header of a container, which weighs on a small file.

Limits: a column takes up to 280 MB of memory whatever the length of the file. The compressors hold a file whole, beside
their streams; one that is longer than `COMPRESSED_BYTES` is left to the predictor, and their sizes are None.
"""

import contextlib
import dataclasses
import io
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from up.errors import InputError
from up.evaluation.compressors import COMPRESSORS, CompressedSize, compressed_sizes
from up.memory import is_out_of_memory
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.use.surprise import Surprise

STDIN = "-"
"""The name that stands for standard input; a file of this name is `./-`."""

CHUNK_BYTES = 1 << 12
"""Bytes that are read at a time: a column takes less than a second for them."""

COMPRESSED_BYTES = 256 << 20
"""Length of the longest file that is compressed, in bytes."""

Progress = Callable[[int, int | None], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileScore:
    """What a predictor and compressors make of one file.

    Attributes:
        path: as it was given.
        size_bytes: length of the file.
        bits_per_byte: of the predictor, adapting.
        frozen_bits_per_byte: of the predictor, frozen; None if it was not asked for.
        scratch_bits_per_byte: of the untrained predictor, adapting; likewise.
        baselines: one for each compressor, in the order of `up.evaluation.compressors.COMPRESSORS`.
        surprise: of the predictor, adapting, along the file.
        first_bytes: the first bytes of the file, as many as were asked for.
        first_bits: -log2 p of each of them, by the predictor, adapting.

    """

    path: str
    size_bytes: int
    bits_per_byte: float
    frozen_bits_per_byte: float | None
    scratch_bits_per_byte: float | None
    baselines: tuple[CompressedSize, ...]
    surprise: Surprise
    first_bytes: bytes
    first_bits: tuple[float, ...]

    @property
    def name(self) -> str:
        """What to call the file."""
        return "standard input" if self.path == STDIN else self.path


def score_files(
    paths: Sequence[str],
    predictor: MixingPredictor,
    *,
    frozen: bool = False,
    scratch: bool = False,
    first: int = 0,
    stdin: BinaryIO | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[FileScore]:
    """Look at all files, then score them in their order while the result is iterated over.

    Args:
        paths: files or named pipes, and at most one `STDIN`.
        predictor: to score them with.
        frozen: whether to score them with the frozen predictor, too.
        scratch: whether to score them with the untrained predictor, too.
        first: bytes from the beginning of each file whose bits are kept one by one.
        stdin: what `STDIN` is read from.
        progress: called with bytes predicted, by all columns together, and with those that there are; None for these
            while the length of something is not known.

    Raises:
        InputError: a folder, a device, a file that is missing, empty or cannot be read, or standard input named twice;
            of what comes through a pipe it is raised while iterating.

    """
    if paths.count(STDIN) > 1:
        raise InputError(
            "standard input is named twice", received=STDIN, remedy="name it once; it can be read only once"
        )
    if STDIN in paths and stdin is None:
        raise InputError(
            "there is no standard input", received=STDIN, remedy="name files, or send bytes through a pipe"
        )
    sizes = [None if path == STDIN else _require_bytes(path) for path in paths]
    predictors = {"adapting": predictor}
    if frozen:
        predictors["frozen"] = predictor
    if scratch:
        predictors["scratch"] = untrained(predictor)
    known = [size for size in sizes if size is not None]
    total = len(predictors) * sum(known) if len(known) == len(sizes) else None
    return _scores(paths, predictors, first, stdin, _Counter(total, progress))


def untrained(predictor: MixingPredictor) -> MixingPredictor:
    """Return the architecture of a predictor with random initial weights, of seed 0, and empty start tables."""
    return MixingPredictor(predictor.config, contexts=predictor.contexts)


def compile_reading(predictor: MixingPredictor) -> None:
    """Compile what reads a file, which takes some seconds the first time and is kept on disk."""
    Stream(predictor).read(b"")


@dataclasses.dataclass
class _Counter:
    """Adds up what has been predicted, and tells of it."""

    total: int | None
    tell: Progress
    done: int = 0

    def add(self, size: int) -> None:
        self.done += size
        self.tell(self.done, None if self.total is None else max(self.total, self.done))  # a file may have grown


def _scores(
    paths: Sequence[str], predictors: dict[str, MixingPredictor], first: int, stdin: BinaryIO | None, counter: _Counter
) -> Iterator[FileScore]:
    for path in paths:
        streams = {column: Stream(each, adapting=column != "frozen") for column, each in predictors.items()}
        surprises = {column: Surprise() for column in streams}
        whole, first_bytes, first_bits = io.BytesIO(), b"", list[float]()
        for chunk in _chunks(path, stdin):
            for column, stream in streams.items():
                bits_N = stream.score(chunk)
                surprises[column].add(bits_N)
                if column == "adapting":
                    first_bits += bits_N[: first - len(first_bits)].tolist()
                counter.add(len(chunk))
            first_bytes += chunk[: first - len(first_bytes)]
            if surprises["adapting"].size_bytes <= COMPRESSED_BYTES:
                whole.write(chunk)
            else:
                whole = io.BytesIO()
        size = surprises["adapting"].size_bytes
        if not size:
            raise _empty(path)
        bits = {column: surprise.bits_per_byte for column, surprise in surprises.items()}
        del streams  # the compressors need memory, too
        yield FileScore(
            path=path,
            size_bytes=size,
            bits_per_byte=bits["adapting"],
            frozen_bits_per_byte=bits.get("frozen"),
            scratch_bits_per_byte=bits.get("scratch"),
            baselines=compressed_sizes(whole.getvalue()) if size <= COMPRESSED_BYTES else _not_compressed(),
            surprise=surprises["adapting"],
            first_bytes=first_bytes,
            first_bits=tuple(first_bits),
        )


def _not_compressed() -> tuple[CompressedSize, ...]:
    return tuple(CompressedSize(name=each.name, stream=each.stream) for each in COMPRESSORS)


def _require_bytes(path: str) -> int | None:
    """Return the size of a file, None where it is not known yet; refuse what holds no bytes that can be read."""
    try:
        status = Path(path).stat()
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            raise InputError("a folder cannot be scored", received=path, remedy="name the files in it")
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise InputError("this is neither a file nor a pipe", received=path, remedy="name a file")
        if stat.S_ISREG(mode):
            with Path(path).open("rb") as handle:
                if not handle.read(1):  # the size of some files that the system makes up is 0
                    raise _empty(path)
        return status.st_size or None
    except FileNotFoundError:
        raise InputError("there is no such file", received=path, remedy="check the path") from None
    except OSError as error:
        raise _unreadable(error, path) from None


def _chunks(path: str, stdin: BinaryIO | None) -> Iterator[bytes]:
    try:
        with contextlib.nullcontext(stdin) if path == STDIN else Path(path).open("rb") as handle:
            assert handle is not None
            while chunk := handle.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        if is_out_of_memory(error):
            raise
        raise _unreadable(error, path) from None


def _empty(path: str) -> InputError:
    return InputError("an empty file has no bits per byte", received=path, remedy="give at least one byte")


def _unreadable(error: OSError, path: str) -> InputError:
    return InputError(
        f"cannot read the file ({error.strerror})", received=path, remedy="check the path and its permissions"
    )
