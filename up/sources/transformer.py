"""Random transformers as sources of sequences: the architecture of the target, with weights as they are drawn.

The distribution, in full. Each model draws: a multiplier m ~ U(0, 1.1); three embeddings with entries from N(0, 1), of
its own tokens, E, of the condition's, C, and of the positions, P; and for each of its linear layers a matrix and a bias
with entries from U(-i^-1/2, i^-1/2), i the layer's inputs. The weight matrices of its blocks (queries, keys, values,
attention output, both layers of the feed-forward network) are then multiplied by m, and nothing else is. Row x is 8
seed tokens followed by tokens drawn one by one: x_t+1 from the softmax, at temperature 1e-4, of the read-out of
position t, where position s enters as E[x_s] + C[z_s] + P[s] and z is the condition. The blocks are those of
`up.sources.transformer_kernel`. A token is drawn exactly, from one uniform number.

Source: Bloem 2025 (arXiv 2506.20057), section 6.4: "We sample from a transformer model in the same way we sample from
the LSTMs. [...] the transformer relies on learned embeddings for its sequential bias, which makes it very unlikely that
this bias emerges by random sampling."

Cost of a row of T tokens: T steps, each 12 L D^2 + D V multiplications and 2 L D t at position t, for D wide and L
blocks: 0.09 G at the default size and 512 tokens, twelve times those of an LSTM of 38 units.

Deviation: the paper gives no size, depth, embedding or initialisation of this source. Here: width 64, two blocks, four
heads, whatever the target's width, chosen so that 138 rows of 512 take seconds on one core; blocks in the paper's own
form (A.1), with biases everywhere; own token, condition and position added up (the LSTM concatenates), all three
embeddings N(0, 1); PyTorch's default for linear layers, also for the attention's projections.

Deviation: one model per sequence on a GPU and eight sequences per model on a CPU, as for `lstm`.

Limits: keys and values are kept, 8 L D T bytes a row (0.5 MB at the default size), for 32 rows at a time on a CPU and
1,024 on a GPU. A model knows its positions only by vectors of noise, so that a row hardly repeats itself: of 828 rows
none was constant, and their median order-0 entropy was 6.6 bits (`lstm`: 1.7).

Shape suffixes: G models, R rows, P rows of a piece, T tokens, S seed tokens, V vocabulary, D width, I inputs, O outputs
of a layer.
"""

import dataclasses
import math

import torch
from torch import Tensor

from up.config import require_at_most, require_one_of, require_positive
from up.errors import InputError
from up.sources.exact_sampling import require_temperature
from up.sources.random_models import RandomModelSource, uniform_numbers
from up.sources.transformer_kernel import BlockWeights, TransformerWeights, generate_sequences

_CPU_PIECE = 32  # rows at a time: 1.4 times as fast as 138, because more of the keys and values stays in the caches
_GPU_PIECE = 1024  # half a gigabyte of keys and values at the default size


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerSource(RandomModelSource):
    """Random transformers: fresh ones for every call, through which the conditions pass.

    Attributes:
        width: d_model of the random models.
        num_layers: their blocks.
        num_heads: heads of the attention; they divide the width.
        temperature: divides the logits before the softmax; sampled exactly, however small (1e-30 at least).
        max_weight_multiplier: each model's block matrices are scaled by one m ~ U(0, max_weight_multiplier).

    """

    kind: str = "transformer"
    width: int = 64
    num_layers: int = 2
    num_heads: int = 4
    temperature: float = 1e-4
    max_weight_multiplier: float = 1.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("source", "kind", self.kind, ("transformer",))
        require_positive("source", width=self.width, num_layers=self.num_layers, num_heads=self.num_heads)
        require_at_most("source", width=(self.width, 4096), num_layers=(self.num_layers, 64))
        if self.width % self.num_heads:
            raise InputError(
                "source.num_heads must divide source.width",
                received=self.num_heads,
                remedy=f"give a divisor of {self.width}",
            )
        require_temperature(self.temperature)
        require_positive("source", max_weight_multiplier=self.max_weight_multiplier)
        require_at_most("source", max_weight_multiplier=(self.max_weight_multiplier, 1e6))  # the range of float32

    @property
    def description(self) -> str:
        """Kind and size, such as `transformer, 2 blocks of width 64`."""
        return f"{self.kind}, {self.num_layers} block{'s' * (self.num_layers > 1)} of width {self.width}"

    def run_models(
        self, num_models: int, seeds_RS: Tensor, conditions_RT: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Draw weights, then uniform numbers, and sample, for so many models at a time that their caches fit."""
        num_rows, num_tokens = conditions_RT.shape
        rows_per_model = num_rows // num_models
        piece_rows = _CPU_PIECE if generator.device.type == "cpu" else _GPU_PIECE
        rows = max(1, piece_rows // rows_per_model) * rows_per_model
        pieces = [
            generate_sequences(
                draw_weights(self, len(seeds_PS) // rows_per_model, num_tokens - 1, generator=generator),
                num_heads=self.num_heads,
                temperature=self.temperature,
                seeds_RS=seeds_PS,
                conditions_RT=conditions_PT,
                uniforms_TR=uniform_numbers(num_tokens - self.seed_length, len(seeds_PS), generator),
            )
            for seeds_PS, conditions_PT in zip(seeds_RS.split(rows), conditions_RT.split(rows), strict=True)
        ]
        return torch.cat(pieces)


def draw_weights(
    source: TransformerSource,
    num_models: int,
    num_positions: int,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
) -> TransformerWeights:
    """Draw the parameters of random models, for so many positions, on the generator's device."""
    width, vocabulary, device = source.width, source.vocabulary_size, generator.device

    def uniform(bound: float, *shape: int) -> Tensor:
        return torch.empty(num_models, *shape, dtype=dtype, device=device).uniform_(-bound, bound, generator=generator)

    def normal(*shape: int) -> Tensor:
        return torch.empty(num_models, *shape, dtype=dtype, device=device).normal_(generator=generator)

    def linear(inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
        bound = 1 / math.sqrt(inputs)
        return uniform(bound, inputs, outputs), uniform(bound, outputs)

    def block() -> BlockWeights:
        projection, projection_bias = linear(width, 3 * width)
        output, output_bias = linear(width, width)
        up, up_bias = linear(width, 4 * width)
        down, down_bias = linear(4 * width, width)
        for matrix_GIO in (projection, output, up, down):
            matrix_GIO.mul_(multiplier_G[:, None, None])
        return BlockWeights(
            query_key_value_GDP=projection,
            query_key_value_bias_GP=projection_bias,
            output_GDD=output,
            output_bias_GD=output_bias,
            up_GDF=up,
            up_bias_GF=up_bias,
            down_GFD=down,
            down_bias_GD=down_bias,
        )

    multiplier_G = torch.empty(num_models, dtype=dtype, device=device)
    multiplier_G.uniform_(0, source.max_weight_multiplier, generator=generator)
    blocks = tuple(block() for _ in range(source.num_layers))
    readout_GDV, readout_bias_GV = linear(width, vocabulary)
    return TransformerWeights(
        input_embedding_GVD=normal(vocabulary, width),
        condition_embedding_GVD=normal(vocabulary, width),
        position_embedding_GTD=normal(num_positions, width),
        blocks=blocks,
        readout_GDV=readout_GDV,
        readout_bias_GV=readout_bias_GV,
        multiplier_G=multiplier_G,
    )
