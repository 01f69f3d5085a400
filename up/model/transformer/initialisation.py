"""Initial weights of the target transformer, drawn from an explicit generator; the only place where they are decided.

Sources: Bloem (2025), A.1 for `paper` ("default PyTorch initializations"); Radford et al. (2019) for the scheme of
`modern`: one standard deviation, divided by sqrt(2 depth) where a layer writes to the residual stream. Yang et al.
(2021), table 8, for how the width enters.

The head has a bound of its own, `LOGITS_DEVIATION`. Its input has variance 1 in each of w dimensions, and muP
multiplies it by w_0 / w, which exceeds 1 below the base width w_0. With weights of standard deviation s the first
logits have one of s w_0 / sqrt(w) and, as long as that is small, the first loss is s^2 w_0^2 / (2 w ln 2) bits above
log2 V. With s = 2.56 / w_0 that is 4.73 / w bits whatever the base: 0.074 at width 64, and less in wider models. The
law of muP for the first logits, w^(-1/2), stays; so below width 64 the first loss exceeds a uniform code's by more.

Deviation: A.1 asks for default PyTorch initialisations, with which s = 1 / sqrt(3 w_0) and a first loss of about 8.24
bits at the base width, 640, and 10.4 at width 64. The head of `paper` is drawn smaller than that. Yang et al. (2021),
appendix D.2, go further and recommend a head of zeros; then the first gradient of all other layers is zero as well.
"""

import math

import torch
from torch import nn

from up.model.transformer.attention import Rotary
from up.model.transformer.blocks import ProgressiveBlock
from up.model.transformer.config import TransformerConfig
from up.model.transformer.convolution import CausalConvolution
from up.model.transformer.copying import CopyHeads
from up.model.transformer.mup import base_fan_in

MODERN_STANDARD_DEVIATION = 0.02
LOGITS_DEVIATION = 2.56
"""Largest standard deviation of the first logits, times the root of the width: 128 x 0.02, that of `modern` at 128."""

# The two layers of each block whose output is added to the residual stream.
RESIDUAL_PROJECTIONS = ("attention.output", "feedforward.down")


@torch.no_grad()
def initialise(model: nn.Module, config: TransformerConfig, generator: torch.Generator) -> None:
    """Draw every parameter of `model` anew, in the order of its modules, and fill its constant tables.

    `paper`: linear weights and biases from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), embeddings from N(0, 1).
    `modern`: all matrices and embeddings from N(0, 0.02^2), residual projections from N(0, 0.02^2 / (2 depth)).
    Normalisation layers start as 1 and 0 in both, the scalars of progressive blocks as 0, convolutions as the
    identity, and copy heads as `copying` says. The weights of the head have a standard deviation of at most
    2.56 / width.

    So it is in standard parametrisation, and at the base width. In muP (`mup`) head and biases are drawn at
    every width as at the base width, and the variance of the matrices inside the blocks is in proportion to 1/fan_in,
    which that of `paper` is anyway.

    Args:
        model: a transformer whose parameters lie on the device of `generator`.
        config: its configuration.
        generator: the only source of randomness; the global one is left alone.

    """
    for name, module in model.named_modules():
        if name.startswith("copying."):
            continue  # a part of the copy heads, which have drawn all of theirs
        if isinstance(module, CopyHeads):
            module.initialise(generator)
        elif isinstance(module, CausalConvolution):
            module.initialise()
        elif isinstance(module, nn.LayerNorm | nn.RMSNorm):
            module.reset_parameters()
        elif isinstance(module, Rotary):
            module.fill_tables()
        elif isinstance(module, ProgressiveBlock):
            module.alpha.zero_()
        elif isinstance(module, nn.Embedding):
            deviation = 1.0 if config.arch == "paper" else MODERN_STANDARD_DEVIATION
            module.weight.normal_(0.0, deviation, generator=generator)
        elif isinstance(module, nn.Linear):
            fan_in = module.in_features
            base = base_fan_in(config, name) if config.parametrisation == "mup" else fan_in
            inside = name.startswith("blocks.")
            largest = math.inf if inside else LOGITS_DEVIATION / base
            if config.arch == "paper":
                bound = min((fan_in if inside else base) ** -0.5, math.sqrt(3) * largest)
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.uniform_(-(base**-0.5), base**-0.5, generator=generator)
            else:
                divisor = (2 * config.num_layers) ** 0.5 if name.endswith(RESIDUAL_PROJECTIONS) else 1.0
                towards_mup = (base / fan_in) ** 0.5 if inside else 1.0
                deviation = min(MODERN_STANDARD_DEVIATION / divisor * towards_mup, largest)
                module.weight.normal_(0.0, deviation, generator=generator)
