"""Rows of strings for models, a training on them, and what a model charges for every string of a class.

A row is a 2, then strings one after another, each with a 2 for its end, so that after every 2 begins a string which has
nothing to do with those before. Where there is a condition it stands before its string, with a 3 between them:

    2 0 1 1 2 1 2 2 ...             strings 011, 1, and the empty one
    2 1 0 3 0 1 2 3 1 2 ...         01 on the condition 10, then 1 on the empty condition

A trained model is asked what it charges for *every* string after a first 2 and its condition, ends included, and so
divergences are sums over all strings and all conditions z with their probabilities w, without any sampling:

    KL(p || q) = sum over z of w(z) sum over x of p(x | z) ( log2 p(x | z) - log2 q(x$ | z) )

It is the sum over positions n of D_n, the divergence of the symbol that follows n others, which is KL(p(. | x) || q(. |
x)) in expectation over the beginnings x of n bits, and nothing where the string has ended. q is not made to sum to 1
over the tokens 0, 1 and 2: what the model gives to others is lost, and counts.

Limits: short strings. A training is short, and begins again if it is interrupted.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from theory.measures.mixture import prefix_masses
from theory.numbers.bit_strings import BitString
from up.evaluation.token_bits import token_bits
from up.experiments.experiment import Progress, Setting
from up.experiments.known_class import Kernel, KnownClass
from up.experiments.training import training_config
from up.model.base import TargetModel
from up.recipes.config import RunConfig
from up.sources.stream import RowStream
from up.training.state import TrainingState

END, CONDITION_END = 2, 3

Charges = Mapping[tuple[BitString, BitString], tuple[float, ...]]
"""For a condition and a string, the bits of each symbol and of the end."""

_ROWS_A_CALL = 512
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
            assignments += ["training.learning_rate=3e-3", "training.halving_instances=1200"]
    config = training_config(setting, arch=arch, seed=seed, source="noise", assignments=assignments)
    return config.resolve(setting.device)


def string_rows(
    kernel: Kernel, conditions: Mapping[BitString, Fraction]
) -> Callable[[int, int, torch.Generator], Tensor]:
    """Return the function that draws rows: a 2, then strings with their ends, and conditions if there are any."""
    drawn = {(z, x): w * p for z, w in conditions.items() for x, p in kernel[z].mass.items()}
    written = [np.array(_tokens(z, x, with_condition=len(conditions) > 1), np.uint8) for z, x in drawn]
    probabilities = torch.tensor([float(p) for p in drawn.values()], dtype=torch.float64)

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
    rows: Callable[[int, int, torch.Generator], Tensor], config: RunConfig, device: str, progress: Progress
) -> Iterator[tuple[int, TargetModel[Any]]]:
    """Yield instances and the model that is trained on rows: at first, then after 1/16, 1/8, 1/4, 1/2 and all."""
    stream = RowStream(rows, context_length=_LENGTH, generator=config.generator("source"))
    state, whole = TrainingState(config, device, stream), config.training.instances
    yield state.instances, state.model
    for until in (whole // 16, whole // 8, whole // 4, whole // 2, whole):
        if state.instances < until:
            while state.instances < until:
                state.train_step()
                progress(state.instances, whole)
            yield state.instances, state.model


def charges(model: TargetModel[Any], known: KnownClass) -> Charges:
    """Return -log2 q of each symbol of every string of a class and of its end, after a 2 and the condition."""
    found: dict[tuple[BitString, BitString], tuple[float, ...]] = {}
    alike: dict[tuple[int, int], list[tuple[BitString, BitString]]] = {}
    for z, x in known.pairs():
        alike.setdefault((len(z), len(x)), []).append((z, x))
    for (_, length), pairs in alike.items():
        for first in range(0, len(pairs), _ROWS_A_CALL):
            some = pairs[first : first + _ROWS_A_CALL]
            tokens = [[END, *_tokens(z, x, with_condition=known.reads_condition)] for z, x in some]
            bits_NT = token_bits(model, torch.tensor(tokens, dtype=torch.uint8))[:, -length - 1 :].cpu().double()
            found |= dict(zip(some, map(tuple, bits_NT.tolist()), strict=True))
    return found


def exact_charges(kernel: Kernel) -> Charges:
    """Return -log2 p of each symbol of every string that can occur, and of its end."""
    found: dict[tuple[BitString, BitString], tuple[float, ...]] = {}
    for z, measure in kernel.items():
        masses = prefix_masses(measure.mass)
        for x, p in measure.mass.items():
            along = [masses[x[:n]] for n in range(len(x) + 1)] + [p]
            found[z, x] = tuple(-math.log2(later / before) for before, later in pairwise(along))
    return found


def divergence_bits(kernel: Kernel, conditions: Mapping[BitString, Fraction], charged: Charges) -> float:
    """Return KL(p || q) in bits per string, from -log2 q of every string; p gives nothing to others."""
    return math.fsum(
        float(w * p) * (math.fsum(charged[z, x]) + math.log2(p))
        for z, w in conditions.items()
        for x, p in kernel[z].mass.items()
        if p
    )


def divergence_by_position(kernel: Kernel, conditions: Mapping[BitString, Fraction], charged: Charges) -> list[float]:
    """Return D_n for every number n of symbols before, in bits; they sum to the divergence."""
    exact = exact_charges(kernel)
    found = [0.0] * max(map(len, exact.values()))
    for (z, x), bits in exact.items():
        for n, (own, models) in enumerate(zip(bits, charged[z, x], strict=True)):
            found[n] += float(conditions[z] * kernel[z].mass[x]) * (models - own)
    return found


def _tokens(condition: BitString, x: BitString, *, with_condition: bool) -> list[int]:
    before = [*map(int, condition), CONDITION_END] if with_condition else []
    return [*before, *map(int, x), END]
