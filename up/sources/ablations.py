"""The two ablations of the paper's LSTM source: no buffer, and no iteration.

Source: Bloem 2025 (arXiv 2506.20057), section 6.4, figure 6. The models are those of `up.sources.recurrent`: with one
random LSTM p(. | z) of its weights, a row is the 8 tokens of a seed and then tokens drawn from p given the condition z.
What differs is where the condition comes from, and how long a row waits to be trained on.

- `lstm-nobuf`: "by making the buffer the same size as the batch". The buffer holds exactly one source batch of B rows.
  All of them pass through random models every time, so a row of depth k was reset exactly k source batches ago: its
  depth after t batches is k < t with probability r (1 - r)^k, r the share that is reset, and t with the rest. The
  stationary law of depths is that of `lstm`; but rows that are trained on together are of one age.
- `lstm-noit`: "by resetting the sampled batch to half constant/half uniform noise before feeding it to the LSTM". The
  condition is a constant row or a row of noise, so that every row passes at most one model: depth 0 or 1. With the
  buffer's default sizes the stationary share of depth 0 is 40/138. Seeds still come from anywhere in the buffer, so 8
  tokens may come from a row of depth 1; depth counts what a row has as its condition.

A sequence costs what one of `lstm` costs.

Deviation: without a buffer instances are drawn in pieces of floor(B / c) at most, where c is the cadence (69 by
default, the paper's microbatch at width 384), so that a step of 500 instances sees every source batch instead of the
last only. The paper does not say how its microbatches and the smaller buffer fit together.

Limits: both take the settings of `lstm`, and the rule for its size. `buffer.capacity_multiple` does not count for
`lstm-nobuf`, and where c is 2 at most half of the rows of a source batch are trained on.

Shape suffixes: R rows, T tokens.
"""

import dataclasses
from typing import Any, ClassVar

import torch
from torch import Tensor

from up.sources.buffer import BufferConfig, Generate
from up.sources.recurrent import RecurrentSource
from up.sources.stream import BufferedStream


class UnbufferedStream(BufferedStream):
    """Draws from a buffer of exactly one source batch; see `BufferedStream` for the rest."""

    def __init__(self, generate: Generate, *, buffer: BufferConfig, **rest: Any) -> None:
        super().__init__(generate, buffer=dataclasses.replace(buffer, capacity_multiple=1), **rest)

    def draw(self, num_instances: int) -> Tensor:
        """Return the next instances, (R, T) uint8, in pieces between which the source runs."""
        rows_per_instance = max(1.0, self.cadence.source_rows_per_instance)
        largest = max(1, int(self.buffer.config.source_batch / rows_per_instance))
        starts = range(0, max(1, num_instances), largest)
        return torch.cat([super(UnbufferedStream, self).draw(min(largest, num_instances - start)) for start in starts])


class UniteratedStream(BufferedStream):
    """Draws from a buffer whose rows start afresh before they pass a model; see `BufferedStream` for the rest."""

    iterate: ClassVar[bool] = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnbufferedSource(RecurrentSource):
    """`lstm-nobuf`: random LSTMs behind a buffer of one source batch."""

    kinds: ClassVar[tuple[str, ...]] = ("lstm-nobuf",)
    stream_type: ClassVar[type[BufferedStream]] = UnbufferedStream

    kind: str = "lstm-nobuf"

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:  # noqa: ARG002
        """Refuse a context no longer than the seed; any batch is served, in pieces."""
        super().require_fit(context_length=context_length, batch=1, buffer=buffer)


@dataclasses.dataclass(frozen=True, kw_only=True)
class UniteratedSource(RecurrentSource):
    """`lstm-noit`: random LSTMs that read constant rows and noise, never what a model has made."""

    kinds: ClassVar[tuple[str, ...]] = ("lstm-noit",)
    stream_type: ClassVar[type[BufferedStream]] = UniteratedStream

    kind: str = "lstm-noit"

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Return what random models make of fresh rows, each constant or noise with equal chances."""
        device, (num_rows, num_tokens) = generator.device, rows_RT.shape
        noise_RT = torch.randint(self.vocabulary_size, (num_rows, num_tokens), generator=generator, device=device)
        is_constant_R1 = torch.rand(num_rows, 1, generator=generator, device=device) < 0.5
        return super().passed(torch.where(is_constant_R1, noise_RT[:, :1], noise_RT), generator)
