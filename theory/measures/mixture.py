"""The mixture m_C: draw a machine from the prior, feed it coin flips; and what follows from it, all exact.

    m_C(x | z) = sum over c of p(c) p_c(x | z)                    section 4
    m(x_)      = sum of m over the strings that begin with x      section 4.2
    m^0 = p_u,  m^{n+1}(x) = sum over u of m^n(u) m_C(x | u)      section 4.3
    m^mix      = sum over n of w_n m^n                            section 5.1

Deviation (erratum): section 4 prints p_C(x) in the first sum; it is the member's own p_c(x), and the set R of inputs
that lead to x depends on c.

Deviation (erratum): section 4.2 defines p(b | x) = p(xb_) / p(x_), where x_ contains x itself. The two bits then have
probability 1 - p(x) / p(x_) together, since the string may end. Here the end is an outcome of its own, "$", with
p($ | x) = p(x) / p(x_); the three sum to 1. Where p(x_) = 0 nothing is defined.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.universal.machine import UniversalMachine
from theory.measures.density import STRING_END, Density
from theory.measures.measure import Enumeration, Measure, enumerate_programs
from theory.measures.programs import counted_measure, programs
from theory.numbers.bit_strings import BitString, shown, strings_of_length
from theory.numbers.common import Scaled, scaled, weighted_sum
from theory.numbers.exact import number_text

Distribution = Mapping[BitString, Fraction]


class Mixture:
    """The mixture m_C of a class; measures are computed when they are asked for, and kept.

    >>> from theory.machines.mealy import mealy_class
    >>> Mixture(mealy_class()).measure("01").total
    Fraction(1, 1)
    """

    def __init__(self, model_class: ModelClass, on_condition: Callable[[int], None] | None = None) -> None:
        """Keep the class; `on_condition` is told how many conditions have been mixed, whenever there is one more."""
        self.model_class = model_class
        self._on_condition = on_condition
        self._reads_condition = [machine.reads_condition for machine in model_class.members]
        self._runs: dict[tuple[int, BitString], Enumeration] = {}
        self._counted: dict[tuple[int, BitString], int] = {}
        self._members: dict[tuple[int, BitString], Measure] = {}
        self._mixtures: dict[BitString, Measure] = {}
        self._kernels: dict[BitString, Scaled[BitString]] = {}

    def member(self, index: int, condition: BitString = "") -> Measure:
        """Return p_c( . | z) of one member."""
        key = self._key(index, condition)
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = self._measure(index, key)
        return found

    def _measure(self, index: int, key: tuple[int, BitString]) -> Measure:
        """Return the measure of one member, which is given, or counted by a walk that lists no programs, or listed."""
        machine = self.model_class.members[index]
        if isinstance(machine, Density):
            return machine.measure(key[1])
        if type(machine) is not UniversalMachine or key in self._runs:
            return self.runs(index, key[1]).measure()
        measure, self._counted[key] = counted_measure(programs(machine, key[1], self.model_class.bound))
        return measure

    def runs(self, index: int, condition: BitString = "") -> Enumeration:
        """Return all that one member does on a condition."""
        key = self._key(index, condition)
        found = self._runs.get(key)
        if found is None:
            machine = self.model_class.members[index]
            found = self._runs[key] = enumerate_programs(machine, key[1], self.model_class.bound)
        return found

    @property
    def programs_found(self) -> int:
        """How many programs halted, of those that were run so far."""
        listed = {key: len(enumeration.programs) for key, enumeration in self._runs.items()}
        return sum((self._counted | listed).values())

    def measure(self, condition: BitString = "") -> Measure:
        """Return m_C( . | z)."""
        if condition not in self._mixtures:
            unresolved, terms = Fraction(0), []
            for index, prior in enumerate(self.model_class.prior):
                measure = self.member(index, condition)
                if not measure.is_exact:
                    unresolved += prior * measure.unresolved
                terms.append((prior, scaled(measure.mass)))
            self._mixtures[condition] = Measure(weighted_sum(terms), unresolved)
            if self._on_condition is not None:
                self._on_condition(len(self._mixtures))
        return self._mixtures[condition]

    def kernel(self, condition: BitString) -> Scaled[BitString]:
        """Return K( . | z), the masses of m_C( . | z) as integers over their common denominator."""
        if condition not in self._kernels:
            self._kernels[condition] = scaled(self.measure(condition).mass)
        return self._kernels[condition]

    def require_sufficient(self, conditions: Iterable[BitString]) -> None:
        """Check that every member halts with probability 1 under the class's bound, on each of the conditions.

        Raises:
            InputError: the first member that does not, with the mass that its runs leave unresolved.

        """
        for condition in conditions:
            for index, machine in enumerate(self.model_class.members):
                open_mass = self.member(index, condition).unresolved
                if open_mass:
                    bound = self.model_class.bound
                    raise InputError(
                        f"member {machine.name} of class {self.model_class.name} is not sufficient: with time"
                        f" {bound.time} and space {bound.space} on condition {shown(condition)},"
                        f" mass {open_mass} is unresolved",
                        remedy="raise the bound or leave the machine out",
                    )

    def open_mass(self) -> tuple[str, ...]:
        """Return a remark on the member that the bound leaves most open, of the measures computed so far; or nothing.

        The statements are then about the measures under the bound.
        """
        inexact = [entry for entry in self._members.items() if entry[1].unresolved]
        if not inexact:
            return ()
        left = max(inexact, key=lambda entry: entry[1].unresolved)
        (index, condition), measure = left
        name = self.model_class.members[index].name
        return (
            f"Under the bound some runs do not halt: of {name}, mass {number_text(measure.unresolved)} on condition"
            f" {shown(condition)}. What was checked are the measures under the bound.",
        )

    def _key(self, index: int, condition: BitString) -> tuple[int, BitString]:
        return index, condition if self._reads_condition[index] else ""


def prefix_masses(distribution: Distribution) -> dict[BitString, Fraction]:
    """Return m(x_) for every x where it is positive.

    >>> prefix_masses({"01": Fraction(1, 2), "1": Fraction(1, 2)})["0"]
    Fraction(1, 2)
    """
    masses: dict[BitString, int] = {}
    numerators, denominator = scaled(distribution)
    for x, p in numerators.items():
        if p:
            for length in range(len(x) + 1):
                masses[x[:length]] = masses.get(x[:length], 0) + p
    return {x: Fraction(p, denominator) for x, p in masses.items()}


def next_symbol(
    distribution: Distribution, prefix: BitString, masses: Distribution | None = None
) -> dict[str, Fraction]:
    """Return p(0 | x), p(1 | x) and p($ | x), which sum to 1; `masses` saves computing the prefix masses again.

    >>> str(next_symbol({"01": Fraction(1, 2), "1": Fraction(1, 4), "": Fraction(1, 4)}, "")["$"])
    '1/4'

    Raises:
        InputError: no string with this prefix has positive probability.

    """
    masses = prefix_masses(distribution) if masses is None else masses
    whole = masses.get(prefix, Fraction(0))
    if not whole:
        raise InputError(
            "p(b | x) is undefined where p(x_) = 0", received=prefix, remedy="give a prefix that can occur"
        )
    return {
        "0": masses.get(prefix + "0", Fraction(0)) / whole,
        "1": masses.get(prefix + "1", Fraction(0)) / whole,
        STRING_END: distribution.get(prefix, Fraction(0)) / whole,
    }


def length_uniform(max_length: int) -> dict[BitString, Fraction]:
    """Return the base distribution p_u: a uniform length from 0 to `max_length`, then a uniform string of it."""
    return {
        x: Fraction(1, (max_length + 1) << length)
        for length in range(max_length + 1)
        for x in strings_of_length(length)
    }


def push(distribution: Distribution, mixture: Mixture) -> dict[BitString, Fraction]:
    """Return the distribution one iteration on: m^{n+1} = m^n K with the kernel K(x | u) = m_C(x | u)."""
    return weighted_sum((p, mixture.kernel(u)) for u, p in distribution.items())


def iterates(base: Distribution, mixture: Mixture) -> Iterator[dict[BitString, Fraction]]:
    """Yield m^0, m^1, m^2, ... without end."""
    current = dict(base)
    while True:
        yield current
        current = push(current, mixture)


def depth_mixture(stages: Iterable[Distribution], weights: Sequence[Fraction]) -> dict[BitString, Fraction]:
    """Return the sum of w_n m^n over the depths that have a weight."""
    return weighted_sum((weight, scaled(stage)) for weight, stage in zip(weights, stages, strict=False))
