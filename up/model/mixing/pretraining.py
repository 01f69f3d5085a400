"""Pre-training: the start of the adaptive probabilities is counted, then the gate learns by Adam.

From each row a share of the bytes is drawn, and all decisions of these are kept in memory, in half precision; each
batch is a draw of them. The loss is the code length of a decision. The rate rises over the first `WARM_UP` steps, and
falls to a hundredth along a half cosine.

More is not better: after a few hundred steps the loss on random computation still falls, and real bytes get worse.

Limits: memory is 2 bytes an input: 8 `bytes_per_row` times (8 K + 9) inputs a row.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.rows import RowReader, start_tables

RATE = 1e-3
STEPS = 300
BATCH = 4096
WARM_UP = 50


def pretrain(
    predictor: MixingPredictor,
    rows_NT: NDArray[np.uint8],
    *,
    steps: int = STEPS,
    bytes_per_row: int = 256,
    batch: int = BATCH,
    rate: float = RATE,
    seed: int = 0,
) -> list[float]:
    """Train a predictor in place, and return the loss of each step in bits a byte.

    Args:
        predictor: whose gate goes on from its weights.
        rows_NT: bytes to learn from.
        steps: of Adam.
        bytes_per_row: how many bytes of each row are drawn to learn from; more than T: all.
        batch: decisions a step.
        rate: of Adam, at the start.
        seed: of the draws.

    """
    generator = np.random.default_rng(seed)
    tables_KFSC = start_tables(predictor.contexts, rows_NT)
    predictor.tables_KFSC.copy_(torch.from_numpy(tables_KFSC))
    inputs_BI, came_B = _decisions(predictor, rows_NT, bytes_per_row, generator)
    optimiser = torch.optim.Adam(predictor.gate.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: min(1, (done + 1) / WARM_UP) * (0.505 + 0.495 * math.cos(math.pi * done / steps))
    )
    losses = []
    for _ in range(steps):
        chosen = torch.from_numpy(generator.integers(len(inputs_BI), size=batch))
        loss = nn.functional.binary_cross_entropy_with_logits(
            predictor.gate(inputs_BI[chosen].float()), came_B[chosen].float()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(8 * loss.item() / math.log(2))
    return losses


def _decisions(
    predictor: MixingPredictor, rows_NT: NDArray[np.uint8], bytes_per_row: int, generator: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    num_rows, num_bytes = rows_NT.shape
    bytes_per_row = min(bytes_per_row, num_bytes)
    reader = RowReader(predictor.contexts, predictor.start(), num_bytes)
    inputs_BI = np.empty((8 * num_rows * bytes_per_row, reader.num_inputs), np.float16)
    came_B = np.empty(len(inputs_BI), np.float16)
    for index, row_T in enumerate(rows_NT):
        kept_T = np.zeros(num_bytes, np.bool_)
        kept_T[generator.choice(num_bytes, bytes_per_row, replace=False)] = True
        here = slice(8 * index * bytes_per_row, 8 * (index + 1) * bytes_per_row)
        inputs_BI[here], came_B[here] = reader.read(row_T, kept_T, np.float32)
    return torch.from_numpy(inputs_BI), torch.from_numpy(came_B)
