"""Maximal update parametrisation (muP): one learning rate for every width.

Source: Yang et al. (2021), "Tensor Programs V", arXiv 2203.03466, tables 3 and 8, for Adam; used in Bloem (2025), A.1.
In standard parametrisation a step of Adam changes the outputs of a layer the more, the wider it is. With muP every
layer's activations change by an amount that does not depend on the width w. Against a base width w_0:

    parameter                       initial variance     learning rate        applied
    matrices inside the blocks      ~ 1 / fan-in         x fan-in_0 / fan-in  as they are
    head                            that of w_0          x 1                  to its input times w_0 / w
    embeddings, vectors, scalars    that of w_0          x 1                  as they are
    attention scores                                                          times a scale ~ 1 / k, the head size
    copy heads: projections         ~ 1 / fan-in         x fan-in_0 / fan-in  scores times 1 / k
    copy heads: gate's output       0                    x 1                  to its input times w_0 / w

The law of the head's initial variance is that of its gain over widths; how large it is, `initialisation` says.
At w = w_0 both parametrisations are the same bit for bit, whatever the number of heads.
`up.experiments.coordinate_check` measures that the law holds.

AdamW multiplies a weight by 1 - rate x decay at every step. The decay of the matrices is scaled against their rate, so
that this factor does not depend on the width either; the authors' package `mup` does the same for PyTorch's AdamW.

Limits: the gradients of the matrices fall with the width, and Adam's epsilon (1e-8) does not follow them; nor does the
bound that gradients are clipped to. The depth is not part of the theory.
"""

from typing import Any

from torch import nn

from up.model.transformer.config import TransformerConfig

# Those with an input and an output that both grow with the width.
_MATRICES = ("blocks.", "copying.query.", "copying.key.", "copying.gate_hidden.")


def output_scale(config: TransformerConfig) -> float:
    """Return the factor on the input of the head: w_0 / w."""
    return config.base_width / config.width if config.parametrisation == "mup" else 1.0


def base_fan_in(config: TransformerConfig, layer: str) -> int:
    """Return the inputs that a linear layer has at the base width.

    Args:
        config: of the model.
        layer: the layer's name in the model, such as `blocks.0.feedforward.down`.
    """
    return config.base_feedforward_size if layer.endswith("feedforward.down") else config.base_width


def parameter_groups(model: nn.Module, config: TransformerConfig) -> list[dict[str, Any]]:
    """Return the parameters of a transformer in groups for an optimiser, every one of them once.

    Args:
        model: the transformer.
        config: its configuration, resolved.

    Returns:
        Dictionaries with `params`, and `lr_scale` and `weight_decay_scale`, the factors on the rate and on the decay
        of the base width. Groups and the parameters in them keep the order of the model.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        scale = 1.0
        if config.parametrisation == "mup" and parameter.ndim == 2 and name.startswith(_MATRICES):
            scale = base_fan_in(config, name.removesuffix(".weight")) / parameter.shape[-1]
        groups.setdefault(scale, []).append(parameter)
    return [
        {"params": parameters, "lr_scale": scale, "weight_decay_scale": 1 / scale}
        for scale, parameters in groups.items()
    ]
