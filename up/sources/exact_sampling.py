"""Sampling tokens exactly from logits, each from one uniform number, without a softmax where the outcome is certain.

The rule: order the tokens with the most probable one first and the others by index, and take the token in whose
interval of cumulated probability the uniform number falls. Where the largest logit leads by enough, its interval holds
the uniform number for certain, and nothing is summed. `tests/reference/sampling.py` states the rule plainly.

Shape suffixes: R rows, V vocabulary, U rows that need the full draw.
"""

import math

import torch
from torch import Tensor

from up.config import require_positive
from up.errors import InputError

MIN_TEMPERATURE = 1e-30
_GAP_SLACK = 1e-2  # bits; covers rounding of the gap in float32, rows inside it go through the full draw


def require_temperature(temperature: float) -> None:
    """Raise `InputError` unless a temperature is positive and in the range in which sampling is exact."""
    require_positive("source", temperature=temperature)
    if temperature < MIN_TEMPERATURE:
        raise InputError(
            "source.temperature is too small for the range of float32",
            received=temperature,
            remedy=f"use at least {MIN_TEMPERATURE:g}; from there on it is an argmax in all but name",
        )


def required_gap(uniforms_TR: Tensor, vocabulary: int, dtype: torch.dtype) -> Tensor:
    """Return how many bits the largest logit must lead the second for the uniform number to fall to it for certain.

    With a lead of g bits the largest token has probability at least 1 / (1 + (V - 1) 2^-g), which exceeds u if and
    only if g > log2(V - 1) + log2(u / (1 - u)).
    """
    return (torch.logit(uniforms_TR) / math.log(2) + (math.log2(vocabulary - 1) + _GAP_SLACK)).to(dtype)


def draw_tokens(logits_RV: Tensor, uniform_R: Tensor, required_gap_R: Tensor) -> Tensor:
    """Sample one token a row, exactly, from logits in bits; overwrites the largest logit of every row with -inf."""
    best_R = most_probable(logits_RV)
    best_logit_R1 = logits_RV.gather(1, best_R[:, None])
    logits_RV.scatter_(1, best_R[:, None], -math.inf)  # what is left are the other tokens
    if logits_RV.device.type != "cpu":
        # Looking for the rows that need more work would stall a GPU, and the full draw of all rows costs it nothing.
        return _draw_among_all(logits_RV, best_R, best_logit_R1, uniform_R)
    rows_U = (best_logit_R1[:, 0] - logits_RV.amax(1) <= required_gap_R).nonzero()[:, 0]
    if len(rows_U):
        best_R[rows_U] = _draw_among_all(logits_RV[rows_U], best_R[rows_U], best_logit_R1[rows_U], uniform_R[rows_U])
    return best_R


def _draw_among_all(other_logits_RV: Tensor, best_R: Tensor, best_logit_R1: Tensor, uniform_R: Tensor) -> Tensor:
    """Inverse-transform sampling with the best token first; weights are relative to the best token's.

    The position among the others is below their total for every u below 1, also after rounding: the largest such u
    takes at least one unit in the last place off the sum, and rounding the sum adds at most half of one.
    """
    cumulated_RV = (other_logits_RV - best_logit_R1).to(uniform_R.dtype).exp2_().cumsum(1)
    position_R = uniform_R * (1 + cumulated_RV[:, -1]) - 1  # negative: the best token's interval
    other_R = torch.searchsorted(cumulated_RV, position_R[:, None], right=True)[:, 0]
    return torch.where(position_R < 0, best_R, other_R)


def most_probable(logits_RV: Tensor) -> Tensor:
    """Index of the largest logit of each row; NumPy's is several times faster than PyTorch's on a CPU."""
    if logits_RV.device.type == "cpu":
        return torch.from_numpy(logits_RV.numpy().argmax(1))
    return logits_RV.argmax(1)
