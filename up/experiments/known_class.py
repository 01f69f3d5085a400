"""Classes of machines whose mixture is known: its strings, those of its members, and those of its controls.

Three of them, each by exact sums over all programs (`theory.measures.mixture`):

    class A     ten named sources of strings of up to six bits
    class B     all 252 one-state Mealy machines, most of which read a condition: p(b | x, z) for every condition z; a
                condition has a uniform length, and is uniform within it (section 5's base distribution)
    universal   the bounded universal machine. A program is drawn by coin flips; one that does not halt within the bound
                is rejected, so that strings have the distribution m(x) / Omega, with m(x) the mass of the programs that
                write x under the bound and Omega their sum. Drawn are strings from this distribution, not programs,
                which comes to the same. Its members are programs: each string has the shortest one that writes it.

Of the unbounded machine it is known that m(x) is at least this, and that what did not halt is open: `under_bound`.

Controls are uniform strings (a uniform length, then uniform), and strings of another class: of class A for the others,
of the universal machine for class A. Neither looks at the condition.

Source: Bloem 2025 (arXiv 2506.20057), sections 4 and 5. Limits: short strings; programs that halt within the bound.
"""

import dataclasses
import functools
from collections.abc import Mapping
from fractions import Fraction

from theory.machines.classes import ModelClass, load_class
from theory.machines.machine import Bound
from theory.machines.universal.machine import UniversalMachine
from theory.measures.beginnings import halting
from theory.measures.measure import ONE, Measure
from theory.measures.mixture import Mixture, length_uniform
from theory.measures.programs import counted_measure, programs
from theory.numbers.bit_strings import BitString, shown, strings

CLASS_A, CLASS_B, UNIVERSAL = "class A", "class B", "the universal machine"

Kernel = Mapping[BitString, Measure]
"""For every condition a distribution over strings."""

_BITS_OF_A = 6
_BITS_OF_B = {"smoke": 2, "laptop": 4, "paper": 6}
_BOUND = {"smoke": Bound(15, 15), "laptop": Bound(24, 24), "paper": Bound(32, 32)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class KnownClass:
    """A class of which everything is known that a trained model can be compared with.

    Attributes:
        name: in reports.
        conditions: how often each is given; only the empty one where none is read.
        mixture: p(x | z) of what the strings for training are drawn from, exact: m_C, of strings that end.
        members: p_c(x | z) of each member, by its name.
        prior: p(c) of each member.
        noise: uniform strings.
        other: strings of another class.
        under_bound: what is known of m where that is not all; None where it is.

    """

    name: str
    conditions: Mapping[BitString, Fraction]
    mixture: Kernel
    members: Mapping[str, Kernel]
    prior: Mapping[str, Fraction]
    noise: Kernel
    other: Kernel
    under_bound: Measure | None = None

    @property
    def reads_condition(self) -> bool:
        """Whether there is a condition before each string."""
        return len(self.conditions) > 1

    @property
    def symbols(self) -> int:
        """Symbols of the longest string of the mixture, its end included."""
        return 1 + max(len(x) for measure in self.mixture.values() for x in measure.mass)

    def pairs(self) -> list[tuple[BitString, BitString]]:
        """Return all conditions with all strings that a comparison needs: those of positive probability, or all."""
        if self.under_bound is not None:
            return [("", x) for x in strings(self.symbols)]
        return [(z, x) for z in self.conditions for x, p in self.mixture[z].mass.items() if p]


def known_class(name: str, scale: str) -> KnownClass:
    """Return one of the three classes in the size of a scale.

    Args:
        name: `CLASS_A`, `CLASS_B` or `UNIVERSAL`.
        scale: of the experiment.

    """
    return {CLASS_A: _class_a, CLASS_B: _class_b, UNIVERSAL: _universal}[name](scale)


@functools.cache
def _class_a(scale: str) -> KnownClass:
    return of_class(CLASS_A, load_class("sources", _BITS_OF_A), {"": ONE}, halting(_measure_under(_BOUND[scale])))


@functools.cache
def _class_b(scale: str) -> KnownClass:
    bits = _BITS_OF_B[scale]
    return of_class(CLASS_B, load_class("mealy", bits), length_uniform(bits), _class_a(scale).mixture[""])


@functools.cache
def _universal(scale: str) -> KnownClass:
    return universal(_BOUND[scale], _class_a(scale).mixture[""])


def of_class(
    name: str, model_class: ModelClass, conditions: Mapping[BitString, Fraction], other: Measure
) -> KnownClass:
    """Return a class with its members and its mixture.

    Args:
        name: in reports.
        model_class: whose members halt with probability 1.
        conditions: how often each is given.
        other: strings of another class.

    Raises:
        InputError: a member that does not halt with probability 1 under the bound of the class.

    """
    mixture = Mixture(model_class)
    mixture.require_sufficient(conditions)
    members = {
        machine.name: {z: mixture.member(index, z) for z in conditions}
        for index, machine in enumerate(model_class.members)
    }
    known = {z: mixture.measure(z) for z in conditions}
    return KnownClass(
        name=name,
        conditions=conditions,
        mixture=known,
        members=members,
        prior=dict(zip(members, model_class.prior, strict=True)),
        noise=_uniform(known),
        other=dict.fromkeys(conditions, other),
    )


def universal(bound: Bound, other: Measure) -> KnownClass:
    """Return the universal machine under a bound, without a condition, and strings of another class.

    Raises:
        InputError: no program halts under the bound.

    """
    under_bound = _measure_under(bound)
    shortest: dict[BitString, int] = {}
    for group in programs(UniversalMachine(), "", bound):
        if group.output is not None:
            shortest[group.output] = min(group.length_bits, shortest.get(group.output, group.length_bits))
    in_order = sorted(shortest, key=lambda x: (len(x), x))
    mixture = {"": halting(under_bound)}
    return KnownClass(
        name=UNIVERSAL,
        conditions={"": ONE},
        mixture=mixture,
        members={shown(x): {"": Measure({x: ONE})} for x in in_order},
        prior={shown(x): Fraction(1, 1 << shortest[x]) for x in in_order},
        noise=_uniform(mixture),
        other={"": other},
        under_bound=under_bound,
    )


def _measure_under(bound: Bound) -> Measure:
    return counted_measure(programs(UniversalMachine(), "", bound))[0]


def _uniform(kernel: Kernel) -> Kernel:
    """Return uniform strings of up to the same length, whatever the condition."""
    longest = max(len(x) for measure in kernel.values() for x in measure.mass)
    return dict.fromkeys(kernel, Measure(length_uniform(longest)))
