"""What a certificate claims, recomputed: the sums over its runs, the least ratios, and the inequalities, in fractions.

    domination  m_C(x|z) >= p(c) p_c(x|z) for every c, x, z; for each c the least ratio m_C/p_c
    embedding   p_u from the programs of u; m_D >= p_D(u) kappa m_C; the least ratio m_D/m_C for each length of x
    iteration   m^{n+1} = m^n K, one product a step; m^{n+1} >= p(i) m^n and m^n >= p(i)^n m^0, with their least ratios

Each ratio comes with the first pair (by length of z, z, length of x, x) that attains it, so that a true certificate has
one form only. The runs have been verified before (`theory.certificates.verify`). Source: Bloem 2025 (arXiv 2506.20057),
section 4.

The claims of a check are verified by the function `verify_<name>`.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from theory.certificates.fields import Field, power_is_long
from theory.certificates.file import Certificate, read_runs
from theory.certificates.runs import ZERO, Mass, Tally, half_to_the, in_words, output_mass, verify_runs
from theory.machines.machine import Bound, Run, Status
from theory.numbers.bit_strings import BitString, strings
from theory.words import number_of


class _Measures:
    """The measures p_c and m_C that the listed runs add up to."""

    def __init__(self, certificate: Certificate) -> None:
        self.members = certificate.members
        self.conditions = list(strings(certificate.condition_bits))
        self._mass = [{z: output_mass(runs) for z, runs in member.runs.items()} for member in self.members]
        self._mixture = {z: self._mix(z) for z in self.conditions}

    def member(self, index: int, condition: BitString) -> Mass:
        """Return p_c( . | z)."""
        return self._mass[index][condition if self.members[index].machine.reads_condition else ""]

    def mixture(self, condition: BitString) -> Mass:
        """Return m_C( . | z)."""
        return self._mixture[condition]

    def _mix(self, condition: BitString) -> Mass:
        mixed: Mass = {}
        for index, member in enumerate(self.members):
            for x, p in self.member(index, condition).items():
                mixed[x] = mixed.get(x, ZERO) + member.prior * p
        return mixed


def verify_domination(tally: Tally, certificate: Certificate) -> None:
    """Recompute, for each member, its constant and the least ratio."""
    measures = _Measures(certificate)
    claims = certificate.claims.items()
    tally.equal("the number of claims", len(claims), len(certificate.members))
    for index, (member, claim) in enumerate(zip(certificate.members, claims, strict=True)):
        where = f"member {member.machine.name}"
        constant, least = claim.fields("constant", "least")
        tally.equal(f"{where}: the constant p(c)", constant.fraction(), member.prior)
        ratios = (
            (measures.mixture(z)[x] / p, z, x)
            for z in measures.conditions
            for x, p in measures.member(index, z).items()
        )
        verify_least(tally, f"{where}: the least m_C/p_c", least, ratios, member.prior)


def verify_least(
    tally: Tally, where: str, claim: Field, ratios: Iterable[tuple[Fraction, BitString, BitString]], constant: Fraction
) -> None:
    """Check a claimed least ratio, the first (z, x) that attains it, and that the constant is not above it."""
    found = min(ratios, key=lambda row: (row[0], len(row[1]), row[1], len(row[2]), row[2]), default=None)
    if claim.maybe() is None:
        tally.equal(where, None, found and found[0])
        return
    ratio, z, x = claim.fields("ratio", "z", "x")
    claimed = ratio.fraction(), z.bit_string(), x.bit_string()
    tally.equal(where, claimed[0], found and found[0])
    assert found is not None, "nothing is equal to no ratio"
    tally.equal(f"{where}: the condition z where it is first attained", claimed[1], found[1])
    tally.equal(f"{where}: the string x where it is first attained", claimed[2], found[2])
    tally.require(found[0] >= constant, f"{where} is {in_words(found[0])}, less than {in_words(constant)}")


def verify_embedding(tally: Tally, certificate: Certificate) -> None:
    """Recompute the measure of u from its runs, and the least ratio for each length."""
    measures = _Measures(certificate)
    prior_of_u, kappa, equal, unresolved, runs, lengths = certificate.claims.fields(
        "prior_of_u", "kappa", "strings_where_equal", "unresolved", "runs_of_u", "lengths"
    )
    p_u, words = prior_of_u.fraction(), [member.word for member in certificate.members]
    tally.require(0 < p_u < 1, "p_D(u) is not between 0 and 1")
    tally.require(None not in words, "Lemma 4.1 needs a word for each member")
    u = _Interpreter(certificate)
    found = min(half_to_the(len(member.word or "")) / member.prior for member in certificate.members)
    tally.equal("kappa", kappa.fraction(), found)
    conditions = measures.conditions
    longest = max(map(len, u.words))
    room = Bound(certificate.bound.time + longest, certificate.bound.space)
    listed = read_runs(runs)
    tally.equal(
        "u: the largest unresolved mass", unresolved.fraction(), verify_runs(tally, "u", u, room, conditions, listed)
    )
    ratios: dict[int, list[tuple[Fraction, BitString, BitString]]] = {}
    same = 0
    for z in conditions:
        mass_of_u = output_mass(listed[z])
        for x, m in measures.mixture(z).items():
            same += mass_of_u.get(x, ZERO) == m
            m_d = p_u * mass_of_u.get(x, ZERO) + (1 - p_u) * (x == "")  # the other member of D writes nothing
            ratios.setdefault(len(x), []).append((m_d / m, z, x))
    tally.equal("the number of strings where p_u = m_C", equal.integer(), same)
    claims = lengths.items()
    tally.equal("the number of lengths", len(claims), len(ratios))
    for length, claim in zip(sorted(ratios), claims, strict=True):
        verify_least(
            tally, f"strings of {number_of(length, 'bit')}: the least m_D/m_C", claim, ratios[length], p_u * found
        )


class _Interpreter:
    """The machine u of Lemma 4.1: reads the word of a member, then is that member."""

    name, reads_condition = "u", True

    def __init__(self, certificate: Certificate) -> None:
        self.bound = certificate.bound
        self.words = [member.word or "" for member in certificate.members]
        self.machines = {member.word or "": member.machine for member in certificate.members}
        self.lengths = sorted({len(word) for word in self.words})

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:  # noqa: ARG002 (each member has its own)
        """Run the member that the program names; it keeps the bound of the class."""
        for length in self.lengths:
            machine = self.machines.get(program[:length])
            if machine is not None:
                run = machine.run(program[length:], condition, self.bound)
                return replace(run, steps=run.steps + length, bits_read=run.bits_read + length)
        read = max(_shared(word, program) for word in self.words) + 1  # no word begins so any more
        if read > len(program):
            return Run(Status.NEEDS_INPUT, "", len(program), 0, len(program))
        return Run(Status.STUCK, "", read, 0, read)


def _shared(a: BitString, b: BitString) -> int:
    """Return how many bits two strings begin with in common."""
    return next((place for place, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), min(len(a), len(b)))


def verify_iteration(tally: Tally, certificate: Certificate) -> None:
    """Recompute each stage as a product, and its least ratios."""
    measures = _Measures(certificate)
    identity, claimed, steps, stages = certificate.claims.fields("identity", "constant", "steps", "stages")
    place, rows = identity.integer(), stages.items()
    tally.require(place < len(certificate.members), "the identity is no member")
    tally.require(len(rows) > 1, "there is no step")
    tally.equal("the number of steps", steps.integer(), len(rows) - 1)
    constant, base, before, listed = certificate.members[place].prior, {}, {}, set(measures.conditions)
    if power_is_long(constant, len(rows) - 1):
        raise stages.refuse("a shorter list, as p(i)^n grows too long")
    tally.equal("the constant p(i)", claimed.fraction(), constant)
    for n, row in enumerate(rows):
        mass, step, whole = row.fields("mass", "least_step", "least_whole")
        stage = {x: p.fraction() for x, p in mass.pairs().items()}
        if n == 0:
            base = stage
            whole_mass = mass.total(stage.values())
            tally.require(all(stage.values()) and whole_mass == 1, "m^0 is not a distribution")
            tally.require(step.value is None and whole.value is None, "m^0 has no stage before it")
        else:
            for u in before:
                tally.require(u in listed, f"stage {n - 1}: string {in_words(u)} is no listed condition")
                copies = measures.member(place, u) == {u: 1}
                tally.require(copies, f"the identity does not copy {in_words(u)}")
            product: Mass = {}
            for u, p in before.items():
                for x, q in measures.mixture(u).items():
                    product[x] = product.get(x, ZERO) + p * q
            tally.equal(f"stage {n}: the number of strings", len(stage), len(product))
            for x, p in product.items():
                tally.equal(f"stage {n}: m^{n}({in_words(x)})", stage.get(x), p)
            for name, claim, below, factor in (
                (f"m^{n}/m^{n - 1}", step, before, constant),
                (f"m^{n}/m^0", whole, base, constant**n),
            ):
                ratios = ((stage.get(x, ZERO) / p, "", x) for x, p in below.items())
                verify_least(tally, f"the least {name}", claim, ratios, factor)
        before = stage
