"""Streams: what training draws its instances from.

    stream = BufferedStream(source.generate, ...)
    tokens_BT = stream.draw(16)          # the next 16 instances, (16, 512)

`Stream` is all that training, plan, dashboard and run folder know. `BufferedStream` draws from the buffer of
Algorithm 1 while a source keeps enriching it; `RowStream` hands on rows that are independent of each other.

How often the source of a buffer runs is counted in instances, not in steps: after i instances exactly floor(i c / B)
source batches of B rows have been generated, where c is the cadence in rows per instance. The microbatch size, gradient
accumulation and the number of devices do not enter. Bloem 2025, A.1: one batch of 138 rows for each 69 instances at
width 384, which is c = 2.

Deviation: at the larger widths the paper's microbatches shrink to 48, 36 and 16 while its source batch stays at 138, so
that c would grow to 2.9, 3.8 and 8.6; here it is 2 at every width unless it is set.
"""

import dataclasses
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from up.config import require_at_most, require_not_negative, require_positive
from up.device import Stopwatch
from up.sources.buffer import Buffer, BufferConfig, Generate

Rows = Callable[[int, int, torch.Generator], Tensor]
"""Draws sequences independently: (rows R, tokens T, generator) to (R, T)."""


class Stream(Protocol):
    """An endless sequence of instances that can be left and taken up again."""

    def draw(self, num_instances: int) -> Tensor:
        """Return the next instances, (num_instances, T), uint8 or int32 (`token_dtype`)."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next draws depend on, as tensors on the CPU."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue exactly where `state` was taken; the configuration must be the same."""
        ...

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return what can be seen of the stream now: histograms by name, such as `depth`; empty if there is nothing."""
        ...

    def source_seconds(self) -> float:
        """Return the time that the source took so far, part of the time of `draw`."""
        ...

    def forecast_seconds(self, instances: int) -> float:
        """Return about how long the source will take for so many instances, by letting it work; this is not undone."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class CadenceConfig:
    """How much the source works per trained instance.

    Attributes:
        source_rows_per_instance: rows that the source generates for each instance that is trained on.
        burn_in_batches: source batches before the first instance; 0 in the paper, where training starts on noise.

    """

    source_rows_per_instance: float = 2.0
    burn_in_batches: int = 0

    def __post_init__(self) -> None:
        require_positive("cadence", source_rows_per_instance=self.source_rows_per_instance)
        require_not_negative("cadence", burn_in_batches=self.burn_in_batches)
        require_at_most(
            "cadence",
            source_rows_per_instance=(self.source_rows_per_instance, 1_000),
            burn_in_batches=(self.burn_in_batches, 1_000_000),
        )

    def source_batches(self, instances: int, source_batch: int) -> int:
        """Return how many source batches are due by the time that `instances` have been drawn."""
        rows = Fraction(self.source_rows_per_instance) * instances
        return self.burn_in_batches + int(rows // source_batch)


class BufferedStream:
    """Draws training batches from a buffer that a random source keeps enriching.

    Args:
        generate: passes conditions through random models; draws from `source_generator`.
        buffer: configuration of the buffer.
        cadence: how often the source runs.
        context_length: tokens per instance.
        vocabulary_size: of the noise in the buffer.
        seed_length: tokens at the start of every sequence that are given to the source.
        source_generator: randomness of the models and their sampling.
        buffer_generator: randomness of the buffer, on whose device it lies.

    Attributes:
        instances: instances drawn so far.
        source_batches: source batches generated so far.

    """

    iterate: ClassVar[bool] = True
    """Whether rows of the buffer are what the source reads; see `Buffer.enrich`."""

    def __init__(
        self,
        generate: Generate,
        *,
        buffer: BufferConfig,
        cadence: CadenceConfig,
        context_length: int,
        vocabulary_size: int,
        seed_length: int,
        source_generator: torch.Generator,
        buffer_generator: torch.Generator,
    ) -> None:
        self._generate, self._seed_length, self._source_generator = generate, seed_length, source_generator
        self.buffer = Buffer(
            buffer, context_length=context_length, vocabulary_size=vocabulary_size, generator=buffer_generator
        )
        self.cadence = cadence
        self.instances = 0
        self.source_batches = 0
        self._stopwatch = Stopwatch(source_generator.device)

    def draw(self, num_instances: int) -> Tensor:
        """Run the source as far as it is due and return the next instances, (num_instances, T)."""
        due = self.cadence.source_batches(self.instances + num_instances, self.buffer.config.source_batch)
        while self.source_batches < due:
            self._enrich()
            self.source_batches += 1
        self.instances += num_instances
        return self.buffer.sample(num_instances)

    def _enrich(self) -> None:
        with self._stopwatch:
            self.buffer.enrich(self._generate, seed_length=self._seed_length, iterate=self.iterate)

    def state(self) -> dict[str, Tensor]:
        """Return buffer, counters and generators."""
        return {
            "rows": self.buffer.rows_CT.cpu(),
            "depth": self.buffer.depth_C.cpu(),
            "counters": torch.tensor([self.instances, self.source_batches]),
            "source_generator": self._source_generator.get_state(),
            "buffer_generator": self.buffer.generator.get_state(),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue exactly where `state` was taken; the configuration must be the same."""
        self.buffer.rows_CT.copy_(state["rows"])
        self.buffer.depth_C.copy_(state["depth"])
        self.instances, self.source_batches = (int(value) for value in state["counters"])
        self._source_generator.set_state(state["source_generator"])
        self.buffer.generator.set_state(state["buffer_generator"])

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return how many rows of the buffer have depth 0, 1, 2, ..., as `depth`."""
        return {"depth": self.buffer.depth_histogram()}

    def source_seconds(self) -> float:
        """Return the time that the source took so far."""
        return self._stopwatch.seconds()

    def forecast_seconds(self, instances: int) -> float:
        """Measure the second of two source batches, and count those that will be due, the burn-in included."""
        self._enrich()
        before = self.source_seconds()
        self._enrich()
        batches = self.cadence.source_batches(instances, self.buffer.config.source_batch)
        return batches * (self.source_seconds() - before)


class RowStream:
    """Draws every instance afresh from a source whose rows are independent; it has no buffer and no cadence.

    Args:
        rows: draws sequences.
        context_length: tokens per instance.
        generator: all randomness.

    Attributes:
        instances: instances drawn so far.

    """

    _FORECAST_ROWS = 64

    def __init__(self, rows: Rows, *, context_length: int, generator: torch.Generator) -> None:
        self._rows, self._context_length, self._generator = rows, context_length, generator
        self.instances = 0
        self._stopwatch = Stopwatch(generator.device)

    def draw(self, num_instances: int) -> Tensor:
        """Return the next instances, (num_instances, T)."""
        self.instances += num_instances
        with self._stopwatch:
            return self._rows(num_instances, self._context_length, self._generator)

    def state(self) -> dict[str, Tensor]:
        """Return counter and generator."""
        return {"counters": torch.tensor([self.instances]), "source_generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue exactly where `state` was taken; the configuration must be the same."""
        (self.instances,) = (int(value) for value in state["counters"])
        self._generator.set_state(state["source_generator"])

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return nothing: rows that are drawn afresh leave nothing to look at."""
        return {}

    def source_seconds(self) -> float:
        """Return the time that the source took so far."""
        return self._stopwatch.seconds()

    def forecast_seconds(self, instances: int) -> float:
        """Measure the second of two batches of rows."""
        self.draw(self._FORECAST_ROWS)
        before = self.source_seconds()
        self.draw(self._FORECAST_ROWS)
        return instances / self._FORECAST_ROWS * (self.source_seconds() - before)
