"""What a model charges for each token, in bits: -log2 p(token | the tokens before it).

Shape suffixes: B slices in a batch, T tokens in a slice, V vocabulary.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from theory.words import number_of
from up.errors import RunError
from up.memory import is_out_of_memory


@runtime_checkable
class ChargesTokens(Protocol):
    """A model that has no logits and says itself what it charges."""

    def charge(self, tokens_BT: Tensor) -> Tensor:
        """Return -log2 p of each token but the first given those before it, of shape (B, T-1)."""
        ...


def token_bits(model: nn.Module, tokens_BT: Tensor, *, bf16: bool = False) -> Tensor:
    """Return -log2 p(token t | tokens < t) for t = 1 to T-1, float32 of shape (B, T-1), on the model's device.

    Column t-1 belongs to token t; the first token has nothing before it and is not predicted. Meanwhile the model is in
    evaluation mode; afterwards every one of its modules is back in the mode it was in.

    Args:
        model: maps tokens (B, T-1), int64, to logits (B, T-1, V), or to an object that has them as `logits`; the
            log-softmax is taken in float32. Or a model that `ChargesTokens`.
        tokens_BT: tokens of any integer type on any device; at least two columns.
        bf16: run the model under bfloat16 autocast where its device is a GPU; elsewhere this changes nothing.

    Raises:
        RunError: the device ran out of memory.

    """
    assert tokens_BT.shape[1] >= 2
    if isinstance(model, ChargesTokens):
        with torch.inference_mode(), evaluation_mode(model):
            return model.charge(tokens_BT).float()
    parameter = next(model.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    tokens_BT = tokens_BT.to(device=device, dtype=torch.int64)
    try:
        return _charged(model, tokens_BT, bf16=bf16 and device.type == "cuda")
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            f"{device} ran out of memory reading {number_of(len(tokens_BT), 'sequence')} of "
            f"{number_of(tokens_BT.shape[1], 'token')} at once: read fewer (up eval --batch, evaluation.batch_size)"
        ) from None


def _charged(model: nn.Module, tokens_BT: Tensor, *, bf16: bool) -> Tensor:
    with (
        torch.inference_mode(),
        evaluation_mode(model),
        torch.autocast(tokens_BT.device.type, dtype=torch.bfloat16, enabled=bf16),
    ):
        logits_BTV = logits_of(model(tokens_BT[:, :-1]))
    with torch.inference_mode():
        nats_BT = nn.functional.cross_entropy(
            logits_BTV.float().flatten(0, 1), tokens_BT[:, 1:].flatten(), reduction="none"
        ).view(len(tokens_BT), -1)
        return nats_BT / math.log(2)


def logits_of(output: Any) -> Any:
    """Return the logits of what a model returned: itself, or its `logits`, as the models of transformers have them."""
    return output if isinstance(output, Tensor) else getattr(output, "logits", output)


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Switch all modules to evaluation, and put each back into its own mode afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
