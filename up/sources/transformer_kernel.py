"""Sampling from many random transformers at once, token by token, with a cache of keys and values.

Each block is that of the paper's target (A.1): causal self-attention, add, layer norm; a feed-forward network of one
hidden layer with a ReLU, add, layer norm. The layer norms have gain 1 and bias 0, as `nn.LayerNorm` begins. Tokens are
drawn by `up.sources.exact_sampling`. `tests/reference/random_transformer.py` is the plain way, through torch.nn.

Shape suffixes: G models, N rows per model, R = G N rows, T tokens, S seed tokens, V vocabulary, D width, H heads,
A head size, Q = R H queries, F hidden size of the feed-forward network.
"""

import dataclasses
import math

import torch
from torch import Tensor
from torch.nn import functional

from up.sources.exact_sampling import draw_tokens, required_gap


@dataclasses.dataclass(frozen=True, kw_only=True)
class BlockWeights:
    """The parameters of one block of G models; matrices map rows from the left, multiplier applied.

    Attributes:
        query_key_value_GDP: the three projections beside each other, P = 3 D.
        query_key_value_bias_GP: their biases, not scaled.
        output_GDD: from the heads' outputs, one after another.
        output_bias_GD: its bias, not scaled.
        up_GDF: into the hidden layer.
        up_bias_GF: its bias, not scaled.
        down_GFD: out of it.
        down_bias_GD: its bias, not scaled.

    """

    query_key_value_GDP: Tensor
    query_key_value_bias_GP: Tensor
    output_GDD: Tensor
    output_bias_GD: Tensor
    up_GDF: Tensor
    up_bias_GF: Tensor
    down_GFD: Tensor
    down_bias_GD: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerWeights:
    """The parameters of G random transformers.

    Attributes:
        input_embedding_GVD: embedding of the model's own last token, N(0, 1).
        condition_embedding_GVD: embedding of the condition token, N(0, 1).
        position_embedding_GTD: embedding of the position, N(0, 1).
        blocks: from the input on; their matrices, and nothing else, are scaled by the multiplier.
        readout_GDV: linear read-out, not scaled.
        readout_bias_GV: its bias.
        multiplier_G: m ~ U(0, max_weight_multiplier), one per model.

    """

    input_embedding_GVD: Tensor
    condition_embedding_GVD: Tensor
    position_embedding_GTD: Tensor
    blocks: tuple[BlockWeights, ...]
    readout_GDV: Tensor
    readout_bias_GV: Tensor
    multiplier_G: Tensor


def generate_sequences(
    weights: TransformerWeights,
    *,
    num_heads: int,
    temperature: float,
    seeds_RS: Tensor,
    conditions_RT: Tensor,
    uniforms_TR: Tensor,
) -> Tensor:
    """Run G models over R = G N rows and return the tokens, (R, T) uint8; rows r N to r N + N - 1 belong to model r.

    Args:
        weights: parameters of G models; their dtype is the dtype of the computation.
        num_heads: H, heads of the attention.
        temperature: divides the logits.
        seeds_RS: the first S tokens of every row.
        conditions_RT: condition tokens; the last one has no step to enter.
        uniforms_TR: T - S uniform numbers in [0, 1) for each row, time first.

    """
    with torch.inference_mode():
        tokens_TR = _run(weights, num_heads, temperature, seeds_RS, conditions_RT, uniforms_TR)
    return tokens_TR.T.to(torch.uint8)


def _run(
    weights: TransformerWeights,
    num_heads: int,
    temperature: float,
    seeds_RS: Tensor,
    conditions_RT: Tensor,
    uniforms_TR: Tensor,
) -> Tensor:
    num_models, vocabulary, width = weights.input_embedding_GVD.shape
    (num_rows, num_tokens), seed_length = conditions_RT.shape, seeds_RS.shape[1]
    assert num_rows % num_models == 0
    assert uniforms_TR.shape == (num_tokens - seed_length, num_rows)
    rows_per_model = num_rows // num_models
    input_table = weights.input_embedding_GVD.flatten(0, 1)
    condition_table = weights.condition_embedding_GVD.flatten(0, 1)
    offset_R = torch.arange(num_models, device=conditions_RT.device).repeat_interleave(rows_per_model) * vocabulary
    condition_index_TR = conditions_RT.long().T + offset_R
    gap_TR = required_gap(uniforms_TR, vocabulary, input_table.dtype)
    bits = 1 / (temperature * math.log(2))  # the exact sampler takes logits in bits
    readout_GDV, readout_bias_G1V = weights.readout_GDV * bits, weights.readout_bias_GV[:, None] * bits
    blocks = [_Block(block, num_rows, num_tokens - 1, num_heads) for block in weights.blocks]

    tokens_TR = torch.empty(num_tokens, num_rows, dtype=torch.long, device=conditions_RT.device)
    tokens_TR[:seed_length] = seeds_RS.long().T
    for t in range(num_tokens - 1):
        x_RD = input_table.index_select(0, tokens_TR[t] + offset_R)
        x_RD += condition_table.index_select(0, condition_index_TR[t])
        x_GND = x_RD.view(num_models, rows_per_model, width)
        x_GND += weights.position_embedding_GTD[:, t, None]
        for block in blocks:
            x_GND = block.step(x_GND, t)
        sampled = t + 1 - seed_length
        if sampled >= 0:
            logits_RV = torch.baddbmm(readout_bias_G1V, x_GND, readout_GDV).view(num_rows, vocabulary)
            tokens_TR[t + 1] = draw_tokens(logits_RV, uniforms_TR[sampled], gap_TR[sampled])
    return tokens_TR


class _Block:
    """One block of G models with the keys and values of the positions so far."""

    def __init__(self, weights: BlockWeights, num_rows: int, num_positions: int, num_heads: int) -> None:
        self.weights = weights
        self.width, self.num_heads = weights.output_GDD.shape[1], num_heads
        head_size = self.width // num_heads
        self.scale = 1 / math.sqrt(head_size)
        shape = (num_rows, num_heads, num_positions, head_size)
        self.keys_RHTA, self.values_RHTA = (weights.output_GDD.new_empty(shape) for _ in range(2))

    def step(self, x_GND: Tensor, t: int) -> Tensor:
        """Return what the block makes of position t."""
        weights = self.weights
        projected_GNP = _linear(x_GND, weights.query_key_value_GDP, weights.query_key_value_bias_GP)
        heads_R3HA = projected_GNP.view(self.keys_RHTA.shape[0], 3, self.num_heads, -1)
        self.keys_RHTA[:, :, t] = heads_R3HA[:, 1]
        self.values_RHTA[:, :, t] = heads_R3HA[:, 2]
        # Two plain products: for a single query a step they beat PyTorch's fused attention twofold on a CPU.
        query_Q1A = heads_R3HA[:, 0].reshape(-1, 1, self.keys_RHTA.shape[3]) * self.scale
        scores_Q1T = torch.bmm(query_Q1A, self.keys_RHTA.flatten(0, 1)[:, : t + 1].transpose(1, 2))
        attended_Q1A = torch.bmm(scores_Q1T.softmax(2), self.values_RHTA.flatten(0, 1)[:, : t + 1])
        attended_GND = attended_Q1A.view(x_GND.shape)
        x_GND = self._norm(x_GND + _linear(attended_GND, weights.output_GDD, weights.output_bias_GD))
        hidden_GNF = _linear(x_GND, weights.up_GDF, weights.up_bias_GF).relu_()
        return self._norm(x_GND + _linear(hidden_GNF, weights.down_GFD, weights.down_bias_GD))

    def _norm(self, x_GND: Tensor) -> Tensor:
        return functional.layer_norm(x_GND, (self.width,))


def _linear(x_GNI: Tensor, weight_GIO: Tensor, bias_GO: Tensor) -> Tensor:
    return torch.baddbmm(bias_GO[:, None], x_GNI, weight_GIO)
