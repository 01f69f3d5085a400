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
    if base_width is not None:
        x_TD = base_width * x_TD / x_TD.shape[1]
    return linear(state, "head", x_TD)


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
    gate_TF = linear(block, "feedforward.gate", normed_TD)
    gate_TF = gate_TF / (1 + torch.exp(-gate_TF))
    return x_TD + linear(block, "feedforward.down", gate_TF * linear(block, "feedforward.up", normed_TD))


def attention(block: State, x_TD: Tensor, heads: int, *, scale: float, rotate: bool) -> Tensor:
    length, width = x_TD.shape
    head_size = width // heads
    query_DD, key_DD, value_DD = block["attention.qkv.weight"].split(width)
    gathered_TD = torch.zeros_like(x_TD)
    for head in range(heads):
        rows = slice(head * head_size, (head + 1) * head_size)
        q_TK = x_TD @ query_DD[rows].T
        k_TK = x_TD @ key_DD[rows].T
        v_TK = x_TD @ value_DD[rows].T
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


def rms_norm(x_D: Tensor, weight_D: Tensor) -> Tensor:
    return x_D / torch.sqrt(x_D.square().sum() / len(x_D) + 1e-5) * weight_D


def linear(state: State, name: str, x_TD: Tensor) -> Tensor:
    result = x_TD @ state[f"{name}.weight"].T
    return result + state[f"{name}.bias"] if f"{name}.bias" in state else result
