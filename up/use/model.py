"""What a model of other people's returns, looked at before it is used, and whether it is causal.

Shape suffixes: B instances, T tokens, V vocabulary.
"""

import math

import torch
from torch import Tensor, nn

from up.errors import InputError
from up.evaluation.token_bits import evaluation_mode, logits_of

_ROUNDING = 64  # multiples of the machine epsilon, relative to the largest logit


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter; the CPU for a model without any."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def checked_logits(model: nn.Module, tokens_BT: Tensor, vocabulary_size: int) -> Tensor:
    """Run a model, and return its logits_BTV.

    Raises:
        InputError: no logits, logits of another shape, or that are not finite.
    """
    logits_BTV = logits_of(model(tokens_BT))
    shape = (*tokens_BT.shape, vocabulary_size)
    if not isinstance(logits_BTV, Tensor):
        raise InputError(
            "the model returned neither a tensor nor an object with logits",
            received=type(logits_BTV).__name__,
            remedy=f"return logits of shape {shape}",
        )
    if tuple(logits_BTV.shape) != shape:
        raise InputError(
            "the model's logits have another shape than instances, inputs and vocabulary ask for",
            received=tuple(logits_BTV.shape),
            remedy=f"return {shape}, or give the model's vocabulary_size",
        )
    if not logits_BTV.is_floating_point() or not _all_finite(logits_BTV):
        raise InputError(
            "the model's logits are not finite floating-point numbers",
            received=str(logits_BTV.dtype),
            remedy="look at the model, or train with a smaller learning rate",
        )
    return logits_BTV


def require_causal(model: nn.Module, *, inputs: int, vocabulary_size: int) -> None:
    """Raise `InputError` where the logits of a position depend on a token after it, or are otherwise unfit.

    The model runs once, in evaluation mode, on two rows of so many inputs whose second halves differ.
    """
    tokens_BT = torch.zeros(2, inputs, dtype=torch.long, device=device_of(model))
    tokens_BT[1, inputs // 2 :] = 1
    with torch.no_grad(), evaluation_mode(model):
        one_TV, other_TV = checked_logits(model, tokens_BT, vocabulary_size)
    if inputs == 1:  # there is no later one
        return
    difference = float((one_TV - other_TV)[: inputs // 2].abs().max())
    if difference > _ROUNDING * torch.finfo(one_TV.dtype).eps * float(one_TV.abs().max()):
        raise InputError(
            "the model sees the tokens that it is to predict: its logits depend on later ones",
            received=difference,
            remedy="give a causal model",
        )


def _all_finite(logits_BTV: Tensor) -> bool:
    """Whether all are; one pass without a copy, for the logits of a large vocabulary are large."""
    return all(math.isfinite(float(end)) for end in logits_BTV.detach().aminmax())
