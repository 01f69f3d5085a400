"""The plan of a run: what it will train, what that costs on this device, and where it writes.

The time is measured, not guessed: the model takes a few training steps, and the stream lets its source work and says
how long. Of transformers, models of one and three blocks at the run's real width take them, and half the difference is
what a block costs. Memory comes from the
formulas of `up.model.base`.
"""

import dataclasses
import functools
import time
from collections.abc import Callable

import torch

from up.device import DeviceInfo, describe_device
from up.errors import InputError
from up.model.base import ModelConfig, count_parameters, estimate_training_memory
from up.model.transformer.config import TransformerConfig
from up.recipes.config import RunConfig
from up.sources.noise import NoiseSource
from up.training.schedule import batch_size
from up.training.state import TrainingState

_FORWARD_SHARE = 1 / 3  # of a training step: the backward pass costs about two forward passes
_CALIBRATION_STEPS = 3
_MEASURED_DEPTH = 3  # blocks; a larger difference scatters less, a smaller one is quicker


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What a run will do.

    Attributes:
        arch: architecture of the target model.
        shape: its architecture and sizes in words.
        width: its width; None, like the two below, for an architecture that has none.
        depth: its number of blocks.
        heads: its attention heads.
        parameters: its trainable numbers.
        source: kind and size of the source, such as `lstm, 51 units`.
        instances: sequences to train on.
        tokens: tokens in them.
        steps: optimiser steps.
        microbatch: instances in one forward and backward pass.
        precision: `fp32` or `bf16`.
        device: as torch names it.
        device_description: the processor or the card.
        instances_trained: those that a run to be resumed has behind it.
        seconds: estimated duration of the rest, evaluations included.
        memory_bytes: estimated memory of a training step.
        device_memory_bytes: memory of the device, 0 if unknown.
    """

    arch: str
    shape: str
    width: int | None
    depth: int | None
    heads: int | None
    parameters: int
    source: str
    instances: int
    tokens: int
    steps: int
    microbatch: int
    precision: str
    device: str
    device_description: str
    instances_trained: int
    seconds: float
    memory_bytes: int
    device_memory_bytes: int


def plan_run(
    config: RunConfig,
    device: torch.device,
    *,
    trained: int = 0,
    info: DeviceInfo | None = None,
    estimate: Callable[[RunConfig, torch.device], float] | None = None,
) -> TrainingPlan:
    """Return the plan of a resolved configuration; takes a few seconds on a CPU, for it measures.

    Args:
        config: a resolved configuration.
        device: where the run will work.
        trained: instances that a run to be resumed has behind it; the estimated duration is that of the rest.
        info: what the device is; None: looked up.
        estimate: says how long a whole run takes; None: `estimate_seconds`.

    Raises:
        InputError: not even the few blocks of the model that are measured fit the device.
    """
    model, training = config.model, config.training
    assert training.microbatch is not None
    info = info or describe_device(device)
    measured_bytes = estimate_training_memory(_measured(model)[-1], training.microbatch)
    if info.memory_bytes and measured_bytes > info.memory_bytes:
        raise InputError(
            f"what is measured of the model needs {measured_bytes / 2**30:.1f} GiB and {info.name} has "
            f"{info.memory_bytes / 2**30:.1f} GiB",
            remedy=f"choose a smaller model than {model.shape}, or lower training.microbatch ({training.microbatch})",
        )
    rest = 1 - trained / training.instances
    return TrainingPlan(
        arch=model.arch,
        shape=model.shape,
        width=model.sizes.get("width"),
        depth=model.sizes.get("depth"),
        heads=model.sizes.get("heads"),
        parameters=count_parameters(model),
        source=config.source.description,
        instances=training.instances,
        tokens=training.instances * model.context_length,
        steps=_count_steps(config),
        microbatch=training.microbatch,
        precision=training.precision,
        device=str(device),
        device_description=info.description,
        instances_trained=trained,
        seconds=rest * (estimate or estimate_seconds)(config, device) if rest else 0.0,
        memory_bytes=estimate_training_memory(model, training.microbatch),
        device_memory_bytes=info.memory_bytes,
    )


def estimate_seconds(
    config: RunConfig, device: torch.device, *, seconds_per_instance: Callable[[ModelConfig], float] | None = None
) -> float:
    """Return about how long the run will take on this device, from short measurements.

    Args:
        config: a resolved configuration.
        device: where the run will work.
        seconds_per_instance: of training on one instance with a model; None: measured.
    """
    measure = seconds_per_instance or functools.partial(_seconds_per_instance, config, device)
    training, evaluation = config.training, config.evaluation
    assert evaluation.samples is not None
    per_instance, *more = [measure(model) for model in _measured(config.model)]
    if more:
        per_instance += max(0.0, more[0] - per_instance) / (_MEASURED_DEPTH - 1) * (config.model.num_layers - 1)
    evaluations = -(-training.instances // training.evaluate_every)  # one comes at the end
    evaluated = evaluations * (len(evaluation.data) + len(evaluation.sources)) * evaluation.samples
    in_source = config.stream(device).forecast_seconds(training.instances)
    return (training.instances + evaluated * _FORWARD_SHARE) * per_instance + in_source


def _measured(model: ModelConfig) -> tuple[ModelConfig, ...]:
    """Return the models whose steps are timed: with few blocks, or the model itself where it has none."""
    if not isinstance(model, TransformerConfig):
        return (model,)
    return tuple(dataclasses.replace(model, depth=depth) for depth in (1, _MEASURED_DEPTH))


def _seconds_per_instance(config: RunConfig, device: torch.device, model: ModelConfig) -> float:
    """Return the seconds of training on one instance, its source not counted."""
    size = config.training.microbatch
    assert size is not None
    shallow = dataclasses.replace(
        config,
        source=NoiseSource(),  # takes no time to speak of
        model=model,
        training=dataclasses.replace(
            config.training, instances=10**9, batch=size, batch_start=size, batch_warmup_from=0, batch_warmup_to=0
        ),
    )
    state = TrainingState(shallow, device)
    best = float("inf")
    for _ in range(_CALIBRATION_STEPS + 1):
        start = time.perf_counter()
        state.train_step()
        best = min(best, time.perf_counter() - start)
    return best / size


def _count_steps(config: RunConfig) -> int:
    """Return the optimiser steps of a run; before and after its warm-up the batch is constant and they are divided."""
    training = config.training
    instances = steps = 0
    while instances < training.instances:
        size = batch_size(training, instances)
        if instances >= training.batch_warmup_to:
            same_until = training.instances
        else:
            same_until = min(max(training.batch_warmup_from, instances + 1), training.instances)
        taken = -(-(same_until - instances) // size)
        instances += taken * size
        steps += taken
    return steps
