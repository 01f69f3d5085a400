"""What one optimiser step has done: returned by the step, told as an event, and kept as a line of the metrics."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One optimiser step; a function of the configuration alone.

    Attributes:
        instances: trained on after the step.
        step: optimiser steps so far.
        batch: instances of this step.
        loss_bits: mean loss over the step's batch, bits per character; None if it was not finite.
        learning_rate: of this step, at the base width.
        gradient_norm: before clipping; None if it was not finite.
        enabled_blocks: blocks of the model that took part.
        skipped_steps: steps so far whose loss or gradient was not finite, and which changed no weight.
        observations: histograms of the stream by name, such as `depth`: rows of the buffer at depth 0, 1, 2, ...
    """

    instances: int
    step: int
    batch: int
    loss_bits: float | None
    learning_rate: float
    gradient_norm: float | None
    enabled_blocks: int
    skipped_steps: int
    observations: dict[str, tuple[int, ...]]

    @property
    def skipped(self) -> bool:
        """Whether this step changed no weight."""
        return self.loss_bits is None or self.gradient_norm is None
