"""The mixing predictor, part by part: the table of contents of this room.

    contexts    what of the past each expert looks at
    slots       what is remembered of a context: counts, recency, run, history
    inputs      what an expert offers the gate: votes and traits
    statistics  all of that together: look at a decision, learn its bit
    gate        the network that weighs the votes
    adaptation  how the gate goes on learning while it predicts
    second      mixing online by small contexts, after the gate
    rows        whole rows at once; stream: byte by byte
    coder       the stream as a compressor
    pretraining the gate learns on rows of random computation

A byte is predicted by eight decisions. What is trained is the gate and the start of the adaptive probabilities; all
else is counted from the bytes at hand.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from up.model.mixing import coder
from up.model.mixing.contexts import CONTEXTS, Context
from up.model.mixing.gate import FLOOR, Gate
from up.model.mixing.inputs import empty_tables
from up.model.mixing.rows import RowReader

HIDDEN = (48, 32)


class MixingPredictor(nn.Module):
    """Gate, and start of the adaptive probabilities.

    Args:
        seed: of the gate's initial weights.
        contexts: of the experts.
        hidden: width of the gate's hidden layers.

    """

    def __init__(
        self, *, seed: int = 0, contexts: tuple[Context, ...] = CONTEXTS, hidden: tuple[int, int] = HIDDEN
    ) -> None:
        super().__init__()
        self.contexts = contexts
        self.gate = Gate(len(contexts), hidden, torch.Generator().manual_seed(seed))
        self.tables_KFSC: Tensor
        self.register_buffer("tables_KFSC", torch.from_numpy(empty_tables(len(contexts))))

    def start(self) -> NDArray[np.float64]:
        """Return the start of the adaptive probabilities."""
        return self.tables_KFSC.cpu().numpy()

    def compress(self, data: bytes) -> bytes:
        """Return bytes that hold the data and are as short as the predictor, adapting, predicts it well.

        They are a file of the format `.up` (`up.coding.container`), as `up compress` writes it. Seven thousand bytes
        take about a second.
        """
        return coder.compress(self, data)

    def decompress(self, file: bytes) -> bytes:
        """Return what `compress` of the same predictor was given.

        Raises:
            InputError: no such file, another version or predictor, or a file that was damaged or cut off.

        """
        return coder.decompress(self, file)

    def token_bits(self, tokens_NT: NDArray[np.uint8], *, first: int = 0) -> NDArray[np.float64]:
        """Return -log2 p of each byte given those before it in its row, float64 of shape (N, T - first).

        Args:
            tokens_NT: bytes; one row is one slice.
            first: first position to return; those before it are read.

        """
        num_rows, num_bytes = tokens_NT.shape
        reader = RowReader(self.contexts, self.start(), num_bytes)
        kept_T = np.arange(num_bytes) >= first
        bits_NT = np.empty((num_rows, num_bytes - first))
        parameter = self.gate.third.bias
        for row_T, bits_T in zip(tokens_NT, bits_NT, strict=True):
            inputs_BI, came_B = (torch.from_numpy(part) for part in reader.read(row_T, kept_T))
            with torch.inference_mode():
                log_odds_B = self.gate(inputs_BI.to(parameter.device, parameter.dtype)).double().cpu()
                likely_B = torch.sigmoid(log_odds_B).clamp(FLOOR, 1 - FLOOR)
                bits_B = torch.where(came_B > 0, likely_B, 1 - likely_B).log() / -math.log(2)
            bits_T[:] = bits_B.view(-1, 8).sum(1).numpy()
        return bits_NT
