"""Writing certificates: what a check found, as data that another program can verify without searching.

A certificate of a check holds the class itself (each machine as a kind with parameters, with its word and prior), the
bound, every run of every member (the bits it read, and what it wrote or why it did not halt), and the numbers that the
check found. `theory.certificates.verify` needs nothing else, and believes none of it. What the file looks like is told
in `theory.certificates.file`.

A machine that is code, such as a Python function in a user's class, is written down as the tree of its runs under the
bound. The certificate is then about that tree: nobody can check from a file that a function does what its tree says.

Nothing is searched here: the runs and the numbers are those of the result (`theory.checks.result.Evidence`). What is
written has been verified as it stands, so that no limit of the reader is met later.

Limits: the checks that declare a certificate, and of the iteration its two inequalities; the file has every run, so
that its size is that of the enumeration (class B: 0.6 MB).
"""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from theory.certificates.fields import LARGEST, LONGEST_NAME, Field, is_long, power_is_long, shortened
from theory.certificates.file import FORMAT, MOST_BYTES, VERSION, Runs
from theory.certificates.machines import Tree, machine_data, read_machine
from theory.certificates.runs import Tally
from theory.certificates.verify import verify_text
from theory.checks.registry import CHECKS
from theory.checks.result import CheckResult, Evidence
from theory.errors import InputError
from theory.machines.machine import Status
from theory.measures.measure import Enumeration
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import BitString, strings

DEEPEST = 300  # JSON readers go down a few hundred forks


def certificate_text(result: CheckResult) -> str:
    """Return the certificate of a result as the text of its file.

    Raises:
        InputError: a check without certificates, a wrong variant, a class that is too large, or one whose machines do
            not do the same whenever they are run.

    """
    text = "{\n" + ",\n".join(f'"{name}": {_lines(value)}' for name, value in certify(result).items()) + "\n}\n"
    if len(text) > MOST_BYTES:
        raise InputError(
            "the certificate would be too large",
            received=f"{len(text):,} bytes",
            remedy=f"take shorter strings or a smaller bound, for at most {MOST_BYTES:,} bytes",
        )
    try:
        verified = verify_text(text)
    except InputError as error:
        raise InputError(
            f"what was found has no certificate that can be verified: {error}",
            remedy="take a smaller class, shorter strings or fewer steps",
        ) from None
    if not verified.holds:
        raise InputError(
            f"what was found is not found again: {verified.first_wrong}",
            remedy="let every machine do the same whenever it is run on the same program",
        )
    return text


def certify(result: CheckResult) -> dict[str, Any]:
    """Return the certificate of a result as plain data; see `certificate_text`."""
    if result.evidence is None:
        if result.variant is not None:
            raise InputError("a wrong variant has no certificate", received=result.variant, remedy="run the true one")
        having = ", ".join(check.name for check in CHECKS.values() if check.certificate)
        raise InputError("this check has no certificate", received=result.check, remedy=f"choose {having}")
    mixture = result.evidence.mixture
    model_class = mixture.model_class
    if max(model_class.bound.time, model_class.bound.space) > LARGEST:
        raise InputError(
            "the bound is too large for a certificate", received=model_class.bound, remedy=f"stay below {LARGEST}"
        )
    if is_long(sum(model_class.prior, Fraction(0))):
        raise InputError("the sum of the priors is too long for a certificate", remedy="take simpler fractions")
    tally = Tally()
    claims = _plain(result.evidence.claims(), tally)
    number, exponent = result.evidence.power
    if power_is_long(number, exponent):
        raise InputError("p(i)^n is too long for a certificate", received=exponent, remedy="take fewer steps")
    conditions = _conditions(result.evidence)
    listed = list(strings(conditions)) if isinstance(conditions, int) else conditions
    ratios = {p * (1 << len(w)) for w, p in zip(model_class.words, model_class.prior, strict=False)}
    scale = ratios.pop() if len(ratios) == 1 else None
    with_words = scale is not None or CHECKS[result.check].is_about_words
    return {
        "format": FORMAT,
        "version": VERSION,
        "check": result.check,
        "bound": {"time": model_class.bound.time, "space": model_class.bound.space},
        "conditions": conditions,
        "scale": None if scale is None else _text(scale),
        "members": [_member(mixture, i, listed, tally, with_word=with_words) for i in range(len(model_class.members))],
        "claims": claims,
    }


def _conditions(evidence: Evidence) -> int | list[BitString]:
    """Return the length of the conditions, all of which are listed; or those that occur, short ones first."""
    if not isinstance(evidence.conditions, int):
        return sorted(evidence.conditions, key=lambda z: (len(z), z))
    reads = any(machine.reads_condition for machine in evidence.mixture.model_class.members)
    return evidence.conditions if reads else 0


def _lines(value: object) -> str:
    """Return JSON with one line for each element of a list, so that a reader finds the members."""
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"


def _text(number: Fraction) -> str:
    if is_long(number):
        raise InputError("a number is too long for a certificate", remedy="take fewer steps or a smaller bound")
    return str(number)


def _plain(value: Any, tally: Tally) -> Any:
    """Return claims as JSON knows them: fractions as text, and what a machine does as its listed runs."""
    if isinstance(value, Fraction):
        return _text(value)
    if isinstance(value, Enumeration):
        return _listed(value, tally)
    if isinstance(value, Mapping):
        return {name: _plain(each, tally) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, tally) for each in value]
    return value


def _listed(enumeration: Enumeration, tally: Tally) -> dict[BitString, str]:
    """Return what follows each string of bits read: the output, or the status of a run that did not halt."""
    tally.spend(enumeration.work)
    return {
        leaf: outcome.name.lower() if isinstance(outcome, Status) else outcome
        for leaf, outcome in enumeration.outcomes.items()
    }


def _member(
    mixture: Mixture, index: int, conditions: Sequence[BitString], tally: Tally, *, with_word: bool
) -> dict[str, Any]:
    model_class = mixture.model_class
    machine = model_class.members[index]
    runs = {z: _listed(mixture.runs(index, z), tally) for z in (conditions if machine.reads_condition else [""])}
    data = machine_data(machine)
    if data is None:
        longest = max(len(leaf) for listed in runs.values() for leaf in listed)
        if longest > DEEPEST:
            raise InputError(
                f"machine {machine.name} is code that reads too much to be written down as a tree",
                received=longest,
                remedy=f"lower the bound on time until it reads at most {DEEPEST} bits",
            )
        data = {"kind": "tree", "name": machine.name, "trees": {z: _tree(listed) for z, listed in runs.items()}}
        stuck = Status.STUCK.name.lower()
        runs = {z: {leaf: stuck if _is_open(o) else o for leaf, o in listed.items()} for z, listed in runs.items()}
    try:
        read_machine(Field(data, "it"))
    except InputError:
        raise InputError(
            "a machine cannot be written down",
            received=shortened(machine.name),
            remedy=f"name it in one line of up to {LONGEST_NAME} characters; see theory/certificates/machines.py",
        ) from None
    return {
        "machine": data,
        "word": model_class.words[index] if with_word else None,
        "prior": _text(model_class.prior[index]),
        "unresolved": _text(_unresolved(runs)),
        "runs": runs,
    }


def _is_open(outcome: str) -> bool:
    return bool(outcome.strip("01"))


def _unresolved(runs: Runs) -> Fraction:
    """Return the largest mass of runs that did not halt, over the conditions."""
    return max(
        sum((Fraction(1, 1 << len(leaf)) for leaf, o in listed.items() if _is_open(o)), Fraction(0))
        for listed in runs.values()
    )


def _tree(listed: Mapping[BitString, str]) -> Tree:
    """Return runs as a tree: a fork for each bit that is read, None where a run does not halt."""
    if "" in listed:
        return None if _is_open(listed[""]) else listed[""]
    return [_tree({leaf[1:]: outcome for leaf, outcome in listed.items() if leaf[0] == bit}) for bit in "01"]
