"""What a model charges for each byte of a file: as it stands, and as it learns from the file alone.

A mixing predictor reads the file as a stream and adapts. Any other model reads windows of its context length that
overlap by half, and is charged for the second half of each, so that every byte but the first ones has half a context
before it; the very first byte costs 8 bits. Prequentially a network starts from random weights and is trained on each
window after it was charged: no weights are sent, for the receiver trains along. Limits: a file in memory; one step of
AdamW a window, at the peak rate of the run.

Shape suffixes: N bytes of a file, B windows, T bytes of a window.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from up.evaluation.token_bits import token_bits
from up.model.base import TargetModel, build_model
from up.model.mixing.predictor import MixingPredictor
from up.recipes.config import RunConfig
from up.use.score import untrained

_BATCH = 8
Bits = NDArray[np.float64]
Advance = Callable[[int], None]


def read_file(model: nn.Module, context_length: int, data: bytes, advance: Advance = lambda _: None) -> Bits:
    """Return -log2 p of each byte of a file under a model, of shape (N,).

    Args:
        model: maps bytes to logits, or a mixing predictor.
        context_length: T, of any other model.
        data: the file, not empty.
        advance: is told how many more bytes have been charged.

    """
    if isinstance(model, MixingPredictor):
        bits_N = model.score(data)
        advance(len(data))
        return bits_N
    bits_N = np.empty(len(data))
    bits_N[0] = 8.0
    windows = list(_windows(data, context_length))
    for first in range(0, len(windows), _BATCH):
        batch = windows[first : first + _BATCH]
        alike = len({end - start for start, _, end in batch}) == 1
        for group in [batch] if alike else [[window] for window in batch]:
            tokens_BT = torch.tensor([list(data[start:end]) for start, _, end in group])
            for (start, charged, end), bits_T in zip(group, token_bits(model, tokens_BT).cpu().numpy(), strict=True):
                bits_N[charged:end] = bits_T[charged - start - 1 :]
                advance(end - charged)
    return bits_N


def read_prequentially(
    model: TargetModel[Any], config: RunConfig, data: bytes, advance: Advance = lambda _: None
) -> Bits:
    """Return -log2 p of each byte of a file under a network of the same architecture that learns from it alone.

    Args:
        model: whose architecture is taken.
        config: of its run, with the learning rate.
        data: the file, not empty.
        advance: is told how many more bytes have been charged.

    """
    if isinstance(model, MixingPredictor):
        return read_file(untrained(model), model.config.context_length, data, advance)
    fresh = build_model(model.config)
    optimizer = torch.optim.AdamW(_groups(fresh, config), lr=config.training.learning_rate, weight_decay=0.0)
    bits_N = np.empty(len(data))
    bits_N[0] = 8.0
    for start, charged, end in _windows(data, model.config.context_length):
        tokens_1T = torch.tensor([list(data[start:end])])
        bits_N[charged:end] = token_bits(fresh, tokens_1T)[0].cpu().numpy()[charged - start - 1 :]
        fresh.train()
        optimizer.zero_grad(set_to_none=True)
        fresh.loss(tokens_1T).backward()
        torch.nn.utils.clip_grad_norm_(fresh.parameters(), config.training.gradient_clip)
        optimizer.step()
        advance(end - charged)
    return bits_N


def _groups(model: TargetModel[Any], config: RunConfig) -> list[dict[str, Any]]:
    rate = config.training.learning_rate
    return [{"params": group["params"], "lr": rate * group["lr_scale"]} for group in model.parameter_groups()]


def _windows(data: bytes, length: int) -> Iterator[tuple[int, int, int]]:
    """Yield where each window starts, which byte is the first that it is charged for, and where it ends."""
    end = min(length, len(data))
    if end > 1:
        yield 0, 1, end
    while end < len(data):
        charged, end = end, min(end + length // 2, len(data))
        yield max(0, end - length), charged, end
