"""Bits per character of a model to which all bytes are equally likely, and two bars."""

import torch
from torch import Tensor, nn

from up.evaluation.bits import EvaluationConfig, prepare


class Uniform(nn.Module):
    """The same logit for every byte."""

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Return zeros, (B, T, 256)."""
        return torch.zeros(*tokens_BT.shape, 256)


prepared = prepare(
    EvaluationConfig(samples=200), context_length=256, device=torch.device("cpu")
)
for row in prepared.evaluate(Uniform()):
    print(f"{row.data}: {row.bits:.2f} bits, Markov {row.markov_bits:.2f}", end="")
    print(f", PPM {row.ppm_exclusion_bits:.2f}")
