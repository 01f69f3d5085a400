"""Theorem 4.2 for trained models: what a model of the strings of a class of machines loses to each of its members.

Claim: predicting with m_C instead of a member c costs at most log2 1/p(c) bits a string in expectation (Bloem 2025,
Theorem 4.2), and a model that is trained on strings of m_C approximates it (section 5), so it should cost little more.

The class is A, ten named sources that write strings of up to six bits (`theory.machines.named_sources`); its mixture
is known in fractions. A row is a 2, then strings drawn from m_C one after another, each with a 2 for its end, so that
after every 2 begins a string which has nothing to do with those before. What a trained model charges for *every* string
after a first 2 is measured, ends included, and so the divergences are sums over all strings, without any sampling:

    KL(p || q) = sum over x of p(x) ( log2 p(x) - log2 q(x$) ),        p = m_C, or a member p_c

q is not made to sum to 1 over the tokens 0, 1 and 2: what the model gives to others is lost, and counts.

Controls: the untrained model, and the same model trained for as long on uniform strings of six bits, which are the
strings of one member.

Limits: short strings, of one class. Classes whose members read conditions, and the universal machine, whose mixture is
known up to an interval, are not here. A training is short, and begins again if it is interrupted.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from theory.machines.classes import load_class
from theory.measures.measure import Measure
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import BitString
from up.evaluation.token_bits import token_bits
from up.experiments.bayes_results import TRAINED, UNTRAINED
from up.experiments.experiment import (
    FAILS,
    HOLDS,
    UNKNOWN,
    Experiment,
    Finding,
    Part,
    Progress,
    Setting,
    Step,
    Table,
)
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Label, Measurement, Measurements
from up.experiments.training import training_config
from up.model.base import ROOMS, TargetModel
from up.recipes.config import RunConfig
from up.sources.stream import RowStream
from up.training.state import TrainingState

CLASS, UNIFORM, EXACT = "class A", "uniform strings", "exact"
END = 2
KL, LOST, BOUND = "divergence", "lost to member", "log 1/p(c)"
PER_STRING = "bits per string"
MIXTURE = "m_C"
MARGIN_BITS = 0.1

_MOST_BITS = 6
_LENGTH = 64
_INSTANCES = {"smoke": 60, "laptop": 6_000, "paper": 200_000}
_MIXING_INSTANCES = {"smoke": 20, "laptop": 2_000, "paper": 20_000}


class BayesMachines(Experiment):
    """See the module."""

    name = "bayes-machines"
    title = "A class of machines, its mixture, and models that are trained on it"
    question = "Does a model trained on strings of m_C lose no more than log 1/p(c) bits to any member c?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 3}

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return the exact computation, then two trainings for each architecture and seed."""
        archs = (setting.arch,) if setting.arch else tuple(ROOMS)
        return [
            Step(name="exact", labels={"of": EXACT}),
            *(
                Step(
                    name=f"{arch}-{source.replace(' ', '-').lower()}-seed-{seed}",
                    labels={"arch": arch, "source": source, "seed": seed},
                )
                for seed in setting.seeds
                for arch in archs
                for source in (CLASS, UNIFORM)
            ),
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:  # noqa: ARG002
        """Return what the mixture, or a model that is trained now, loses to each member and to the mixture."""
        exact = exact_measures()
        if part.name == "exact":
            return [*_lost_by_mixture(exact), *_bounds()]
        arch, source, seed = str(part.labels["arch"]), str(part.labels["source"]), int(part.labels["seed"])
        config = machine_config(setting, arch=arch, seed=seed)
        written = exact[MIXTURE if source == CLASS else "uniform"]
        found = []
        for instances, model in while_trained(written, config, setting.device, progress):
            if instances or source == CLASS:
                labels = {**part.labels, "of": TRAINED if instances else UNTRAINED}
                found += _lost(exact, charges(model, exact[MIXTURE]), labels, instances)
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return what is lost to each member."""
        names, series = _member_names(measurements), []
        for name, found in _rows(measurements).items():
            points = [(float(place), found.where(member=each)) for place, each in enumerate(names)]
            shown = [(x, each.mean().value) for x, each in points if each and each.mean().value > 0]
            if shown:
                series.append(Series(name=name, x=tuple(x for x, _ in shown), y=tuple(y for _, y in shown)))
        if not series:
            return ()
        return (
            Figure(
                name="bayes-machines",
                title="What is lost to each member of class A",
                x_label="member that wrote the string",
                y_label=PER_STRING,
                panels=(Panel(title="Class A, strings of up to six bits", series=tuple(series)),),
                log_y=True,
                categories=names,
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the divergence from the mixture and from each member."""
        names = (MIXTURE, *_member_names(measurements))
        rows = [
            (
                name,
                *(f"{found.where(member=each).mean().value:.3f}" if found.where(member=each) else "" for each in names),
            )
            for name, found in _rows(measurements).items()
        ]
        title = "Divergence of the columns' strings from what predicts them, bits per string, over all strings"
        return [Table(title=title, columns=("", *names), rows=tuple(rows))] if rows else []

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return for each architecture how far it is from the mixture, and whether Theorem 4.2 holds of it."""
        found: list[Finding] = []
        for arch in measurements.where(KL).each("arch"):
            own = measurements.where(arch=arch, of=TRAINED, source=CLASS)
            control = measurements.where(KL, arch=arch, of=TRAINED, source=UNIFORM).last()
            if own and control and measurements.where(BOUND):
                found += [_near(str(arch), own.where(KL), control), _within(str(arch), own, measurements)]
        return found


def exact_measures() -> dict[str, Measure]:
    """Return the mixture of class A and its members, each as a measure of strings."""
    model_class = load_class("sources", _MOST_BITS)
    mixture = Mixture(model_class)
    members = {machine.name: mixture.member(index, "") for index, machine in enumerate(model_class.members)}
    return {MIXTURE: mixture.measure(""), **members}


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


def _lost(
    exact: Mapping[str, Measure], charged: Mapping[BitString, float], labels: Mapping[str, Label], instances: int | None
) -> list[Measurement]:
    return [
        Measurement(
            labels={**labels, "member": name},
            quantity=KL if name == MIXTURE else LOST,
            unit=PER_STRING,
            value=divergence_bits(measure, charged),
            instances=instances,
        )
        for name, measure in exact.items()
    ]


def _lost_by_mixture(exact: Mapping[str, Measure]) -> list[Measurement]:
    charged = {x: -math.log2(mass) for x, mass in exact[MIXTURE].mass.items() if mass}
    return _lost(exact, charged, {"of": EXACT}, None)


def _bounds() -> list[Measurement]:
    model_class = load_class("sources", _MOST_BITS)
    return [
        Measurement(labels={"of": BOUND, "member": machine.name}, quantity=BOUND, unit=PER_STRING, value=-math.log2(p))
        for machine, p in zip(model_class.members, model_class.prior, strict=True)
    ]


def _member_names(measurements: Measurements) -> tuple[str, ...]:
    return tuple(map(str, measurements.where(BOUND).each("member")))


def _rows(measurements: Measurements) -> dict[str, Measurements]:
    """Return the rows of the table, controls before what was trained on the class."""
    rows = {BOUND: measurements.where(of=BOUND), MIXTURE: measurements.where(of=EXACT)}
    for arch in measurements.where(KL).each("arch"):
        own = measurements.where(arch=arch)
        rows[f"{arch}, untrained"] = own.where(of=UNTRAINED)
        rows[f"{arch}, trained on {UNIFORM}"] = own.where(of=TRAINED, source=UNIFORM).last()
        rows[f"{arch}, trained on {CLASS}"] = own.where(of=TRAINED, source=CLASS).last()
    return {name: found for name, found in rows.items() if found}


def _near(arch: str, own: Measurements, control: Measurements) -> Finding:
    mine, other, before = own.last().mean(), control.mean(), _half_way(own).mean()
    near = mine.is_above(MARGIN_BITS)
    far = UNKNOWN if _is_falling(own) else FAILS
    return Finding(
        claim=f"Trained on strings of class A, {arch} predicts as m_C does, to {MARGIN_BITS} bits a string",
        section="5",
        measured=f"in bits a string the divergence from m_C is {mine}, and was {before} half-way; trained on {UNIFORM}"
        f" it is {other}",
        verdict={True: far, False: HOLDS, None: UNKNOWN}[near],
    )


def _half_way(own: Measurements) -> Measurements:
    return own.after(own.instances()[0])


def _is_falling(own: Measurements) -> bool:
    """Whether the divergence was a tenth higher half-way through the training, so that more of it would help."""
    divergence = own.where(KL)
    return _half_way(divergence).mean().value > 1.1 * divergence.last().mean().value


def _within(arch: str, own: Measurements, measurements: Measurements) -> Finding:
    """Return whether the model loses no more to any member than log 1/p(c)."""
    bounds = {name: measurements.where(BOUND, member=name).mean().value for name in _member_names(measurements)}
    lost = {name: own.where(LOST, member=name).last().mean() for name in bounds}
    exact = {name: measurements.where(LOST, of=EXACT, member=name).mean().value for name in bounds}
    worst = max(bounds, key=lambda name: lost[name].value - bounds[name])
    above = lost[worst].is_above(bounds[worst])
    return Finding(
        claim=f"To no member of class A does {arch} lose more than log 1/p(c) bits a string",
        section="4.2",
        measured=f"nearest to the bound, or farthest above it, is {worst}: in bits a string {lost[worst]}, where m_C"
        f" loses {exact[worst]:.3f} and the bound is {bounds[worst]:.3f}",
        verdict={True: UNKNOWN if _is_falling(own) else FAILS, False: HOLDS, None: UNKNOWN}[above],
    )
