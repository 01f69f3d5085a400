"""The buffer of Algorithm 1: rows that pass through random models again and again, and sometimes start afresh.

Source: Bloem 2025 (arXiv 2506.20057), section 5.1, Algorithm 1 and appendix A.1. Row r has a depth: the number of
models that it has passed since it was last reset to noise. Rows are written by index assignment, so that the buffer
itself changes; the public implementation in x-transformers writes into copies and trains on unenriched noise.

Shape suffixes: C rows of the buffer, B rows of a source batch, R rows, S seed tokens, T tokens.
"""

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from theory.words import number_of
from up.config import require_at_most, require_not_negative, require_positive
from up.errors import InputError

Generate = Callable[[Tensor, Tensor], Tensor]
"""Turns seeds_RS and conditions_RT into one sequence for each condition, (R, T), starting with its seed."""

LARGEST_VOCABULARY = 65_536
"""Tokens that a source can have at most."""


def token_dtype(vocabulary_size: int) -> torch.dtype:
    """Return what the tokens of a vocabulary are stored as: a byte where it is enough, int32 above.

    >>> token_dtype(256), token_dtype(257)
    (torch.uint8, torch.int32)
    """
    return torch.uint8 if vocabulary_size <= 256 else torch.int32


@dataclasses.dataclass(frozen=True, kw_only=True)
class BufferConfig:
    """Size of the buffer and what happens to it per source batch; defaults are the paper's (A.1).

    Attributes:
        source_batch: rows drawn, passed through random models and written back at a time.
        capacity_multiple: rows of the buffer as a multiple of the source batch.
        reset_constant: rows of each source batch that are then reset to a constant sequence.
        reset_noise: rows of each source batch that are then reset to uniform noise.

    """

    source_batch: int = 138
    capacity_multiple: int = 20
    reset_constant: int = 20
    reset_noise: int = 20

    def __post_init__(self) -> None:
        require_positive("buffer", source_batch=self.source_batch, capacity_multiple=self.capacity_multiple)
        require_at_most("buffer", source_batch=(self.source_batch, 100_000), capacity=(self.capacity, 1_000_000))
        require_not_negative("buffer", reset_constant=self.reset_constant, reset_noise=self.reset_noise)
        if self.reset_rows > self.source_batch:
            raise InputError(
                "buffer.reset_constant and buffer.reset_noise exceed the source batch",
                received=self.reset_rows,
                remedy=f"let them sum to at most {self.source_batch}",
            )

    @property
    def capacity(self) -> int:
        """Rows of the buffer."""
        return self.source_batch * self.capacity_multiple

    @property
    def reset_rows(self) -> int:
        """Rows of each source batch that start afresh."""
        return self.reset_constant + self.reset_noise


class Buffer:
    """Rows of tokens with their depths, on the generator's device.

    Args:
        config: sizes and resets.
        context_length: tokens per row.
        vocabulary_size: tokens of the noise are uniform below this.
        generator: the buffer's own source of randomness.

    Attributes:
        rows_CT: the sequences, uint8 or int32 (`token_dtype`).
        depth_C: models passed since the last reset, int64.

    """

    def __init__(
        self, config: BufferConfig, *, context_length: int, vocabulary_size: int, generator: torch.Generator
    ) -> None:
        self.config = config
        self.context_length = context_length
        self.vocabulary_size = vocabulary_size
        self.generator = generator
        self.rows_CT = self._fresh_rows(config.capacity)
        self.depth_C = torch.zeros(config.capacity, dtype=torch.long, device=generator.device)

    def enrich(self, generate: Generate, *, seed_length: int, iterate: bool = True) -> None:
        """Pass one source batch through random models and write it back, with its resets (`sample_batch`).

        Args:
            generate: the random models.
            seed_length: S, tokens of the seeds, which are sliced from the buffer.
            iterate: pass on what the rows hold; otherwise they first become half constant, half noise, of depth 0.

        """
        config = self.config
        index_B = self._draw(config.source_batch, config.capacity)
        seeds_BS = self._slice_seeds(config.source_batch, seed_length)
        if not iterate:
            self.rows_CT[index_B] = self._fresh_rows(config.source_batch)
            self.depth_C[index_B] = 0
        sequences_BT = generate(seeds_BS, self.rows_CT[index_B])
        depth_B = self.depth_C[index_B] + 1

        reset_R = self._draw(config.reset_rows, config.source_batch)
        sequences_BT[reset_R] = torch.cat(
            [self._constant_rows(config.reset_constant), self._noise_rows(config.reset_noise)]
        )
        depth_B[reset_R] = 0

        self.rows_CT[index_B] = sequences_BT
        self.depth_C[index_B] = depth_B

    def sample(self, num_rows: int) -> Tensor:
        """Return copies of distinct random rows, (R, T).

        Raises:
            InputError: more rows than the buffer holds.

        """
        if num_rows > self.config.capacity:
            raise InputError(
                "a batch must fit into the buffer",
                received=num_rows,
                remedy=f"use at most {number_of(self.config.capacity, 'row')} or raise buffer.capacity_multiple",
            )
        return self.rows_CT[self._draw(num_rows, self.config.capacity)]

    def depth_histogram(self) -> tuple[int, ...]:
        """Return how many rows have depth 0, 1, 2, ... up to the largest."""
        return tuple(torch.bincount(self.depth_C).tolist())

    def _draw(self, count: int, size: int) -> Tensor:
        """Distinct indices below `size`, without replacement."""
        return torch.randperm(size, generator=self.generator, device=self.generator.device)[:count]

    def _tokens(self, *shape: int) -> Tensor:
        dtype, device = token_dtype(self.vocabulary_size), self.generator.device
        return torch.randint(self.vocabulary_size, shape, generator=self.generator, device=device, dtype=dtype)

    def _fresh_rows(self, count: int) -> Tensor:
        """Half constant rows, half noise, shuffled."""
        constant = count // 2
        return torch.cat([self._constant_rows(constant), self._noise_rows(count - constant)])[self._draw(count, count)]

    def _constant_rows(self, count: int) -> Tensor:
        """Rows that repeat one random token each, every row its own."""
        return self._tokens(count, 1).expand(count, self.context_length)

    def _noise_rows(self, count: int) -> Tensor:
        return self._tokens(count, self.context_length)

    def _slice_seeds(self, count: int, seed_length: int) -> Tensor:
        """Subsequences from a random place of random rows, (R, S)."""
        device = self.generator.device
        row_R1 = torch.randint(self.config.capacity, (count, 1), generator=self.generator, device=device)
        places = self.context_length - seed_length + 1
        start_R1 = torch.randint(places, (count, 1), generator=self.generator, device=device)
        return self.rows_CT[row_R1, start_R1 + torch.arange(seed_length, device=device)]
