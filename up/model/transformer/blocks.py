"""The two kinds of transformer block, the paper's and a modern one, and progressive blocks made of either.

Shape suffixes: B sequences, T positions, D width, F feed-forward hidden size.

Source: Bloem (2025), A.1 "Target architecture details" for `PaperBlock`; `ModernBlock` follows the Llama family
(pre-norm RMSNorm, SwiGLU of Shazeer 2020, no biases), which the paper does not use.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from up.model.transformer.attention import Rotary, SelfAttention
from up.model.transformer.config import TransformerConfig
from up.model.transformer.convolution import CausalConvolution

NORM_EPSILON = 1e-5


class ReluFeedForward(nn.Module):
    """One hidden layer of size F with a ReLU, with biases: (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int, hidden_size: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden_size)
        self.down = nn.Linear(hidden_size, width)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Apply the network at every position."""
        return self.down(functional.relu(self.up(x_BTD)))


class SwigluFeedForward(nn.Module):
    """A hidden layer of size F, gated by a second one through SiLU, no biases: (B, T, D) -> (B, T, D).

    With `taps` above 0 a convolution of so many stands before it.
    """

    def __init__(self, width: int, hidden_size: int, *, taps: int = 0) -> None:
        super().__init__()
        self.convolution = CausalConvolution(width, taps) if taps else nn.Identity()
        self.gate = nn.Linear(width, hidden_size, bias=False)
        self.up = nn.Linear(width, hidden_size, bias=False)
        self.down = nn.Linear(hidden_size, width, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Apply the network at every position, after the filters where there are any."""
        x_BTD = self.convolution(x_BTD)
        return self.down(functional.silu(self.gate(x_BTD)) * self.up(x_BTD))


class PaperBlock(nn.Module):
    """Post-norm: attention, add, layer norm, dropout; feed-forward, add, layer norm, dropout.

    Deviation: A.1 does not say whether the attention projections have biases. Here queries, keys and values have none,
    as in Vaswani et al., which it follows; every other linear layer has PyTorch's default bias.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config.width, config.num_heads, scale=config.attention_scale, bias=True)
        self.attention_norm = nn.LayerNorm(config.width, eps=NORM_EPSILON)
        self.feedforward = ReluFeedForward(config.width, config.feedforward_size)
        self.feedforward_norm = nn.LayerNorm(config.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout_probability)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Apply the block."""
        x_BTD = self.dropout(self.attention_norm(x_BTD + self.attention(x_BTD)))
        return self.dropout(self.feedforward_norm(x_BTD + self.feedforward(x_BTD)))


class ModernBlock(nn.Module):
    """Pre-norm: RMSNorm, rotary attention, dropout, add; RMSNorm, SwiGLU, dropout, add."""

    def __init__(self, config: TransformerConfig, rotary: Rotary) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(config.width, eps=NORM_EPSILON)
        self.attention = SelfAttention(
            config.width,
            config.num_heads,
            scale=config.attention_scale,
            bias=False,
            rotary=rotary,
            taps=config.convolution_taps,
        )
        self.feedforward_norm = nn.RMSNorm(config.width, eps=NORM_EPSILON)
        self.feedforward = SwigluFeedForward(config.width, config.feedforward_size, taps=config.convolution_taps)
        self.dropout = nn.Dropout(config.dropout_probability)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Apply the block."""
        x_BTD = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD)))
        return x_BTD + self.dropout(self.feedforward(self.feedforward_norm(x_BTD)))


class ProgressiveBlock(nn.Module):
    """A block in a residual connection of its own, x + alpha block(x), with a learnable scalar alpha that starts at 0.

    At first it passes its input on, so that a model to which it is added in the middle of a run computes what it did
    before; then alpha grows as the gradient tells it to (Bloem 2025, A.1, "Progressive scaling").
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Apply the block and add its share."""
        return x_BTD + self.alpha * self.block(x_BTD)
