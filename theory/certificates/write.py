"""Writing certificates: what a search found, as data that another program can check without searching.

A certificate of a check holds the class itself (each machine as a kind with parameters, with its word and prior), the
bound, every run of every member (the bits it read, and what it wrote or why it did not halt), and the numbers that the
check found. `theory.certificates.verify` needs nothing else, and believes none of it. What the file looks like is told
in `theory.certificates.file`.

A machine that is code, such as a Python function in a user's class, is written down as the tree of its runs under the
bound. The certificate is then about that tree: nobody can check from a file that a function does what its tree says.

Limits: the checks in `CERTIFIABLE`, and of the iteration its two inequalities; the file has every run, so that its size
is that of the enumeration (class B: 0.6 MB).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from theory.certificates.fields import LARGEST, LONGEST_NAME, Field, is_long, power_is_long, shortened
from theory.certificates.file import FORMAT, MOST_BYTES, VERSION
from theory.certificates.machines import Tree, machine_data, read_machine
from theory.certificates.runs import Tally
from theory.checks.embedding import U_PRIOR, ClassInterpreter, embedding_class, prior_constant
from theory.checks.iteration import require_steps
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Machine, Status
from theory.measures.measure import leaves
from theory.measures.mixture import Distribution, Mixture, iterates, length_uniform
from theory.numbers.bit_strings import BitString, strings

DEEPEST = 300  # JSON readers go down a few hundred forks
CERTIFIABLE = ("domination", "embedding", "iteration")

Runs = dict[BitString, dict[BitString, str]]


def certificate_text(check: str, model_class: ModelClass, *, max_length: int | None = None, steps: int = 8) -> str:
    """Return the certificate of a check as the text of its file.

    Args:
        check: one of `CERTIFIABLE`.
        model_class: the class C.
        max_length: length of the conditions; by default that of the class, for the embedding 0. The iteration takes it
            as the length of its base strings.
        steps: how many stages the iteration has after the first.

    Raises:
        InputError: a check without certificates, a class that the check does not suit or that is too large.

    """
    certificate = certify(check, model_class, max_length=max_length, steps=steps)
    text = "{\n" + ",\n".join(f'"{name}": {_lines(value)}' for name, value in certificate.items()) + "\n}\n"
    if len(text) > MOST_BYTES:
        raise InputError(
            "the certificate would be too large",
            received=f"{len(text):,} bytes",
            remedy=f"take shorter strings or a smaller bound, for at most {MOST_BYTES:,} bytes",
        )
    return text


def certify(check: str, model_class: ModelClass, *, max_length: int | None = None, steps: int = 8) -> dict[str, Any]:
    """Return the certificate of a check as plain data; see `certificate_text`."""
    if check not in CERTIFIABLE:
        raise InputError("this check has no certificate", received=check, remedy=f"choose {', '.join(CERTIFIABLE)}")
    if max(model_class.bound.time, model_class.bound.space) > LARGEST:
        raise InputError(
            "the bound is too large for a certificate", received=model_class.bound, remedy=f"stay below {LARGEST}"
        )
    if is_long(sum(model_class.prior, Fraction(0))):
        raise InputError("the sum of the priors is too long for a certificate", remedy="take simpler fractions")
    tally, mixture = Tally(), Mixture(model_class)
    reads = any(machine.reads_condition for machine in model_class.members)
    if max_length is None:
        max_length = 0 if check == "embedding" else model_class.max_length
    if check == "iteration":
        claims, bits = _iteration_claims(mixture, max_length, steps)
    else:
        bits = max_length
        claims = _embedding_claims(mixture, bits, tally) if check == "embedding" else _domination_claims(mixture, bits)
    bits = bits if reads else 0
    ratios = {p * (1 << len(w)) for w, p in zip(model_class.words, model_class.prior, strict=False)}
    scale = ratios.pop() if len(ratios) == 1 else None
    with_words = scale is not None or check == "embedding"  # elsewhere, words that the prior is not from say nothing
    return {
        "format": FORMAT,
        "version": VERSION,
        "check": check,
        "bound": {"time": model_class.bound.time, "space": model_class.bound.space},
        "condition_bits": bits,
        "scale": None if scale is None else _text(scale),
        "members": [
            _member(model_class, i, bits, tally, with_word=with_words) for i in range(len(model_class.members))
        ],
        "claims": claims,
    }


def _lines(value: object) -> str:
    """Return JSON with one line for each element of a list, so that a reader finds the members."""
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"


def _text(number: Fraction) -> str:
    if is_long(number):
        raise InputError("a number is too long for a certificate", remedy="take fewer steps or a smaller bound")
    return str(number)


def _member(
    model_class: ModelClass, index: int, condition_bits: int, tally: Tally, *, with_word: bool
) -> dict[str, Any]:
    machine = model_class.members[index]
    runs = _runs(machine, strings(condition_bits if machine.reads_condition else 0), model_class.bound, tally)
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


def _runs(machine: Machine, conditions: Iterable[BitString], bound: Bound, tally: Tally) -> Runs:
    """Return all that a machine does: condition -> bits read -> output, or the status of a run that did not halt.

    A run is given more bits than it has time to read, as in the verification: it stops for another reason than want.
    """
    runs: Runs = {}
    for z in conditions:
        runs[z] = {}
        for leaf, run in leaves(machine, z, bound):
            halts = run.status is Status.HALTED
            runs[z][leaf] = run.output if halts else run.status.name.lower()
            tally.spend(run, leaf if halts else leaf.ljust(bound.time + 1))
    return runs


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


def _least(rows: Iterable[tuple[Fraction, BitString, BitString]]) -> dict[str, str] | None:
    """Return the least ratio and the first (z, x) that attains it, in order of length, then lexicographic."""
    first = min(rows, key=lambda row: (row[0], len(row[1]), row[1], len(row[2]), row[2]), default=None)
    return None if first is None else {"ratio": _text(first[0]), "z": first[1], "x": first[2]}


def _domination_claims(mixture: Mixture, max_length: int) -> list[dict[str, Any]]:
    conditions = list(mixture.conditions(max_length))

    def ratios(index: int) -> Iterator[tuple[Fraction, BitString, BitString]]:
        for z in conditions:
            whole = mixture.measure(z)
            yield from ((whole.mass[x] / p, z, x) for x, p in mixture.member(index, z).mass.items())

    return [
        {"constant": _text(prior), "least": _least(ratios(index))}
        for index, prior in enumerate(mixture.model_class.prior)
    ]


def _embedding_claims(mixture: Mixture, max_length: int, tally: Tally) -> dict[str, Any]:
    model_class = mixture.model_class
    if not model_class.words:
        raise InputError(
            "Lemma 4.1 needs a code for the members", received=model_class.name, remedy="give the class words"
        )
    wider = Mixture(embedding_class(model_class))
    conditions = list(mixture.conditions(max_length))
    u = ClassInterpreter(model_class)
    runs = _runs(u, conditions, u.bound, tally)
    rows: dict[int, list[tuple[Fraction, BitString, BitString]]] = {}
    equal = 0
    for z in conditions:
        for x, m in mixture.measure(z).mass.items():
            rows.setdefault(len(x), []).append((wider.measure(z).lower(x) / m, z, x))
            equal += wider.member(0, z).lower(x) == m
    return {
        "prior_of_u": _text(U_PRIOR),
        "kappa": _text(prior_constant(model_class)),
        "strings_where_equal": equal,
        "unresolved": _text(_unresolved(runs)),
        "runs_of_u": runs,
        "lengths": [_least(rows[length]) for length in sorted(rows)],
    }


def _iteration_claims(mixture: Mixture, max_length: int, steps: int) -> tuple[dict[str, Any], int]:
    require_steps(steps)
    stages = list(islice(iterates(length_uniform(max_length), mixture), steps + 1))
    met = {x: None for stage in stages[:-1] for x in stage}
    copies = (
        index
        for index in range(len(mixture.model_class.members))
        if all(mixture.member(index, x).mass == {x: 1} for x in met)
    )
    identity = next(copies, None)
    if identity is None:
        raise InputError(
            "Theorem 4.3 needs the identity among the members",
            received=mixture.model_class.name,
            remedy="add a machine that copies the condition",
        )
    rows = [
        {
            "mass": {x: _text(p) for x, p in stage.items()},
            "least_step": _ratio(stage, stages[n - 1]) if n else None,
            "least_whole": _ratio(stage, stages[0]) if n else None,
        }
        for n, stage in enumerate(stages)
    ]
    constant = _text(mixture.model_class.prior[identity])
    if power_is_long(mixture.model_class.prior[identity], steps):
        raise InputError("p(i)^n is too long for a certificate", received=steps, remedy="take fewer steps")
    return {"identity": identity, "constant": constant, "steps": steps, "stages": rows}, max(map(len, met))


def _ratio(above: Distribution, below: Distribution) -> dict[str, str] | None:
    return _least((above.get(x, Fraction(0)) / p, "", x) for x, p in below.items())
