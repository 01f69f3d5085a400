"""The target transformer written out slowly: one head, one position, one formula at a time, from a state dict.

No code is shared with `up.model`, only the names of the parameters. Shape suffixes: T positions, D width, K head size,
V vocabulary. One sequence at a time.
"""

import cmath
import math

import torch
from torch import Tensor

State = dict[str, Tensor]


def reference_logits(
    state: State,
    tokens_T: list[int],
    *,
    arch: str,
    heads: int,
    depth: int,
    base_width: int | None = None,
    base_heads: int = 1,
    copy_pool: str = "logarithmic",
) -> Tensor:
    """Return logits_TV of one sequence, in the type of the parameters and without dropout.

    `base_width` and `base_heads` are those of muP; None: standard parametrisation.
    """
    base_head_size = None if base_width is None else base_width / base_heads
    x_TD = torch.stack([state["token_embedding.weight"][token] for token in tokens_T])
    if arch == "paper":
        x_TD = torch.stack([x_D + state["position_embedding.weight"][t] for t, x_D in enumerate(x_TD)])
    for index in range(depth):
        prefix = f"blocks.{index}."
        block = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        if "alpha" in block:
            inner = {name.removeprefix("block."): value for name, value in block.items()}
            x_TD = x_TD + block["alpha"] * plain_block(inner, x_TD, heads, arch, base_head_size)
        else:
            x_TD = plain_block(block, x_TD, heads, arch, base_head_size)
    if arch == "modern":
        x_TD = torch.stack([rms_norm(x_D, state["norm.weight"]) for x_D in x_TD])
    scale = 1.0 if base_width is None else base_width / x_TD.shape[1]
    logits_TV = linear(state, "head", scale * x_TD)
    copying = {name.removeprefix("copying."): value for name, value in state.items() if name.startswith("copying.")}
    if not copying:
        return logits_TV
    embedding_TD = torch.stack([state["token_embedding.weight"][token] for token in tokens_T])
    return copied_logits(copying, embedding_TD, x_TD, tokens_T, logits_TV, scale, copy_pool)


def copied_logits(
    copying: State,
    embedding_TD: Tensor,
    x_TD: Tensor,
    tokens_T: list[int],
    logits_TV: Tensor,
    scale: float,
    pool: str,
) -> Tensor:
    """The copy heads, position by position and vote by vote."""
    length, vocabulary = logits_TV.shape
    heads = len(copying["sink_H"])
    ones_D = torch.ones_like(embedding_TD[0])
    normed_TD = torch.stack([rms_norm(e_D, ones_D, epsilon=1e-10) for e_D in embedding_TD])
    channels = {}
    for name in ("query", "key"):
        channels[name] = convolve(copying[f"{name}_convolution.weight"], linear(copying, name, normed_TD))
    size = channels["query"].shape[1] // heads
    pooled_TV = torch.empty_like(logits_TV)
    for t in range(length):
        votes, evidence_sink, evidence_largest = [], [], []
        for head in range(heads):
            of_head = slice(head * size, (head + 1) * size)
            q_K, k_TK = channels["query"][t, of_head], channels["key"][:, of_head]
            sharpness = torch.exp(copying["log_sharpness_H"][head])
            weights = [torch.exp(sharpness * (q_K @ k_TK[j]) / size) for j in range(t)]
            sink = torch.exp(copying["sink_H"][head])
            total = sink + sum(weights)
            sink = 1e-4 + (1 - 1e-4) * sink / total
            vote_V = sink / vocabulary * torch.ones(vocabulary, dtype=x_TD.dtype)
            for j, weight in enumerate(weights):
                vote_V[tokens_T[j + 1]] += (1 - 1e-4) * weight / total
            votes.append(vote_V)
            evidence_sink.append(torch.log(sink))
            evidence_largest.append(torch.log(vote_V.max()))
        evidence_E = torch.stack(evidence_sink + evidence_largest)
        hidden = copying["gate_hidden.weight"] @ x_TD[t] + copying["gate_hidden.bias"]
        hidden = hidden + copying["gate_evidence.weight"] @ evidence_E
        hidden = hidden / (1 + torch.exp(-hidden))
        gate_G = scale * copying["gate_output.weight"] @ hidden + copying["gate_bias"]
        if pool == "logarithmic":
            pooled_TV[t] = logits_TV[t] + gate_G[heads] * logits_TV[t]
            for head in range(heads):
                pooled_TV[t] += gate_G[head] * torch.log(votes[head])
        else:
            gate_G = torch.exp(gate_G) / torch.exp(gate_G).sum()
            mixture_V = gate_G[heads] * torch.exp(logits_TV[t]) / torch.exp(logits_TV[t]).sum()
            for head in range(heads):
                mixture_V = mixture_V + gate_G[head] * votes[head]
            pooled_TV[t] = torch.log(mixture_V)
    return pooled_TV


def convolve(weight: Tensor, x_TC: Tensor) -> Tensor:
    """Each channel by itself: the last tap is for the present position, the one before for the previous, and so on."""
    taps = weight.shape[-1]
    result_TC = torch.zeros_like(x_TC)
    for t in range(len(x_TC)):
        for back in range(min(taps, t + 1)):
            result_TC[t] += weight[:, 0, 0, taps - 1 - back] * x_TC[t - back]
    return result_TC


def plain_block(block: State, x_TD: Tensor, heads: int, arch: str, base_head_size: float | None) -> Tensor:
    return paper_block(block, x_TD, heads) if arch == "paper" else modern_block(block, x_TD, heads, base_head_size)


def paper_block(block: State, x_TD: Tensor, heads: int) -> Tensor:
    head_size = x_TD.shape[1] // heads
    x_TD = x_TD + attention(block, x_TD, heads, scale=1 / head_size, rotate=False)
    x_TD = torch.stack([layer_norm(x_D, block, "attention_norm") for x_D in x_TD])
    hidden_TF = linear(block, "feedforward.up", x_TD)
    hidden_TF = torch.where(hidden_TF > 0, hidden_TF, torch.zeros_like(hidden_TF))
    x_TD = x_TD + linear(block, "feedforward.down", hidden_TF)
    return torch.stack([layer_norm(x_D, block, "feedforward_norm") for x_D in x_TD])


def modern_block(block: State, x_TD: Tensor, heads: int, base_head_size: float | None) -> Tensor:
    head_size = x_TD.shape[1] // heads
    scale = 1 / math.sqrt(head_size)
    if base_head_size is not None:
        scale = math.sqrt(base_head_size) / head_size
    normed_TD = torch.stack([rms_norm(x_D, block["attention_norm.weight"]) for x_D in x_TD])
    x_TD = x_TD + attention(block, normed_TD, heads, scale=scale, rotate=True)
    normed_TD = torch.stack([rms_norm(x_D, block["feedforward_norm.weight"]) for x_D in x_TD])
    if "feedforward.convolution.weight" in block:
        normed_TD = convolve(block["feedforward.convolution.weight"], normed_TD)
    gate_TF = linear(block, "feedforward.gate", normed_TD)
    gate_TF = gate_TF / (1 + torch.exp(-gate_TF))
    return x_TD + linear(block, "feedforward.down", gate_TF * linear(block, "feedforward.up", normed_TD))


def attention(block: State, x_TD: Tensor, heads: int, *, scale: float, rotate: bool) -> Tensor:
    length, width = x_TD.shape
    head_size = width // heads
    qkv_TC = x_TD @ block["attention.qkv.weight"].T
    if "attention.convolution.weight" in block:
        qkv_TC = convolve(block["attention.convolution.weight"], qkv_TC)
    query_TD, key_TD, value_TD = qkv_TC.split(width, dim=1)
    gathered_TD = torch.zeros_like(x_TD)
    for head in range(heads):
        rows = slice(head * head_size, (head + 1) * head_size)
        q_TK, k_TK, v_TK = query_TD[:, rows], key_TD[:, rows], value_TD[:, rows]
        if rotate:
            q_TK = torch.stack([turn(q_K, t) for t, q_K in enumerate(q_TK)])
            k_TK = torch.stack([turn(k_K, t) for t, k_K in enumerate(k_TK)])
        score_TT = scale * q_TK @ k_TK.T
        for t in range(length):
            for u in range(length):
                if u > t:
                    score_TT[t, u] = -math.inf
        weight_TT = torch.exp(score_TT - score_TT.max(dim=1, keepdim=True).values)
        weight_TT = weight_TT / weight_TT.sum(dim=1, keepdim=True)
        gathered_TD[:, rows] = weight_TT @ v_TK
    return linear(block, "attention.output", gathered_TD)


def turn(x_K: Tensor, position: int) -> Tensor:
    """Rotate each plane (j, j + K/2), read as one complex number, by position * 10000^(-2j/K) radians."""
    planes = len(x_K) // 2
    turned = [
        complex(x_K[j], x_K[j + planes]) * cmath.exp(1j * position * 10_000 ** (-j / planes)) for j in range(planes)
    ]
    return torch.tensor([z.real for z in turned] + [z.imag for z in turned], dtype=x_K.dtype)


def layer_norm(x_D: Tensor, block: State, name: str) -> Tensor:
    mean = x_D.sum() / len(x_D)
    variance = (x_D - mean).square().sum() / len(x_D)
    return (x_D - mean) / torch.sqrt(variance + 1e-5) * block[f"{name}.weight"] + block[f"{name}.bias"]


def rms_norm(x_D: Tensor, weight_D: Tensor, epsilon: float = 1e-5) -> Tensor:
    return x_D / torch.sqrt(x_D.square().sum() / len(x_D) + epsilon) * weight_D


def linear(state: State, name: str, x_TD: Tensor) -> Tensor:
    result = x_TD @ state[f"{name}.weight"].T
    return result + state[f"{name}.bias"] if f"{name}.bias" in state else result
