"""The mixing predictor, part by part: the table of contents of this room.

    contexts    what of the past each expert looks at
    vocabulary  tokens as binary decisions
    slots       what is remembered of a context: counts, recency, run, history
    inputs      what an expert offers the gate: votes and traits
    statistics  all of that together: look at a decision, learn its bit
    gate        the network that weighs the votes
    adaptation  how the gate goes on learning while it predicts
    second      mixing online by small contexts, after the gate
    rows        whole rows at once; stream: token by token
    coder       the stream as a compressor

A token is predicted by ceil(log2 V) decisions, a byte by eight. What is trained is the gate, and counted is where the
adaptive probabilities start; all else is counted from the tokens at hand.

Most of it is learned in some hundred steps: twice as many instances gain real bytes half a percent more
(benchmarks/README.md).

Shape suffixes: B instances, T tokens, V vocabulary, D decisions, N digits, J inputs of a decision, K contexts, F
families of states, S states.
"""

import concurrent.futures
import math
import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from up.model.base import TargetModel
from up.model.mixing import coder
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import Context
from up.model.mixing.gate import FLOOR, Gate
from up.model.mixing.inputs import STATES
from up.model.mixing.rows import RowReader, start_tables
from up.model.mixing.stream import Stream
from up.model.mixing.vocabulary import as_tokens, digits_of, open_digits


class MixingPredictor(TargetModel[MixingConfig]):
    """Gate, and what was counted for the start of the adaptive probabilities.

    Args:
        config: settings; None: the defaults.
        generator: CPU generator of the gate's initial weights; None: a fresh one with seed 0.
        contexts: of the experts; None: those of the configuration.

    """

    def __init__(
        self,
        config: MixingConfig | None = None,
        generator: torch.Generator | None = None,
        *,
        contexts: tuple[Context, ...] | None = None,
    ) -> None:
        super().__init__()
        self.config = config = MixingConfig() if config is None else config
        self.contexts = config.contexts if contexts is None else contexts
        generator = torch.Generator().manual_seed(0) if generator is None else generator
        first, second = config.hidden
        self.gate = Gate(len(self.contexts), (first, second), generator, digits_of(config.vocabulary_size))
        self.totals_KFSB: Tensor
        self.register_buffer("totals_KFSB", torch.zeros(len(self.contexts), 2, STATES, 2, dtype=torch.int64))
        self._reader: RowReader | None = None

    @property
    def vocabulary_size(self) -> int:
        """V, number of tokens."""
        return self.config.vocabulary_size

    def start(self) -> NDArray[np.float64]:
        """Return the start of the adaptive probabilities."""
        return start_tables(self.totals_KFSB.cpu().numpy())

    def score(self, data: bytes | NDArray[Any]) -> NDArray[np.float64]:
        """Return what a stream that adapts charges for each token: -log2 p given all before it, of shape (T,).

        Args:
            data: bytes, or integers below V of shape (T,).

        Raises:
            InputError: a token outside the vocabulary.

        """
        return Stream(self).score(data)

    def distribution(self, context: bytes | NDArray[Any]) -> NDArray[np.float64]:
        """Return the probability of each token to be the next, of shape (V,), after a stream has read the context."""
        stream = Stream(self)
        stream.read(context)
        return stream.distribution()

    def compress(self, data: bytes) -> bytes:
        """Return bytes that hold the data and are as short as the predictor, adapting, predicts it well.

        They are a file of the format `.up` (`up.coding.container`), as `up compress` writes it. Seven thousand bytes
        take about a second.

        Raises:
            InputError: the predictor's tokens are no bytes.

        """
        return coder.compress(self, data)

    def decompress(self, file: bytes) -> bytes:
        """Return what `compress` of the same predictor was given.

        Raises:
            InputError: no such file, another version or predictor, a file that was damaged or cut off, or tokens that
                are no bytes.

        """
        return coder.decompress(self, file)

    def loss(self, tokens_BT: Tensor) -> Tensor:
        """Return the mean code length in nats of some tokens of each instance, `config.learned_bytes` of them.

        Each instance is read with the adaptive probabilities that those before it taught; in training mode it teaches
        the next. It is read on the CPU, wherever the gate is.

        Raises:
            InputError: a token outside the vocabulary.

        """
        device, dtype = self._place()
        totals_KFSB, parts = self.totals_KFSB.cpu().numpy(), []
        rows_BT = as_tokens(tokens_BT.cpu().numpy(), self.vocabulary_size)
        for row_T in rows_BT:
            kept_T = np.zeros(len(row_T), np.bool_)
            kept_T[torch.randperm(len(row_T), device=device)[: self.config.learned_bytes].cpu().numpy()] = True
            counted = totals_KFSB if self.training else None
            reader, tables_KFSC = self._reader_of(len(row_T)), start_tables(totals_KFSB)
            parts.append(reader.read(row_T, kept_T, tables_KFSC, totals_KFSB=counted, dtype=np.float32))
        if self.training:
            self.totals_KFSB.copy_(torch.from_numpy(totals_KFSB))
        inputs_DJ, came_D = (torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))
        with torch.autocast(device.type, enabled=False):
            log_odds_D = self.gate(inputs_DJ.to(device, dtype))
            nats = nn.functional.binary_cross_entropy_with_logits(log_odds_D, came_D.to(device, dtype))
        num_learned = len(rows_BT) * min(self.config.learned_bytes, rows_BT.shape[1])
        return len(came_D) / num_learned * nats

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters as one group."""
        return [{"params": list(self.parameters()), "lr_scale": 1.0, "weight_decay_scale": 1.0}]

    def charge(self, tokens_BT: Tensor) -> Tensor:
        """Return -log2 p of each token but the first given those before it in its row, float64 of shape (B, T - 1)."""
        return torch.from_numpy(self.token_bits(tokens_BT.cpu().numpy(), first=1))

    def token_bits(self, tokens_BT: NDArray[Any], *, first: int = 0) -> NDArray[np.float64]:
        """Return -log2 p of each token given those before it in its row, float64 of shape (B, T - first).

        As many rows are read side by side as PyTorch has threads; each by itself, so the bits depend on it by no more
        than the gate's rounding.

        Args:
            tokens_BT: integers below V; one row is one slice.
            first: first position to return; those before it are read.

        Raises:
            InputError: a token outside the vocabulary.

        """
        rows_BT, (num_rows, num_tokens) = as_tokens(tokens_BT, self.vocabulary_size), tokens_BT.shape
        device, dtype = self._place()
        bits_BT = np.empty((num_rows, num_tokens - first))
        all_read = self._read(rows_BT, np.arange(num_tokens) >= first)
        for bits_T, row_T, read in zip(bits_BT, rows_BT, all_read, strict=True):
            inputs_DJ, came_D = (torch.from_numpy(part) for part in read)
            open_TN = torch.from_numpy(open_digits(row_T[first:], self.vocabulary_size))
            with torch.inference_mode():
                log_odds_D = self.gate(inputs_DJ.to(device, dtype)).double().cpu()
                likely_D = torch.sigmoid(log_odds_D).clamp(FLOOR, 1 - FLOOR)
                bits_D = torch.where(came_D > 0, likely_D, 1 - likely_D).log() / -math.log(2)
            bits_T[:] = torch.zeros(open_TN.shape, dtype=bits_D.dtype).masked_scatter(open_TN, bits_D).sum(1).numpy()
        return bits_BT

    def _read(self, rows_BT: NDArray[Any], kept_T: NDArray[np.bool_]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield what `RowReader.read` returns of each row, a few rows ahead."""
        tables_KFSC, workers = self.start(), min(torch.get_num_threads(), len(rows_BT))
        if workers <= 1:
            reader = self._reader_of(len(kept_T))
            yield from (reader.read(row_T, kept_T, tables_KFSC) for row_T in rows_BT)
            return
        idle: queue.SimpleQueue[RowReader] = queue.SimpleQueue()
        for _ in range(workers):
            idle.put(RowReader(self.contexts, len(kept_T), self.vocabulary_size))

        def read(row_T: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
            reader = idle.get()
            try:
                return reader.read(row_T, kept_T, tables_KFSC)
            finally:
                idle.put(reader)

        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(rows_BT), 2 * workers):
                yield from pool.map(read, rows_BT[start : start + 2 * workers])

    def _place(self) -> tuple[torch.device, torch.dtype]:
        parameter = self.gate.third.bias
        return parameter.device, parameter.dtype

    def _reader_of(self, num_tokens: int) -> RowReader:
        """Return a reader for rows of this length; the last one is kept, for its arrays are large."""
        if self._reader is None or self._reader.num_tokens != num_tokens:
            self._reader = RowReader(self.contexts, num_tokens, self.vocabulary_size)
        return self._reader
