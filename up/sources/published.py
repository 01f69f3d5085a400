"""Random LSTMs as the paper's author ran them: deep, scaled many times over, with embeddings of almost nothing.

The code published with the paper differs from its text. Its behaviour, as described to us and written anew here:

- four recurrent layers instead of one;
- the multiplier m ~ U(1, 3.5) instead of U(0, 1.1), and it is applied once for each layer to all layers, so that every
  weight and every bias of the recurrent layers is scaled by m^4, by up to 150;
- embeddings with entries close to 0;
- the most probable token instead of a sampled one.

The distribution, in full, for d = `hidden_size` units and L layers. Each model draws m ~ U(1, 3.5); two embeddings of
d/2 dimensions with entries from N(0, s^2), s = `embedding_scale`; all parameters of its layers from
U(-d^-1/2, d^-1/2), times m^L; and its read-out from U(-d^-1/2, d^-1/2). Layer 1 reads the embeddings of the model's own
last token and of the condition's token, one after the other; each layer above reads the one below. Row x is 8 seed
tokens, followed by the token with the largest read-out at each step, the first of equals.

Source: Bloem 2025 (arXiv 2506.20057), section 5.1 and A.1, and what is known of its code; not the paper's text.

Cost of a row: 2 L - 1 matrices of D by 4 D at every step where `lstm` has one; measured, two and a half times its time.

Deviation: every point of the list is one from the paper's text; nothing takes this source by default.

Deviation: as for `lstm`, one model per sequence on a GPU and eight sequences per model on a CPU.

Limits: how close to 0 the embeddings are is not known to us, so that `embedding_scale` is a guess; from 0 to 1 the
median entropy of rows hardly changes. The scaled layers are chaotic: rounding decides what comes after some steps, so
another processor or number type gives other rows. Of the published code we are told 6.5 bits of median order-0 entropy
and 15 % constant rows, against 1.6 bits and 20 % of the paper's LSTM, but neither at which size nor how it was counted.
Here, over 700 models with one row of 512 each, half of the conditions constant, it is 5.8 bits and 13 % with 38 units
and 6.5 bits and 11 % with 64; `lstm` with 38 units has 1.6 bits and 18 %. So the size that was meant may be 64; that
fewer rows are constant here remains unexplained.

Shape suffixes: G models, N rows per model, R = G N rows, T tokens, S seed tokens, V vocabulary, E embedding, D hidden,
I inputs of a layer, K = 4 D gates.
"""

import dataclasses
import math
from collections.abc import Collection
from typing import Self

import torch
from torch import Tensor

from theory.words import number_of
from up.config import require_at_most, require_not_negative, require_one_of, require_positive
from up.errors import InputError
from up.sources.exact_sampling import most_probable
from up.sources.random_models import RandomModelSource
from up.sources.recurrent import require_hidden_size


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedSource(RandomModelSource):
    """Deep random LSTMs whose weights are scaled once per layer, as in the code published with the paper.

    Attributes:
        hidden_size: d, units of each layer; a tenth of the target's width unless it is given.
        num_layers: L, recurrent layers, and how often m is applied.
        embedding_scale: standard deviation of the embeddings' entries.
        min_weight_multiplier: least m.
        max_weight_multiplier: largest m.

    """

    kind: str = "lstm-published"
    hidden_size: int = 38
    num_layers: int = 4
    embedding_scale: float = 1e-3
    min_weight_multiplier: float = 1.0
    max_weight_multiplier: float = 3.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("source", "kind", self.kind, ("lstm-published",))
        require_hidden_size(self.hidden_size)
        require_positive("source", num_layers=self.num_layers, max_weight_multiplier=self.max_weight_multiplier)
        require_not_negative(
            "source", embedding_scale=self.embedding_scale, min_weight_multiplier=self.min_weight_multiplier
        )
        require_at_most(  # so that nothing leaves the range of float32
            "source",
            num_layers=(self.num_layers, 16),
            max_weight_multiplier=(self.max_weight_multiplier, 100),
            embedding_scale=(self.embedding_scale, 1_000),
        )
        if self.min_weight_multiplier > self.max_weight_multiplier:
            raise InputError(
                "source.min_weight_multiplier exceeds source.max_weight_multiplier",
                received=self.min_weight_multiplier,
                remedy=f"give at most {self.max_weight_multiplier:g}",
            )

    @property
    def noun(self) -> str:
        """What one of its random models is called."""
        return "LSTM"

    @property
    def description(self) -> str:
        """Kind and size, such as `lstm-published, 4 layers of 38 units`."""
        return f"{self.kind}, {number_of(self.num_layers, 'layer')} of {number_of(self.hidden_size, 'unit')}"

    def with_rules(self, *, target_width: int, given: Collection[str]) -> Self:
        """Return the settings with d a tenth of the target's width (A.1), at least 2, unless it is given."""
        return self if "hidden_size" in given else dataclasses.replace(self, hidden_size=max(2, target_width // 10))

    def run_models(
        self, num_models: int, seeds_RS: Tensor, conditions_RT: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Draw the weights and take the most probable tokens."""
        weights = draw_weights(self, num_models, generator=generator)
        return generate_sequences(weights, seeds_RS=seeds_RS, conditions_RT=conditions_RT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerWeights:
    """One recurrent layer of G models, gate order of `nn.LSTM`, scaled by m^L.

    Attributes:
        weight_GIK: from the layer's I inputs (2 E of the embeddings, or D of the layer below) and its own D units.
        bias_ih_GK: first bias.
        bias_hh_GK: second bias.

    """

    weight_GIK: Tensor
    bias_ih_GK: Tensor
    bias_hh_GK: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """The parameters of G random models.

    Attributes:
        input_embedding_GVE: embedding of the model's own last token.
        condition_embedding_GVE: embedding of the condition token.
        layers: from the input on.
        readout_GDV: linear read-out, not scaled.
        readout_bias_GV: its bias.
        multiplier_G: m of each model.

    """

    input_embedding_GVE: Tensor
    condition_embedding_GVE: Tensor
    layers: tuple[LayerWeights, ...]
    readout_GDV: Tensor
    readout_bias_GV: Tensor
    multiplier_G: Tensor


def draw_weights(
    source: PublishedSource, num_models: int, *, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> PublishedWeights:
    """Draw the parameters of `num_models` random models on the generator's device."""
    d_h, embedding, vocabulary = source.hidden_size, source.hidden_size // 2, source.vocabulary_size
    bound = 1 / math.sqrt(d_h)

    def uniform(*shape: int, low: float = -bound, high: float = bound) -> Tensor:
        empty = torch.empty(num_models, *shape, dtype=dtype, device=generator.device)
        return empty.uniform_(low, high, generator=generator)

    def normal(*shape: int) -> Tensor:
        empty = torch.empty(num_models, *shape, dtype=dtype, device=generator.device)
        return empty.normal_(generator=generator).mul_(source.embedding_scale)

    def layer(inputs: int) -> LayerWeights:
        return LayerWeights(
            weight_GIK=uniform(inputs + d_h, 4 * d_h).mul_(scale_G[:, None, None]),
            bias_ih_GK=uniform(4 * d_h).mul_(scale_G[:, None]),
            bias_hh_GK=uniform(4 * d_h).mul_(scale_G[:, None]),
        )

    multiplier_G = uniform(low=source.min_weight_multiplier, high=source.max_weight_multiplier)
    scale_G = multiplier_G**source.num_layers
    return PublishedWeights(
        input_embedding_GVE=normal(vocabulary, embedding),
        condition_embedding_GVE=normal(vocabulary, embedding),
        layers=tuple(layer(2 * embedding if index == 0 else d_h) for index in range(source.num_layers)),
        readout_GDV=uniform(d_h, vocabulary),
        readout_bias_GV=uniform(vocabulary),
        multiplier_G=multiplier_G,
    )


def generate_sequences(weights: PublishedWeights, *, seeds_RS: Tensor, conditions_RT: Tensor) -> Tensor:
    """Run G models over R = G N rows and return the tokens, (R, T) uint8; rows r N to r N + N - 1 belong to model r."""
    with torch.inference_mode():
        tokens_TR = _run(weights, seeds_RS, conditions_RT)
    return tokens_TR.T.to(torch.uint8)


def _run(weights: PublishedWeights, seeds_RS: Tensor, conditions_RT: Tensor) -> Tensor:
    num_models, vocabulary, embedding = weights.input_embedding_GVE.shape
    (num_rows, num_tokens), seed_length = conditions_RT.shape, seeds_RS.shape[1]
    assert num_rows % num_models == 0
    rows_per_model = num_rows // num_models
    first = weights.layers[0]
    own_table = torch.bmm(weights.input_embedding_GVE, first.weight_GIK[:, :embedding]).flatten(0, 1)
    condition_GVE, weight_GEK = weights.condition_embedding_GVE, first.weight_GIK[:, embedding : 2 * embedding]
    condition_table = torch.bmm(condition_GVE, weight_GEK).flatten(0, 1)
    offset_R = torch.arange(num_models, device=conditions_RT.device).repeat_interleave(rows_per_model) * vocabulary
    condition_index_TR = conditions_RT.long().T + offset_R
    bias_G1K = [(layer.bias_ih_GK + layer.bias_hh_GK)[:, None] for layer in weights.layers]
    recurrent_GIK = [first.weight_GIK[:, 2 * embedding :], *(layer.weight_GIK for layer in weights.layers[1:])]
    shape = (num_models, rows_per_model, weights.readout_GDV.shape[1])
    hidden_GND, cell_GND = ([first.weight_GIK.new_zeros(shape) for _ in weights.layers] for _ in range(2))

    tokens_TR = torch.empty(num_tokens, num_rows, dtype=torch.long, device=conditions_RT.device)
    tokens_TR[:seed_length] = seeds_RS.long().T
    for t in range(num_tokens - 1):
        entering_RK = own_table.index_select(0, tokens_TR[t] + offset_R)
        entering_RK += condition_table.index_select(0, condition_index_TR[t])
        for index in range(len(weights.layers)):
            if index == 0:
                gates_GNK = torch.baddbmm(bias_G1K[0], hidden_GND[0], recurrent_GIK[0])
                gates_GNK += entering_RK.view(gates_GNK.shape)
            else:
                inputs_GNI = torch.cat([hidden_GND[index - 1], hidden_GND[index]], dim=2)
                gates_GNK = torch.baddbmm(bias_G1K[index], inputs_GNI, recurrent_GIK[index])
            admit, forget, candidate, reveal = gates_GNK.chunk(4, dim=2)
            cell_GND[index] = forget.sigmoid() * cell_GND[index] + admit.sigmoid() * candidate.tanh()
            hidden_GND[index] = reveal.sigmoid() * cell_GND[index].tanh()
        if t + 1 >= seed_length:
            logits_GNV = torch.baddbmm(weights.readout_bias_GV[:, None], hidden_GND[-1], weights.readout_GDV)
            tokens_TR[t + 1] = most_probable(logits_GNV.view(num_rows, vocabulary))
    return tokens_TR
