"""How far a model's predictions of bits are from those of a measure that is known exactly, symbol by symbol.

A model that is trained on samples of a mixture m_C has the least loss if it predicts as m_C does, and what it loses
beyond that is, in expectation over the samples, the divergence of the two predictions (Bloem 2025, arXiv 2506.20057,
section 5):

    KL_t = sum over b of p(b | x_<t) log2 ( p(b | x_<t) / q(b | x_<t) ),       p exact, q the model.

The model has all the tokens of its vocabulary, and p has two, 0 and 1. The sum is over the two, but q is not made to
sum to 1 over them: what the model gives to other tokens is lost, and counts.

A model that has no logits but says what it charges (`up.evaluation.token_bits.ChargesTokens`) tells of the token that
came only. There -log2 q(x_t) + log2 p(x_t) stands for KL_t: in expectation over x_t, which is drawn from p, it is the
same. So both kinds of model are measured without bias, the second with more noise; one row is one draw, and errors are
those of a mean over rows. The first token has nothing before it, and no model predicts it.

Shape suffixes: N rows, B rows of a batch, T tokens of a row, V vocabulary, 2 the bits.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from up.evaluation.markov import FloatArray, IntArray
from up.evaluation.token_bits import ChargesTokens, evaluation_mode, logits_of, token_bits
from up.model.base import TargetModel

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Gap:
    """A model beside an exact measure, for every token but the first of each row.

    Attributes:
        gap_NT: KL_t, or what stands for it, in bits, float64 of shape (N, T - 1).
        outside_NT: probability that the model gives to tokens that are no bits; None for a model without logits.

    """

    gap_NT: FloatArray
    outside_NT: FloatArray | None


def measure_gap(
    model: TargetModel[Any],
    tokens_NT: IntArray,
    exact_bits_NT: FloatArray,
    *,
    batch_size: int = 50,
    progress: Progress | None = None,
) -> Gap:
    """Return how far a model is from a measure on rows that the measure itself has written.

    Args:
        model: of any architecture; it is put into evaluation mode meanwhile.
        tokens_NT: zeros and ones, rows drawn from the measure.
        exact_bits_NT: -log2 p of each token given those before it, of the same shape.
        batch_size: rows in one forward pass.
        progress: called with rows done and rows in all.

    """
    assert tokens_NT.shape == exact_bits_NT.shape
    assert tokens_NT.shape[1] >= 2
    gaps, outsides = [], []
    for start in range(0, len(tokens_NT), batch_size):
        tokens_BT, exact_BT = tokens_NT[start : start + batch_size], exact_bits_NT[start : start + batch_size, 1:]
        rows_BT = torch.from_numpy(np.ascontiguousarray(tokens_BT))
        if isinstance(model, ChargesTokens):
            gaps.append(token_bits(model, rows_BT).cpu().double().numpy() - exact_BT)
        else:
            charged_BT2 = _charges(model, rows_BT)
            gaps.append(divergence(tokens_BT[:, 1:], exact_BT, charged_BT2))
            outsides.append(1 - np.exp2(-charged_BT2).sum(axis=2))
        if progress is not None:
            progress(min(start + batch_size, len(tokens_NT)), len(tokens_NT))
    return Gap(gap_NT=np.concatenate(gaps), outside_NT=np.concatenate(outsides) if outsides else None)


def _charges(model: nn.Module, rows_BT: torch.Tensor) -> FloatArray:
    """Return -log2 q of 0 and of 1 after each token but the last, float64 of shape (B, T - 1, 2)."""
    parameter = next(model.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    with torch.inference_mode(), evaluation_mode(model):
        logits_BTV = logits_of(model(rows_BT[:, :-1].to(device=device, dtype=torch.int64)))
        log_BT2 = torch.log_softmax(logits_BTV.double(), dim=2)[:, :, :2]
    return (log_BT2 / -math.log(2)).cpu().numpy()


def divergence(tokens_NT: IntArray, exact_bits_NT: FloatArray, charged_NT2: FloatArray) -> FloatArray:
    """Return KL_t in bits, float64 of shape (N, T).

    >>> divergence(np.array([[1]]), np.array([[1.0]]), np.array([[[2.0, 2.0]]])).item()  # 1/2, 1/2 against 1/4, 1/4
    1.0

    Args:
        tokens_NT: the bits that came.
        exact_bits_NT: -log2 p of them.
        charged_NT2: -log2 q of a 0 and of a 1 in their place.

    """
    came_NT = np.exp2(-exact_bits_NT)
    one_NT = np.where(tokens_NT == 1, came_NT, 1 - came_NT)
    probability_NT2 = np.stack([1 - one_NT, one_NT], axis=2).clip(0, 1)
    entropy_NT2 = -probability_NT2 * np.log2(np.where(probability_NT2 > 0, probability_NT2, 1))
    return (probability_NT2 * charged_NT2 - entropy_NT2).sum(axis=2)


def both_charges(tokens_NT: IntArray, charged_NT: FloatArray) -> FloatArray:
    """Return -log2 q of a 0 and of a 1 from what the bit that came was charged, where q has no other outcome."""
    came_NT = np.exp2(-charged_NT)
    with np.errstate(divide="ignore"):
        other_NT = -np.log2(1 - came_NT)
    is_one_NT = tokens_NT == 1
    return np.stack([np.where(is_one_NT, other_NT, charged_NT), np.where(is_one_NT, charged_NT, other_NT)], axis=2)
