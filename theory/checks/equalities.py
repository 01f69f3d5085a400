"""What a check computes from, found again in another way: equalities, which leave no room for a wrong number.

The statements of section 4 are inequalities, most of them with room to spare, so that they hold of a mixture with twice
the mass, or of a search that has lost half of the programs. Therefore a check also shows of the measures that it takes:

    the bits that a machine reads before it ends are a complete prefix code, sum of 2^-|r| = 1 over all its runs;
    p_c(x|z) is the sum of 2^-|r| over those that halt with x, and m_C(x|z) the sum of p(c) p_c(x|z);
    so that sum_x m_C(x|z) and the mass that is left open are the prior's sum together, at most 1;
    a program that is run once more, alone and with no bit to spare, writes what was noted.

They are added up here from the runs, in integers: 2^-|r| as 2^(L-|r|) of 2^L. Iterates and mixtures over depths are
weighed, each string by the number that it is with a 1 before it: sums of one linear function, one of which is taken
before the measure is passed on, and one after it.

Source: Bloem 2025 (arXiv 2506.20057), section 2 and its footnote 3 (prefix-free programs), sections 4 and 4.3.
Limits: of the programs at most `RUN_AGAIN` are run once more, at even distances.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from theory.checks.result import Equality, EqualityRow, Place, equality
from theory.machines.machine import Status
from theory.measures.density import STRING_END, Density
from theory.measures.distances import least_ratio
from theory.measures.measure import Enumeration, Measure
from theory.measures.mixture import Distribution, Mixture
from theory.numbers.bit_strings import BitString
from theory.numbers.common import scaled

RUN_AGAIN = 250


def mixture_equalities(mixture: Mixture, conditions: Iterable[BitString], name: str = "C") -> Iterator[Equality]:
    """Yield that all runs of all members add up to the mixture, on each of the conditions, and write what was noted.

    Args:
        mixture: of a class.
        conditions: those on which its members were run.
        name: what the equalities call the class.

    """
    conditions = list(conditions)
    tallies = _Tallies(mixture)
    yield equality(f"sum of 2^-|r| over all runs of a c in {name} is 1", tallies.kraft_sums(conditions))
    yield equality(f"p_c(x|z) is the sum of 2^-|r|, c in {name}", tallies.members(conditions))
    yield equality(f"m_{name}(x|z) is the sum of p(c) p_c(x|z)", tallies.mixtures(conditions))
    yield equality(f"a program of {name} that is run again writes the same", tallies.run_again())


def kernel_equality(stages: Sequence[Distribution], mixture: Mixture) -> Equality:
    """Return that each stage is the one before, passed through the mixture: m^n = m^{n-1} K."""
    passed_on = {x: None for stage in stages[:-1] for x in stage}
    weights = {u: weighed(mixture.measure(u).mass) for u in passed_on}
    rows = (
        ([("n", str(n))], sum((p * weights[u] for u, p in stages[n - 1].items()), Fraction(0)), weighed(stages[n]))
        for n in range(1, len(stages))
    )
    return equality("m^n is m^(n-1) K, weighed", rows)


def least_ratios(pairs: Iterable[tuple[str, Distribution, Distribution]]) -> Equality:
    """Return that `least_ratio` is undercut at no string, for each named pair of a measure above and one below."""
    rows = (
        ([("", name)], 0, _undercut(*least_ratio(above, below), above, below)) for name, above, below in pairs if below
    )
    return equality("strings at which the least ratio is undercut, or not attained", rows)


def _undercut(ratio: Fraction, at: BitString, above: Distribution, below: Distribution) -> int:
    missed = above.get(at, Fraction(0)) != ratio * below[at]
    return missed + sum(above.get(x, Fraction(0)) < ratio * p for x, p in below.items())


def weighed(distribution: Distribution) -> Fraction:
    """Return the sum of the masses, each times the number that its string is, with a 1 before it.

    >>> weighed({"": Fraction(1, 2), "01": Fraction(1, 2)}) == Fraction(1 + 0b101, 2)
    True
    """
    numerators, whole = scaled(distribution)
    return Fraction(sum(p * weight(x) for x, p in numerators.items()), whole)


def weight(x: BitString) -> int:
    """Return the number that a string is with a 1 before it: another one for each string."""
    return int(f"1{x}", 2)


def weighed_backwards(
    functions: Sequence[tuple[Fraction, Callable[[BitString], BitString]]], start: Distribution, times: int
) -> Fraction:
    """Return what strings weigh that are passed through functions so many times, found from the last time to the first.

    The functions come with their probabilities, which need not sum to 1.

    >>> flips = [(Fraction(1, 2), lambda x: x + "0"), (Fraction(1, 2), lambda x: x + "1")]
    >>> weighed_backwards(flips, {"": Fraction(1)}, 1) == weighed({"0": Fraction(1, 2), "1": Fraction(1, 2)})
    True
    """
    reached = [list(start)]
    for _ in range(times):
        reached.append(list({function(u): None for u in reached[-1] for _, function in functions}))
    values = {x: Fraction(weight(x)) for x in reached[-1]}
    for level in reversed(reached[:-1]):
        values = {u: sum((p * values[function(u)] for p, function in functions), Fraction(0)) for u in level}
    return sum((p * values[u] for u, p in start.items()), Fraction(0))


class _Tallies:
    """All runs of a mixture's members, counted; what is counted once is kept."""

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture
        self._members = mixture.model_class.members
        self._reads = [member.reads_condition for member in self._members]
        self._kept: dict[tuple[int, BitString], _Tally] = {}

    def kraft_sums(self, conditions: Sequence[BitString]) -> Iterator[EqualityRow | None]:
        for key, (whole, counts, left) in self._each(conditions):
            found = sum(counts.values()) + left
            yield None if found == whole else (self._at(*key), 1, Fraction(found, whole))

    def members(self, conditions: Sequence[BitString]) -> Iterator[EqualityRow | None]:
        for key, (whole, counts, left) in self._each(conditions):
            measure = self._mixture.member(*key)
            for x in _either(counts, measure.mass):
                yield _row(self._at, (*key, ("x", x)), counts.get(x, 0), whole, measure.lower(x))
            if left or not measure.is_exact:
                yield _row(self._at, (*key, ("", "left open")), left, whole, measure.unresolved)

    def mixtures(self, conditions: Sequence[BitString]) -> Iterator[EqualityRow | None]:
        prior = self._mixture.model_class.prior
        whole = lcm(*(p.denominator for p in prior))
        shares = [p.numerator * (whole // p.denominator) for p in prior]
        for z in conditions:
            tallies = [self._tally(index, z) for index in range(len(prior))]
            common = lcm(*{tally.whole for tally in tallies})
            sums: dict[BitString, int] = {}
            for share, tally in zip(shares, tallies, strict=True):
                factor = share * (common // tally.whole)
                for x, count in tally.counts.items():
                    sums[x] = sums.get(x, 0) + factor * count
            measure = self._mixture.measure(z)
            for x in _either(sums, measure.mass):
                yield _row(_in_all, (z, ("x", x)), sums.get(x, 0), whole * common, measure.lower(x))
            total = measure.total + measure.unresolved
            yield _row(_in_all, (z, ("", "all x and what is open")), sum(shares), whole, total)

    def run_again(self) -> Iterator[EqualityRow]:
        """Yield 1, and whether the program halts with the output that was noted, all its bits read."""
        programs = [
            (index, z, program, x)
            for index, z in self._kept
            if not isinstance(self._members[index], Density)
            for program, x in self._mixture.runs(index, z).outcomes.items()
            if not isinstance(x, Status)
        ]
        for index, z, program, x in programs[:: max(1, len(programs) // RUN_AGAIN)]:
            run = self._members[index].run(program, z, self._mixture.model_class.bound)
            same = (run.status, run.bits_read, run.output) == (Status.HALTED, len(program), x)
            yield self._at(index, z, ("program", program)), 1, int(same)

    def _each(self, conditions: Sequence[BitString]) -> Iterator[tuple[tuple[int, BitString], "_Tally"]]:
        for index, reads in enumerate(self._reads):
            for z in conditions if reads else conditions[:1]:
                yield (index, z), self._tally(index, z)

    def _tally(self, index: int, z: BitString) -> "_Tally":
        key = index, z if self._reads[index] else ""
        if key not in self._kept:
            member = self._members[index]
            self._kept[key] = (
                _products(member, key[1], self._mixture.member(*key))
                if isinstance(member, Density)
                else _tally(self._mixture.runs(*key))
            )
        return self._kept[key]

    def _at(self, index: int, z: BitString, *last: tuple[str, str]) -> Place:
        return ("", self._members[index].name), ("z", z), *last


class _Tally(NamedTuple):
    """Masses in integers, of a `whole`: 2^(L-|r|) of 2^L for each output, and for what did not halt (`left`)."""

    whole: int
    counts: dict[BitString, int]
    left: int


def _either(ours: Mapping[BitString, object], theirs: Mapping[BitString, object]) -> Iterable[BitString]:
    return ours if ours.keys() == theirs.keys() else {**ours, **theirs}


def _tally(enumeration: Enumeration) -> _Tally:
    if len(enumeration.outcomes) == 1 and "" in enumeration.outcomes:  # it reads nothing
        outcome = enumeration.outcomes[""]
        return _Tally(1, {}, 1) if isinstance(outcome, Status) else _Tally(1, {outcome: 1}, 0)
    longest = max(map(len, enumeration.outcomes), default=0)
    counts: dict[BitString, int] = {}
    left = 0
    for leaf, outcome in enumeration.outcomes.items():
        share = 1 << longest - len(leaf)
        if isinstance(outcome, Status):
            left += share
        else:
            counts[outcome] = counts.get(outcome, 0) + share
    return _Tally(1 << longest, counts, left)


def _products(density: Density, z: BitString, measure: Measure) -> _Tally:
    """Return the products of the predictions of a density, which has no runs, for the strings of its measure."""
    ends = {x: density.prefix_mass(x, z) * density.next_symbol(x, z)[STRING_END] for x in measure.mass}
    numerators, whole = scaled(ends)
    return _Tally(whole, dict(numerators), 0)


def _row(where: Callable[..., Place], at: tuple[Any, ...], count: int, of: int, p: Fraction) -> EqualityRow | None:
    """Return the row of count / of and p, or None where they are equal, which is seen without dividing."""
    return None if count * p.denominator == p.numerator * of else (where(*at), Fraction(count, of), p)


def _in_all(z: BitString, last: tuple[str, str]) -> Place:
    return ("z", z), last
