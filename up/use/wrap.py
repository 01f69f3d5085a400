"""Universal pre-training for any model from token ids to logits: a loss per call, and a ready loop.

    pretraining = up.wrap(model, vocabulary_size=256, length=512)
    loss = pretraining.loss(16)              # nats per token, with a gradient
    pretraining.fit(300, batch_size=16)      # or let it train

The instances are those that the project's own runs train on: a buffer of rows that pass through random models again and
again (Bloem 2025, arXiv 2506.20057, Algorithm 1). The wrapper of x-transformers 2.31 takes the same options, but writes
what its random models make into copies of rows, so that its buffer stays as it was and the model is trained on noise
(docs/how-to/wrap-x-transformers.md).

Shape suffixes: B instances, T tokens, V vocabulary.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from up.config import from_dict, require_at_most, require_not_negative, require_positive
from up.device import keyed_generator, resolve_device
from up.errors import InputError
from up.model.mixing.predictor import MixingPredictor
from up.sources.base import Source
from up.sources.buffer import LARGEST_VOCABULARY, BufferConfig
from up.sources.file import FileSource
from up.sources.function import FunctionSource
from up.sources.nesting import with_innermost
from up.sources.registry import source_type
from up.sources.stream import CadenceConfig
from up.sources.user_code import checked_tokens
from up.use.model import checked_logits, device_of, require_causal

_SOURCE_KEY, _BUFFER_KEY = 3, 4
_BUFFER, _CADENCE = BufferConfig(), CadenceConfig()

Function = Callable[[int, int, torch.Generator], Tensor]
"""Draws sequences: (number of rows, number of tokens, generator) to tokens of that shape."""


def wrap(
    model: nn.Module,
    *,
    vocabulary_size: int = 256,
    length: int = 512,
    source: str | Source | Function = "lstm",
    buffer: BufferConfig = _BUFFER,
    cadence: CadenceConfig = _CADENCE,
    seed: int = 0,
    buffer_device: str | torch.device | None = None,
) -> "Pretraining":
    """Return the pre-training of a model, after a look at what it predicts for two rows of tokens.

    >>> class Uniform(nn.Module):
    ...     def forward(self, tokens_BT):
    ...         return torch.zeros(*tokens_BT.shape, 256)
    >>> f"{float(wrap(Uniform(), length=32).loss(4)) / math.log(2):.3f} bits"
    '8.000 bits'

    Args:
        model: maps tokens (B, T - 1), int64, to logits (B, T - 1, V), or to an object that has them as `logits`. Source
            and model work on the same device, that of the model's first parameter now. A mixing predictor has no logits
            and a loss of its own (`MixingPredictor.loss`), which is taken as it is.
        vocabulary_size: V, number of tokens, 2 to 65,536.
        length: T, tokens of an instance. The model reads all but the last and predicts all but the first.
        source: a name (`up.SOURCES`, or `path/to/file.py:NAME`), the settings of a source, whose vocabulary is then V,
            or a function `(num_rows, num_tokens, generator) -> tokens`.
        buffer: its size and its resets; for sources that read.
        cadence: how often the source works, and the burn-in; likewise.
        seed: of all randomness of the stream. Processes that train one model together need different ones.
        buffer_device: where the buffer lies, such as `cpu`; None: where the source works.

    Raises:
        InputError: settings out of range, a source that does not fit, or a model whose logits have another shape, are
            not finite, or depend on the tokens that they are to predict.
    """
    require_not_negative("wrap", seed=seed)
    require_at_most("wrap", seed=(seed, (1 << 32) - 1))
    if not 2 <= vocabulary_size <= LARGEST_VOCABULARY:
        raise InputError(
            "vocabulary_size is out of range", received=vocabulary_size, remedy=f"use 2 to {LARGEST_VOCABULARY:,}"
        )
    if length < 2:
        raise InputError("length must leave a token to predict", received=length, remedy="use at least 2")
    device = device_of(model)
    where = device if buffer_device is None else resolve_device(str(buffer_device))
    resolved = _source(source, vocabulary_size).resolve(device)
    opened = resolved.opened()
    opened.require_fit(context_length=length, batch=1, buffer=buffer)
    if not isinstance(model, MixingPredictor):
        require_causal(model, inputs=length - 1, vocabulary_size=vocabulary_size)
    elif model.vocabulary_size != vocabulary_size:
        raise InputError(
            "the predictor has another vocabulary",
            received=vocabulary_size,
            remedy=f"give vocabulary_size={model.vocabulary_size}",
        )
    return Pretraining(
        model,
        source=opened,
        length=length,
        buffer=buffer,
        cadence=cadence,
        settings=f"{with_innermost(resolved, _without_place)}, {length}, {buffer}, {cadence}",
        source_generator=keyed_generator(seed, 0, _SOURCE_KEY, device=device),
        buffer_generator=keyed_generator(seed, 0, _BUFFER_KEY, device=where),
    )


class Pretraining:
    """A model and the stream of instances that it is trained on; made by `up.wrap`.

    Attributes:
        model: that of the user.
        source: ready to draw.
        length: T, tokens of an instance.
        stream: where instances come from.
        steps: that `fit` has taken.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        source: Source,
        length: int,
        buffer: BufferConfig,
        cadence: CadenceConfig,
        settings: str,
        source_generator: torch.Generator,
        buffer_generator: torch.Generator,
    ) -> None:
        self.model, self.source, self.length = model, source, length
        self.stream = source.stream(
            context_length=length,
            buffer=buffer,
            cadence=cadence,
            source_generator=source_generator,
            buffer_generator=buffer_generator,
        )
        self.steps = 0
        self._settings = settings
        self._optimizer: torch.optim.AdamW | None = None

    def loss(self, batch_size: int = 16) -> Tensor:
        """Draw the next instances and return the mean cross-entropy of every token but the first, a scalar in nats.

        A mixing predictor's is that of some tokens of each instance, the first among them.

        Raises:
            InputError: more instances than the buffer holds, a source that draws no such tokens, or logits of another
                shape, or that are not finite.
        """
        require_positive("wrap", batch_size=batch_size)
        tokens_BT = checked_tokens(
            self.stream.draw(batch_size),
            shape=(batch_size, self.length),
            vocabulary_size=self.source.vocabulary_size,
            device=device_of(self.model),
            name=self.source.kind,
        ).long()
        if isinstance(self.model, MixingPredictor):
            return self.model.loss(tokens_BT)
        logits_BTV = checked_logits(self.model, tokens_BT[:, :-1], self.source.vocabulary_size)
        return nn.functional.cross_entropy(logits_BTV.float().flatten(0, 1), tokens_BT[:, 1:].flatten())

    def fit(
        self,
        steps: int,
        *,
        batch_size: int = 16,
        learning_rate: float = 3e-4,
        optimizer: torch.optim.Optimizer | None = None,
        gradient_clip: float = 1.0,
        on_step: Callable[[int, float], None] | None = None,
    ) -> tuple[float, ...]:
        """Train for some more steps, and return the loss of each in bits per token.

        Args:
            steps: to take.
            batch_size: instances in each.
            learning_rate: of AdamW, which goes on where an earlier call left it.
            optimizer: takes the place of AdamW, with a learning rate and a state of its own.
            gradient_clip: gradients of larger norm are scaled down to it.
            on_step: called after each step with the number of steps so far and the loss in bits.

        Raises:
            InputError: as `loss` does, or a gradient that is not finite; the weights are then those of the step before.
        """
        require_not_negative("wrap", steps=steps)
        require_positive("wrap", learning_rate=learning_rate, gradient_clip=gradient_clip)
        if optimizer is None:
            optimizer = self._own_optimizer()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
        self.model.train()
        losses_bits = []
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            loss = self.loss(batch_size)
            loss.backward()
            norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), gradient_clip))
            if not math.isfinite(norm):
                raise InputError("the gradient of the model is not finite", received=norm, remedy="train more slowly")
            optimizer.step()
            self.steps += 1
            losses_bits.append(float(loss.detach()) / math.log(2))
            if on_step is not None:
                on_step(self.steps, losses_bits[-1])
        return tuple(losses_bits)

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return what can be seen of the stream: of a buffer how many rows have depth 0, 1, 2, ..., as `depth`."""
        return self.stream.observations()

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything that the next steps depend on, but for what is the user's own.

        That is the weights (`model.state_dict()`), an optimizer that was handed to `fit`, and PyTorch's default
        generator, from which dropout draws. `torch.load(..., weights_only=True)` reads it.
        """
        return {
            "settings": self._settings,
            "steps": self.steps,
            "stream": {name: tensor.clone() for name, tensor in self.stream.state().items()},
            "optimizer": None if self._optimizer is None else _cloned(self._optimizer.state_dict()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state` was saved.

        Raises:
            InputError: no such state, or one of other settings.
        """
        if state.keys() != {"settings", "steps", "stream", "optimizer"} or state["settings"] != self._settings:
            raise InputError(
                "the state is not one of this pre-training",
                received=state.get("settings"),
                remedy=f"wrap with the same settings, here {self._settings}",
            )
        if state["optimizer"] is not None:
            self._own_optimizer().load_state_dict(_cloned(state["optimizer"]))
        self.stream.restore(state["stream"])
        self.steps = state["steps"]

    def _own_optimizer(self) -> torch.optim.AdamW:
        if self._optimizer is None:
            self._optimizer = torch.optim.AdamW(self.model.parameters())
        return self._optimizer


def _source(source: Any, vocabulary_size: int) -> Source:
    if isinstance(source, str):
        return from_dict(source_type(source), {"kind": source, "vocabulary_size": vocabulary_size})
    if isinstance(source, Source):
        return dataclasses.replace(source, vocabulary_size=vocabulary_size)
    if callable(source) and not isinstance(source, type):
        name = getattr(source, "__qualname__", type(source).__name__)
        return FunctionSource(kind=f"{name}()", vocabulary_size=vocabulary_size, function=source)
    raise InputError(
        "this is no source", received=source, remedy="give a name such as lstm, up.RecurrentSource(), or a function"
    )


def _without_place(source: Source) -> Source:
    """Return a source in a file as it is wherever the file lies: by its name and its SHA-256."""
    return dataclasses.replace(source, kind=source.label) if isinstance(source, FileSource) else source


def _cloned(value: Any) -> Any:
    """Copy the tensors inside dictionaries and lists."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {name: _cloned(item) for name, item in value.items()}
    return [_cloned(item) for item in value] if isinstance(value, list) else value
