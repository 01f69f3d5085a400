"""The measures p_c and m_C that the runs of a certificate add up to, and the least ratios between them.

    p_c(x | z) = sum of 2^-|r| over the listed programs r of c that halt with x on condition z
    m_C(x | z) = sum over c of p(c) p_c(x | z)

The members that do not read the condition are mixed once for all conditions. A least ratio comes with the first pair
(by length of z, z, length of x, x) that attains it, so that a true certificate has one form only.
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
        reading = [index for index, member in enumerate(self.members) if member.machine.reads_condition]
        others = [index for index, member in enumerate(self.members) if not member.machine.reads_condition]
        fixed = self._add({}, others, "")
        self._mixture = {z: self._add(fixed, reading, z) for z in self.conditions}

    def member(self, index: int, condition: BitString) -> Mass:
        """Return p_c( . | z)."""
        return self._mass[index][condition if self.members[index].machine.reads_condition else ""]

    def mixture(self, condition: BitString) -> Mass:
        """Return m_C( . | z)."""
        return self._mixture[condition]

    def strings(self) -> int:
        """Return how many strings have positive probability on some condition."""
        return len({x for mass in self._mixture.values() for x in mass})

    def _add(self, mixed: Mass, members: Iterable[int], condition: BitString) -> Mass:
        """Return a measure with those of some members added, each times its prior."""
        self._tally.spend(1 + len(mixed) // 8)
        mixed = dict(mixed)
        for index in members:
            prior = self.members[index].prior
            for x, p in self.member(index, condition).items():
                self._tally.calculate(prior, p, mixed.get(x, ZERO))
                mixed[x] = mixed.get(x, ZERO) + prior * p
        return mixed


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
