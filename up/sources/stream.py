"""Training instances from the buffer, with the source running at its own cadence.

How often the source runs is counted in instances, not in steps: after i instances exactly
floor(i c / B) source batches of B rows have been generated, where c is the cadence in rows per instance. The microbatch
size, gradient accumulation and the number of devices do not enter. Bloem 2025, A.1: one batch of 138 rows for each 69
instances at width 384, which is c = 2.

Deviation: at the larger widths the paper's microbatches shrink to 48, 36 and 16 while its source batch stays at 138, so
that c would grow to 2.9, 3.8 and 8.6; here it is 2 at every width unless it is set.
"""

import dataclasses
from fractions import Fraction

import torch
from torch import Tensor

from up.config import require_at_most, require_not_negative, require_positive
from up.device import Stopwatch
from up.sources.buffer import Buffer, BufferConfig
from up.sources.recurrent import RecurrentSource, RecurrentSourceConfig


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


class InstanceStream:
    """Draws training batches from a buffer that a random source keeps enriching.

    Args:
        source: configuration of the random models.
        buffer: configuration of the buffer.
        cadence: how often the source runs.
        context_length: tokens per instance.
        source_generator: randomness of the models and their sampling.
        buffer_generator: randomness of the buffer; on the same device.

    Attributes:
        instances: instances drawn so far.
        source_batches: source batches generated so far.
        stopwatch: time spent in the source.

    """

    def __init__(
        self,
        *,
        source: RecurrentSourceConfig,
        buffer: BufferConfig,
        cadence: CadenceConfig,
        context_length: int,
        source_generator: torch.Generator,
        buffer_generator: torch.Generator,
    ) -> None:
        self.source = RecurrentSource(source, generator=source_generator)
        self.buffer = Buffer(
            buffer,
            context_length=context_length,
            vocabulary_size=source.vocabulary_size,
            generator=buffer_generator,
        )
        self.cadence = cadence
        self.instances = 0
        self.source_batches = 0
        self.stopwatch = Stopwatch(source_generator.device)

    def draw(self, num_instances: int) -> Tensor:
        """Run the source as far as it is due and return the next instances, (num_instances, T) uint8."""
        due = self.cadence.source_batches(self.instances + num_instances, self.buffer.config.source_batch)
        while self.source_batches < due:
            with self.stopwatch:
                self.buffer.enrich(self.source, seed_length=self.source.config.seed_length)
            self.source_batches += 1
        self.instances += num_instances
        return self.buffer.sample(num_instances)

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next draws depend on, as tensors on the CPU."""
        return {
            "rows": self.buffer.rows_CT.cpu(),
            "depth": self.buffer.depth_C.cpu(),
            "counters": torch.tensor([self.instances, self.source_batches]),
            "source_generator": self.source.generator.get_state(),
            "buffer_generator": self.buffer.generator.get_state(),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue exactly where `state` was taken; the configuration must be the same."""
        self.buffer.rows_CT.copy_(state["rows"])
        self.buffer.depth_C.copy_(state["depth"])
        self.instances, self.source_batches = (int(value) for value in state["counters"])
        self.source.generator.set_state(state["source_generator"])
        self.buffer.generator.set_state(state["buffer_generator"])
