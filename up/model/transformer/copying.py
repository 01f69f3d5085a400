"""Copy heads: attention that votes for what followed the latest tokens when they stood there before.

A head scores every earlier position j by how alike the tokens up to j are to the tokens up to the present one, t, and
gives j's share of the attention to the token at j + 1. The share of a sink, which no position has to beat, is spread
over the vocabulary: so a head is a distribution, never zero, and uniform where nothing matches. With sharp scores it is
a Markov model whose smoothing is the sink; what it has over one is that "alike" is learned.

    q_t, k_j   projections of the normalised token embeddings, through a causal filter (`convolution`)
    a_tj       softmax over j < t and the sink of  sharpness q_t k_j / K
    p_t(v)     sum over j with x_{j+1} = v of a_tj, plus the sink's share / V

Queries and keys start *equal* and random, and the filters of head h = 1, 2, ... as random signs over h taps: the score
is then about sharpness times the number of the last h tokens that agree, place by place, and the heads are in-context
models of the orders 1, 2, ... before anything was learned. A gate, a small network, reads the last hidden state and of
every head the logarithms of the sink's share and of the largest p, and combines the heads with the output layer:

    logarithmic pool   logits + g_0 logits + sum over heads of g_h log p_h   (Hinton 1999, products of experts)
    linear pool        log (g_0 softmax(logits) + sum over heads of g_h p_h),  g from a softmax

At first the weights g are equal. In the logarithmic pool sure heads outvote unsure ones, and a head that knows nothing,
being uniform, changes nothing; in the linear one a sure head can at most have its weight.

Sources: Vinyals et al. (2015), Pointer networks; Merity et al. (2016), Pointer sentinel mixture models (the sink, and
the linear pool); Olsson et al. (2022) on induction heads, which transformers take long to find. Bloem (2025) has none.

muP (`mup`): the size K of a head grows with the width, so projections are like those of attention, with scores
over K; so is the gate's hidden layer. What the gate makes of the heads' few numbers, filters, sharpness and sinks are
vectors. The gate's output has few numbers for many inputs, like the head: they are multiplied by w_0 / w. It starts at
zero. A `copy_head_size` that is given does not grow, and is good for one width only.

Shape suffixes: B sequences, T positions, D width, H copy heads, K their size, C = H K, G = H + 1 weights of the pool,
V vocabulary, E = 2 H numbers of evidence, S = T + 1 with the sink in front, N = B H, R = H T.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from up.model.transformer.config import TransformerConfig
from up.model.transformer.convolution import CausalConvolution

INITIAL_SHARPNESS = 2.5  # nats by which one more token that agrees raises a score
INITIAL_EXPONENTS = 1.5  # sum of the heads' weights in the logarithmic pool
LEAST_SINK = 1e-4  # share of the sink that no score can take
_EPSILON = 1e-10  # of the embeddings' mean square, which starts at 4e-4


class CopyHeads(nn.Module):
    """Combines the votes of copy heads with the logits of the output layer.

    Args:
        config: `copy_heads` of at least 1.
        output_scale: factor on the gate's output, as on that of the head.

    """

    def __init__(self, config: TransformerConfig, *, output_scale: float) -> None:
        super().__init__()
        assert config.copy_heads
        self.heads, self.scale, self.output_scale = config.copy_heads, config.copy_scale, output_scale
        self.pool = config.copy_pool
        width, channels = config.width, config.num_copy_channels
        self.query = nn.Linear(width, channels, bias=False)
        self.key = nn.Linear(width, channels, bias=False)
        self.query_convolution = CausalConvolution(channels, self.heads)
        self.key_convolution = CausalConvolution(channels, self.heads)
        self.log_sharpness_H = nn.Parameter(torch.empty(self.heads))
        self.sink_H = nn.Parameter(torch.empty(self.heads))
        gate_size = max(1, width // 2)
        self.gate_hidden = nn.Linear(width, gate_size)
        self.gate_evidence = nn.Linear(2 * self.heads, gate_size, bias=False)
        self.gate_output = nn.Linear(gate_size, self.heads + 1, bias=False)
        self.gate_bias = nn.Parameter(torch.empty(self.heads + 1))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights as the module's docstring says."""
        for layer in (self.query, self.gate_hidden, self.gate_evidence):
            layer.weight.normal_(0.0, layer.in_features**-0.5, generator=generator)
        self.gate_evidence.weight.mul_(math.sqrt(1 / 12))  # logarithms of probabilities are several nats
        self.key.weight.copy_(self.query.weight)
        self.gate_output.weight.zero_()
        self.gate_hidden.bias.zero_()
        orders_H = torch.arange(1, self.heads + 1)
        signs_CT = torch.empty_like(self.query_convolution.weight[:, 0, 0]).bernoulli_(0.5, generator=generator) * 2 - 1
        taps_T = torch.arange(self.heads)
        within_HT = taps_T >= self.heads - orders_H[:, None]  # the last tap is the present position
        signs_CT *= within_HT.repeat_interleave(len(signs_CT) // self.heads, dim=0)
        for convolution in (self.query_convolution, self.key_convolution):
            convolution.weight.copy_(signs_CT[:, None, None])
        self.log_sharpness_H.fill_(math.log(INITIAL_SHARPNESS))
        self.sink_H.copy_(INITIAL_SHARPNESS * (orders_H - 0.5))
        self.gate_bias.zero_()
        if self.pool == "logarithmic":
            self.gate_bias[: self.heads] = INITIAL_EXPONENTS / self.heads

    def forward(self, embedding_BTD: Tensor, hidden_BTD: Tensor, tokens_BT: Tensor, logits_BTV: Tensor) -> Tensor:
        """Return the logits of the pool, float32 or wider, as normalised as its kind makes them.

        Args:
            embedding_BTD: of the tokens.
            hidden_BTD: normalised, after the last block.
            tokens_BT: integers below V.
            logits_BTV: of the output layer.

        """
        with torch.autocast(tokens_BT.device.type, enabled=False):  # logarithms of small shares need the precision
            wide = torch.promote_types(logits_BTV.dtype, torch.float32)
            embedding_BTD, hidden_BTD, logits_BTV = (x.to(wide) for x in (embedding_BTD, hidden_BTD, logits_BTV))
            sink_BHT, votes_BHTV = self.vote(embedding_BTD, tokens_BT.long(), logits_BTV.shape[-1])
            log_BHTV = votes_BHTV.log()
            evidence_BTE = torch.cat((sink_BHT.log(), log_BHTV.amax(-1)), dim=1).transpose(1, 2)
            gate = functional.silu(self.gate_hidden(hidden_BTD) + self.gate_evidence(evidence_BTE))
            weights_BTG = self.gate_output(gate * self.output_scale) + self.gate_bias
            if self.pool == "logarithmic":
                weights_BHT1, own_BT1 = self._split(weights_BTG)
                return logits_BTV * (1 + own_BT1) + (log_BHTV * weights_BHT1).sum(dim=1)
            weights_BHT1, own_BT1 = self._split(weights_BTG.softmax(-1))
            own_BTV = own_BT1 * logits_BTV.softmax(-1)
            return (own_BTV + (votes_BHTV * weights_BHT1).sum(dim=1)).log()

    def _split(self, weights_BTG: Tensor) -> tuple[Tensor, Tensor]:
        """Take the weights of the heads and that of the output layer apart."""
        return weights_BTG[..., :-1].transpose(1, 2).unsqueeze(-1), weights_BTG[..., -1:]

    def scores(self, embedding_BTD: Tensor) -> Tensor:
        """Return how alike the tokens up to any two positions are, (B, H, T, T); later ones are not masked."""
        q_BHTK, k_BHTK = self._project(embedding_BTD)
        return q_BHTK @ k_BHTK.transpose(-1, -2)

    def _project(self, embedding_BTD: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries, times scale and sharpness, and keys."""
        embedding_BTD = functional.rms_norm(embedding_BTD, embedding_BTD.shape[-1:], eps=_EPSILON)
        q_BTC = self.query_convolution(self.query(embedding_BTD))
        k_BTC = self.key_convolution(self.key(embedding_BTD))
        q_BHTK, k_BHTK = (x_BTC.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x_BTC in (q_BTC, k_BTC))
        return q_BHTK * (self.log_sharpness_H.exp()[:, None, None] * self.scale), k_BHTK

    def vote(self, embedding_BTD: Tensor, tokens_BT: Tensor, vocabulary_size: int) -> tuple[Tensor, Tensor]:
        """Return the sink's share (B, H, T) and the distributions p (B, H, T, V) of the heads.

        The sink is a key of zeros in front of the others, so that one product of matrices makes all scores and another
        one all votes: its row of the latter is uniform.
        """
        q_BHTK, k_BHTK = self._project(embedding_BTD)
        batch, heads, length, _ = q_BHTK.shape
        later_TT = torch.ones(length, length, dtype=torch.bool, device=tokens_BT.device).triu()
        masked_TT = torch.zeros_like(later_TT, dtype=q_BHTK.dtype).masked_fill(later_TT, -math.inf)
        sink_HT1 = self.sink_H[:, None, None].to(q_BHTK.dtype).expand(heads, length, 1)
        bias_HTS = torch.cat((sink_HT1, masked_TT.expand(heads, length, length)), dim=-1)
        keys_NKS = functional.pad(k_BHTK, (0, 0, 1, 0)).flatten(0, 1).transpose(-1, -2)
        score_NTS = torch.baddbmm(bias_HTS.repeat(batch, 1, 1), q_BHTK.flatten(0, 1), keys_NKS)
        share_BRS = score_NTS.softmax(-1).unflatten(0, (batch, heads)).flatten(1, 2)
        followed_BSV = share_BRS.new_zeros(batch, length + 1, vocabulary_size)
        followed_BSV[:, 1:-1].scatter_(2, tokens_BT[:, 1:, None], 1.0)  # the last position was followed by nothing yet
        followed_BSV[:, 0] = 1 / vocabulary_size
        followed_BSV.mul_(1 - LEAST_SINK).add_(LEAST_SINK / vocabulary_size)
        sink_BHT = LEAST_SINK + (1 - LEAST_SINK) * share_BRS[..., 0].unflatten(1, (heads, length))
        return sink_BHT, (share_BRS @ followed_BSV).unflatten(1, (heads, length))
