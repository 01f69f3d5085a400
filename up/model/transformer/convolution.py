"""Short causal convolutions: each channel mixes its last few positions, so that one layer can see what came before.

A head of attention that copies has to find a place that was preceded by the same token, and no single layer of plain
attention can: keys know their own position only. With a filter of three taps on queries, keys and values a key speaks
of the tokens before it, too.

Sources: Olsson et al. (2022), In-context learning and induction heads ("smeared keys", a filter of two taps on keys);
So et al. (2021), Primer (depthwise filters of three taps on queries, keys and values); Allen-Zhu (2025), Physics of
language models, part 4.1 ("Canon layers", also before the feed-forward network). Bloem (2025) has none.

Filters start as the identity, so that the block computes at first what it would without them. They are depthwise:
a vector for each tap and no matrix, so muP leaves their rate and initial values as they are (`mup`).

Shape suffixes: B sequences, T positions, C channels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class CausalConvolution(nn.Module):
    """Depthwise causal convolution, (B, T, C) -> (B, T, C).

    Output t of channel c is the sum over i of `weight[c, 0, 0, taps - 1 - i]` times input t - i; before the sequence
    there are zeros.

    Args:
        channels: C.
        taps: positions that an output depends on, its own included.

    """

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        self.taps = taps
        self.weight = nn.Parameter(torch.empty(channels, 1, 1, taps))

    def initialise(self) -> None:
        """Make it the identity."""
        self.weight.zero_()
        self.weight[..., -1] = 1.0

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Filter every channel by itself."""
        # As images of one row whose channels lie innermost, which is what x already is: five times as fast on a CPU as
        # a convolution in one dimension, which would first move the channels out.
        padded_BC1T = functional.pad(x_BTC, (0, 0, self.taps - 1, 0)).transpose(1, 2).unsqueeze(2)
        return functional.conv2d(padded_BC1T, self.weight, groups=self.weight.shape[0]).squeeze(2).transpose(1, 2)
