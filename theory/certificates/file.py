"""What a certificate looks like, and how it is read: JSON in, records out; nothing is executed, nothing believed yet.

A certificate is one JSON object with these fields, all of them and no others:

    format, version  what it is
    check            domination, embedding or iteration
    bound            {"time": ..., "space": ...}, under which every run stays
    conditions       the conditions of all runs: a number for all of up to so many bits, or a list of those that occur
    scale            p(c) / 2^-|word|, the same for all members; null where the prior comes from no code
    members          for each: its machine as data (`theory.certificates.machines`), word, prior, the largest unresolved
                     mass, and runs: condition -> bits read -> what was written, or why the run did not halt
    claims           what the check found; told apart in `theory.certificates.claims`

Version 1, which is read as well, has `condition_bits` in place of `conditions`: all of up to so many bits are listed.

What is malformed is an `InputError`; what is well formed and wrong is found by `theory.certificates.verify`. Limits: a
regular file, since a pipe may never end, of at most `MOST_BYTES`.
"""

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.certificates.fields import Field, shortened
from theory.certificates.machines import read_machine
from theory.errors import InputError
from theory.machines.machine import Bound, Machine, Status
from theory.numbers.bit_strings import BitString, strings

FORMAT, VERSION = "universal-pretraining certificate", 2
MOST_BYTES = 64_000_000
MOST_CONDITION_BITS = 22  # with more, the runs on all conditions do not fit into the file
OPEN = {status.name.lower(): status for status in (Status.OUT_OF_TIME, Status.OUT_OF_SPACE, Status.STUCK)}

Runs = Mapping[BitString, Mapping[BitString, str]]


@dataclass(frozen=True)
class Member:
    """A member as the certificate has it: its runs are (condition, bits read) -> output, or why it did not halt.

    Whether it reads the condition is asked of the machine once, since it may go through all its states to say so.
    """

    machine: Machine
    reads_condition: bool
    word: BitString | None
    prior: Fraction
    unresolved: Fraction
    runs: Runs


@dataclass(frozen=True)
class Certificate:
    """A certificate as it was read; `prior_sum` is added up, `claims` is left to the check that makes them.

    `condition_bits` is None where the conditions are those that occur, and not all of up to so many bits.
    """

    version: int
    check: str
    bound: Bound
    condition_bits: int | None
    conditions: tuple[BitString, ...]
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
    return parse_certificate(_content(path), str(path))


def parse_certificate(content: bytes, name: str) -> Certificate:
    """Read a certificate from the bytes of its file, which errors call by its name; see `read_certificate`."""
    top = Field(_parsed(content, name), "")
    if not isinstance(top.value, dict) or top.value.get("format") != FORMAT:
        raise InputError("this is no certificate", received=name, remedy=f'the field "format" should be "{FORMAT}"')
    version = top.value.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise InputError(
            "the certificate has another version",
            received=shortened(version),
            remedy=f"this program reads versions 1 to {VERSION}",
        )
    of_conditions = "condition_bits" if version == 1 else "conditions"
    names = "format", "version", "check", "bound", of_conditions, "scale", "members", "claims"
    _, _, check, bound, conditions, scale, members, claims = top.fields(*names)
    time, space = bound.fields("time", "space")
    is_list = version > 1 and isinstance(conditions.value, list)
    bits = None if is_list else conditions.up_to(MOST_CONDITION_BITS)
    listed = tuple(_member(item) for item in members.items())
    return Certificate(
        version=version,
        check=check.text(),
        bound=Bound(time.integer(), space.integer()),
        condition_bits=bits,
        conditions=_listed_once(conditions) if bits is None else tuple(strings(bits)),
        scale=scale.maybe() and scale.fraction(),
        members=listed,
        prior_sum=members.total(member.prior for member in listed),
        claims=claims,
    )


def _listed_once(conditions: Field) -> tuple[BitString, ...]:
    """Read a list of conditions, which has one form: short ones first, then in lexicographic order."""
    listed = [item.bit_string() for item in conditions.items()]
    if not listed or listed != sorted(set(listed), key=lambda z: (len(z), z)):
        raise conditions.refuse("a list of bit strings in order, each once")
    return tuple(listed)


def _content(path: str | Path) -> bytes:
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise InputError("the certificate is no regular file", received=str(path), remedy="write it to a file")
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        problem = f"the certificate cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(problem, received=str(path), remedy="check the path") from None
    if len(content) > MOST_BYTES:
        raise InputError("the certificate is too large", received=str(path), remedy=f"at most {MOST_BYTES:,} bytes")
    return content


def _parsed(content: bytes, name: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name occurs twice in an object")
        return dict(pairs)

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:  # also what is not UTF-8, and integers of thousands of digits
        raise InputError(f"the certificate is not JSON: {error}", received=name, remedy="give another file") from None


def _member(item: Field) -> Member:
    machine, word, prior, unresolved, runs = item.fields("machine", "word", "prior", "unresolved", "runs")
    found = read_machine(machine)
    return Member(
        machine=found,
        reads_condition=found.reads_condition,
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
