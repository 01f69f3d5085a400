"""Time and space: measures grow with the bound, and how a program's running time can be charged.

Under a larger bound the same programs halt and perhaps more do: m^(T,S)(x) never falls, string by string, and neither
does Omega, its sum. That needs a machine on which more space changes no run that had enough. A tape of S cells that
wraps around is no such machine: there `<` leads to another place when S grows, and mass moves from string to string.

Charging for time: Levin's Kt(x) is the least |p| + log2 t(p) over the programs for x, where t counts steps, at least
one, and the speed prior S(x) is the sum of 2^-|p| / t(p). Term by term 2^-Kt(x) <= S(x) <= m(x).

Source: Bloem 2025 (arXiv 2506.20057), section 4.1; Levin 1973; Schmidhuber 2002; Li and Vitányi, section 7.5.
Limits: empty condition. Each bound is enumerated afresh: monotonicity is observed, not assumed. More is true, and is
shown as well: with less time exactly those programs halt that took no more than that with the most, so that the steps
that are charged are those by which runs are cut off; and what does not halt has all the mass that is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from theory.checks.registry import RESOURCES
from theory.checks.result import (
    CheckResult,
    Counterexample,
    Equality,
    EqualityRow,
    Item,
    Picture,
    Place,
    StepCurve,
    equality,
    ratio_item,
)
from theory.errors import InputError
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import Bound, Machine
from theory.machines.universal.machine import UniversalMachine
from theory.measures.programs import programs
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import number_text


@dataclass(frozen=True)
class TimedMeasure:
    """What a class writes under a bound, by string, in the order in which strings were first met.

    Attributes:
        mass: m(x).
        speed: the speed prior, sum of p(c) 2^-|r| / t.
        fastest: 2^-Kt(x), the greatest term of that sum.
        shortest: the greatest p(c) 2^-|r|, whatever the time.
        spent: m(x) by string and steps, t.
        left: the mass of the runs that did not halt.

    """

    mass: dict[BitString, Fraction]
    speed: dict[BitString, Fraction]
    fastest: dict[BitString, Fraction]
    shortest: dict[BitString, Fraction]
    spent: dict[tuple[BitString, int], Fraction]
    left: Fraction


def timed_measure(members: Sequence[tuple[Machine, Fraction]], bound: Bound) -> TimedMeasure:
    """Run all programs of the members under a bound, and add up mass and mass over time."""
    mass, speed, fastest, shortest, spent = {}, {}, {}, {}, {}
    left = zero = Fraction(0)
    for machine, prior in members:
        for group in programs(machine, "", bound):
            term, x = prior * Fraction(1, 1 << group.length_bits), group.output
            if x is None:
                left += group.count * term
                continue
            charged = term / max(1, group.steps)
            mass[x] = mass.get(x, zero) + group.count * term
            speed[x] = speed.get(x, zero) + group.count * charged
            fastest[x] = max(fastest.get(x, zero), charged)
            shortest[x] = max(shortest.get(x, zero), term)
            spent[x, group.steps] = spent.get((x, group.steps), zero) + group.count * term
    return TimedMeasure(mass, speed, fastest, shortest, spent, left)


def check_resources(
    model_class: ModelClass,
    *,
    times: Sequence[int] | None = None,
    spaces: Sequence[int] | None = None,
    variant: str | None = None,
) -> CheckResult:
    """Check that measures grow with time and space, string by string, and that 2^-Kt(x) <= S(x) <= m(x).

    Args:
        model_class: the class C; a single machine with prior 1 gives the machine's own measure.
        times: bounds on time, in ascending order; by default four up to the class's own.
        spaces: bounds on space, likewise.
        variant: None, or one of the declared ones; `wrapping-tape` puts its machine in the place of the class.

    Raises:
        InputError: bounds that do not ascend, under which no member halts, or an unknown variant.

    """
    RESOURCES.require_variant(variant)
    members: Sequence[tuple[Machine, Fraction]] = list(zip(model_class.members, model_class.prior, strict=True))
    largest_bound = model_class.bound
    if variant == "wrapping-tape":
        members, largest_bound = [(UniversalMachine(wraps=True), Fraction(1))], Bound(time=15, space=3)
    times = _ascending("times", times, largest_bound.time)
    spaces = _ascending("spaces", spaces, largest_bound.space)
    measures = {(t, s): timed_measure(members, Bound(t, s)) for t in times for s in spaces}
    items = [
        _growth_item(f"T={t} S={s} to T={u} S={v}", measures[t, s], measures[u, v])
        for t in times
        for s in spaces
        for u, v in ((_after(times, t), s), (t, _after(spaces, s)))
        if u is not None and v is not None
    ]
    largest = measures[times[-1], spaces[-1]]
    if not largest.mass:
        raise nothing_halts(model_class)
    least = largest.shortest if variant == "free-time" else largest.fastest
    items += [_chain_item(x, least[x], largest.speed[x], largest.mass[x]) for x in largest.mass]
    omegas = [[sum(measures[t, s].mass.values(), Fraction(0)) for s in spaces] for t in times]
    whole = sum((prior for _, prior in members), Fraction(0))
    return RESOURCES.result(
        items,
        equalities=_equalities(measures, whole),
        class_name=members[0][0].name if variant == "wrapping-tape" else model_class.name,
        bound=f"times {', '.join(map(str, times))}; spaces {', '.join(map(str, spaces))}",
        constants={"least Omega": omegas[0][0], "greatest Omega": omegas[-1][-1]},
        counts={"bounds": len(measures), "strings": len(largest.mass)},
        curves=(omega := StepCurve("Omega", "time", tuple(float(row[-1]) for row in omegas), times),),
        pictures=[Picture(replace(omega, name="Omega under each bound on time, with most space"))],
        variant=variant,
    )


def _equalities(measures: Mapping[tuple[int, int], TimedMeasure], whole: Fraction) -> Iterator[Equality]:
    """Yield that no mass is missing, and that each smaller bound on time cuts off what took longer, and no more."""
    masses = (
        (_at(t, s), whole, sum(measure.mass.values(), Fraction(0)) + measure.left)
        for (t, s), measure in measures.items()
    )
    yield equality("m(x) of all x and what is left open are the prior's sum", masses)
    yield equality("m^(T,S)(x) is the mass of the programs with t <= T", _cut_off(measures))
    yield equality("S(x) is the sum of m(x) over t", _charged(measures))


def _cut_off(measures: Mapping[tuple[int, int], TimedMeasure]) -> Iterator[EqualityRow]:
    most = max(t for t, _ in measures)
    for (t, s), measure in measures.items():
        within: dict[BitString, Fraction] = {}
        for (x, steps), mass in measures[most, s].spent.items():
            if steps <= t:
                within[x] = within.get(x, Fraction(0)) + mass
        for x in {**within, **measure.mass}:
            yield (*_at(t, s), ("x", x)), within.get(x, Fraction(0)), measure.mass.get(x, Fraction(0))


def _charged(measures: Mapping[tuple[int, int], TimedMeasure]) -> Iterator[EqualityRow]:
    for (t, s), measure in measures.items():
        charged: dict[BitString, Fraction] = {}
        for (x, steps), mass in measure.spent.items():
            charged[x] = charged.get(x, Fraction(0)) + mass / max(1, steps)
        for x, speed in measure.speed.items():
            yield (*_at(t, s), ("x", x)), charged[x], speed


def _at(time: int, space: int) -> Place:
    return ("T", str(time)), ("S", str(space))


def _ascending(name: str, bounds: Sequence[int] | None, largest: int) -> tuple[int, ...]:
    if bounds is None:
        return tuple(sorted({max(1, largest * quarter // 4) for quarter in range(1, 5)}))
    if not bounds or list(bounds) != sorted(set(bounds)) or bounds[0] < 0:
        raise InputError(f"{name} must ascend from 0 or more", received=list(bounds), remedy="give e.g. 4 8 12")
    return tuple(bounds)


def _after(bounds: tuple[int, ...], bound: int) -> int | None:
    place = bounds.index(bound) + 1
    return bounds[place] if place < len(bounds) else None


def _growth_item(name: str, smaller: TimedMeasure, larger: TimedMeasure) -> Item:
    """Return the item of one pair of bounds: the least ratio of the larger bound's mass to the smaller's."""
    ratios = {x: larger.mass.get(x, Fraction(0)) / mass for x, mass in smaller.mass.items()}
    if not ratios:
        return Item(name=name, holds=True, slack_bits=None)
    witness = min(ratios, key=lambda x: ratios[x])
    return _item(name, ratios[witness], witness, {"strings": len(ratios)})


def _chain_item(x: BitString, least: Fraction, speed: Fraction, mass: Fraction) -> Item:
    numbers = {"2^-Kt": least, "S": speed, "m": mass}
    return _item(f"2^-Kt <= S <= m at {shown(x)}", min(speed / least, mass / speed), x, numbers)


def _item(name: str, slack: Fraction, x: BitString, numbers: Mapping[str, Fraction | float | int]) -> Item:
    at = f"x = {shown(x)}"

    def failure() -> Counterexample:
        sentence = f"at {at} the larger side is only {number_text(slack)} times the smaller"
        return Counterexample(where=f"{name}: {at}", claimed=Fraction(1), observed=slack, sentence=sentence)

    return ratio_item(name, slack, witness=shown(x), numbers=numbers, failure=failure)
