"""Rules as hidden units of the MLP.

A rule with k literals is one unit: +1 for a literal that is counted, -1 for a binary one that must be 0 (which is not
counted), bias 1 - k. It is 1 where the rule fires and 0 elsewhere, after the ReLU. Its row of the second matrix is what
changes: new minus old. So a rule that does not say what the old value is becomes a unit for each old value; updates
with the same antecedent share a unit. What a head has read is taken away again by units that copy it, ReLU(x) and
ReLU(-x) where it may be negative, which also carry the copies of numeric variables.

Under tanh, a variable that was -1 or 1 before attention is +-tanh(1) in the MLP, and a head +-1; a unit fires with
tanh(1) and is negative otherwise. Every dimension of a variable is written anew in each layer, from its own unit and a
bias; rules flip it. What heads have read needs no clearing, since it is written over before it is read.

Source: Shaw et al. 2025 (arXiv 2509.22445), B.5.4 and C.1.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from up.compiler.language import Add, Kind, Program, Rule, Set
from up.compiler.layout import Layout

FADED = math.tanh(1.0)
"""What is left of 1 after tanh."""


@dataclass(frozen=True)
class Unit:
    """A hidden unit.

    Attributes:
        into: weights from the residual, by dimension.
        bias: of the unit.
        out_of: weights to the residual, by dimension.
        literals: what must hold where it fires; None where it belongs to no rule.

    """

    into: Mapping[int, float]
    bias: float
    out_of: Mapping[int, float]
    literals: Mapping[str, int] | None = None


def mlp_units(
    program: Program, layout: Layout, *, written: float = 1.0
) -> tuple[tuple[Unit, ...], Mapping[int, float]]:
    """Return the hidden units, those of rules first, and the bias of the second matrix by dimension.

    Args:
        program: whose rules.
        layout: of the residual.
        written: what is written under tanh, well above 1.

    """
    changes: dict[frozenset[tuple[str, int]], dict[int, float]] = {}
    for rule in program.rules:
        for when, change in _settled(program, rule):
            into = changes.setdefault(frozenset(when.items()), {})
            for dimension, amount in _difference(layout, program, change, when).items():
                into[dimension] = into.get(dimension, 0.0) + amount
    make = _signed_unit if layout.signed else _unit
    of_rules = tuple(make(layout, program, dict(sorted(when)), out_of, written) for when, out_of in changes.items())
    if not layout.signed:
        return (*of_rules, *_carriers(program, layout)), {}
    refresh = dict.fromkeys(range(layout.heads_from), -written)
    return (*of_rules, *(Unit({d: 1.0}, 0.0, {d: 2 * written / FADED}) for d in refresh)), refresh


def _settled(program: Program, rule: Rule) -> Iterator[tuple[dict[str, int], Set | Add]]:
    """Yield each update with literals that say what the old value is; those that change nothing are left out."""
    for update in rule.then:
        if isinstance(update, Add):
            if update.amount:
                yield dict(rule.when), update
            continue
        olds = [rule.when[update.variable]] if update.variable in rule.when else program.read(update.variable).values
        for old in olds:
            if old != update.value:
                yield {**rule.when, update.variable: old}, update


def _difference(layout: Layout, program: Program, update: Set | Add, when: Mapping[str, int]) -> dict[int, float]:
    """Return new minus old, by dimension."""
    if isinstance(update, Add):
        return {layout.start[update.variable]: float(update.amount)}
    variable = program.variable[update.variable]
    old, new = (layout.encoded(variable, value) for value in (when[update.variable], update.value))
    pairs = zip(layout.dimensions(update.variable), old, new, strict=True)
    return {dimension: after - before for dimension, before, after in pairs if after != before}


def _unit(
    layout: Layout, program: Program, when: Mapping[str, int], out_of: Mapping[int, float], _written: float
) -> Unit:
    into = dict(layout.literal(name, value) for name, value in when.items())
    uncounted = sum(value == 0 and program.read(name).kind is Kind.BINARY for name, value in when.items())
    return Unit(into, 1.0 - (len(when) - uncounted), out_of, when)


def _signed_unit(
    layout: Layout, _program: Program, when: Mapping[str, int], out_of: Mapping[int, float], written: float
) -> Unit:
    into = dict(layout.literal(name, value) for name, value in when.items())
    satisfied = sum(1.0 if dimension >= layout.heads_from else FADED for dimension in into)
    return Unit(into, FADED - satisfied, {d: change * written / FADED for d, change in out_of.items()}, when)


def _carriers(program: Program, layout: Layout) -> Iterator[Unit]:
    """Yield the units that clear what heads have read and that copy numeric variables."""
    moves: dict[int, dict[int, float]] = {}
    both_signs: set[int] = set()
    for head in program.heads:
        for dimension in layout.dimensions(head.name):
            moves.setdefault(dimension, {})[dimension] = -1.0
            if layout.read[head.name].kind in (Kind.NUMERIC, Kind.SIGN):
                both_signs.add(dimension)
    for copy in program.copies:
        source, target = layout.start[copy.source], layout.start[copy.variable]
        moves.setdefault(source, {})[target] = 1.0
        moves.setdefault(target, {})[target] = -1.0
        both_signs |= {source, target}
    for dimension, out_of in moves.items():
        yield Unit({dimension: 1.0}, 0.0, out_of)
        if dimension in both_signs:
            yield Unit({dimension: -1.0}, 0.0, {target: -amount for target, amount in out_of.items()})
