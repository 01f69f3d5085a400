"""Figure 1 of Bloem (2025): a random string passes through random computations and comes out partly predictable.

Pass 0 is a string of characters drawn uniformly and independently. Pass k is what a freshly drawn random model, such as
an LSTM, generates while it reads pass k-1 as its condition, token by token, starting from 8 characters sliced from a
random place of pass k-1 (section 5.1). It is a run of the buffer of Algorithm 1 with a single string and nothing reset.
A source that reads no condition has nothing to pass on: then every string after the noise is a fresh draw of its own.

`printable` writes all strings over the 95 printable ASCII characters, as in the figure; otherwise over all 256 bytes.
A single string depends much on its model's random multiplier: some passes come out constant, some close to random.

Limits: one string at a time on the CPU; what a pass does on average is the business of the training source.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from up.config import from_dict, require_not_negative
from up.errors import InputError
from up.evaluation.measures import Measures, measure
from up.sources.base import ConditionalSource, Source
from up.sources.recurrent import RecurrentSource
from up.sources.registry import source_type

FIRST_PRINTABLE = 32  # the space
NUM_PRINTABLE = 95  # the space to the tilde
MAX_LENGTH = 100_000
MAX_DEPTH = 1_000
_WIDTH = 384


def source_for(kind: str, *, width: int | None = None, temperature: float | None = None) -> Source:
    """Return a source of a kind, each of its random models for one string only.

    Args:
        kind: name of a source, or `path/to/file.py:NAME`.
        width: of the target model that such a source would train; recurrent models have floor(width / 10) hidden units
            (A.1). None: 384.
        temperature: divides the logits; None: the source's default.

    Raises:
        InputError: an unknown source, or a setting that it does not have.
    """
    member = source_type(kind)
    fields = {field.name for field in dataclasses.fields(member)}
    values: dict[str, Any] = {"kind": kind}
    for name, value, needed in (("width", width, "hidden_size"), ("temperature", temperature, "temperature")):
        if value is not None and needed not in fields:
            raise InputError(f"the source {kind} has no {name}", received=value, remedy=f"leave --{name} out")
    if width is not None and not 20 <= width <= 40_960:
        raise InputError("enrichment.width is out of range", received=width, remedy="use 20 to 40,960")
    if "sequences_per_model" in fields:
        values["sequences_per_model"] = 1
    if temperature is not None:
        values["temperature"] = temperature
    return from_dict(member, values, where="source.").with_rules(target_width=width or _WIDTH, given=())


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnrichmentConfig:
    """How many passes, through what.

    Attributes:
        depth: random models that the string passes through; 0 stops at the random string.
        length: characters in the string.
        source: of the random models; its vocabulary is the alphabet.
        printable: write over the 95 printable ASCII characters instead of all 256 bytes.
        seed: of the one generator that draws the string, the models and the samples.

    """

    depth: int = 3
    length: int = 512
    source: Source = dataclasses.field(default_factory=lambda: RecurrentSource(sequences_per_model=1))
    printable: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require_not_negative("enrichment", depth=self.depth, seed=self.seed)
        if self.depth > MAX_DEPTH:
            raise InputError("enrichment.depth is too large", received=self.depth, remedy=f"use at most {MAX_DEPTH:,}")
        shortest = self.source.seed_length + 1 if isinstance(self.source, ConditionalSource) else 1
        if not shortest <= self.length <= MAX_LENGTH:
            raise InputError(
                "enrichment.length is out of range",
                received=self.length,
                remedy=f"use {shortest} to {MAX_LENGTH:,} characters",
            )
        if self.seed >= 1 << 63:
            raise InputError("enrichment.seed is too large", received=self.seed, remedy="use a seed below 2^63")

    @property
    def alphabet_size(self) -> int:
        """V, symbols of the alphabet."""
        return NUM_PRINTABLE if self.printable else 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnrichmentPass(Measures):
    """One string and its measures (see `Measures`).

    Attributes:
        depth: models passed, or draws taken; 0 for the random string.
        text: the string, one character for each byte (Latin-1).

    """

    depth: int
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Enrichment:
    """The random string and all passes.

    Attributes:
        config: what was asked for.
        alphabet_size: V, symbols of the alphabet; a uniform code charges log2 V bits per character.
        conditional: whether each string came of the one before it; otherwise each is a draw of its own.
        passes: depth + 1 of them, from the random string on.

    """

    config: EnrichmentConfig
    alphabet_size: int
    conditional: bool
    passes: tuple[EnrichmentPass, ...]


def enrich(config: EnrichmentConfig) -> Enrichment:
    """Run all passes; the same configuration gives the same strings on the same version and kind of processor."""
    return Enrichment(
        config=config,
        alphabet_size=config.alphabet_size,
        conditional=config.source.reads,
        passes=tuple(enrich_passes(config)),
    )


def enrich_passes(config: EnrichmentConfig) -> Iterator[EnrichmentPass]:
    """Yield the random string, then string by string what the source makes of it, each as soon as it is there."""
    generator = torch.Generator().manual_seed(config.seed)
    source = dataclasses.replace(config.source, vocabulary_size=config.alphabet_size).opened()
    tokens_T = torch.randint(source.vocabulary_size, (config.length,), generator=generator)
    yield _measured(tokens_T, config, depth=0)
    for depth in range(1, config.depth + 1):
        tokens_T = source.passed(tokens_T[None], generator)[0]
        yield _measured(tokens_T, config, depth=depth)


def _measured(tokens_T: Tensor, config: EnrichmentConfig, *, depth: int) -> EnrichmentPass:
    first_symbol = FIRST_PRINTABLE if config.printable else 0
    text = (tokens_T.to(torch.uint8) + first_symbol).numpy().tobytes()
    measures = measure(text, vocabulary_size=config.alphabet_size, first_symbol=first_symbol)
    return EnrichmentPass(depth=depth, text=text.decode("latin-1"), **vars(measures))
