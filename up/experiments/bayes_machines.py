"""Theorem 4.2 for trained models: what a model of the strings of a class of machines loses to each of its members.

Claim: predicting with m_C instead of a member c costs at most log2 1/p(c) bits a string in expectation (Bloem 2025,
Theorem 4.2), and a model that is trained on strings of m_C approximates it (section 5), so it should cost little more.

For each of three classes, whose mixtures are known (`up.experiments.known_class`), models are trained on rows of its
strings and then asked for every string, so that all divergences are sums without sampling (`up.experiments.
machine_rows`). They have no standard error but that over seeds.

Class A and class B halt with probability 1, and m_C is exact. Of the universal machine only what halts within a bound
is known. The model is trained on that, and its divergence from that is exact too, as `under the bound`. Beside it
stands an interval, `least` to `most`. Let p be the distribution of what the machine writes without a bound, given that
it halts.
Certain is that p(y) is at least m(y), the mass of the programs that halt within the bound and write a string which
begins with the symbols y; nothing else is used. The ends are the least and the greatest KL(p || q) of the first symbols
over all p of which this is true, so the divergence from the real p is between them (`up.evaluation.open_divergence`).
`most` would be the truth if all programs that were cut off wrote one and the same beginning, that which brings p
farthest from q.

Controls: the untrained model, and the same model trained for as long on uniform strings, or on those of another class.

Limits: short strings, small models. A training is short, and begins again if it is interrupted.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from theory.measures.beginnings import beginning, beginnings, of_beginnings
from theory.measures.measure import Measure
from up.evaluation.open_divergence import divergence_range
from up.experiments import bayes_machines_results as results
from up.experiments.bayes_machines_claims import findings
from up.experiments.bayes_machines_results import (
    BOUND,
    BY_POSITION,
    EXACT,
    FIRST,
    KL,
    LEAST,
    LOST,
    MIXTURE,
    MOST,
    NOISE,
    OPEN,
    OTHER,
    OWN,
    PER_STRING,
    UNDER_BOUND,
)
from up.experiments.bayes_results import PER_SYMBOL, TRAINED, UNTRAINED
from up.experiments.experiment import Experiment, Finding, Part, Progress, Setting, Step, Table
from up.experiments.figure import Figure
from up.experiments.known_class import CLASS_A, CLASS_B, UNIVERSAL, KnownClass, known_class
from up.experiments.machine_rows import (
    Charges,
    charges,
    divergence_bits,
    divergence_by_position,
    exact_charges,
    machine_config,
    string_rows,
    while_trained,
)
from up.experiments.measurement import Label, Measurement, Measurements
from up.model.base import ROOMS


class BayesMachines(Experiment):
    """See the module."""

    name = "bayes-machines"
    title = "Classes of machines, their mixtures, and models that are trained on them"
    question = "Does a model trained on strings of m_C lose no more than log 1/p(c) bits to any member c?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 3}

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return the exact computations, then three trainings for each class, architecture and seed."""
        archs = (setting.arch,) if setting.arch else tuple(ROOMS)
        classes = (CLASS_A, CLASS_B, UNIVERSAL)
        return [
            *(Step(name=_slug("exact", name), labels={"class": name, "of": EXACT}) for name in classes),
            *(
                Step(
                    name=_slug(name, arch, source, f"seed {seed}"),
                    labels={"class": name, "arch": arch, "source": source, "seed": seed},
                )
                for seed in setting.seeds
                for name in classes
                for arch in archs
                for source in (OWN, NOISE, OTHER)
            ),
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:  # noqa: ARG002
        """Return what the mixture, or a model that is trained now, loses to each member and to the mixture."""
        known = known_class(str(part.labels["class"]), setting.scale)
        if "of" in part.labels:
            return of_exact(known)
        arch, source, seed = str(part.labels["arch"]), part.labels["source"], int(part.labels["seed"])
        config = machine_config(setting, arch=arch, seed=seed)
        written = {OWN: known.mixture, NOISE: known.noise, OTHER: known.other}[str(source)]
        rows, found = string_rows(written, known.conditions), []
        for instances, model in while_trained(rows, config, setting.device, progress):
            if instances or source == OWN:
                labels = {**part.labels, "of": TRAINED if instances else UNTRAINED}
                charged = charges(model, known)
                found.append(_divergence(known, charged, labels, instances))
                if not 0 < instances < config.training.instances:
                    found += of_model(known, charged, labels, instances)
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return the divergence while training and by position, and what is lost to each member."""
        return results.figures(measurements)

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the divergence from the mixture and from each member, and the intervals of the universal machine."""
        return results.tables(measurements)

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return for each class and architecture how far it is from the mixture, and what is true of Theorem 4.2."""
        return findings(measurements)


def of_exact(known: KnownClass) -> list[Measurement]:
    """Return what the mixture loses to each member, the bounds, and what is open where not all is known."""
    labels: dict[str, Label] = {"class": known.name}
    charged = exact_charges(known.mixture)
    found = [_divergence(known, charged, {**labels, "of": EXACT}, None)]
    found += _lost(known, charged, {**labels, "of": EXACT}, None)
    found += [
        Measurement(
            labels={**labels, "of": BOUND, "member": name}, quantity=BOUND, unit=PER_STRING, value=-math.log2(p)
        )
        for name, p in known.prior.items()
    ]
    if known.under_bound is not None:
        m = known.under_bound
        found.append(
            Measurement(labels={**labels, "of": EXACT}, quantity=OPEN, unit="probability", value=float(m.unresolved))
        )
        for name, kernel in known.members.items():
            (x,) = kernel[""].mass
            found += [
                Measurement(
                    labels={**labels, "of": of, "member": name}, quantity=LOST, unit=PER_STRING, value=-math.log2(p)
                )
                for of, p in ((LEAST, m.upper(x)), (MOST, m.lower(x)))
            ]
    return found


def of_model(known: KnownClass, charged: Charges, labels: Mapping[str, Label], instances: int) -> list[Measurement]:
    """Return what a model loses to each member, its divergence by position, and its interval where not all is known."""
    by_position = divergence_by_position(known.mixture, known.conditions, charged)
    found = _lost(known, charged, labels, instances)
    found += [
        Measurement(
            labels={**labels, "position": n},
            quantity=BY_POSITION,
            unit=PER_SYMBOL,
            value=value,
            instances=instances,
        )
        for n, value in enumerate(by_position)
    ]
    if known.under_bound is not None:
        for symbols in (1, known.symbols):
            ends = open_divergence(known.under_bound, charged, symbols)
            ends[UNDER_BOUND] = math.fsum(by_position[:symbols])
            found += [
                Measurement(
                    labels={**labels, "symbols": symbols, "end": end},
                    quantity=FIRST,
                    unit=PER_STRING,
                    value=value,
                    instances=instances,
                )
                for end, value in ends.items()
            ]
    return found


def open_divergence(measure: Measure, charged: Charges, symbols: int) -> dict[str, float]:
    """Return the least and the greatest divergence of the first symbols that a measure with open mass allows.

    Args:
        measure: of strings; with what is unresolved it sums to 1.
        charged: by what a model charges for the symbols of all strings of up to so many bits, on no condition.
        symbols: that are looked at.

    """
    first = {beginning(x, symbols): math.fsum(bits[:symbols]) for (_, x), bits in charged.items() if len(x) <= symbols}
    found = divergence_range(of_beginnings(measure, symbols), {y: first[y] for y in beginnings(symbols)}, symbols)
    return {LEAST: found.least, MOST: found.most}


def _divergence(known: KnownClass, charged: Charges, labels: Mapping[str, Label], instances: int | None) -> Measurement:
    return Measurement(
        labels={**labels, "member": MIXTURE},
        quantity=KL,
        unit=PER_STRING,
        value=divergence_bits(known.mixture, known.conditions, charged),
        instances=instances,
    )


def _lost(known: KnownClass, charged: Charges, labels: Mapping[str, Label], instances: int | None) -> list[Measurement]:
    return [
        Measurement(
            labels={**labels, "member": name},
            quantity=LOST,
            unit=PER_STRING,
            value=divergence_bits(kernel, known.conditions, charged),
            instances=instances,
        )
        for name, kernel in known.members.items()
    ]


def _slug(*words: str) -> str:
    return "-".join(words).replace(" ", "-").lower()
