"""Zero-shot evaluation on real bytes: bits per character of a model that never saw them (Bloem 2025, section 6.1).

The protocol: cut N slices of the context length out of a corpus and average what the model charges for the *last*
character of each. Beside it stand two figures that the same forward pass gives for free and that have far smaller
errors: the mean over the last 64 positions (the tail), and the mean against the position in the context, in octaves.

Beside the model stand the 8 bits of a uniform code and the bars (`up.evaluation.bars`): exact models that learn from
the very same slices and from nothing else, among them the in-context Markov model of section 6.2, which is the bar of
the paper, and PPM, which is harder. Their settings are chosen by the mean over the tail, since the last character alone
is too noisy to choose by; the paper does not say which characters it tuned its bar on. Nor does it say over how many
symbols V the Markov model smooths; the author's published code counts the distinct ones of the data, and so it is done
here for all bars. The Markov model over all 256 is measured, too: it knows no more than does a model that never saw the
corpus, and it charges more. And there may be the same model before it was trained, which tells what training added.

Slices may be longer than the model's context. The bars then learn from all of a slice, and the model reads its end:
as many characters as it can, of which it predicts all but the first. So every character that is predicted has a place
in the model's context that it would have in a slice of that length, and all are measured on the same characters.

`prepare` loads the corpora, cuts the slices and measures the bars; `PreparedEvaluation.evaluate` then measures a model
as often as wanted. Slices are drawn from a corpus with replacement, so a standard error speaks of this corpus, not of
other texts of its kind.

Shape suffixes: N slices, T tokens in a slice, R positions that the model predicts, B slices in a batch.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from up.config import require_at_most, require_not_negative, require_positive
from up.data.corpora import EMBEDDED_CORPORA, Corpus, load_corpus, sample_slices
from up.errors import InputError, RunError
from up.evaluation.bars import BARS_WITH_PROGRESS, Bars, measure_bars
from up.evaluation.rows import EvaluationRow, SliceBits, summarise
from up.evaluation.token_bits import token_bits

GPU_SAMPLES = 10_000  # section 6.1
CPU_SAMPLES = 4_000
MOST_SAMPLES = 10_000_000
_LONGEST = 65_536

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """What to evaluate on, and how finely.

    Attributes:
        data: corpora: `stdlib`, `pydoc`, the paper's data sets, or paths of files and folders; parts of them.
        sources: kinds of sources of which fresh rows are predicted, too (`up.runs.evaluate`).
        context_length: T, characters in a slice; None: as many as the model can read. Of longer ones the model reads
            the end, and the bars everything.
        samples: N, slices per corpus; None stands for 10,000 on a GPU (the paper) and 4,000 on a CPU.
        batch_size: slices in one forward pass.
        tail_positions: positions at the end of a slice that the tail's mean covers.
        bf16: run the model under bfloat16 autocast on a GPU; no effect elsewhere.
        seed: of the slices' starting points.

    """

    data: tuple[str, ...] = EMBEDDED_CORPORA
    sources: tuple[str, ...] = ()
    context_length: int | None = None
    samples: int | None = None
    batch_size: int = 32
    tail_positions: int = 64
    bf16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.data and not self.sources:
            raise InputError("evaluation.data is empty", remedy=f"name a corpus, such as {EMBEDDED_CORPORA[0]}")
        if self.samples is not None and self.samples < 2:
            raise InputError(
                "evaluation.samples must be at least 2", received=self.samples, remedy="a standard error needs two"
            )
        require_positive("evaluation", batch_size=self.batch_size, tail_positions=self.tail_positions)
        require_at_most("evaluation", samples=(self.samples or 0, MOST_SAMPLES), batch_size=(self.batch_size, 65_536))
        require_not_negative("evaluation", seed=self.seed)
        if self.context_length is not None:
            require_positive("evaluation", context_length=self.context_length)
            require_at_most("evaluation", context_length=(self.context_length, _LONGEST))
            if self.context_length <= self.tail_positions:
                raise InputError(
                    "evaluation.context_length must be above evaluation.tail_positions",
                    received=self.context_length,
                    remedy=f"give at least {self.tail_positions + 1}, or a shorter tail",
                )

    def resolve_samples(self, device: torch.device) -> int:
        """Return N for models on this device."""
        if self.samples is not None:
            return self.samples
        return CPU_SAMPLES if device.type == "cpu" else GPU_SAMPLES


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Slices:
    """The slices of one corpus, or rows of a source.

    Attributes:
        name: of the corpus.
        source: what it is made of.
        slices_NT: uint8.
        symbols: the distinct symbols of the corpus, rising; uint8.
        size_bytes: length of the corpus; None for rows of a source.
        sha256: of its bytes; None likewise.
        label: of the corpus; see there.
        entropy_rate_bits: of the corpus; see there.

    """

    name: str
    source: str
    slices_NT: npt.NDArray[np.uint8]
    symbols: npt.NDArray[np.uint8]
    size_bytes: int | None = None
    sha256: str | None = None
    label: str | None = None
    entropy_rate_bits: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PreparedCorpus(Slices):
    """The slices of one corpus and what others than the model charge for them.

    Attributes:
        bars: exact models that learn in context.
        untrained: what the model charges before training; None if not measured.

    """

    bars: Bars
    untrained: SliceBits | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PreparedEvaluation:
    """Slices and bars, ready to measure any number of models, such as one model again and again as it trains.

    Attributes:
        config: what is evaluated on.
        model_context_length: tokens at the end of a slice that a model reads.
        corpora: in the order of the configuration, and then of its sources.

    """

    config: EvaluationConfig
    model_context_length: int
    corpora: tuple[PreparedCorpus, ...]

    def evaluate(self, model: nn.Module, *, progress: Progress | None = None) -> tuple[EvaluationRow, ...]:
        """Measure a model on every corpus, on the device where the model is.

        Args:
            model: maps tokens (B, T) to logits (B, T, 256), or to an object that has them as `logits`.
            progress: called with slices done and slices in all, after every batch.

        Raises:
            RunError: the model's predictions are not finite.

        """
        return tuple(
            summarise(
                bits_NR,
                data=corpus.name,
                source=corpus.source,
                bars=corpus.bars,
                tail_positions=self.config.tail_positions,
                size_bytes=corpus.size_bytes,
                sha256=corpus.sha256,
                untrained=corpus.untrained,
                label=corpus.label,
                entropy_rate_bits=corpus.entropy_rate_bits,
            )
            for corpus, bits_NR in self._measure(model, progress)
        )

    def for_context(self, context_length: int) -> "PreparedEvaluation":
        """Return the same slices and bars for a model of another context, of whose beginning nothing is known yet.

        Raises:
            InputError: a tail longer than that context.

        """
        read = require_tail(self.config, min(self.corpora[0].slices_NT.shape[1], context_length))
        corpora = tuple(dataclasses.replace(corpus, untrained=None) for corpus in self.corpora)
        return dataclasses.replace(self, model_context_length=read, corpora=corpora)

    def with_untrained(self, model: nn.Module, *, progress: Progress | None = None) -> "PreparedEvaluation":
        """Return the same with what a model charges before its training; arguments and errors as for `evaluate`."""
        tail_positions = self.config.tail_positions
        corpora = tuple(
            dataclasses.replace(corpus, untrained=SliceBits.of(bits_NR, tail_positions))
            for corpus, bits_NR in self._measure(model, progress)
        )
        return dataclasses.replace(self, corpora=corpora)

    def _measure(
        self, model: nn.Module, progress: Progress | None
    ) -> Iterator[tuple[PreparedCorpus, npt.NDArray[np.float32]]]:
        """Yield each corpus with the model's bits_NR."""
        total = sum(len(corpus.slices_NT) for corpus in self.corpora)
        done = 0
        for corpus in self.corpora:
            read_NT = corpus.slices_NT[:, -self.model_context_length :]
            bits_NR = np.empty((read_NT.shape[0], read_NT.shape[1] - 1), np.float32)
            for start in range(0, len(bits_NR), self.config.batch_size):
                batch_BT = torch.from_numpy(np.ascontiguousarray(read_NT[start : start + self.config.batch_size]))
                bits_BR = token_bits(model, batch_BT, bf16=self.config.bf16)
                bits_NR[start : start + len(batch_BT)] = bits_BR.cpu().numpy()
                done += len(batch_BT)
                if progress is not None:
                    progress(done, total)
            if not np.isfinite(bits_NR).all():
                raise RunError(
                    f"the model's predictions on {corpus.name} are not finite: its training diverged; lower the "
                    "learning rate or go back to an earlier checkpoint"
                )
            yield corpus, bits_NR


def require_tail(config: EvaluationConfig, read: int, whose: str = "") -> int:
    """Return how many tokens a model reads; raises `InputError` if the tail is no part of what it predicts of them."""
    if config.tail_positions >= read:
        raise InputError(
            f"evaluation.tail_positions must be below the context length{whose and f' of {whose}'}",
            received=config.tail_positions,
            remedy=f"use at most {read - 1}",
        )
    return read


def prepare(
    config: EvaluationConfig,
    *,
    context_length: int,
    device: torch.device,
    corpora: Sequence[Corpus] | None = None,
    drawn: Sequence[Slices] = (),
    progress: Progress | None = None,
) -> PreparedEvaluation:
    """Load the corpora, cut the slices and measure the bars (on one core about 4 seconds for 1,000 slices of 512).

    Every corpus has a generator of its own, seeded alike, so its slices do not depend on the other corpora.

    Args:
        config: what to evaluate on.
        context_length: tokens that the models can read; also T, unless the configuration has another.
        device: where the models will be; settles the number of samples if the configuration leaves it open.
        corpora: those of `config.data`, loaded already; None: each lies where its name says.
        drawn: further slices of T tokens, cut already.
        progress: called with passes of bars over slices done, and in all; not before everything was checked.

    Raises:
        InputError: a corpus that cannot be loaded or is shorter than the context, or a tail longer than the context.

    """
    length = config.context_length or context_length
    read = require_tail(config, min(length, context_length))
    num_slices = config.resolve_samples(device)
    if corpora is None:
        corpora = [load_corpus(name) for name in config.data]
    cut = [*(_cut(corpus, config.seed, num_slices, length) for corpus in corpora), *drawn]
    total, done = BARS_WITH_PROGRESS * sum(len(slices.slices_NT) for slices in cut), 0

    def on_slices(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total)

    prepared = []
    for slices in cut:
        assert slices.slices_NT.shape[1] == length
        bars = measure_bars(slices.slices_NT, slices.symbols, tail_positions=config.tail_positions, on_slices=on_slices)
        prepared.append(PreparedCorpus(**vars(slices), bars=bars))
    return PreparedEvaluation(config=config, model_context_length=read, corpora=tuple(prepared))


def evaluate(
    model: nn.Module,
    config: EvaluationConfig,
    *,
    context_length: int,
    device: torch.device,
    progress: Progress | None = None,
) -> tuple[EvaluationRow, ...]:
    """Measure one model once: `prepare` and `PreparedEvaluation.evaluate` in one call; see there."""
    return prepare(config, context_length=context_length, device=device).evaluate(model, progress=progress)


def _cut(corpus: Corpus, seed: int, num_slices: int, length: int) -> Slices:
    slices_NT = sample_slices(corpus, num_slices=num_slices, length=length, generator=np.random.default_rng(seed))
    return Slices(
        name=corpus.name,
        source=corpus.source,
        slices_NT=slices_NT,
        symbols=np.unique(corpus.data),
        size_bytes=corpus.size_bytes,
        sha256=corpus.sha256,
        label=corpus.label,
        entropy_rate_bits=corpus.entropy_rate_bits,
    )
