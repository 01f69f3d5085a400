"""What a target transformer costs, from its configuration alone: parameters, arithmetic, memory. Nothing is allocated.

Letters in the formulas: L blocks, D width, F feed-forward hidden size, N heads, T context length, V vocabulary size,
B microbatch in sequences, P parameters.
"""

import dataclasses

from up.model.transformer.config import TransformerConfig

_FLOAT_BYTES = 4
_ALLOCATOR_PERCENT = 115


@dataclasses.dataclass(frozen=True, kw_only=True)
class ParameterCount:
    """Trainable numbers of a transformer, by part.

    Attributes:
        embeddings: token table, and position table in `paper`.
        attention: all blocks.
        feedforward: all blocks.
        norms: all blocks, and the last norm in `modern`.
        head: the output layer.
        progressive: one scalar for each progressive block.
        convolutions: filters of all blocks.
        copying: projections and gate of the copy heads.
        copying_vectors: their filters, biases, sharpness and sinks.

    """

    embeddings: int
    attention: int
    feedforward: int
    norms: int
    head: int
    progressive: int
    convolutions: int = 0
    copying: int = 0
    copying_vectors: int = 0

    @property
    def total(self) -> int:
        """All of them, P."""
        vectors = self.norms + self.progressive + self.convolutions + self.copying_vectors
        return self.embeddings + self.matrices + vectors

    @property
    def matrices(self) -> int:
        """Those that multiply an activation of every token; no tables, norms or filters."""
        return self.attention + self.feedforward + self.head + self.copying


def parameter_breakdown(config: TransformerConfig) -> ParameterCount:
    """Return the exact number of parameters in each part.

    `paper`: attention 4 D^2 + D, feed-forward 2 D F + F + D, norms 4 D a block; `modern`: 4 D^2, 3 D F, 2 D. Both: 1
    for the scalar of a progressive block. `modern` with convolutions of n taps: 4 D n a block. H copy heads, of C
    channels in all and with a gate of G = D / 2: 2 D C + G (D + 3 H + 1) in matrices, and 2 C H + G + 3 H + 1.
    """
    layers, width, hidden, vocabulary = (
        config.num_layers,
        config.width,
        config.feedforward_size,
        config.vocabulary_size,
    )
    if config.arch == "paper":
        return ParameterCount(
            embeddings=(vocabulary + config.context_length) * width,
            attention=layers * (4 * width**2 + width),
            feedforward=layers * (2 * width * hidden + hidden + width),
            norms=layers * 4 * width,
            head=vocabulary * width + vocabulary,
            progressive=config.num_progressive_blocks,
        )
    heads, channels, gate = config.copy_heads, config.num_copy_channels, max(1, width // 2)
    return ParameterCount(
        embeddings=vocabulary * width,
        convolutions=layers * 4 * width * config.convolution_taps,
        copying=2 * width * channels + gate * (width + 3 * heads + 1) if heads else 0,
        copying_vectors=2 * channels * heads + gate + 3 * heads + 1 if heads else 0,
        attention=layers * 4 * width**2,
        feedforward=layers * 3 * width * hidden,
        norms=(2 * layers + 1) * width,
        head=vocabulary * width,
        progressive=config.num_progressive_blocks,
    )


def count_parameters(config: TransformerConfig) -> int:
    """Return the exact number of parameters.

    >>> count_parameters(TransformerConfig(width=512))
    69843214
    """
    return parameter_breakdown(config).total


def training_flops_per_token(config: TransformerConfig) -> int:
    """Return floating-point operations for one token of a forward and backward pass, at the full context length.

    6 M + 6 L D T, with M the parameters in matrices: each takes a multiplication and an addition forward and twice that
    backward (Kaplan et al. 2020); causal attention reads T/2 positions on average, 2 D operations for a score and 2 D
    for a sum at each, again three times over. Norms, softmax and embeddings are left out.
    """
    attention = 6 * config.num_layers * config.width * config.context_length
    return 6 * parameter_breakdown(config).matrices + attention


def activation_bytes(config: TransformerConfig, microbatch: int) -> int:
    """Return the bytes that a float32 forward pass and its cross-entropy keep for the backward pass.

    For each token, the blocks (`_block_floats`), D for what a progressive block multiplies by its scalar, the input of
    the head (`modern`: that of the last norm, normalised input and output), the logits and their log-softmax, and what
    the copy heads keep (`_copying_floats`). Counted for the CPU kernels and with every block enabled; the kernels of a
    GPU keep less.
    """
    width, tokens = config.width, microbatch * config.context_length
    blocks = config.num_layers * _block_floats(config) + config.num_progressive_blocks * width
    last = (width if config.arch == "paper" else 3 * width + 1) + 2 * config.vocabulary_size + _copying_floats(config)
    return _FLOAT_BYTES * tokens * (blocks + last)


def estimate_training_memory(config: TransformerConfig, microbatch: int) -> int:
    """Return about how many bytes a float32 training step takes, beside what Python and PyTorch occupy themselves.

    16 P for parameters, gradients and the two moments of AdamW, plus `activation_bytes`, plus twice the activations of
    one block for what flows back through it and the work space of its kernels; 15 % on top for what the allocator
    leaves unused.

    Measured as the growth of peak resident memory over four steps with gradient accumulation (2 CPU threads, both
    architectures, widths 128 to 512, 4 to 22 blocks, microbatches 1 to 16, 0.4 to 3.4 GB): between 0.88 and 1.15 of
    the estimate. bfloat16 autocast took 0.64 to 0.75 of it, so for autocast this is an upper estimate.

    Args:
        config: the model.
        microbatch: sequences of the full context length in one forward pass.

    """
    a_block = 2 * _block_floats(config) + _copying_floats(config)
    working = _FLOAT_BYTES * microbatch * config.context_length * a_block
    exact = 4 * _FLOAT_BYTES * count_parameters(config) + activation_bytes(config, microbatch) + working
    return exact * _ALLOCATOR_PERCENT // 100


def _block_floats(config: TransformerConfig) -> int:
    """Return how many floats one block keeps for each token.

    `paper`: 8 D + F + 4: input, queries, keys, values, gathered values, two inputs of a layer norm with two statistics,
    and the output of the first, F after the ReLU. `modern`: 12 D + 4 F + 2: two norms of which each keeps input,
    normalised input, output and a statistic; values in the buffer they share with the first queries and keys (3 D),
    turned queries and keys, gathered values; gate, its SiLU, up and their product; 4 D for what convolutions read.
    Both: N for the softmax, and 2 D where dropout keeps its masks.
    """
    width, hidden = config.width, config.feedforward_size
    block = 8 * width + hidden + 4 if config.arch == "paper" else 12 * width + 4 * hidden + 2
    block += 4 * width if config.convolution_taps else 0
    return block + config.num_heads + (2 * width if config.dropout_probability > 0 else 0)


def _copying_floats(config: TransformerConfig) -> int:
    """Return how many floats the copy heads keep for each token.

    Each of the H: T for its attention, V for its votes and as many for their logarithms, 5 K for queries and keys
    before and after their filters and scaled, and a dozen for the gate's evidence. All: V for what followed and as many
    for the logits, once more in the linear pool, and 3 D for embeddings and the gate.
    """
    if not config.copy_heads:
        return 0
    vocabulary = config.vocabulary_size
    each = config.context_length + 2 * vocabulary + 12
    shared = (2 if config.copy_pool == "logarithmic" else 3) * vocabulary + 3 * config.width
    return config.copy_heads * each + 5 * config.num_copy_channels + shared
