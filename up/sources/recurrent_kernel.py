"""Sampling from many random recurrent models at once: the arithmetic, the same on a CPU and a GPU.

Four things make it fast without changing what is computed. Tokens enter only through two embedding tables, so the
whole input side is precomputed as token-to-gate tables and each step is two row look-ups. The recurrent weights and
the read-out share one batched matrix product over the models, with the biases as its last row. And a token is sampled
exactly from one uniform number without a softmax over the vocabulary wherever the largest logit leads by enough. On a
GPU, the loop over the tokens is recorded once for each shape and then launched as a whole (`up.sources.capture`).

`up.sources.exact_sampling` has the rule by which a token is drawn.

Shape suffixes: G models, N rows per model, R = G N rows, T tokens, S seed tokens, V vocabulary, D hidden, K gates x D.
"""

import dataclasses
import functools
import math

import torch
from torch import Tensor

from up.sources.buffer import token_dtype
from up.sources.capture import captured
from up.sources.exact_sampling import draw_tokens, required_gap


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecurrentWeights:
    """The parameters of G random models, in PyTorch's layout and gate order, multiplier applied.

    Attributes:
        input_embedding_GVE: embedding of the model's own last token, N(0, 1).
        condition_embedding_GVE: embedding of the condition token, N(0, 1).
        weight_ih_GKI: input weights, I = 2 E with the input token's part first, scaled by the multiplier.
        weight_hh_GKD: recurrent weights, scaled by the multiplier.
        bias_ih_GK: input bias, not scaled.
        bias_hh_GK: recurrent bias, not scaled.
        readout_weight_GVD: linear read-out, not scaled.
        readout_bias_GV: bias of the read-out.
        multiplier_G: m ~ U(0, max_weight_multiplier), one per model.

    """

    input_embedding_GVE: Tensor
    condition_embedding_GVE: Tensor
    weight_ih_GKI: Tensor
    weight_hh_GKD: Tensor
    bias_ih_GK: Tensor
    bias_hh_GK: Tensor
    readout_weight_GVD: Tensor
    readout_bias_GV: Tensor
    multiplier_G: Tensor


def generate_sequences(
    weights: RecurrentWeights,
    *,
    cell: str,
    temperature: float,
    seeds_RS: Tensor,
    conditions_RT: Tensor,
    uniforms_TR: Tensor,
) -> Tensor:
    """Run G models over R = G N rows and return the tokens, (R, T); rows r N to r N + N - 1 belong to model r.

    Args:
        weights: parameters of G models; their dtype is the dtype of the computation.
        cell: `lstm` or `gru`.
        temperature: divides the logits.
        seeds_RS: the first S tokens of every row.
        conditions_RT: condition tokens; the last one has no step to enter.
        uniforms_TR: T - S uniform numbers in [0, 1) for each row, time first.

    Returns:
        uint8 for at most 256 tokens, int32 for more.

    """
    with torch.inference_mode():
        tokens_TR = _run(weights, cell, temperature, seeds_RS.long().T, conditions_RT.long().T, uniforms_TR)
    return tokens_TR.T.to(token_dtype(weights.readout_bias_GV.shape[1]))


def _run(
    weights: RecurrentWeights,
    cell: str,
    temperature: float,
    seeds_SR: Tensor,
    conditions_TR: Tensor,
    uniforms_TR: Tensor,
) -> Tensor:
    num_models, vocabulary, _ = weights.input_embedding_GVE.shape
    num_tokens, num_rows = conditions_TR.shape
    assert num_rows % num_models == 0
    assert uniforms_TR.shape == (num_tokens - len(seeds_SR), num_rows)
    kind = {"lstm": _LstmStep, "gru": _GruStep}[cell]
    input_bias_GK, recurrent_bias_GK = kind.biases(weights)
    input_table, condition_table = _gate_tables(weights, input_bias_GK)
    table_offset_R = torch.arange(num_models, device=conditions_TR.device) * vocabulary
    table_offset_R = table_offset_R.repeat_interleave(num_rows // num_models)
    inputs = (
        seeds_SR,
        conditions_TR + table_offset_R,
        uniforms_TR,
        required_gap(uniforms_TR, vocabulary, input_table.dtype),
        table_offset_R,
        input_table,
        condition_table,
        _fused_product(weights, recurrent_bias_GK, temperature),  # (h, 1) -> recurrent gates, logits
        recurrent_bias_GK,
    )
    loop = functools.partial(_loop, kind)
    return loop(*inputs) if conditions_TR.device.type != "cuda" else captured(cell, loop, inputs)


def _loop(
    kind: "type[_Step]",
    seeds_SR: Tensor,
    condition_index_TR: Tensor,
    uniforms_TR: Tensor,
    required_gap_TR: Tensor,
    table_offset_R: Tensor,
    input_table: Tensor,
    condition_table: Tensor,
    product_GDP: Tensor,
    recurrent_bias_GK: Tensor,
) -> Tensor:
    """Return the tokens, (T, R): all that is done once for each token; nothing in it depends on what tensors hold."""
    num_tokens, num_rows = condition_index_TR.shape
    seed_length, num_models = len(seeds_SR), len(product_GDP)
    rows_per_model = num_rows // num_models
    step = kind(recurrent_bias_GK, num_rows, product_GDP.shape[1] - 1)
    gates = step.gates_RK.shape[1]
    projected_RP = input_table.new_zeros(num_rows, product_GDP.shape[2])
    recurrent_RK, logits_RV = projected_RP[:, :gates], projected_RP[:, gates:]
    recurrent_RK.copy_(recurrent_bias_GK.repeat_interleave(rows_per_model, dim=0))  # h is 0 before the first step
    projected_GNP = projected_RP.view(num_models, rows_per_model, -1)
    state_GND = step.state_RD.view(num_models, rows_per_model, -1)
    tokens_TR = torch.empty(num_tokens, num_rows, dtype=torch.long, device=seeds_SR.device)
    tokens_TR[:seed_length] = seeds_SR
    index_R = torch.empty_like(table_offset_R)

    # Views are made once, not at every step: on a CPU the loop is a matter of single microseconds.
    tokens, condition_index = tokens_TR.unbind(), condition_index_TR.unbind()
    uniforms, gaps = uniforms_TR.unbind(), required_gap_TR.unbind()
    for t in range(num_tokens - 1):
        torch.add(tokens[t], table_offset_R, out=index_R)
        torch.index_select(input_table, 0, index_R, out=step.gates_RK)
        step.gates_RK += condition_table.index_select(0, condition_index[t])
        step(recurrent_RK)
        torch.bmm(state_GND, product_GDP, out=projected_GNP)
        sampled = t + 1 - seed_length
        if sampled >= 0:
            tokens[t + 1].copy_(draw_tokens(logits_RV, uniforms[sampled], gaps[sampled]))
    return tokens_TR


class _Step:
    """Buffers of one step of G models: gates in, hidden state out.

    `state_RD` holds h in its first D columns and a constant 1 in the last, so that a matrix product adds biases.
    """

    def __init__(self, recurrent_bias_GK: Tensor, num_rows: int, hidden: int) -> None:
        new_zeros = recurrent_bias_GK.new_zeros
        self.gates_RK = new_zeros(num_rows, recurrent_bias_GK.shape[1])
        self.state_RD = new_zeros(num_rows, hidden + 1)
        self.state_RD[:, -1] = 1
        self.hidden_RD = self.state_RD[:, :-1]

    @staticmethod
    def biases(weights: RecurrentWeights) -> tuple[Tensor | None, Tensor]:
        """Return what is added to the input side of the gates, if anything, and to the recurrent side, (G, K) each."""
        raise NotImplementedError

    def __call__(self, recurrent_RK: Tensor) -> None:
        """Advance the hidden state, with the input side of the gates in `gates_RK`."""
        raise NotImplementedError


class _LstmStep(_Step):
    """One step of G LSTMs, gate order of `nn.LSTM`: input, forget, candidate, output."""

    def __init__(self, recurrent_bias_GK: Tensor, num_rows: int, hidden: int) -> None:
        super().__init__(recurrent_bias_GK, num_rows, hidden)
        self.logistic_RK = torch.empty_like(self.gates_RK)
        self.input_RD, self.forget_RD, _, self.output_RD = self.logistic_RK.chunk(4, dim=1)
        self.candidate_RD = self.gates_RK.chunk(4, dim=1)[2]
        self.cell_RD = self.candidate_RD.new_zeros(self.candidate_RD.shape)
        self.squashed_RD = torch.empty_like(self.cell_RD)

    @staticmethod
    def biases(weights: RecurrentWeights) -> tuple[Tensor | None, Tensor]:
        return None, weights.bias_ih_GK + weights.bias_hh_GK  # both are simply added, so they go where it costs nothing

    def __call__(self, recurrent_RK: Tensor) -> None:
        self.gates_RK.add_(recurrent_RK)
        torch.sigmoid(self.gates_RK, out=self.logistic_RK)  # the candidate's too: cheaper than three strided slices
        self.candidate_RD.tanh_()
        self.cell_RD.mul_(self.forget_RD).addcmul_(self.input_RD, self.candidate_RD)
        torch.tanh(self.cell_RD, out=self.squashed_RD)
        torch.mul(self.output_RD, self.squashed_RD, out=self.hidden_RD)


class _GruStep(_Step):
    """One step of G GRUs, gate order of `nn.GRU`: reset, update, candidate.

    The reset gate multiplies the recurrent part of the candidate, its bias included.
    """

    def __init__(self, recurrent_bias_GK: Tensor, num_rows: int, hidden: int) -> None:
        super().__init__(recurrent_bias_GK, num_rows, hidden)
        self.reset_update_RJ, self.candidate_RD = self.gates_RK.split([2 * hidden, hidden], dim=1)
        self.reset_RD, self.update_RD = self.reset_update_RJ.chunk(2, dim=1)

    @staticmethod
    def biases(weights: RecurrentWeights) -> tuple[Tensor | None, Tensor]:
        return weights.bias_ih_GK, weights.bias_hh_GK

    def __call__(self, recurrent_RK: Tensor) -> None:
        split = self.reset_update_RJ.shape[1]
        self.reset_update_RJ.add_(recurrent_RK[:, :split]).sigmoid_()
        self.candidate_RD.addcmul_(self.reset_RD, recurrent_RK[:, split:]).tanh_()
        self.hidden_RD.copy_(torch.lerp(self.candidate_RD, self.hidden_RD, self.update_RD))


def _gate_tables(weights: RecurrentWeights, input_bias_GK: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return what each input token and each condition token adds to the gates, two tables of (G V, K)."""
    embedding = weights.input_embedding_GVE.shape[2]
    weight_GIK = weights.weight_ih_GKI.transpose(1, 2)
    input_GVK = torch.bmm(weights.input_embedding_GVE, weight_GIK[:, :embedding])
    if input_bias_GK is not None:
        input_GVK += input_bias_GK[:, None]
    condition_GVK = torch.bmm(weights.condition_embedding_GVE, weight_GIK[:, embedding:])
    return input_GVK.flatten(0, 1), condition_GVK.flatten(0, 1)


def _fused_product(weights: RecurrentWeights, recurrent_bias_GK: Tensor, temperature: float) -> Tensor:
    """Return the matrices (G, D + 1, K + V) that map (h, 1) to the recurrent gates and the logits at temperature.

    The logits come out in bits: base-2 exponentials of wide ranges are far cheaper than natural ones on a CPU.
    """
    num_models, gates, hidden = weights.weight_hh_GKD.shape
    vocabulary = weights.readout_bias_GV.shape[1]
    bits = 1 / (temperature * math.log(2))
    product_GDP = weights.weight_hh_GKD.new_empty(num_models, hidden + 1, gates + vocabulary)
    product_GDP[:, :hidden, :gates] = weights.weight_hh_GKD.transpose(1, 2)
    product_GDP[:, hidden, :gates] = recurrent_bias_GK
    torch.mul(weights.readout_weight_GVD.transpose(1, 2), bits, out=product_GDP[:, :hidden, gates:])
    torch.mul(weights.readout_bias_GV, bits, out=product_GDP[:, hidden, gates:])
    return product_GDP
