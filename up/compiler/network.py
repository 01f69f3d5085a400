"""The transformer encoder that programs are compiled to: one layer whose weights all layers share.

An ordinary trainable module: attention with biases on relative positions (T5, Raffel et al. 2020), an MLP with ReLU,
residual connections, and either no normalisation or x <- tanh(x + sublayer) (Zhu et al. 2025), as in appendix C.1 of
Shaw et al. 2025 (arXiv 2509.22445).

Shape suffixes: B sequences, T positions (S: those looked at), D width, H heads, K size of queries and keys, M size of
values, U hidden units, W offsets from -window to window, Y outputs.

    network = CompiledTransformer(Sizes(vocabulary=3, width=8, heads=2, key_size=2, value_size=2, hidden=16, outputs=1))
    outputs_BTY = network(tokens_BT, layers=9)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large a network is; see the legend of the module."""

    vocabulary: int
    width: int
    heads: int
    key_size: int
    value_size: int
    hidden: int
    outputs: int
    window: int = 1


class RelativeAttention(nn.Module):
    """Heads that match queries with keys and prefer some offsets, (B, T, D) -> (B, T, D)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        heads, width = sizes.heads, sizes.width
        self.window = sizes.window
        self.query_HKD = nn.Parameter(torch.zeros(heads, sizes.key_size, width))
        self.query_bias_HK = nn.Parameter(torch.zeros(heads, sizes.key_size))
        self.key_HKD = nn.Parameter(torch.zeros(heads, sizes.key_size, width))
        self.key_bias_HK = nn.Parameter(torch.zeros(heads, sizes.key_size))
        self.value_HMD = nn.Parameter(torch.zeros(heads, sizes.value_size, width))
        self.output_HDM = nn.Parameter(torch.zeros(heads, width, sizes.value_size))
        self.relative_HW = nn.Parameter(torch.zeros(heads, 2 * sizes.window + 1))

    def scores(self, x_BTD: Tensor) -> Tensor:
        """Return what the softmax is taken of, (B, H, T, S)."""
        query_BHTK = torch.einsum("btd,hkd->bhtk", x_BTD, self.query_HKD) + self.query_bias_HK[:, None]
        key_BHSK = torch.einsum("bsd,hkd->bhsk", x_BTD, self.key_HKD) + self.key_bias_HK[:, None]
        return query_BHTK @ key_BHSK.transpose(-1, -2) + self._relative(x_BTD.shape[1])

    def _relative(self, length: int) -> Tensor:
        """Return the biases of all pairs of positions, (H, T, S); beyond the window they are 0."""
        places = torch.arange(length, device=self.relative_HW.device)
        offset_TS = places - places[:, None]
        near_TS = offset_TS.abs() <= self.window
        return torch.where(near_TS, self.relative_HW[:, (offset_TS + self.window).clamp(0, 2 * self.window)], 0.0)

    def forward(self, x_BTD: Tensor, mask_BS: Tensor | None = None) -> Tensor:
        """Let every position gather; where `mask_BS` is False nothing is looked at."""
        scores_BHTS = self.scores(x_BTD)
        if mask_BS is not None:
            scores_BHTS = scores_BHTS.masked_fill(~mask_BS[:, None, None, :], float("-inf"))
        value_BHSM = torch.einsum("bsd,hmd->bhsm", x_BTD, self.value_HMD)
        gathered_BHTM = scores_BHTS.softmax(dim=-1) @ value_BHSM
        return torch.einsum("bhtm,hdm->btd", gathered_BHTM, self.output_HDM)


class CompiledTransformer(nn.Module):
    """The encoder, all weights 0 until they are written or initialised.

    Args:
        sizes: how large it is.
        tanh: whether every sublayer ends in x <- tanh(x + sublayer); otherwise x <- x + sublayer.

    """

    def __init__(self, sizes: Sizes, *, tanh: bool = False) -> None:
        super().__init__()
        self.sizes, self.tanh = sizes, tanh
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.attention = RelativeAttention(sizes)
        self.mlp_in = nn.Linear(sizes.width, sizes.hidden)
        self.mlp_out = nn.Linear(sizes.hidden, sizes.width)
        self.readout = nn.Linear(sizes.width, sizes.outputs, bias=False)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()

    def attend(self, x_BTD: Tensor, mask_BS: Tensor | None = None) -> Tensor:
        """Return the residual after the first sublayer."""
        return self._joined(x_BTD, self.attention(x_BTD, mask_BS))

    def apply_rules(self, x_BTD: Tensor) -> Tensor:
        """Return the residual after the second sublayer."""
        return self._joined(x_BTD, self.mlp_out(torch.relu(self.mlp_in(x_BTD))))

    def _joined(self, x_BTD: Tensor, change_BTD: Tensor) -> Tensor:
        return torch.tanh(x_BTD + change_BTD) if self.tanh else x_BTD + change_BTD

    def residuals(self, tokens_BT: Tensor, layers: int, mask_BS: Tensor | None = None) -> Iterator[Tensor]:
        """Yield the residual, (B, T, D), before the first layer and after each."""
        x_BTD = self.embedding(tokens_BT)
        yield x_BTD
        for _ in range(layers):
            x_BTD = self.apply_rules(self.attend(x_BTD, mask_BS))
            yield x_BTD

    def forward(self, tokens_BT: Tensor, layers: int, mask_BS: Tensor | None = None) -> Tensor:
        """Return the output variables at every position, (B, T, Y).

        Args:
            tokens_BT: numbers of tokens.
            layers: how often to apply the layer.
            mask_BS: False where a position is padding that nobody may look at.

        """
        *_, last_BTD = self.residuals(tokens_BT, layers, mask_BS)
        return self.readout(last_BTD)
