"""The contract of target models: what their configurations say, and what training and evaluation ask of them.

An architecture is a room beside this file: `config.py` with its settings, `cost.py` with what it costs, and its model.
Its line in `ROOMS` is all that others know of it. Nothing is imported until an architecture is asked for.
"""

import abc
import dataclasses
import importlib
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from up.config import Family
from up.errors import InputError

ROOMS = {
    "paper": ("transformer", "TransformerConfig", "model", "Transformer"),
    "modern": ("transformer", "TransformerConfig", "model", "Transformer"),
    "mixing": ("mixing", "MixingConfig", "predictor", "MixingPredictor"),
}
"""Architecture to its room, the class of its settings, and the file and class of its model."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig(Family, abc.ABC):
    """What all architectures have in common; `arch` says which one is meant.

    Attributes:
        arch: a name in `ROOMS`.
        context_length: length of an instance, in tokens.
        vocabulary_size: number of tokens; 256 for bytes.
    """

    selector: ClassVar[str] = "arch"
    default: ClassVar[str | None] = "paper"

    arch: str
    context_length: int
    vocabulary_size: int = 256

    @classmethod
    def of_kind(cls, kind: str) -> "type[ModelConfig]":
        """Return the class of an architecture; raises `InputError` for an unknown one."""
        if kind not in ROOMS:
            raise InputError("unknown model.arch", received=kind, remedy=f"use one of {', '.join(ROOMS)}")
        room, settings, _, _ = ROOMS[kind]
        return getattr(importlib.import_module(f"up.model.{room}.config"), settings)

    @property
    def num_layers(self) -> int:
        """Number of blocks; 0 for an architecture without any."""
        return 0

    @property
    def blocks_per_group(self) -> int:
        """Blocks that are enabled together as a run goes on; 0 where all take part from the start."""
        return 0

    def readable(self, num_tokens: int | None) -> int:  # noqa: ARG002
        """Return how many tokens of a slice of so many the model can read at once; None: of one as long as it likes."""
        return self.context_length

    @property
    @abc.abstractmethod
    def source_width(self) -> int:
        """The width that the sizes of sources follow where they are left open."""

    @property
    def sizes(self) -> dict[str, int]:
        """Width, depth and heads of a model that has these."""
        return {}

    @property
    @abc.abstractmethod
    def shape(self) -> str:
        """Architecture and sizes in words, such as `modern, width 128, 2 blocks`."""

    @abc.abstractmethod
    def resolve(self) -> "ModelConfig":
        """Return the configuration of the same model with every rule written out, as a run stores it."""


ConfigT = TypeVar("ConfigT", bound=ModelConfig)


class TargetModel(nn.Module, abc.ABC, Generic[ConfigT]):
    """A model that can be trained on random computation.

    Attributes:
        config: with its rules resolved.
        enabled_blocks: the first blocks, so many, that take part.
    """

    config: ConfigT
    enabled_blocks: int = 0

    @abc.abstractmethod
    def loss(self, tokens_BT: Tensor) -> Tensor:
        """Return the mean code length of the tokens in nats, to be differentiated.

        What is drawn at random meanwhile comes from PyTorch's default generator of the model's device, whose state a
        run saves.

        Args:
            tokens_BT: instances, of any integer type, on the model's device.
        """

    @abc.abstractmethod
    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameters in groups for an optimiser, every one of them once.

        Each is a dictionary of `params`, `lr_scale` and `weight_decay_scale`: factors on rate and decay.
        """


def build_model(config: ModelConfig, generator: torch.Generator | None = None) -> TargetModel[Any]:
    """Return a fresh model on the CPU.

    Args:
        config: of any architecture.
        generator: CPU generator of the initial weights; None: a fresh one with seed 0.
    """
    room, _, file, name = ROOMS[config.arch]
    return getattr(importlib.import_module(f"up.model.{room}.{file}"), name)(config, generator)


def count_parameters(config: ModelConfig) -> int:
    """Return the exact number of trainable numbers of a model."""
    return _cost_room(config).count_parameters(config)


def activation_bytes(config: ModelConfig, microbatch: int) -> int:
    """Return the bytes that a float32 forward pass on so many instances keeps for the backward pass."""
    return _cost_room(config).activation_bytes(config, microbatch)


def estimate_training_memory(config: ModelConfig, microbatch: int) -> int:
    """Return about how many bytes a float32 training step takes, beside what Python and PyTorch occupy themselves."""
    return _cost_room(config).estimate_training_memory(config, microbatch)


def _cost_room(config: ModelConfig) -> Any:
    return importlib.import_module(f"up.model.{ROOMS[config.arch][0]}.cost")
