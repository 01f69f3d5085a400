"""Verifying a certificate: every run again, every sum again, every inequality again, from the certificate alone.

This path shares nothing with the search but the machines (`Machine.run`) and the formula that a check declares: it
knows no mixture, no class and no enumeration. It checks the code and the prior, repeats the listed runs
(`theory.certificates.runs`) and recomputes the claims from them (`theory.certificates.claims`). There is no digest and
nothing is signed: a number is accepted because it is right.

Limits: where runs are left open under the bound, the statements are about the measures under that bound. A machine that
was code is certified as the tree of its runs.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import theory.certificates.claims
from theory.certificates.fields import shortened
from theory.certificates.file import Certificate, parse_certificate, read_certificate
from theory.certificates.machines import TreeMachine, kind_of
from theory.certificates.measures import Compared
from theory.certificates.runs import Tally, Wrong, half_to_the, prefix_free, verify_runs
from theory.checks.registry import CHECKS
from theory.errors import InputError
from theory.words import number_of


@dataclass(frozen=True, kw_only=True)
class VerificationResult:
    """What came of verifying.

    Attributes:
        check: which check the certificate is of.
        formula: what it claims.
        bound: on the runs, and which conditions they are on.
        members: how many machines.
        kinds: how many of each kind, since a name proves nothing; a tree stands for code that is not in the file.
        holds: whether all that is claimed was found again.
        items_checked: how many items were right, up to the first that is wrong.
        first_wrong: that item, in words.
        constants: the constants of the statement; this and what follows is empty unless it holds.
        unresolved: the largest mass that a member leaves open on a condition.
        counts: the programs that halt, the conditions, the strings with mass, and the ratios that were compared.
        compared: every least ratio with its constant and the pair (z, x) that attains it.

    """

    check: str
    formula: str
    bound: str
    members: int
    kinds: Mapping[str, int]
    holds: bool
    items_checked: int
    first_wrong: str | None
    constants: Mapping[str, Fraction]
    unresolved: Fraction | None
    counts: Mapping[str, int]
    compared: tuple[Compared, ...]

    @property
    def tightest(self) -> Compared | None:
        """The comparison with the least slack, the first of equals; None if the certificate does not hold."""
        return min(self.compared, key=lambda compared: compared.slack, default=None)


def verify_certificate(path: str | Path) -> VerificationResult:
    """Check a certificate from the file alone.

    Raises:
        InputError: the file is no well-formed certificate of this version, of an unknown check, or asks for more steps
            than are taken.

    """
    return _verify(read_certificate(path))


def verify_text(text: str) -> VerificationResult:
    """Check a certificate from the text of its file; see `verify_certificate`."""
    return _verify(parse_certificate(text.encode(), "the text"))


def _verify(certificate: Certificate) -> VerificationResult:
    certifiable = {check.name: check.certificate for check in CHECKS.values() if check.certificate}
    if certificate.check not in certifiable:
        raise InputError(
            "unknown check in the certificate",
            received=shortened(certificate.check),
            remedy=f"one of {', '.join(certifiable)}",
        )
    formula, verify_claims = (
        certifiable[certificate.check],
        getattr(theory.certificates.claims, f"verify_{certificate.check}"),
    )
    bound, tally, wrong, found = certificate.bound, Tally(), None, None
    counts: dict[str, int] = {}
    try:
        _verify_class(tally, certificate)
        counts |= {"programs": tally.programs, "conditions": len(certificate.conditions)}
        found = verify_claims(tally, certificate)
        counts |= {**found.counts, "ratios": tally.ratios}
    except Wrong as item:
        wrong = str(item)
    return VerificationResult(
        check=certificate.check,
        formula=formula,
        bound=f"time {bound.time}, space {bound.space}, {_conditions(certificate)}",
        members=len(certificate.members),
        kinds=Counter(kind_of(member.machine) for member in certificate.members),
        holds=wrong is None,
        items_checked=tally.checked,
        first_wrong=wrong,
        constants=found.constants if found else {},
        unresolved=max(member.unresolved for member in certificate.members) if found else None,
        counts=counts if found else {},
        compared=found.compared if found else (),
    )


def _conditions(certificate: Certificate) -> str:
    """Say which conditions there are."""
    if certificate.condition_bits is None:
        longest = number_of(len(certificate.conditions[-1]), "bit")
        return f"{number_of(len(certificate.conditions), 'condition')} that occur, of up to {longest}"
    return f"conditions of up to {number_of(certificate.condition_bits, 'bit')}"


def _verify_class(tally: Tally, certificate: Certificate) -> None:
    members = certificate.members
    tally.require(bool(members), "the class has no members")
    names = [member.machine.name for member in members]
    tally.require(len(set(names)) == len(names), "two members have the same name")
    _verify_code(tally, certificate)
    for member in members:
        tally.require(member.prior > 0, f"member {member.machine.name}: the prior is not positive")
    tally.require(certificate.prior_sum <= 1, "the priors sum to more than 1")
    for member in members:
        machine = member.machine
        where = f"member {machine.name}"
        conditions = list(certificate.conditions) if member.reads_condition else [""]
        tally.require(
            len(member.runs) == len(conditions),
            f"{where}: runs on {number_of(len(conditions), 'condition')} are wanted",
        )
        if isinstance(machine, TreeMachine):
            tally.require(set(machine.trees) == set(conditions), f"{where}: a tree for each condition is wanted")
        open_mass = verify_runs(tally, where, machine, certificate.bound, conditions, member.runs)
        tally.equal(f"{where}: the largest unresolved mass", member.unresolved, open_mass)


def _verify_code(tally: Tally, certificate: Certificate) -> None:
    """Check that the words are prefix-free, and that every prior is the one scale times 2^-|word|, if there is one."""
    words = [member.word for member in certificate.members]
    given = [word for word in words if word is not None]
    if not given:
        tally.require(certificate.scale is None, "there are no words that the priors could be scaled from")
        return
    tally.require(len(given) == len(words), "some members have a word and others have none")
    tally.require(prefix_free(given), "the words are not prefix-free")
    for member, word in zip(certificate.members, given, strict=True):
        tally.calculate(member.prior, half_to_the(len(word)))
    scales = {m.prior / half_to_the(len(w)) for m, w in zip(certificate.members, given, strict=True)}
    if len(scales) == 1:
        tally.equal("the scale, p(c) / 2^-|word| for all members", certificate.scale, scales.pop())
    else:
        free = certificate.scale is None and CHECKS[certificate.check].is_about_words
        tally.require(free, "the scale: the priors are not one number times 2^-|word|")
