"""Causal self-attention through PyTorch's fused kernel, and rotary positions.

Shape suffixes: B sequences, T positions, D width, N heads, K head size (D = N K), J = K / 2 rotary frequencies,
Z = 3 for query, key and value.

Sources: Vaswani et al. (2017) for attention; Bloem (2025), A.1, for its scale 1/K; Su et al. (2021) for rotary
positions. No mask is ever built: the kernel is told that it is causal.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from up.model.transformer.convolution import CausalConvolution

ROTARY_BASE = 10_000.0


class Rotary(nn.Module):
    """Rotary positions: dimensions j and j + K/2 of a query or key are one plane, turned by t * base^(-2j/K).

    This pairing of halves is that of the Llama format, so that weights can be exchanged without a permutation.
    The tables are constants and not part of the state dict.
    """

    cos_TJ: Tensor
    sin_TJ: Tensor

    def __init__(self, context_length: int, head_size: int) -> None:
        super().__init__()
        self.context_length, self.head_size = context_length, head_size
        shape = (context_length, head_size // 2)
        self.register_buffer("cos_TJ", torch.empty(shape), persistent=False)
        self.register_buffer("sin_TJ", torch.empty(shape), persistent=False)

    def fill_tables(self) -> None:
        """Compute the tables in float64 and store them in the type and on the device of the buffers."""
        frequency_J = ROTARY_BASE ** (-torch.arange(0, self.head_size, 2, dtype=torch.float64) / self.head_size)
        angle_TJ = torch.outer(torch.arange(self.context_length, dtype=torch.float64), frequency_J)
        self.cos_TJ.copy_(angle_TJ.cos())
        self.sin_TJ.copy_(angle_TJ.sin())

    def forward(self, x_BTNK: Tensor) -> Tensor:
        """Turn queries or keys by their positions, in the type of the tables; return the type of the input."""
        length = x_BTNK.shape[1]
        cos_T1J, sin_T1J = self.cos_TJ[:length, None], self.sin_TJ[:length, None]
        left_BTNJ, right_BTNJ = x_BTNK.chunk(2, dim=-1)
        turned_left_BTNJ = left_BTNJ * cos_T1J - right_BTNJ * sin_T1J
        turned_right_BTNJ = right_BTNJ * cos_T1J + left_BTNJ * sin_T1J
        return torch.cat((turned_left_BTNJ, turned_right_BTNJ), dim=-1).to(x_BTNK.dtype)


class SelfAttention(nn.Module):
    """Multi-head causal self-attention, (B, T, D) -> (B, T, D).

    Queries, keys and values come from one matrix without biases, `qkv`: rows 0..D-1 make the queries, head by head,
    then the keys, then the values.

    Args:
        width: D.
        num_heads: N, a divisor of D.
        scale: factor on the scores before the softmax.
        bias: whether the output projection has a bias.
        rotary: turns queries and keys; None where positions are embedded elsewhere.
        taps: of the convolution on queries, keys and values; 0: there is none.

    """

    def __init__(
        self, width: int, num_heads: int, *, scale: float, bias: bool, rotary: Rotary | None = None, taps: int = 0
    ) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, scale
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=bias)
        self.convolution = CausalConvolution(3 * width, taps) if taps else nn.Identity()
        self.rotary = rotary

    def project(self, x_BTD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (B, T, N, K): filtered, and the first two turned by positions."""
        qkv_BTZNK = self.convolution(self.qkv(x_BTD)).unflatten(-1, (3, self.num_heads, -1))
        q_BTNK, k_BTNK, v_BTNK = qkv_BTZNK.unbind(2)
        if self.rotary is not None:
            q_BTNK, k_BTNK = self.rotary(q_BTNK), self.rotary(k_BTNK)
        return q_BTNK, k_BTNK, v_BTNK

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Let each position gather from itself and the positions before it."""
        q_BTNK, k_BTNK, v_BTNK = self.project(x_BTD)
        gathered_BNTK = functional.scaled_dot_product_attention(
            q_BTNK.transpose(1, 2), k_BTNK.transpose(1, 2), v_BTNK.transpose(1, 2), is_causal=True, scale=self.scale
        )
        return self.output(gathered_BNTK.transpose(1, 2).flatten(2))
