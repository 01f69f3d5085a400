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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from theory.machines.classes import load_class
from theory.measures.measure import Measure
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import BitString
from up.experiments import bayes_machines_results as results
from up.experiments.bayes_machines_results import BOUND, CLASS, EXACT, KL, LOST, MIXTURE, PER_STRING, UNIFORM
from up.experiments.bayes_results import TRAINED, UNTRAINED
from up.experiments.experiment import Experiment, Finding, Part, Progress, Setting, Step, Table
from up.experiments.figure import Figure
from up.experiments.machine_rows import charges, divergence_bits, machine_config, while_trained
from up.experiments.measurement import Label, Measurement, Measurements
from up.model.base import ROOMS

_MOST_BITS = 6


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
        return results.figures(measurements)

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the divergence from the mixture and from each member."""
        return results.tables(measurements)

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return for each architecture how far it is from the mixture, and whether Theorem 4.2 holds of it."""
        return results.findings(measurements)


def exact_measures() -> dict[str, Measure]:
    """Return the mixture of class A and its members, each as a measure of strings."""
    model_class = load_class("sources", _MOST_BITS)
    mixture = Mixture(model_class)
    members = {machine.name: mixture.member(index, "") for index, machine in enumerate(model_class.members)}
    return {MIXTURE: mixture.measure(""), **members}


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
