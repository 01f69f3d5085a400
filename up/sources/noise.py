"""Noise: every token uniform and independent of all others. There is nothing to learn from it but the uniform code.

It is the control beside every other source, and what a calibration trains on where the source must not cost any time.
A row takes one call of the generator; the entropy rate is log2 V bits a token, or the logarithm of `symbols`.
"""

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor

from up.sources.base import RowSource
from up.sources.buffer import LARGEST_VOCABULARY, token_dtype
from up.sources.draws import require_symbols


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseSource(RowSource):
    """Uniform noise.

    Attributes:
        kind: `noise`.
        vocabulary_size: V, number of tokens.
        symbols: tokens that are drawn, the first so many of the vocabulary; None: all.

    """

    largest_vocabulary: ClassVar[int] = LARGEST_VOCABULARY

    kind: str = "noise"
    symbols: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_symbols(self.symbols, self.vocabulary_size)

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, each uniform over the symbols."""
        shape, dtype = (num_rows, num_tokens), token_dtype(self.vocabulary_size)
        return torch.randint(
            self.symbols or self.vocabulary_size, shape, generator=generator, device=generator.device, dtype=dtype
        )
