"""Initial weights of the target transformer, drawn from an explicit generator; the only place where they are decided.

Sources: Bloem (2025), A.1 for `paper` ("default PyTorch initializations"); Radford et al. (2019) for the scheme of
`modern`: one standard deviation, divided by sqrt(2 depth) where a layer writes to the residual stream.
"""

import torch
from torch import nn

from up.model.attention import Rotary
from up.model.config import ModelConfig

MODERN_STANDARD_DEVIATION = 0.02

# The two layers of each block whose output is added to the residual stream.
RESIDUAL_PROJECTIONS = ("attention.output", "feedforward.down")


@torch.no_grad()
def initialise(model: nn.Module, config: ModelConfig, generator: torch.Generator) -> None:
    """Draw every parameter of `model` anew, in the order of its modules, and fill its constant tables.

    `paper`: linear weights and biases from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), embeddings from N(0, 1).
    `modern`: all matrices and embeddings from N(0, 0.02^2), residual projections from N(0, 0.02^2 / (2 depth)).
    Normalisation layers start as 1 and 0 in both.

    Args:
        model: a transformer whose parameters lie on the device of `generator`.
        config: its configuration.
        generator: the only source of randomness; the global one is left alone.

    """
    for name, module in model.named_modules():
        if isinstance(module, nn.LayerNorm | nn.RMSNorm):
            module.reset_parameters()
        elif isinstance(module, Rotary):
            module.fill_tables()
        elif isinstance(module, nn.Linear | nn.Embedding):
            if config.arch == "paper":
                _pytorch_default(module, generator)
            else:
                residual = name.endswith(RESIDUAL_PROJECTIONS)
                divisor = (2 * config.num_layers) ** 0.5 if residual else 1.0
                module.weight.normal_(0.0, MODERN_STANDARD_DEVIATION / divisor, generator=generator)


def _pytorch_default(module: nn.Linear | nn.Embedding, generator: torch.Generator) -> None:
    """Draw as `reset_parameters` of the layer does, but from `generator`."""
    if isinstance(module, nn.Embedding):
        module.weight.normal_(generator=generator)
        return
    bound = module.in_features**-0.5
    module.weight.uniform_(-bound, bound, generator=generator)
    if module.bias is not None:
        module.bias.uniform_(-bound, bound, generator=generator)
