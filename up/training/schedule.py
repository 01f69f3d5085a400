"""Learning rate, batch size and enabled blocks as functions of the instances seen so far, and of nothing else.

Source: Bloem 2025 (arXiv 2506.20057), appendix A.1. All are pure, so a resumed run continues them exactly, and the
size of a microbatch or the number of devices does not enter.
"""

import dataclasses

from up.model.base import ModelConfig
from up.recipes.config import RunConfig, TrainingConfig


def learning_rate(config: TrainingConfig, instances: int) -> float:
    """Return the rate of the step that starts after `instances` and is applied to the batch that follows.

    Linear from 0 to the peak over `warmup_instances`, then geometric, halving every `halving_instances`. The warm-up is
    read at the end of the step's batch, so that the first step does not have rate 0.
    """
    end = instances + batch_size(config, instances)
    warmup = min(1.0, end / config.warmup_instances) if config.warmup_instances else 1.0
    return config.learning_rate * warmup * 0.5 ** (max(0, end - config.warmup_instances) / config.halving_instances)


def batch_size(config: TrainingConfig, instances: int) -> int:
    """Return how many instances the step that starts after `instances` trains on.

    `batch_start` at first, growing linearly to `batch` between `batch_warmup_from` and `batch_warmup_to`; the last
    step of a run takes what is left.
    """
    return max(0, min(_full_batch(config, instances), config.instances - instances))


def _full_batch(config: TrainingConfig, instances: int) -> int:
    """Return the size of a step's batch in a run that does not end."""
    if instances >= config.batch_warmup_to:
        return config.batch
    if instances <= config.batch_warmup_from:
        return config.batch_start
    grown = (instances - config.batch_warmup_from) / (config.batch_warmup_to - config.batch_warmup_from)
    return config.batch_start + round(grown * (config.batch - config.batch_start))


def enabled_blocks(model: ModelConfig, config: TrainingConfig, instances: int) -> int:
    """Return how many blocks of the model take part in the step that starts after `instances`.

    The first group is normal and always takes part; one more group of progressive blocks joins every
    `enable_every` instances (A.1, "Progressive scaling").

    Args:
        model: its depth and its groups.
        config: of the training.
        instances: trained on so far.
    """
    group = model.blocks_per_group
    if not group or not config.enable_every:
        return model.num_layers
    return min(model.num_layers, group * (1 + instances // config.enable_every))


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScheduleCurves:
    """The schedules of a run, sampled at rising numbers of instances.

    Attributes:
        instances: where, from 0 to the length of the run.
        learning_rate: of the step that starts there, at the base width.
        batch: instances of the step that starts there; the last step of the run may be smaller.
        enabled_blocks: blocks that take part in it.
    """

    instances: tuple[int, ...]
    learning_rate: tuple[float, ...]
    batch: tuple[int, ...]
    enabled_blocks: tuple[int, ...]


def schedule_curves(config: RunConfig, *, points: int = 400) -> ScheduleCurves:
    """Return the schedules of a resolved configuration, at evenly spaced points and at every bend."""
    training, model = config.training, config.model
    last = training.instances - 1
    bends = {training.warmup_instances, training.batch_warmup_from, training.batch_warmup_to}
    groups = -(-model.num_layers // model.blocks_per_group) if model.blocks_per_group else 0
    bends |= {group * training.enable_every for group in range(groups)}
    bends |= {bend - 1 for bend in bends}
    even = {round(place * last / max(1, points - 1)) for place in range(points)}
    places = tuple(sorted(place for place in even | bends if 0 <= place <= last))
    return ScheduleCurves(
        instances=places,
        learning_rate=tuple(learning_rate(training, place) for place in places),
        batch=tuple(_full_batch(training, place) for place in places),
        enabled_blocks=tuple(enabled_blocks(model, training, place) for place in places),
    )
