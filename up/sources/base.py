"""What a source is: settings, and a pure function from random numbers to sequences.

Two kinds differ in what they are given:

- a `ConditionalSource` passes sequences through random computations. It sits behind the buffer of Algorithm 1, which
  hands its output back to it as conditions, again and again (Bloem 2025, arXiv 2506.20057, section 5.1);
- a `RowSource` draws sequences from nothing but random numbers, independently of each other.

A source is a frozen dataclass of its settings, so that it can be written down, compared and changed, and it builds its
own stream. It keeps no state: all randomness comes from the generator that it is given, on whose device it works.
`up.sources.registry` lists those of the house; docs/how-to/own-source.md writes one in fifteen lines.

Shape suffixes: R rows (sequences), T tokens, S seed tokens.
"""

import abc
import dataclasses
from collections.abc import Collection
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from up.config import Family, from_dict, require_positive
from up.errors import InputError
from up.sources.buffer import BufferConfig
from up.sources.registry import SOURCES, source_type
from up.sources.stream import BufferedStream, CadenceConfig, RowStream, Stream


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamParts:
    """What a stream is made of, beside its source; the fields are the arguments of `Source.stream`."""

    context_length: int
    buffer: BufferConfig
    cadence: CadenceConfig
    source_generator: torch.Generator
    buffer_generator: torch.Generator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source(Family, abc.ABC):
    """Settings of a source; subclass `RowSource` or `ConditionalSource`.

    Attributes:
        kind: name in `up.sources.registry`, or `path/to/file.py:NAME`.
        vocabulary_size: number of tokens, at most `largest_vocabulary`.
        largest_vocabulary: of all sources of the class; up to 65,536 where its tokens are no bytes.

    """

    largest_vocabulary: ClassVar[int] = 256

    kind: str = ""
    vocabulary_size: int = 256

    def __post_init__(self) -> None:
        if self.kind in SOURCES and not isinstance(self, source_type(self.kind)):
            raise InputError(
                f"a {type(self).__name__} is no source of this kind",
                received=self.kind,
                remedy=f'use up.make_source("{self.kind}")',
            )
        if not 2 <= self.vocabulary_size <= self.largest_vocabulary:
            raise InputError(
                f"source.vocabulary_size is out of range for the source {self.kind}",
                received=self.vocabulary_size,
                remedy=f"use 2 to {self.largest_vocabulary:,}",
            )

    @classmethod
    def of_kind(cls, kind: str) -> "type[Source]":
        """Return the class of a kind of source; raises `InputError` for an unknown one."""
        return source_type(kind)

    @property
    def label(self) -> str:
        """Its name in a table."""
        return self.kind

    @property
    def noun(self) -> str:
        """What one of its random models is called, in the singular."""
        return self.kind

    @property
    def description(self) -> str:
        """Kind and size in a few words, such as `lstm, 51 units`."""
        return self.kind

    @property
    def text(self) -> str | None:
        """The program text that a run keeps beside the settings; None for a source of the house."""
        return None

    def resolve(self, device: torch.device) -> Self:  # noqa: ARG002
        """Return the settings with those written out that a device, or a file, decides."""
        return self

    def with_rules(self, *, target_width: int, given: Collection[str]) -> Self:  # noqa: ARG002
        """Return the settings with those that follow the width of the target model, unless their names are given."""
        return self

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:  # noqa: ARG002
        """Raise `InputError` where the source cannot serve instances of so many tokens, so many at a time."""
        return

    def opened(self) -> "Source":
        """Return the source itself, ready to draw; a source that lies in a file is read from it."""
        return self

    @property
    def is_opened(self) -> bool:
        """Whether nothing of it is still to be read from a file; a configuration must be read without running one."""
        return True

    @property
    @abc.abstractmethod
    def reads(self) -> bool:
        """Whether what is drawn depends on a condition."""

    @abc.abstractmethod
    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Return what one more random computation makes of sequences, (R, T) uint8: fresh rows, if it does not read."""

    def stream(
        self,
        *,
        context_length: int,
        buffer: BufferConfig,
        cadence: CadenceConfig,
        source_generator: torch.Generator,
        buffer_generator: torch.Generator,
    ) -> Stream:
        """Return a fresh stream of instances.

        Args:
            context_length: tokens per instance.
            buffer: of sources that have one.
            cadence: of sources that have a buffer.
            source_generator: randomness of the source; its device is where work is done.
            buffer_generator: randomness of the buffer; its device is where the buffer lies and instances come from.

        Raises:
            InputError: the source cannot be used, such as a file that is gone.

        """
        return self.open_stream(
            StreamParts(
                context_length=context_length,
                buffer=buffer,
                cadence=cadence,
                source_generator=source_generator,
                buffer_generator=buffer_generator,
            )
        )

    @abc.abstractmethod
    def open_stream(self, parts: StreamParts) -> Stream:
        """Return the stream that is made of these parts; see `stream`."""


def make_source(kind: str, **settings: Any) -> Source:
    """Return a source by its kind, with settings of its own.

    >>> make_source("gru", hidden_size=51).description
    'gru, 51 units'

    Raises:
        InputError: an unknown kind or setting, or a value that does not fit.
    """
    return from_dict(source_type(kind), {"kind": kind, **settings}, where="source.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowSource(Source):
    """A source whose rows are independent of each other."""

    @property
    def reads(self) -> bool:
        """It does not."""
        return False

    @abc.abstractmethod
    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, of shape (num_rows, num_tokens) and the dtype of `token_dtype`."""

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Return as many fresh rows of the same length."""
        num_rows, num_tokens = rows_RT.shape
        return self.rows(num_rows, num_tokens, generator)

    def open_stream(self, parts: StreamParts) -> Stream:
        """Return a stream that draws every instance afresh."""
        return RowStream(self.rows, context_length=parts.context_length, generator=parts.source_generator)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionalSource(Source):
    """A source that turns sequences into others.

    Attributes:
        seed_length: S, tokens at the start of every sequence that are given, not sampled.

    """

    stream_type: ClassVar[type[BufferedStream]] = BufferedStream
    """How instances are drawn from the buffer."""

    seed_length: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("source", seed_length=self.seed_length)

    @abc.abstractmethod
    def generate(self, seeds_RS: Tensor, conditions_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Return one sequence for each condition, tokens_RT, of the dtype of `token_dtype`, starting with its seed.

        Args:
            seeds_RS: the first tokens of every row, any integer type.
            conditions_RT: what the random models read, any integer type.
            generator: all randomness.

        Raises:
            InputError: conditions no longer than the seed.

        """

    @property
    def reads(self) -> bool:
        """It does."""
        return True

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Return one sequence for each row as the condition, its seed sliced from a random place of the same row."""
        num_rows, num_tokens = rows_RT.shape
        if num_tokens <= self.seed_length:
            raise InputError(
                "sequences must be longer than their seed",
                received=num_tokens,
                remedy=f"use a length above the {self.seed_length} seed tokens",
            )
        places, device = num_tokens - self.seed_length + 1, generator.device
        start_R1 = torch.randint(places, (num_rows, 1), generator=generator, device=device)
        seeds_RS = rows_RT.gather(1, start_R1 + torch.arange(self.seed_length, device=device))
        return self.generate(seeds_RS, rows_RT, generator)

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:
        """Refuse a context no longer than the seed, and batches that the buffer does not hold."""
        if context_length <= self.seed_length:
            raise InputError(
                "the tokens of a row (in a run model.context_length) must exceed source.seed_length",
                received=context_length,
                remedy=f"give more than {self.seed_length}",
            )
        if batch > buffer.capacity:
            raise InputError(
                "training.batch exceeds the buffer, from which it is drawn without replacement",
                received=batch,
                remedy=f"give at most {buffer.capacity} or raise buffer.capacity_multiple",
            )

    def open_stream(self, parts: StreamParts) -> Stream:
        """Return a stream that draws from a buffer, which this source keeps enriching."""
        device, buffer_device = parts.source_generator.device, parts.buffer_generator.device

        def generate(seeds_RS: Tensor, conditions_RT: Tensor) -> Tensor:
            tokens_RT = self.generate(seeds_RS.to(device), conditions_RT.to(device), parts.source_generator)
            return tokens_RT.to(buffer_device)

        return self.stream_type(
            generate,
            buffer=parts.buffer,
            cadence=parts.cadence,
            context_length=parts.context_length,
            vocabulary_size=self.vocabulary_size,
            seed_length=self.seed_length,
            source_generator=parts.source_generator,
            buffer_generator=parts.buffer_generator,
        )
