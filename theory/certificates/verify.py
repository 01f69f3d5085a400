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
from pathlib import Path

import theory.certificates.claims
from theory.certificates.fields import shortened
from theory.certificates.file import Certificate, read_certificate
from theory.certificates.machines import TreeMachine, kind_of
from theory.certificates.runs import Tally, Wrong, half_to_the, prefix_free, verify_runs
from theory.checks.registry import CHECKS
from theory.errors import InputError
from theory.numbers.bit_strings import strings
from theory.words import number_of


@dataclass(frozen=True, kw_only=True)
class VerificationResult:
    """What came of verifying: whether all holds, how many items were checked, and the first that is wrong, in words."""

    check: str
    formula: str
    bound: str
    members: int
    kinds: Mapping[str, int]
    """How many members of each kind, since a name proves nothing; a tree stands for code that is not in the file."""
    holds: bool
    items_checked: int
    first_wrong: str | None


def verify_certificate(path: str | Path) -> VerificationResult:
    """Check a certificate from the file alone.

    Raises:
        InputError: the file is no well-formed certificate of this version, of an unknown check, or asks for more steps
            than are taken.

    """
    certificate = read_certificate(path)
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
    bound, tally, wrong = certificate.bound, Tally(), None
    try:
        _verify_class(tally, certificate)
        verify_claims(tally, certificate)
    except Wrong as item:
        wrong = str(item)
    return VerificationResult(
        check=certificate.check,
        formula=formula,
        bound=f"time {bound.time}, space {bound.space}, "
        f"conditions of up to {number_of(certificate.condition_bits, 'bit')}",
        members=len(certificate.members),
        kinds=Counter(kind_of(member.machine) for member in certificate.members),
        holds=wrong is None,
        items_checked=tally.checked,
        first_wrong=wrong,
    )


def _verify_class(tally: Tally, certificate: Certificate) -> None:
    members = certificate.members
    tally.require(bool(members), "the class has no members")
    names = [member.machine.name for member in members]
    tally.require(len(set(names)) == len(names), "two members have the same name")
    _verify_code(tally, certificate)
    for member in members:
        tally.require(member.prior > 0, f"member {member.machine.name}: the prior is not positive")
    tally.require(certificate.prior_sum <= 1, "the priors sum to more than 1")
    reads = any(member.machine.reads_condition for member in members)
    tally.require(
        reads or not certificate.condition_bits, "no member reads the condition, so condition_bits should be 0"
    )
    for member in members:
        machine = member.machine
        where = f"member {machine.name}"
        bits = certificate.condition_bits if machine.reads_condition else 0
        enough = len(member.runs) == (2 << bits) - 1  # before a list of 2^100000 conditions is made
        tally.require(enough, f"{where}: runs for all conditions of up to {number_of(bits, 'bit')} are wanted")
        conditions = list(strings(bits))
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
    scales = {m.prior / half_to_the(len(w)) for m, w in zip(certificate.members, given, strict=True)}
    if len(scales) == 1:
        tally.equal("the scale, p(c) / 2^-|word| for all members", certificate.scale, scales.pop())
    else:
        free = certificate.scale is None and CHECKS[certificate.check].is_about_words
        tally.require(free, "the scale: the priors are not one number times 2^-|word|")
