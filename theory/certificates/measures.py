"""The measures p_c and m_C that the runs of a certificate add up to, and the least ratios between them.

    p_c(x | z) = sum of 2^-|r| over the listed programs r of c that halt with x on condition z
    m_C(x | z) = sum over c of p(c) p_c(x | z)

Members that do not read the condition are mixed once for all conditions, and what the others change is kept beside it,
so that a file of many members and conditions takes no more room and time than it has bytes. A least ratio comes with
the first pair (by length of z, z, length of x, x) that attains it, so that a true certificate has one form only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from theory.certificates.fields import Field
from theory.certificates.file import Certificate
from theory.certificates.runs import ZERO, Mass, Tally, in_words, output_mass
from theory.numbers.bit_strings import BitString


class Measures:
    """The measures of a certificate, all computed at once."""

    def __init__(self, tally: Tally, certificate: Certificate) -> None:
        self.members, self.conditions, self._tally = certificate.members, certificate.conditions, tally
        self._mass = [{z: output_mass(tally, runs) for z, runs in member.runs.items()} for member in self.members]
        self._fixed: Mass = {}  # of the members that do not read the condition
        self._changed: dict[BitString, Mass] = {z: {} for z in self.conditions}  # where others add to it
        self._least: dict[BitString, tuple[Fraction, BitString]] = {}
        for index, member in enumerate(self.members):
            if not member.reads_condition:
                self._add(self._fixed, {}, index, "")
        for index, member in enumerate(self.members):
            if member.reads_condition:
                for z in self.conditions:
                    self._add(self._changed[z], self._fixed, index, z)

    def member(self, index: int, condition: BitString) -> Mass:
        """Return p_c( . | z)."""
        return self._mass[index][condition if self.members[index].reads_condition else ""]

    def mixture(self, condition: BitString) -> Mass:
        """Return m_C( . | z), put together anew."""
        changed = self._changed[condition]
        self._tally.spend(1 + (len(self._fixed) + len(changed)) // 8)
        return self._fixed | changed

    def pairs(self, index: int) -> "Iterator[Pair]":
        """Yield m_C and p_c of one member at every x that it writes and every z, or at the z where m_C is least."""
        if not self.members[index].reads_condition:
            for x, p in self.member(index, "").items():
                mass, z = self._least_of(x)
                self._tally.ratios += len(self.conditions) - 1  # those that are no less
                yield mass, p, z, x
            return
        for z in self.conditions:
            changed = self._changed[z]
            self._tally.spend(1)
            yield from ((changed[x], p, z, x) for x, p in self.member(index, z).items())

    def strings(self) -> int:
        """Return how many strings have positive probability on some condition."""
        return len({*self._fixed, *(x for changed in self._changed.values() for x in changed)})

    def _least_of(self, x: BitString) -> tuple[Fraction, BitString]:
        """Return the least m_C(x|z) over all z, and the first z, of an x that has mass on every condition."""
        if x not in self._least:
            unchanged = next((z for z in self.conditions if x not in self._changed[z]), None)
            if unchanged is not None:  # whatever changes a mass adds to it
                self._least[x] = self._fixed[x], unchanged
            else:
                for z in self.conditions:
                    self._tally.calculate(self._changed[z][x])
                mass, _, z = min((self._changed[z][x], place, z) for place, z in enumerate(self.conditions))
                self._least[x] = mass, z
        return self._least[x]

    def _add(self, mixed: Mass, below: Mass, index: int, condition: BitString) -> None:
        """Add a member, times its prior, to a measure; to what lies below it where there is nothing yet."""
        prior = self.members[index].prior
        for x, p in self.member(index, condition).items():
            before = mixed.get(x) or below.get(x, ZERO)
            self._tally.calculate(prior, p, before)
            mixed[x] = before + prior * p


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A least ratio that was recomputed: of what, the constant that it is not below, and the first x and z, if any."""

    name: str
    constant: Fraction
    ratio: Fraction
    z: BitString | None
    x: BitString

    @property
    def slack(self) -> Fraction:
        """The ratio over the constant, at least 1."""
        return self.ratio / self.constant


Pair = tuple[Fraction, Fraction, BitString, BitString]
"""What is above, what is below, z and x."""


def verify_least(
    tally: Tally, where: str, claim: Field, pairs: Iterable[Pair], constant: Fraction, name: str = ""
) -> Compared | None:
    """Check a claimed least ratio, the first (z, x) that attains it, and that the constant is not above it.

    Returns what was compared under the name that results give it; None where there was no pair.
    """
    found = min(_ratios(tally, pairs), key=lambda row: (row[0], len(row[1]), row[1], len(row[2]), row[2]), default=None)
    if claim.maybe() is None:
        tally.equal(where, None, found and found[0])
        return None
    ratio, z, x = claim.fields("ratio", "z", "x")
    claimed = ratio.fraction(), z.bit_string(), x.bit_string()
    tally.equal(where, claimed[0], found and found[0])
    assert found is not None, "nothing is equal to no ratio"
    tally.equal(f"{where}: the condition z where it is first attained", claimed[1], found[1])
    tally.equal(f"{where}: the string x where it is first attained", claimed[2], found[2])
    tally.require(found[0] >= constant, f"{where} is {in_words(found[0])}, less than {in_words(constant)}")
    return Compared(name=name or where, constant=constant, ratio=found[0], z=found[1], x=found[2])


def _ratios(tally: Tally, pairs: Iterable[Pair]) -> Iterator[tuple[Fraction, BitString, BitString]]:
    for above, below, z, x in pairs:
        tally.calculate(above, below)
        tally.ratios += 1
        yield above / below, z, x
