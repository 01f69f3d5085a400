"""How sharply the code length of a file depends on each tensor of a network: the mean of squared gradients.

For a byte with code length l, E (dl/dw)^2 is the diagonal of the Fisher information where the model is right, and near
that the second derivative of the mean code length. A tensor whose weights are moved at random by d then costs
n F d^2 / 2 nats a byte more. Limits: from a few pieces of a file; the gradients of bytes in one piece are taken to be
independent.

Shape suffixes: B pieces, T bytes of a piece.
"""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

from up.model.base import TargetModel


def curvatures(model: TargetModel[Any], pieces_BT: Tensor, *, seed: int = 0) -> dict[str, float]:
    """Return F for each parameter of a model, the mean over its weights, in nats^2 per byte.

    Args:
        model: with a loss per byte that can be differentiated.
        pieces_BT: bytes, of any integer type.
        seed: of what the loss draws.

    """
    sums: dict[str, float] = defaultdict(float)
    length = pieces_BT.shape[1]
    device = next(model.parameters()).device
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for piece_T in pieces_BT.to(device):
            model.zero_grad(set_to_none=True)
            model.loss(piece_T[None]).backward()
            for name, parameter in model.named_parameters():
                if parameter.grad is not None:
                    sums[name] += float(parameter.grad.square().mean()) * length
    model.zero_grad(set_to_none=True)
    return {name: total / len(pieces_BT) for name, total in sums.items()}
