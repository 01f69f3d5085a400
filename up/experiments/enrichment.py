"""Figure 1 of Bloem (2025): a random string passes through random LSTMs and comes out partly predictable.

Pass 0 is a string of characters drawn uniformly and independently. Pass k is what a freshly drawn random LSTM generates
while it reads pass k-1 as its condition, token by token, starting from 8 characters sliced from a random place of pass
k-1 (section 5.1). It is a run of the buffer of Algorithm 1 with a single string and nothing reset.

`printable` writes all strings over the 95 printable ASCII characters, as in the figure; otherwise over all 256 bytes.
A single string depends much on its LSTM's random multiplier: some passes come out constant, some close to random.

Limits: one string at a time on the CPU; what a pass does on average is the business of the training source.
"""

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor

from up.config import require_not_negative
from up.errors import InputError
from up.experiments.measures import Measures, measure
from up.sources.recurrent import RecurrentSource, RecurrentSourceConfig

FIRST_PRINTABLE = 32  # the space
NUM_PRINTABLE = 95  # the space to the tilde
MAX_LENGTH = 100_000
MAX_DEPTH = 1_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnrichmentConfig:
    """How many passes, over what.

    Attributes:
        depth: random LSTMs that the string passes through; 0 stops at the random string.
        length: characters in the string.
        width: of the target model that such a source would train; the LSTM has floor(width / 10) hidden units (A.1).
        cell: `lstm` or `gru`.
        temperature: divides the LSTM's logits.
        printable: write over the 95 printable ASCII characters instead of all 256 bytes.
        seed: of the one generator that draws the string, the LSTMs and the samples.

    """

    depth: int = 3
    length: int = 512
    width: int = 384
    cell: str = "lstm"
    temperature: float = 1e-4
    printable: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require_not_negative("enrichment", depth=self.depth, seed=self.seed)
        if self.depth > MAX_DEPTH:
            raise InputError("enrichment.depth is too large", received=self.depth, remedy=f"use at most {MAX_DEPTH:,}")
        if not 20 <= self.width <= 40_960:
            raise InputError("enrichment.width is out of range", received=self.width, remedy="use 20 to 40,960")
        source = self.source  # checks the cell and the temperature
        if not source.seed_length < self.length <= MAX_LENGTH:
            raise InputError(
                "enrichment.length is out of range",
                received=self.length,
                remedy=f"use {source.seed_length + 1} to {MAX_LENGTH:,} characters",
            )
        if self.seed >= 1 << 63:
            raise InputError("enrichment.seed is too large", received=self.seed, remedy="use a seed below 2^63")

    @property
    def source(self) -> RecurrentSourceConfig:
        """The random LSTMs that this configuration asks for, one for every pass."""
        return RecurrentSourceConfig(
            cell=self.cell,
            hidden_size=self.width // 10,
            vocabulary_size=NUM_PRINTABLE if self.printable else 256,
            temperature=self.temperature,
            sequences_per_model=1,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnrichmentPass(Measures):
    """One string and its measures (see `Measures`).

    Attributes:
        depth: LSTMs passed; 0 for the random string.
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
        passes: depth + 1 of them, from the random string on.

    """

    config: EnrichmentConfig
    alphabet_size: int
    passes: tuple[EnrichmentPass, ...]


def enrich(config: EnrichmentConfig) -> Enrichment:
    """Run all passes; the same configuration gives the same strings on the same version and kind of processor."""
    return Enrichment(config=config, alphabet_size=config.source.vocabulary_size, passes=tuple(enrich_passes(config)))


def enrich_passes(config: EnrichmentConfig) -> Iterator[EnrichmentPass]:
    """Yield the random string, then pass by pass what the LSTMs make of it, each as soon as it is there."""
    generator = torch.Generator().manual_seed(config.seed)
    source = RecurrentSource(config.source, generator=generator)
    vocabulary_size, seed_length = source.config.vocabulary_size, source.config.seed_length
    tokens_T = torch.randint(vocabulary_size, (config.length,), generator=generator)
    yield _measured(tokens_T, config, depth=0)
    for depth in range(1, config.depth + 1):
        start = int(torch.randint(config.length - seed_length + 1, (), generator=generator))
        tokens_T = source.generate(tokens_T[None, start : start + seed_length], tokens_T[None])[0]
        yield _measured(tokens_T, config, depth=depth)


def _measured(tokens_T: Tensor, config: EnrichmentConfig, *, depth: int) -> EnrichmentPass:
    first_symbol = FIRST_PRINTABLE if config.printable else 0
    text = (tokens_T.to(torch.uint8) + first_symbol).numpy().tobytes()
    measures = measure(text, vocabulary_size=config.source.vocabulary_size, first_symbol=first_symbol)
    return EnrichmentPass(depth=depth, text=text.decode("latin-1"), **vars(measures))
