"""Zero-shot evaluation on real bytes: bits per character of a model that never saw them (Bloem 2025, section 6.1).

The protocol: cut N slices of the context length out of a corpus and average what the model charges for the *last*
character of each. Beside it stand two figures that the same forward pass gives for free and that have far smaller
errors: the mean over the last 64 positions (the tail), and the mean against the position in the context, in octaves.

The bar: a uniform code charges 8 bits, and the in-context Markov model of section 6.2 (`up.evaluation.markov`) is
measured on the very same slices. Its order and smoothing are chosen once per data set by the mean over the tail, since
the last character alone is too noisy to choose by; the paper does not say which characters it tuned them on.

Nor does it say over how many symbols V the Markov model smooths; the author's published code counts the distinct ones
of the data. Two are measured, each with its own order and smoothing. The bar is the harder one, which knows beforehand
how many byte values occur anywhere in the corpus: V is their number. The other, over all 256, knows no more than does
a model that never saw the corpus; it gives a share of its smoothing to bytes that never come, and so charges more.

`prepare` loads the corpora, cuts the slices and computes the baselines; `PreparedEvaluation.evaluate` then measures a
model as often as wanted. Slices are drawn from a corpus with replacement, so a standard error speaks of this corpus,
not of other texts of its kind.

Shape suffixes: N slices, T tokens in a slice.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from up.config import require_at_most, require_not_negative, require_positive
from up.data.corpora import EMBEDDED_CORPORA, Corpus, load_corpus, sample_slices
from up.errors import InputError, RunError
from up.evaluation.markov import choose, in_context_bits
from up.evaluation.rows import EvaluationRow, MarkovBaseline, summarise
from up.evaluation.token_bits import token_bits

GPU_SAMPLES = 10_000  # section 6.1
CPU_SAMPLES = 4_000

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """What to evaluate on, and how finely.

    Attributes:
        data: corpora: `stdlib`, `pydoc`, or paths of files and folders.
        sources: kinds of sources of which fresh rows are predicted, too (`up.runs.evaluate`).
        samples: N, slices per corpus; None stands for 10,000 on a GPU (the paper) and 4,000 on a CPU.
        batch_size: slices in one forward pass.
        tail_positions: positions at the end of a slice that the tail's mean covers.
        bf16: run the model under bfloat16 autocast on a GPU; no effect elsewhere.
        seed: of the slices' starting points.

    """

    data: tuple[str, ...] = EMBEDDED_CORPORA
    sources: tuple[str, ...] = ()
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
        require_at_most("evaluation", samples=(self.samples or 0, 10_000_000), batch_size=(self.batch_size, 65_536))
        require_not_negative("evaluation", seed=self.seed)

    def resolve_samples(self, device: torch.device) -> int:
        """Return N for models on this device."""
        if self.samples is not None:
            return self.samples
        return CPU_SAMPLES if device.type == "cpu" else GPU_SAMPLES


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PreparedCorpus:
    """The slices of one corpus and what the Markov models charge for them.

    Attributes:
        name: of the corpus.
        source: what it is made of.
        slices_NT: uint8.
        markov: over the byte values that occur in the corpus.
        markov256: over all 256.
        size_bytes: length of the corpus; None for rows of a source.
        sha256: of its bytes; None likewise.

    """

    name: str
    source: str
    slices_NT: npt.NDArray[np.uint8]
    markov: MarkovBaseline
    markov256: MarkovBaseline
    size_bytes: int | None = None
    sha256: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PreparedEvaluation:
    """Slices and baselines, ready to measure any number of models, such as one model again and again as it trains."""

    config: EvaluationConfig
    corpora: tuple[PreparedCorpus, ...]

    def evaluate(self, model: nn.Module, *, progress: Progress | None = None) -> tuple[EvaluationRow, ...]:
        """Measure a model on every corpus, on the device where the model is.

        Args:
            model: maps tokens (B, T) to logits (B, T, 256), or to an object that has them as `logits`.
            progress: called with slices done and slices in all, after every batch.

        Raises:
            RunError: the model's predictions are not finite.

        """
        total = sum(len(corpus.slices_NT) for corpus in self.corpora)
        rows, done = [], 0
        for corpus in self.corpora:
            bits_NT = np.empty((corpus.slices_NT.shape[0], corpus.slices_NT.shape[1] - 1), np.float32)
            for start in range(0, len(bits_NT), self.config.batch_size):
                batch_BT = torch.from_numpy(corpus.slices_NT[start : start + self.config.batch_size])
                bits_BT = token_bits(model, batch_BT, bf16=self.config.bf16)
                bits_NT[start : start + len(batch_BT)] = bits_BT.cpu().numpy()
                done += len(batch_BT)
                if progress is not None:
                    progress(done, total)
            if not np.isfinite(bits_NT).all():
                raise RunError(
                    f"the model's predictions on {corpus.name} are not finite: its training diverged; lower the "
                    "learning rate or go back to an earlier checkpoint"
                )
            row = summarise(
                bits_NT,
                data=corpus.name,
                source=corpus.source,
                markov=corpus.markov,
                markov256=corpus.markov256,
                tail_positions=self.config.tail_positions,
                size_bytes=corpus.size_bytes,
                sha256=corpus.sha256,
            )
            rows.append(row)
        return tuple(rows)


def prepare(
    config: EvaluationConfig,
    *,
    context_length: int,
    device: torch.device,
    corpora: Sequence[Corpus] | None = None,
) -> PreparedEvaluation:
    """Load the corpora, cut the slices and compute the Markov baselines (about a second for 4,000 slices of 512).

    Every corpus has a generator of its own, seeded alike, so its slices do not depend on the other corpora.

    Args:
        config: what to evaluate on.
        context_length: T, tokens in a slice.
        device: where the models will be; settles the number of samples if the configuration leaves it open.
        corpora: those of `config.data`, loaded already; None: each lies where its name says.

    Raises:
        InputError: a corpus that cannot be loaded or is shorter than the context, or a tail longer than the context.

    """
    if config.tail_positions >= context_length:
        raise InputError(
            "evaluation.tail_positions must be below the context length",
            received=config.tail_positions,
            remedy=f"use at most {context_length - 1}",
        )
    num_slices = config.resolve_samples(device)
    if corpora is None:
        corpora = [load_corpus(name) for name in config.data]
    return PreparedEvaluation(
        config=config,
        corpora=tuple(_prepare_corpus(corpus, config, num_slices, context_length) for corpus in corpora),
    )


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


def _prepare_corpus(corpus: Corpus, config: EvaluationConfig, num_slices: int, context_length: int) -> PreparedCorpus:
    generator = np.random.default_rng(config.seed)
    slices_NT = sample_slices(corpus, num_slices=num_slices, length=context_length, generator=generator)
    prepared = prepare_slices(corpus.name, corpus.source, slices_NT, np.unique(corpus.data), config)
    return dataclasses.replace(prepared, size_bytes=corpus.size_bytes, sha256=corpus.sha256)


def prepare_slices(
    name: str,
    source: str,
    slices_NT: npt.NDArray[np.uint8],
    symbols: npt.NDArray[np.uint8],
    config: EvaluationConfig,
) -> PreparedCorpus:
    """Choose and compute the baselines of slices, wherever they come from.

    Args:
        name: of the data set.
        source: what it is made of, in words.
        slices_NT: uint8, longer than the tail.
        symbols: the distinct symbols of the data, rising.
        config: tail and other settings of the evaluation.
    """
    first_position = slices_NT.shape[1] - config.tail_positions
    return PreparedCorpus(
        name=name,
        source=source,
        slices_NT=slices_NT,
        markov=_markov_baseline(np.searchsorted(symbols, slices_NT), len(symbols), first_position),
        markov256=_markov_baseline(slices_NT, 256, first_position),
    )


def _markov_baseline(tokens_NT: npt.NDArray[np.integer], symbols: int, first_position: int) -> MarkovBaseline:
    """Choose the best Markov model over so many symbols, from a position on, and measure it at all positions."""
    model = choose(tokens_NT, first_position=first_position, vocabulary_size=symbols)
    bits_NT = in_context_bits(tokens_NT, model, vocabulary_size=symbols)
    return MarkovBaseline(symbols=symbols, model=model, bits_T=bits_NT.mean(axis=0))
