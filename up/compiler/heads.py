"""Heads as attention weights.

A match has queries and keys of size c, one dimension for each value, so that a hit scores c^2 and a miss 0; a relative
head has a bias of c^2 at its offset. The softmax then misses hard attention by about n e^(-c^2) over n positions: with
c = 10 that is nothing in float32, with c = 4 it is 5e-5. Where a head has no hit its attention is uniform, and what it
writes is a blend; see `up.compiler.undefined`. Without a query, the query is a bias. Under tanh the values -1 and 1 are
halved and moved by biases, so that hits and misses score the same.
"""

import torch
from torch import Tensor

from up.compiler.language import Program, Relative
from up.compiler.layout import Layout, dimension_count
from up.compiler.network import RelativeAttention


def key_size(program: Program) -> int:
    """Return how many dimensions queries and keys need."""
    sizes = [dimension_count(program.variable[head.key]) for head in program.heads if not isinstance(head, Relative)]
    return max(sizes, default=1)


def value_size(program: Program) -> int:
    """Return how many dimensions values need."""
    return max((dimension_count(program.variable[head.value]) for head in program.heads), default=1)


def window(program: Program) -> int:
    """Return how far relative heads look."""
    return max((abs(head.offset) for head in program.heads if isinstance(head, Relative)), default=1)


@torch.no_grad()
def write_heads(
    attention: RelativeAttention, program: Program, layout: Layout, *, scale: float, written: float
) -> None:
    """Write every head of a program into the weights.

    Args:
        attention: where.
        program: whose heads.
        layout: of the residual.
        scale: c, what queries and keys are multiplied by.
        written: what the values are multiplied by; more than 1 only under tanh.

    """
    for number, head in enumerate(program.heads):
        for place, (source, target) in enumerate(
            zip(layout.dimensions(head.value), layout.dimensions(head.name), strict=True)
        ):
            attention.value_HMD[number, place, source] = 1.0
            attention.output_HDM[number, target, place] = written
        if isinstance(head, Relative):
            attention.relative_HW[number, head.offset + attention.window] = scale**2
            continue
        _project(attention.key_HKD[number], attention.key_bias_HK[number], layout, head.key, scale)
        if head.query is None:
            attention.query_bias_HK[number, 0] = scale
        else:
            _project(attention.query_HKD[number], attention.query_bias_HK[number], layout, head.query, scale)


def _project(weight_KD: Tensor, bias_K: Tensor, layout: Layout, name: str, scale: float) -> None:
    for place, dimension in enumerate(layout.dimensions(name)):
        weight_KD[place, dimension] = scale / 2 if layout.signed else scale
        bias_K[place] = scale / 2 if layout.signed else 0.0
