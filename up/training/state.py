"""The state of a run in memory: model, optimiser, stream, generators, counters; and one training step.

Deviation: the paper draws every microbatch from the buffer by itself, after a source batch of its own. Here each step
draws its whole batch at once, after all source batches that are due, so that the size of the microbatch does not enter.

Shape suffixes: B instances of a microbatch, T tokens, V vocabulary.
"""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from up.errors import InputError, RunError
from up.model.transformer import Transformer
from up.sources.stream import InstanceStream
from up.training.config import RunConfig
from up.training.schedule import batch_size, learning_rate


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepResult:
    """One optimiser step: mean loss in bits per character, the rate used, the gradient's norm before clipping."""

    loss_bits: float
    learning_rate: float
    gradient_norm: float


class TrainingState:
    """Everything that training changes.

    Args:
        config: a resolved configuration.
        device: where model and source live.

    Attributes:
        instances: trained on so far.
        step: optimiser steps so far.
    """

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.instances = 0
        self.step = 0
        self.model = Transformer(config.model, config.generator("model")).to(device)
        self.stream = InstanceStream(
            source=config.source,
            buffer=config.buffer,
            cadence=config.cadence,
            context_length=config.model.context_length,
            source_generator=config.generator("source", device),
            buffer_generator=config.generator("buffer", device),
        )
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.training.learning_rate,
            betas=(0.9, config.training.beta2),
            weight_decay=config.training.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        self._dropout_state = config.generator("dropout", device).get_state()

    def train_step(self, on_microbatch: Callable[[int, int], None] | None = None) -> StepResult:
        """Train on one batch, in microbatches; the gradient is the mean over the whole batch.

        Args:
            on_microbatch: called with instances done and instances in all, after every microbatch.

        Raises:
            RunError: the loss or its gradient is not finite, or a GPU ran out of memory; the weights are as before.
        """
        training = self.config.training
        assert training.microbatch is not None
        batch, done = batch_size(training, self.instances), 0
        rate = learning_rate(training, self.instances)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
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
        except torch.OutOfMemoryError:
            raise RunError(
                f"{self.device} ran out of memory at a microbatch of {training.microbatch}: lower training.microbatch"
            ) from None
        gradient_norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), training.gradient_clip))
        loss_bits = float(loss_nats) / math.log(2)
        if not (math.isfinite(loss_bits) and math.isfinite(gradient_norm)):
            raise RunError(
                f"training diverged after {self.instances:,} instances (loss {loss_bits} bits, gradient norm "
                f"{gradient_norm}): start again with a training.learning_rate below {training.learning_rate:g}"
            )
        self.optimizer.step()
        self.instances += batch
        self.step += 1
        return StepResult(loss_bits=loss_bits, learning_rate=rate, gradient_norm=gradient_norm)

    def _loss(self, tokens_BT: Tensor) -> Tensor:
        """Mean cross-entropy in nats of every token but the first, given those before it."""
        bf16 = self.config.training.precision == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16):
            logits_BTV = self.model(tokens_BT[:, :-1])
        targets_BT = tokens_BT[:, 1:].long()
        return nn.functional.cross_entropy(logits_BTV.float().flatten(0, 1), targets_BT.flatten())

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
        """Return everything but the model's weights that the next steps depend on, as named CPU tensors."""
        named = {
            "counters": torch.tensor([self.instances, self.step]),
            "dropout_generator": self._dropout_state,
            **{f"stream.{name}": tensor for name, tensor in self.stream.state().items()},
        }
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                named[f"optimizer.{name}.{key}"] = value.detach().cpu()
        return named

    def restore(self, weights: dict[str, Tensor], tensors: dict[str, Tensor]) -> None:
        """Continue exactly where `tensors` and the model's weights were taken.

        Raises:
            InputError: names or shapes do not belong to this configuration.
        """
        try:
            self.model.load_state_dict(weights)
            self.instances, self.step = (int(value) for value in tensors["counters"])
            self._dropout_state = tensors["dropout_generator"]
            self.stream.restore({name: tensors[f"stream.{name}"] for name in self.stream.state()})
            if self.step:
                self._restore_optimizer(tensors)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(
                f"the checkpoint does not fit its configuration ({reason})",
                remedy="restore the files it was saved with",
            ) from error

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        moments = {}
        for index, (name, parameter) in enumerate(self.model.named_parameters()):
            moments[index] = {key: tensors[f"optimizer.{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
            if moments[index]["exp_avg"].shape != parameter.shape:  # the optimiser itself does not look
                raise ValueError(f"size mismatch for the moments of {name}")
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
