"""What the measurements of the experiment `bayes-machines` say about each claim: pure functions of them.

The divergences are exact sums, so that what is left open is whether the training was long enough. A gap that was a
tenth larger half-way is said to be falling. While it falls, or where it is not yet half of what it was before the
training, a claim that the numbers contradict cannot be judged at this scale.
"""

import math
from collections.abc import Iterator, Sequence

from theory.words import number_of
from up.experiments.bayes_machines_results import (
    EXACT,
    FIRST,
    KL,
    LEAST,
    LOST,
    MOST,
    NOISE,
    OPEN,
    OWN,
    bounds,
    models,
)
from up.experiments.bayes_results import TIMES_NEARER, TRAINED, UNTRAINED
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding
from up.experiments.measurement import Label, Measurements

MARGIN_BITS = 0.1


def findings(measurements: Measurements) -> Sequence[Finding]:
    """Return for each class and architecture how near it comes to the mixture, and whether Theorem 4.2 holds of it."""
    found: list[Finding] = []
    for name in measurements.each("class"):
        of_class = measurements.where(**{"class": name})
        for arch in of_class.each("arch"):
            own = of_class.where(arch=arch, of=TRAINED, source=OWN)
            if own.where(KL) and of_class.where(LOST, of=EXACT):
                found += [
                    _near(name, arch, own, of_class),
                    _going_on(name, arch, own),
                    _within(name, arch, own, of_class),
                ]
                found += [*_elsewhere(name, arch, own, of_class), *_without_bound(name, arch, own, of_class)]
    return found


def _near(name: Label, arch: Label, own: Measurements, of_class: Measurements) -> Finding:
    mine = own.where(KL).last().mean()
    far = UNKNOWN if _is_open(own, of_class.where(arch=arch)) else FAILS
    return Finding(
        claim=f"Trained on strings of {name}, {arch} predicts as m_C does, to {MARGIN_BITS} bits a string",
        section="5",
        measured=f"in bits a string the divergence from m_C is {mine}",
        verdict={True: far, False: HOLDS, None: UNKNOWN}[mine.is_above(MARGIN_BITS)],
    )


def _going_on(name: Label, arch: Label, own: Measurements) -> Finding:
    divergence = own.where(KL)
    places = divergence.instances()
    values = ", ".join(f"{divergence.after(n).mean().value:.3f} after {n}" for n in places[-4:])
    return Finding(
        claim=f"The gap that remains keeps falling with training ({arch}, {name})",
        section="5",
        measured=f"by the number of instances, in bits a string, it was {values}",
        verdict=HOLDS if _is_falling(own) else UNKNOWN,
    )


def _is_falling(own: Measurements) -> bool:
    """Whether the divergence was a tenth higher half-way through the training, so that more of it would help."""
    divergence = own.where(KL)
    *_, half, end = (divergence.after(n).mean().value for n in divergence.instances())
    return half > 1.1 * end


def _is_open(own: Measurements, of_arch: Measurements) -> bool:
    """Whether the training was too short to be judged: the divergence still falls, or has hardly fallen at all."""
    before = of_arch.where(KL, of=UNTRAINED)
    return _is_falling(own) or bool(before and own.where(KL).last().mean().value > before.mean().value / 2)


def _elsewhere(name: Label, arch: Label, own: Measurements, of_class: Measurements) -> Iterator[Finding]:
    found = {row: each.where(KL).mean() for row, each in models(of_class, arch).items()}
    mine = found.pop(f"trained on {OWN}")
    if found:
        nearest = min(found, key=lambda row: found[row].value)
        times = found[nearest].value / mine.value if mine.value > 0 else math.inf
        others = ", ".join(f"{each} when {row}" for row, each in found.items())
        far = UNKNOWN if _is_open(own, of_class.where(arch=arch)) else FAILS
        yield Finding(
            claim=f"Untrained, or trained on something else, {arch} stays at least {TIMES_NEARER} times as far"
            f" from m_C of {name}",
            section="",
            measured=f"in bits a string {others}: the nearest is {times:.1f} times as far",
            verdict=HOLDS if times >= TIMES_NEARER else far,
        )


def _within(name: Label, arch: Label, own: Measurements, of_class: Measurements) -> Finding:
    """Return whether the model loses no more to any member than log 1/p(c), and whether the control does so too."""
    limits = bounds(of_class)
    lost = {member: own.where(LOST, member=member).last().mean() for member in limits}
    worst = max(limits, key=lambda member: lost[member].value - limits[member])
    exact = of_class.where(LOST, of=EXACT, member=worst).mean().value
    beyond = sum(lost[member].value > limit for member, limit in limits.items())
    control = of_class.where(LOST, arch=arch, of=TRAINED, source=NOISE).last()
    most = max((each.value - limits[str(each.labels["member"])] for each in control), default=None)
    beside = "" if most is None else f"; when trained on {NOISE} the most above it is {most:+.3f}"
    above = UNKNOWN if _is_open(own, of_class.where(arch=arch)) else FAILS
    return Finding(
        claim=f"To no member of {name} does {arch} lose more than log 1/p(c) bits a string",
        section="4.2",
        measured=f"nearest to the bound, or farthest above it, is {worst}: in bits a string {lost[worst]}, where m_C"
        f" loses {exact:.3f} and the bound is {limits[worst]:.3f}; {beyond} of {len(limits)} members are above"
        f" it{beside}",
        verdict={True: above, False: HOLDS, None: UNKNOWN}[lost[worst].is_above(limits[worst])],
    )


def _without_bound(name: Label, arch: Label, own: Measurements, of_class: Measurements) -> Iterator[Finding]:
    """Return what is certain of the divergence where part of the mass is open."""
    open_mass, first = of_class.where(OPEN), own.where(FIRST)
    if open_mass and first:
        symbols = first.each("symbols")[-1]
        least, most = (first.where(symbols=symbols, end=end).last().mean() for end in (LEAST, MOST))
        far = FAILS if least.is_above(MARGIN_BITS) and not _is_open(own, of_class.where(arch=arch)) else UNKNOWN
        yield Finding(
            claim=f"{arch} is within {MARGIN_BITS} bits of {name} without a bound, given that it halts",
            section="4.2",
            measured=f"the divergence, in bits for the beginning of {number_of(int(symbols), 'symbol')}, is certain to"
            f" lie between {least} and {most}: programs of mass {open_mass.mean()} did not halt within the bound",
            verdict=HOLDS if most.is_above(MARGIN_BITS) is False else far,
        )
