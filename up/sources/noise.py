"""Noise: every token uniform and independent of all others. There is nothing to learn from it but the uniform code.

It is the control beside every other source, and what a calibration trains on where the source must not cost any time.
A row takes one call of the generator; the entropy rate is log2 V bits a token.
"""

import dataclasses

import torch
from torch import Tensor

from up.sources.base import RowSource


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseSource(RowSource):
    """Uniform noise over the vocabulary."""

    kind: str = "noise"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, each uniform below the vocabulary's size."""
        shape = (num_rows, num_tokens)
        return torch.randint(
            self.vocabulary_size, shape, generator=generator, device=generator.device, dtype=torch.uint8
        )
