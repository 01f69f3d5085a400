"""What a certificate claims, recomputed: the sums over its runs, the least ratios, and the inequalities, in fractions.

    domination  m_C(x|z) >= p(c) p_c(x|z) for every c, x, z; for each c the least ratio m_C/p_c
    embedding   p_u from the programs of u; m_D >= p_D(u) kappa m_C; the least ratio m_D/m_C for each length of x
    iteration   m^{n+1} = m^n K, one product a step; m^{n+1} >= p(i) m^n and m^n >= p(i)^n m^0, with their least ratios

The runs have been verified before (`theory.certificates.verify`). What the check itself refuses is wrong here as well:
a class of which nothing halts, or an iteration of a single string, is about nothing. Source: Bloem 2025 (arXiv
2506.20057), section 4.

The claims of a check are verified by the function `verify_<name>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from theory.certificates.fields import power_is_long
from theory.certificates.file import Certificate, read_runs
from theory.certificates.interpreter import Interpreter
from theory.certificates.measures import Compared, Measures, Pair, verify_least
from theory.certificates.runs import ZERO, Mass, Tally, half_to_the, in_words, output_mass, verify_runs
from theory.machines.machine import Bound
from theory.words import number_of

NOTHING_HALTS = "no member halts under the bound, so there is nothing to compare"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the claims of a certificate come to: its constants, every least ratio, and how many of what there are."""

    constants: Mapping[str, Fraction]
    compared: tuple[Compared, ...]
    counts: Mapping[str, int]


def _require_all_conditions(tally: Tally, certificate: Certificate) -> None:
    """Check that the conditions are all of up to some number of bits, or the empty one where no member reads any."""
    tally.require(certificate.condition_bits is not None, "all conditions of up to some number of bits are wanted")
    reads = any(member.reads_condition for member in certificate.members)
    tally.require(
        reads or certificate.condition_bits == 0, "no member reads the condition, so it should be of up to 0 bits"
    )


def verify_domination(tally: Tally, certificate: Certificate) -> Found:
    """Recompute, for each member, its constant and the least ratio."""
    _require_all_conditions(tally, certificate)
    measures = Measures(tally, certificate)
    claims = certificate.claims.items()
    tally.equal("the number of claims", len(claims), len(certificate.members))
    compared: list[Compared | None] = []
    for index, (member, claim) in enumerate(zip(certificate.members, claims, strict=True)):
        where = f"member {member.machine.name}"
        constant, least = claim.fields("constant", "least")
        tally.equal(f"{where}: the constant p(c)", constant.fraction(), member.prior)
        least_is = f"{where}: the least m_C/p_c"
        pairs = measures.pairs(index)
        compared.append(verify_least(tally, least_is, least, pairs, member.prior, member.machine.name))
    found = tuple(filter(None, compared))
    tally.require(bool(found), NOTHING_HALTS)
    constants = {member.machine.name: member.prior for member in certificate.members}
    return Found(constants=constants, compared=found, counts={"strings": measures.strings()})


def verify_embedding(tally: Tally, certificate: Certificate) -> Found:
    """Recompute the measure of u from its runs, and the least ratio for each length."""
    _require_all_conditions(tally, certificate)
    measures = Measures(tally, certificate)
    prior_of_u, kappa, equal, unresolved, runs, lengths = certificate.claims.fields(
        "prior_of_u", "kappa", "strings_where_equal", "unresolved", "runs_of_u", "lengths"
    )
    p_u, words = prior_of_u.fraction(), [member.word for member in certificate.members]
    tally.require(0 < p_u < 1, "p_D(u) is not between 0 and 1")
    tally.require(None not in words, "Lemma 4.1 needs a word for each member")
    u = Interpreter(certificate)
    for member in certificate.members:
        tally.calculate(half_to_the(len(member.word or "")), member.prior)
    found = min(half_to_the(len(member.word or "")) / member.prior for member in certificate.members)
    tally.equal("kappa", kappa.fraction(), found)
    conditions = list(measures.conditions)
    longest = max(map(len, u.words))
    room = Bound(certificate.bound.time + longest, certificate.bound.space)
    listed, programs = read_runs(runs), tally.programs
    tally.equal(
        "u: the largest unresolved mass", unresolved.fraction(), verify_runs(tally, "u", u, room, conditions, listed)
    )
    pairs: dict[int, list[Pair]] = {}
    same = 0
    for z in conditions:
        mass_of_u = output_mass(tally, listed[z])
        for x, m in measures.mixture(z).items():
            of_u = mass_of_u.get(x, ZERO)
            same += of_u == m
            tally.calculate(p_u, of_u)
            m_d = p_u * of_u + (1 - p_u) * (x == "")  # the other member of D writes nothing
            pairs.setdefault(len(x), []).append((m_d, m, z, x))
    tally.require(bool(pairs), NOTHING_HALTS)
    tally.equal("the number of strings where p_u = m_C", equal.count(), same)
    claims = lengths.items()
    tally.equal("the number of lengths", len(claims), len(pairs))
    compared = [
        verify_least(
            tally,
            f"strings of {number_of(length, 'bit')}: the least m_D/m_C",
            claim,
            pairs[length],
            p_u * found,
            f"strings of {number_of(length, 'bit')}",
        )
        for length, claim in zip(sorted(pairs), claims, strict=True)
    ]
    constants = {"p_D(u)": p_u, "kappa": found}
    counts = {"programs of u": tally.programs - programs, "strings": measures.strings()}
    return Found(constants=constants, compared=tuple(filter(None, compared)), counts=counts)


def verify_iteration(tally: Tally, certificate: Certificate) -> Found:
    """Recompute each stage as a product, and its least ratios."""
    tally.require(certificate.condition_bits is None or certificate.version == 1, "a list of conditions is wanted")
    measures = Measures(tally, certificate)
    identity, claimed, steps, stages = certificate.claims.fields("identity", "constant", "steps", "stages")
    place, rows = identity.integer(), stages.items()
    tally.require(place < len(certificate.members), "the identity is no member")
    tally.require(len(rows) > 1, "there is no step")
    tally.equal("the number of steps", steps.integer(), len(rows) - 1)
    constant, base, before, listed = certificate.members[place].prior, {}, {}, set(measures.conditions)
    if power_is_long(constant, len(rows) - 1):
        raise stages.refuse("a shorter list, as p(i)^n grows too long")
    tally.equal("the constant p(i)", claimed.fraction(), constant)
    compared: list[Compared | None] = []
    passed_on: set[str] = set()
    strings: set[str] = set()
    for n, row in enumerate(rows):
        mass, step, whole = row.fields("mass", "least_step", "least_whole")
        stage = {x: p.fraction() for x, p in mass.pairs().items()}
        passed_on |= before.keys()
        strings |= stage.keys()
        if n == 0:
            base = stage
            tally.spend(4 * len(stage))
            whole_mass = mass.total(stage.values())
            tally.require(all(stage.values()) and whole_mass == 1, "m^0 is not a distribution")
            tally.require(step.value is None and whole.value is None, "m^0 has no stage before it")
        else:
            for u in before:
                tally.require(u in listed, f"stage {n - 1}: string {in_words(u)} is no listed condition")
                copies = measures.member(place, u) == {u: 1}
                tally.require(copies, f"the identity does not copy {in_words(u)}")
            product = _product(tally, before, measures)
            tally.equal(f"stage {n}: the number of strings", len(stage), len(product))
            for x, p in product.items():
                tally.equal(f"stage {n}: m^{n}({in_words(x)})", stage.get(x), p)
            for name, claim, below, factor in (
                (f"m^{n}/m^{n - 1}", step, before, constant),
                (f"m^{n}/m^0", whole, base, constant**n),
            ):
                pairs = ((stage.get(x, ZERO), p, "", x) for x, p in below.items())
                least = verify_least(tally, f"the least {name}", claim, pairs, factor, name)
                compared.append(least and replace(least, z=None))
        before = stage
    if certificate.condition_bits is None:
        tally.require(passed_on == listed, "the conditions listed are not those that occur")
    tally.require(len(strings) > 1, "there is a single string in all stages, so that nothing is passed on")
    return Found(constants={"p(i)": constant}, compared=tuple(filter(None, compared)), counts={"strings": len(strings)})


def _product(tally: Tally, before: Mass, measures: Measures) -> Mass:
    """Return m^{n+1} = m^n K."""
    product: Mass = {}
    for u, p in before.items():
        for x, q in measures.mixture(u).items():
            tally.calculate(p, q, product.get(x, ZERO))
            product[x] = product.get(x, ZERO) + p * q
    return product
