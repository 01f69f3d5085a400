"""The target model: an autoregressive transformer over bytes, in the paper's form or a modern one.

Shape suffixes: B sequences, T positions, D width, V vocabulary.

Source: Bloem (2025), section 6.2 and appendix A.1. This is the training form: whole sequences of at most the context
length, all positions at once.

    config = TransformerConfig(width=128)
    model = Transformer(config, torch.Generator().manual_seed(1))
    logits_BTV = model(tokens_BT)            # (8, 512) bytes -> (8, 512, 256)
"""

from typing import Any

import torch
from torch import Tensor, nn

from theory.words import number_of
from up.errors import InputError
from up.model.base import TargetModel
from up.model.transformer.attention import Rotary
from up.model.transformer.blocks import NORM_EPSILON, ModernBlock, PaperBlock, ProgressiveBlock
from up.model.transformer.config import TransformerConfig
from up.model.transformer.copying import CopyHeads
from up.model.transformer.initialisation import initialise
from up.model.transformer.mup import output_scale, parameter_groups

__all__ = ["Transformer", "TransformerConfig"]


class Transformer(TargetModel[TransformerConfig]):
    """Decoder-only transformer: logits at position t predict token t + 1 from tokens 0..t.

    The model is built on the CPU, so that a generator gives the same weights whatever device it moves to.
    Dropout draws from PyTorch's default generator of the device, the only one that its fused kernels accept; a run that
    wants to continue exactly saves that generator's state.

    Deviation: the paper does not say whether its 512 tokens of context are 512 inputs or hold the last target too. Here
    they do: training and evaluation read 511 and predict 511. So the last of `paper`'s position embeddings never gets a
    gradient (weight decay shrinks it from where it was drawn), and only a caller that gives a whole context of inputs
    reads it.

    Args:
        config: shape of the model.
        generator: CPU generator of the initial weights; None: a fresh one with seed 0. The global one is not touched.

    Attributes:
        config: with its rules resolved.
        enabled_blocks: the first blocks, so many, that take part in the forward pass; all at first. A progressive block
            that was never enabled has alpha = 0 and would pass its input on, so leaving it out saves time and changes
            no output; it gets no gradient, and no weight decay either.

    """

    def __init__(self, config: TransformerConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config = config.resolve()
        with torch.device("meta"):  # no memory and no random numbers until `initialise`
            self.token_embedding = nn.Embedding(config.vocabulary_size, config.width)
            if config.arch == "paper":
                self.position_embedding = nn.Embedding(config.context_length, config.width)
                blocks = [PaperBlock(config) for _ in range(config.num_layers)]
                self.norm = nn.Identity()  # each block ends with a layer norm
            else:
                self.position_embedding = None
                rotary = Rotary(config.context_length, config.head_size)
                blocks = [ModernBlock(config, rotary) for _ in range(config.num_layers)]
                self.norm = nn.RMSNorm(config.width, eps=NORM_EPSILON)
            normal = config.num_layers - config.num_progressive_blocks
            self.blocks = nn.ModuleList(blocks[:normal] + [ProgressiveBlock(block) for block in blocks[normal:]])
            self.head = nn.Linear(config.width, config.vocabulary_size, bias=config.arch == "paper")
            self.output_scale = output_scale(config)
            self.copying = CopyHeads(config, output_scale=self.output_scale) if config.copy_heads else None
        self.enabled_blocks = config.num_layers
        self.to_empty(device="cpu")
        initialise(self, config, generator if generator is not None else torch.Generator().manual_seed(0))

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Return logits_BTV in the type of the parameters, under autocast too.

        Args:
            tokens_BT: uint8 or any integer type, T at most the context length.

        Raises:
            InputError: sequences longer than the context.

        """
        length = tokens_BT.shape[1]
        if length > self.config.context_length:
            raise InputError(
                f"sequences are longer than the model's context of {number_of(self.config.context_length, 'token')}",
                received=length,
                remedy="cut them, or train a model with a larger context_length",
            )
        assert 0 < self.enabled_blocks <= len(self.blocks)
        x_BTD = embedding_BTD = self.token_embedding(tokens_BT.long())
        if self.position_embedding is not None:
            x_BTD = x_BTD + self.position_embedding.weight[:length]
        for block in self.blocks[: self.enabled_blocks]:
            x_BTD = block(x_BTD)
        x_BTD = self.norm(x_BTD)
        logits_BTV = self.head(x_BTD * self.output_scale)
        if self.copying is not None:
            logits_BTV = self.copying(embedding_BTD, x_BTD, tokens_BT, logits_BTV)
        return logits_BTV.to(self.head.weight.dtype)

    def loss(self, tokens_BT: Tensor) -> Tensor:
        """Return the mean cross-entropy in nats of every token but the first, given those before it."""
        logits_BTV, targets_BT = self(tokens_BT[:, :-1]), tokens_BT[:, 1:].long()
        return nn.functional.cross_entropy(logits_BTV.float().flatten(0, 1), targets_BT.flatten())

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameters in groups, with what muP makes of rate and decay (`mup`)."""
        return parameter_groups(self, self.config)
