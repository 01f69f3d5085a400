"""What a trained network costs and saves on a file: weights and data in bits, beside what adapts without weights.

    weights under a code (`up.codes.network`)  +  the file's bytes under the network that the code leaves

The first `measured` bytes of a corpus are read under each network; up to there sizes are sums, beyond the rate of the
second half goes on. PPM and xz are measured at every size up to `longest`. A code on grids is tried at several
finenesses, and the best is taken for each size of file: its total is the lower envelope of lines.

Limits: the rate of a network that goes on learning, such as a mixing predictor, falls further than it is drawn; no
program is counted, neither this one nor those of the compressors. Standard errors of rates are those of means over
pieces of `PIECE` bytes; they know nothing of how one corpus differs from another.

Shape suffixes: N bytes of a file.
"""

import dataclasses
import lzma
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from theory.measures.description import Description
from up.codes.curvature import curvatures
from up.codes.estimate import Estimate, NetworkDescription
from up.codes.network import FLOAT_BITS, Quantised, Variational, Weights, priors_for, weights_of
from up.data.corpora import Corpus
from up.errors import InputError
from up.evaluation import ppm
from up.evaluation.compressors import xz_filters
from up.model.base import TargetModel
from up.recipes.config import RunConfig
from up.use.reading import read_file, read_prequentially

FINENESSES = (1 << 16, 1 << 20, 1 << 22, 1 << 26)
"""Lengths of file for which the grids that are tried are best, to second order."""
DRAWS = 2
PREQUENTIAL = "prequential"
PIECE = 256
SMALLEST = 1 << 10
PPM_ORDERS = (3, 5)
_CURVATURE_PIECES = 4

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """What the first bytes of a file cost, and at which rate it goes on.

    Attributes:
        sums: bits of the first n bytes, for n = 0 up to those that were read.
        rate: bits per byte of the second half.

    """

    sums: NDArray[np.float64]
    rate: Estimate

    @classmethod
    def of(cls, bits_N: NDArray[np.float64]) -> "Reading":
        """Sum up the bits of each byte."""
        late = bits_N[len(bits_N) // 2 :]
        pieces = [float(piece.mean()) for piece in np.array_split(late, min(max(2, len(late) // PIECE), len(late)))]
        return cls(
            sums=np.concatenate([[0.0], np.cumsum(bits_N)]),
            rate=Estimate(float(late.mean()), Estimate.of(pieces).stderr),
        )

    def bits(self, size: int) -> Estimate:
        """Return the bits of a file of so many bytes; what lies beyond those that were read is at the rate."""
        read = len(self.sums) - 1
        return Estimate(float(self.sums[min(size, read)])) + self.rate * max(0, size - read)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CodedNetwork:
    """A network under one code.

    Attributes:
        code: its name.
        fineness: length of file that its grids are best for; None for a code without any.
        weights: bits of each tensor.
        prior: bits of the parameters of its priors; None for a code that has none.
        reading: of the file, under the network that the code leaves.

    """

    code: str
    fineness: int | None
    weights: tuple[Estimate, ...]
    prior: float | None
    reading: Reading

    def describe(self, size: int) -> NetworkDescription:
        """Return the description of a file of so many bytes."""
        hypothesis = sum(self.weights, Estimate(0.0))
        prior = None if self.prior is None else Estimate(self.prior)
        return Description(hypothesis=hypothesis, data=self.reading.bits(size), prior=prior)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class GroupBits:
    """What a group of layers costs: its name, how many weights it has, and their bits by code."""

    name: str
    count: int
    bits: dict[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """Bits of the first bytes of the corpus by something without weights, at each size."""

    name: str
    bits: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """All that was measured.

    Attributes:
        corpus: its name.
        measured: bytes that were read under each network.
        sizes: of files, each twice the one before, up to the longest.
        tensors: of the network.
        codes: by name, each at every fineness that was tried.
        rivals: what there is without weights.

    """

    corpus: str
    measured: int
    sizes: tuple[int, ...]
    tensors: tuple[Weights, ...]
    codes: dict[str, tuple[CodedNetwork, ...]]
    rivals: tuple[Rival, ...]

    @property
    def has_curve(self) -> bool:
        """Whether there are several sizes."""
        return len(self.sizes) > 1

    def best(self, code: str, size: int) -> CodedNetwork:
        """Return the fineness of a code that describes a file of this size in fewest bits."""
        return min(self.codes[code], key=lambda each: each.describe(size).total.value)

    def groups(self, size: int) -> "tuple[GroupBits, ...]":
        """Return what each group of layers costs under each code, as it is best for a file of this size."""
        best = {code: self.best(code, size).weights for code in self.codes if code != PREQUENTIAL}
        found = []
        for group in dict.fromkeys(each.group for each in self.tensors):
            places = [place for place, each in enumerate(self.tensors) if each.group == group]
            bits = {code: sum(weights[place].value for place in places) for code, weights in best.items()}
            found.append(
                GroupBits(name=group, count=sum(self.tensors[place].value.numel() for place in places), bits=bits)
            )
        return tuple(found)

    @property
    def totals(self) -> tuple[float, ...]:
        """The bits of weights and data at each size, by the code of weights that is best there."""
        return tuple(
            min(self.best(code, size).describe(size).total.value for code in self.codes if code != PREQUENTIAL)
            for size in self.sizes
        )

    def pays_from(self, rival: Rival) -> int | None:
        """Return the first size from which on the network with its weights is the shorter; None if there is none."""
        ahead = [ours < theirs for ours, theirs in zip(self.totals, rival.bits, strict=True)]
        first = next((place for place in range(len(ahead)) if all(ahead[place:])), None)
        return None if first is None else self.sizes[first]


def measure_network(
    model: TargetModel[Any],
    config: RunConfig,
    corpus: Corpus,
    *,
    measured: int,
    longest: int,
    seed: int = 0,
    progress: Progress = lambda _done, _total: None,
) -> Measured:
    """Measure a network under every code on the first bytes of a corpus.

    Args:
        model: on the CPU.
        config: of its run.
        corpus: at least two bytes.
        measured: bytes that are read under each network, at most.
        longest: of the files that are compared, in bytes, at most.
        seed: of the weights that are drawn.
        progress: called with bytes read and to be read, by all networks together.

    Raises:
        InputError: a network whose tokens are not bytes, or a corpus of less than two bytes.

    """
    if model.config.vocabulary_size != 256:
        raise InputError(
            "this network does not read bytes",
            received=f"a vocabulary of {model.config.vocabulary_size}",
            remedy="name a run whose tokens are the 256 bytes",
        )
    if corpus.size_bytes < 2:
        raise InputError("two bytes are the shortest file", received=corpus.name, remedy="name a longer corpus")
    sizes = _sizes(min(longest, corpus.size_bytes))
    data = corpus.data[: sizes[-1]].tobytes()
    sample = data[:measured]
    reader = _Reader(model, sample, progress)
    generator = torch.Generator().manual_seed(seed)
    tensors = weights_of(model, curvatures(model, _pieces(sample, model.config.context_length), seed=seed))
    priors = priors_for(tensors)
    whole = Reading.of(reader.read(model))
    stored = tuple(Estimate(float(FLOAT_BITS * each.value.numel())) for each in tensors)
    codes: dict[str, tuple[CodedNetwork, ...]] = {"float32": (_coded("float32", None, stored, None, whole),)}
    codes |= {"uniform grid": (), "entropy-coded grid": (), "Gaussian mixture": ()}
    for fineness in FINENESSES:
        on_grids = Quantised.of(tensors, fineness)
        reading = Reading.of(reader.read(on_grids.put_into(model)))
        mixture, parameters = on_grids.mixture_bits(priors)
        for code, bits, prior in (
            ("uniform grid", on_grids.uniform_bits(), None),
            ("entropy-coded grid", on_grids.entropy_bits(), None),
            ("Gaussian mixture", mixture, sum(parameters)),
        ):
            codes[code] += (_coded(code, fineness, tuple(map(Estimate, bits)), prior, reading),)
    found = Measured(
        corpus=corpus.name,
        measured=len(sample),
        sizes=sizes,
        tensors=tensors,
        codes=codes,
        rivals=_rivals(data, sizes),
    )
    fineness = found.best("entropy-coded grid", sizes[-1]).fineness or FINENESSES[-1]
    drawn = Variational.of(tensors, fineness, priors)
    draws = [reader.read(drawn.drawn(model, generator)) for _ in range(DRAWS)]
    codes["variational"] = (
        _coded("variational", fineness, drawn.weight_bits(DRAWS, generator), drawn.prior_bits, _mean(draws)),
    )
    learnt = read_prequentially(model, config, sample, reader.advance)
    codes[PREQUENTIAL] = (_coded(PREQUENTIAL, None, (Estimate(0.0),) * len(tensors), None, Reading.of(learnt)),)
    return found


def _coded(
    code: str, fineness: int | None, weights: tuple[Estimate, ...], prior: float | None, reading: Reading
) -> CodedNetwork:
    return CodedNetwork(code=code, fineness=fineness, weights=weights, prior=prior, reading=reading)


def _mean(draws: Sequence[NDArray[np.float64]]) -> Reading:
    """Return the mean over draws; the error of its rate is at least that of the draws among themselves."""
    readings = [Reading.of(bits_N) for bits_N in draws]
    mean = Reading.of(np.mean(draws, axis=0))
    among = Estimate.of([each.rate.value for each in readings]).stderr
    return dataclasses.replace(mean, rate=Estimate(mean.rate.value, max(mean.rate.stderr, among)))


class _Reader:
    """Reads one file under many networks, and tells how far it is."""

    def __init__(self, model: TargetModel[Any], data: bytes, progress: Progress) -> None:
        self._context, self._data, self._progress = model.config.context_length, data, progress
        self._done, self._total = 0, len(data) * (2 + len(FINENESSES) + DRAWS)

    def advance(self, more: int) -> None:
        self._done += more
        self._progress(self._done, self._total)

    def read(self, network: torch.nn.Module) -> NDArray[np.float64]:
        return read_file(network, self._context, self._data, self.advance)


def _pieces(data: bytes, length: int) -> torch.Tensor:
    """Return some pieces at even distances; a file that is shorter than the context is one piece."""
    size = min(length, len(data))
    starts = np.linspace(0, len(data) - size, min(_CURVATURE_PIECES, len(data) // size)).astype(int)
    return torch.from_numpy(np.stack([np.frombuffer(data[start : start + size], np.uint8) for start in starts]))


def _sizes(longest: int) -> tuple[int, ...]:
    """Return sizes of files up to the longest, each half of the next."""
    sizes = [longest]
    while sizes[0] // 2 >= SMALLEST:
        sizes.insert(0, sizes[0] // 2)
    return tuple(sizes)


def _rivals(data: bytes, sizes: Sequence[int]) -> tuple[Rival, ...]:
    xz = tuple(
        8.0 * len(lzma.compress(data[:size], format=lzma.FORMAT_RAW, filters=xz_filters(size))) for size in sizes
    )
    tokens_1N = np.frombuffer(data, np.uint8).astype(np.int64)[None]
    sums = [np.cumsum(ppm.in_context_bits(tokens_1N, order, update_exclusion=True)[0]) for order in PPM_ORDERS]
    best = tuple(min(float(each[size - 1]) for each in sums) for size in sizes)
    plain = tuple(8.0 * size for size in sizes)
    return Rival(name="PPM", bits=best), Rival(name="xz", bits=xz), Rival(name="8 bits a byte", bits=plain)
