"""Rows of strings for models, a training on them, and what a model charges for every string of a measure.

A row is a 2, then strings one after another, each with a 2 for its end, so that after every 2 begins a string which has
nothing to do with those before. What a trained model charges for a string after a first 2 is asked for *every* string,
ends included, and so divergences are sums over all strings, without any sampling:

    KL(p || q) = sum over x of p(x) ( log2 p(x) - log2 q(x$) )

q is not made to sum to 1 over the tokens 0, 1 and 2: what the model gives to others is lost, and counts.

Limits: short strings. A training is short, and begins again if it is interrupted.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from theory.measures.measure import Measure
from theory.numbers.bit_strings import BitString
from up.evaluation.token_bits import token_bits
from up.experiments.experiment import Progress, Setting
from up.experiments.training import training_config
from up.model.base import TargetModel
from up.recipes.config import RunConfig
from up.sources.stream import RowStream
from up.training.state import TrainingState

END = 2

_LENGTH = 64
_INSTANCES = {"smoke": 60, "laptop": 6_000, "paper": 200_000}
_MIXING_INSTANCES = {"smoke": 20, "laptop": 2_000, "paper": 20_000}


def machine_config(setting: Setting, *, arch: str, seed: int) -> RunConfig:
    """Return the model of one training and its schedule; its rows come from `string_rows`, not from its source."""
    instances = (_MIXING_INSTANCES if arch == "mixing" else _INSTANCES)[setting.scale]
    assignments = [f"model.context_length={_LENGTH}", f"training.instances={instances}", "evaluation.tail_positions=8"]
    if arch == "mixing":
        assignments += [f"model.learned_bytes={_LENGTH}"]
    else:
        assignments += ["model.dropout=0"]
        if setting.scale == "laptop":
            assignments += ["model.width=64", "model.base_width=64", "model.heads=4"]
            assignments += ["training.batch=8", "training.batch_start=8"]
    config = training_config(setting, arch=arch, seed=seed, source="noise", assignments=assignments)
    return config.resolve(setting.device)


def string_rows(measure: Measure) -> Callable[[int, int, torch.Generator], Tensor]:
    """Return the function that draws rows: a 2, then strings of a measure, each with a 2 for its end, as they fit."""
    written = [np.array([*map(int, x), END], np.uint8) for x in measure.mass]
    probabilities = torch.tensor([float(p) for p in measure.mass.values()], dtype=torch.float64)

    def rows(num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        shape = (num_rows, num_tokens)  # as many strings as there could be, if all were empty
        place_RT = torch.multinomial(probabilities, num_rows * num_tokens, replacement=True, generator=generator)
        found = [
            np.concatenate([[END], *(written[place] for place in places)])[:num_tokens]
            for places in place_RT.view(shape).tolist()
        ]
        return torch.from_numpy(np.array(found, np.uint8))

    return rows


def while_trained(
    measure: Measure, config: RunConfig, device: str, progress: Progress
) -> Iterator[tuple[int, TargetModel[Any]]]:
    """Yield instances and the model, which is trained on strings of a measure: at first, half-way, and at the end."""
    stream = RowStream(string_rows(measure), context_length=_LENGTH, generator=config.generator("source"))
    state, whole = TrainingState(config, device, stream), config.training.instances
    yield 0, state.model
    for until in (whole // 2, whole):
        while state.instances < until:
            state.train_step()
            progress(state.instances, whole)
        yield state.instances, state.model


def charges(model: TargetModel[Any], measure: Measure) -> dict[BitString, float]:
    """Return -log2 q(x$) for every string of a measure: what the model charges for it and its end after a 2."""
    found: dict[BitString, float] = {}
    for length in sorted({len(x) for x in measure.mass}):
        strings = [x for x in measure.mass if len(x) == length]
        rows_NT = torch.tensor([[END, *map(int, x), END] for x in strings], dtype=torch.uint8)
        bits_N = token_bits(model, rows_NT).double().sum(dim=1).tolist()
        found |= dict(zip(strings, bits_N, strict=True))
    return found


def divergence_bits(p: Measure, charged: Mapping[BitString, float]) -> float:
    """Return KL(p || q) in bits per string, from -log2 q of every string; p gives nothing to others."""
    return sum(float(mass) * (charged[x] + math.log2(mass)) for x, mass in p.mass.items() if mass)
