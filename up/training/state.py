"""The state of a run in memory: model, optimiser, stream, generators, counters; and one training step.

Deviation: the paper draws every microbatch from the buffer by itself, after a source batch of its own. Here each step
draws its whole batch at once, after all source batches that are due, so that the size of the microbatch does not enter.

Shape suffixes: B instances of a microbatch, T tokens.
"""

import contextlib
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from up.errors import InputError, RunError
from up.memory import is_out_of_memory
from up.model.base import build_model
from up.recipes.config import RunConfig
from up.sources.stream import Stream
from up.training.schedule import batch_size, enabled_blocks, learning_rate
from up.training.step import Step

_OF_STREAM = "stream."
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class TrainingState:
    """Everything that training changes.

    Args:
        config: a resolved configuration.
        device: where model and source live.
        stream: where instances come from; None: the stream of the configuration.

    Raises:
        InputError: a configuration that is not resolved, or a source that cannot be used.

    Attributes:
        instances: trained on so far.
        step: optimiser steps so far.
        skipped: steps so far that were skipped.
        skipped_in_row: the latest steps that were skipped, without one in between that was not.
    """

    def __init__(self, config: RunConfig, device: torch.device | str = "cpu", stream: Stream | None = None) -> None:
        config.require_resolved()
        self.config = config
        self.device = device = torch.device(device)
        self.instances = self.step = self.skipped = self.skipped_in_row = 0
        self.stream = config.stream(device) if stream is None else stream
        self.model = build_model(config.model, config.generator("model")).to(device)
        self.model.enabled_blocks = enabled_blocks(config.model, config.training, 0)
        training = config.training
        groups = self.model.parameter_groups()
        for group in groups:
            group["weight_decay"] = training.weight_decay * group["weight_decay_scale"]
        self.optimizer = torch.optim.AdamW(
            groups,
            lr=training.learning_rate,
            betas=(0.9, training.beta2),
            fused=device.type in ("cpu", "cuda"),
        )
        self._dropout_state = config.generator("dropout", device).get_state()

    def train_step(self, on_microbatch: Callable[[int, int], None] | None = None) -> Step:
        """Train on one batch, in microbatches; the gradient is the mean over the whole batch.

        A step whose loss or gradient is not finite changes no weight: its batch is lost, and it is counted.

        Args:
            on_microbatch: called with instances done and instances in all, after every microbatch.

        Raises:
            RunError: the device ran out of memory; the weights are as before.
        """
        training = self.config.training
        assert training.microbatch is not None
        batch, done, blocks = batch_size(training, self.instances), 0, self.model.enabled_blocks
        rate = learning_rate(training, self.instances)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_scale"]
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss_nats = torch.zeros((), device=self.device)
        try:
            with self._dropout_generator():
                for tokens_BT in self.stream.draw(batch).split(training.microbatch):
                    loss = self._loss(tokens_BT) * (len(tokens_BT) / batch)
                    loss.backward()
                    loss_nats += loss.detach()
                    done += len(tokens_BT)
                    if on_microbatch is not None:
                        on_microbatch(done, batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise RunError(
                f"{self.device} ran out of memory at a microbatch of {training.microbatch}: lower training.microbatch"
            ) from None
        gradient_norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), training.gradient_clip))
        loss_bits = float(loss_nats) / math.log(2)
        skipped = not (math.isfinite(loss_bits) and math.isfinite(gradient_norm))
        if not skipped:
            self.optimizer.step()
        self.skipped += skipped
        self.skipped_in_row = self.skipped_in_row + 1 if skipped else 0
        self.instances += batch
        self.step += 1
        self.model.enabled_blocks = enabled_blocks(self.config.model, training, self.instances)
        return Step(
            instances=self.instances,
            step=self.step,
            batch=batch,
            loss_bits=_finite_or_none(loss_bits),
            learning_rate=rate,
            gradient_norm=_finite_or_none(gradient_norm),
            enabled_blocks=blocks,
            skipped_steps=self.skipped,
            observations=self.stream.observations(),
        )

    def _loss(self, tokens_BT: Tensor) -> Tensor:
        """Mean code length of the tokens in nats."""
        bf16 = self.config.training.precision == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16):
            return self.model.loss(tokens_BT)

    @contextlib.contextmanager
    def _dropout_generator(self) -> Iterator[None]:
        """Lend the run's own dropout randomness to PyTorch's default generator, which dropout draws from."""
        default = torch.default_generator if self.device.type == "cpu" else self._device_generator()
        outside = default.get_state()
        default.set_state(self._dropout_state)
        try:
            yield
        finally:
            self._dropout_state = default.get_state()
            default.set_state(outside)

    def _device_generator(self) -> torch.Generator:
        if self.device.type == "cuda":
            index = self.device.index if self.device.index is not None else torch.cuda.current_device()
            return torch.cuda.default_generators[index]
        return torch.mps._get_default_mps_generator()

    def tensors(self) -> dict[str, Tensor]:
        """Return everything but the model's weights that the next steps depend on, as named CPU tensors.

        A block that was never enabled has no moments yet.
        """
        named = {
            "counters": torch.tensor([self.instances, self.step, self.skipped, self.skipped_in_row]),
            "dropout_generator": self._dropout_state,
            **{f"{_OF_STREAM}{name}": tensor for name, tensor in self.stream.state().items()},
        }
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                named[f"optimizer.{name}.{key}"] = value.detach().cpu()
        return named

    def restore(self, weights: dict[str, Tensor], tensors: dict[str, Tensor]) -> None:
        """Continue exactly where `tensors` and the model's weights were taken.

        Raises:
            InputError: names or shapes do not belong to this configuration.
        """
        try:
            self.model.load_state_dict(weights)
            counters = (int(value) for value in tensors["counters"])
            self.instances, self.step, self.skipped, self.skipped_in_row = counters
            self._dropout_state = tensors["dropout_generator"]
            self.stream.restore(
                {name.removeprefix(_OF_STREAM): tensors[name] for name in tensors if name.startswith(_OF_STREAM)}
            )
            self._restore_optimizer(tensors)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            reason = " ".join(str(error).split())[:120]
            raise InputError(
                f"the checkpoint does not fit its configuration ({reason})",
                remedy="restore the files it was saved with",
            ) from error
        self.model.enabled_blocks = enabled_blocks(self.config.model, self.config.training, self.instances)

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        groups = self.optimizer.state_dict()["param_groups"]
        ordered = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        moments = {}
        for index, parameter in enumerate(ordered):  # the optimiser numbers its parameters in this order
            prefix = f"optimizer.{names[parameter]}."
            if f"{prefix}step" in tensors:
                moments[index] = {key: tensors[f"{prefix}{key}"] for key in _MOMENTS}
                if moments[index]["exp_avg"].shape != parameter.shape:  # the optimiser itself does not look
                    raise ValueError(f"size mismatch for the moments of {names[parameter]}")
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
