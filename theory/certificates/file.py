"""What a certificate looks like, and how it is read: JSON in, records out; nothing is executed, nothing believed yet.

A certificate is one JSON object with these fields, all of them and no others:

    format, version  what it is
    check            domination, embedding or iteration
    bound            {"time": ..., "space": ...}, under which every run stays
    condition_bits   all conditions of up to so many bits are listed
    scale            p(c) / 2^-|word|, the same for all members; null where the prior comes from no code
    members          for each: its machine as data (`theory.certificates.machines`), word, prior, the largest unresolved
                     mass, and runs: condition -> bits read -> what was written, or why the run did not halt
    claims           what the check found; told apart in `theory.certificates.claims`

What is malformed is an `InputError`; what is well formed and wrong is found by `theory.certificates.verify`. Limits: a
file of at most `MOST_BYTES`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.certificates.fields import Field, shortened
from theory.certificates.machines import read_machine
from theory.errors import InputError
from theory.machines.machine import Bound, Machine, Status
from theory.numbers.bit_strings import BitString

FORMAT, VERSION = "universal-pretraining certificate", 1
MOST_BYTES = 64_000_000
OPEN = {status.name.lower(): status for status in (Status.OUT_OF_TIME, Status.OUT_OF_SPACE, Status.STUCK)}

Runs = Mapping[BitString, Mapping[BitString, str]]


@dataclass(frozen=True)
class Member:
    """A member as the certificate has it: its runs are (condition, bits read) -> output, or why it did not halt."""

    machine: Machine
    word: BitString | None
    prior: Fraction
    unresolved: Fraction
    runs: Runs


@dataclass(frozen=True)
class Certificate:
    """A certificate as it was read; `prior_sum` is added up, `claims` is left to the check that makes them."""

    check: str
    bound: Bound
    condition_bits: int
    scale: Fraction | None
    members: tuple[Member, ...]
    prior_sum: Fraction
    claims: Field


def read_certificate(path: str | Path) -> Certificate:
    """Read a certificate.

    Raises:
        InputError: no such file, one that is too large, not JSON, another version, a field that is missing, unknown or
            of the wrong type.

    """
    top = Field(_load(path), "")
    if not isinstance(top.value, dict) or top.value.get("format") != FORMAT:
        raise InputError(
            "this is no certificate", received=str(path), remedy=f'the field "format" should be "{FORMAT}"'
        )
    if type(top.value.get("version")) is not int or top.value["version"] != VERSION:
        found = shortened(top.value.get("version"))
        raise InputError(
            "the certificate has another version", received=found, remedy=f"this program reads version {VERSION}"
        )
    names = "format", "version", "check", "bound", "condition_bits", "scale", "members", "claims"
    _, _, check, bound, condition_bits, scale, members, claims = top.fields(*names)
    time, space = bound.fields("time", "space")
    listed = tuple(_member(item) for item in members.items())
    return Certificate(
        check=check.text(),
        bound=Bound(time.integer(), space.integer()),
        condition_bits=condition_bits.integer(),
        scale=scale.maybe() and scale.fraction(),
        members=listed,
        prior_sum=members.total(member.prior for member in listed),
        claims=claims,
    )


def _load(path: str | Path) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name occurs twice in an object")
        return dict(pairs)

    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError("the certificate is too large", received=str(path), remedy=f"at most {MOST_BYTES:,} bytes")
        return json.loads(content.decode("utf-8"), object_pairs_hook=once)
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            f"the certificate cannot be read: {error.strerror}", received=str(path), remedy="check the path"
        ) from None
    except (ValueError, RecursionError) as error:  # also what is not UTF-8, and integers of thousands of digits
        raise InputError(
            f"the certificate is not JSON: {error}", received=str(path), remedy="give another file"
        ) from None


def _member(item: Field) -> Member:
    machine, word, prior, unresolved, runs = item.fields("machine", "word", "prior", "unresolved", "runs")
    return Member(
        machine=read_machine(machine),
        word=None if word.maybe() is None else word.bit_string(),
        prior=prior.fraction(),
        unresolved=unresolved.fraction(),
        runs=read_runs(runs),
    )


def read_runs(runs: Field) -> Runs:
    """Read runs: for each condition, what follows each string of bits read."""

    def outcome(found: Field) -> str:
        return found.value if isinstance(found.value, str) and found.value in OPEN else found.bit_string()

    return {
        condition: {leaf: outcome(found) for leaf, found in listed.pairs().items()}
        for condition, listed in runs.pairs().items()
    }
