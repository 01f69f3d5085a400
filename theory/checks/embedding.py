"""Lemma 4.1: one machine that runs all of C makes a class D dominate the whole mixture m_C.

The machine u reads a word code(i) and then behaves like machine i on the rest of its program. If the code is complete
and the prior is p_C(i) = 2^-|code(i)|, then p_u = m_C exactly, and m_D >= p_D(u) m_C for every D that contains u. With
another prior the constant is p_D(u) kappa, kappa = min over i of 2^-|code(i)| / p_C(i). Source: Bloem 2025 (arXiv
2506.20057), section 4.1. D here has two members, u and a machine that writes nothing, with p_D(u) = 1/4.

Deviation (erratum): the proof of Lemma 4.1 writes m_C(x) for the sum of 2^-|r| over the programs r of u. This needs the
pairing (i, x) = code(i) x with x as it is. Footnote 4 codes x once more; u must then be told how long the program is,
is stuck wherever machine i does not read exactly that much, and so is not sufficient: for class B its total mass is
about 0.45, and the least p_u / m_C is 2^-(T+1) for machines that read up to T bits, with no constant for all T. The
proof also assumes p_C(i) = 2^-|code(i)| silently; for another prior the factor kappa is needed.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any

from theory.checks.equalities import mixture_equalities
from theory.checks.registry import EMBEDDING
from theory.checks.result import Advance, CheckResult, Counterexample, Evidence, Item, counted, first_least, ratio_item
from theory.errors import InputError
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import FunctionMachine
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float, number_text

U_PRIOR = Fraction(1, 4)


def embedding_class(model_class: ModelClass, *, recoded: bool = False, with_u: bool = True) -> ModelClass:
    """Return D = {u, nothing} with p_D(u) = 1/4, or without u as the variant has it."""
    u = ClassInterpreter(model_class, recoded)
    nothing = FunctionMachine("nothing", lambda _tape: None, reads_condition=False)
    members, prior = ([u, nothing], [U_PRIOR, 1 - U_PRIOR]) if with_u else ([nothing], [1 - U_PRIOR])
    return ModelClass.of("D", members, bound=u.bound, max_length=model_class.max_length, prior=prior)


def prior_constant(model_class: ModelClass) -> Fraction:
    """Return kappa = min over i of 2^-|code(i)| / p_C(i); 1 when the prior is that of the code."""
    return min(Fraction(1, 1 << len(w)) / p for w, p in zip(model_class.words, model_class.prior, strict=True))


def check_embedding(
    model_class: ModelClass, *, max_length: int = 0, variant: str | None = None, advance: Advance | None = None
) -> CheckResult:
    """Check m_D(x|z) >= p_D(u) kappa m_C(x|z), and p_u = m_C where the prior is 2^-|code(i)|.

    Args:
        model_class: the class C; its members need code words.
        max_length: length of the conditions; only the empty one by default.
        variant: None, or one of the declared ones.
        advance: is told how many conditions have been gone through.

    """
    EMBEDDING.require_variant(variant)
    if not model_class.words:
        raise InputError(
            "Lemma 4.1 needs a code for the members", received=model_class.name, remedy="give the class words"
        )
    if variant == "any-prior":
        model_class = _with_skewed_prior(model_class)
    kappa = Fraction(1) if variant == "any-prior" else prior_constant(model_class)
    recoded, with_u = variant == "footnote-pairing", variant != "without-u"
    conditions = list(model_class.conditions(max_length))
    ours = Mixture(model_class, counted(advance, len(conditions)))
    theirs = Mixture(embedding_class(model_class, recoded=recoded, with_u=with_u))
    constant = U_PRIOR * kappa
    by_length: dict[int, tuple[Fraction, str]] = {}
    strings_seen = failures = equal = 0
    for z in conditions:
        for x, m in ours.measure(z).mass.items():
            slack = theirs.measure(z).lower(x) / (constant * m)
            strings_seen += 1
            failures += slack < 1
            equal += with_u and theirs.member(0, z).lower(x) == m
            if len(x) not in by_length or slack < by_length[len(x)][0]:
                by_length[len(x)] = (slack, f"x = {shown(x)}, z = {shown(z)}")
    if not by_length:
        raise nothing_halts(model_class)
    items = [
        ratio_item(
            f"strings of length {length}",
            slack,
            witness=witness,
            numbers={"min m_D/m_C": slack * constant},
            failure=partial(_failure, slack, constant, witness),
        )
        for length, (slack, witness) in sorted(by_length.items())
    ]
    if variant is None and model_class.prior_is_of_code:
        items.append(_equality_item(ours, theirs, conditions))
    return EMBEDDING.result(
        items,
        equalities=chain(mixture_equalities(ours, conditions), mixture_equalities(theirs, conditions, "D")),
        class_name=model_class.name,
        bound=f"time {model_class.bound.time}, space {model_class.bound.space}, conditions up to length {max_length}",
        constants={"p_D(u)": U_PRIOR, "kappa": kappa, "total mass of u": _mass_of_u(theirs, with_u)},
        counts={
            "programs": ours.programs_found,
            "programs of u": theirs.programs_found - 1,
            "strings": strings_seen,
            "strings where p_u = m_C": equal,
            "failures": failures,
        },
        remarks=(*_remarks(theirs, with_u), *ours.open_mass()),
        variant=variant,
        tightest=lambda item: item.witness,
        evidence=Evidence(
            mixture=ours,
            conditions=max_length,
            claims=partial(_claims, ours, theirs, conditions, kappa, equal),
        ),
    )


def _equality_item(ours: Mixture, theirs: Mixture, conditions: Sequence[BitString]) -> Item:
    """Return the item of p_u = m_C: the lesser of the two over the greater, at the string where they differ most."""
    found = []
    for z in conditions:
        p_u, m_c = theirs.member(0, z).mass, ours.measure(z).mass
        for x in {**p_u, **m_c}:
            ends = sorted((p_u.get(x, Fraction(0)), m_c.get(x, Fraction(0))))
            found.append((ends[0] / ends[1], f"x = {shown(x)}, z = {shown(z)}"))
    slack, witness = min(found)

    def failure() -> Counterexample:
        sentence = f"p_u(x|z) and m_C(x|z) should be equal and have the ratio {number_text(slack)}"
        return Counterexample(where=witness, claimed=Fraction(1), observed=slack, sentence=sentence)

    return ratio_item("p_u = m_C", slack, witness=witness, failure=failure)


def _failure(slack: Fraction, constant: Fraction, witness: str) -> Counterexample:
    observed = slack * constant
    power = f" = 2^{log2_float(slack):.4g} of what is claimed" if observed else ""
    return Counterexample(
        where=witness,
        claimed=constant,
        observed=observed,
        sentence=f"m_D(x|z) is {number_text(observed)} times m_C(x|z){power}, "
        f"less than the constant {number_text(constant)}",
    )


def _mass_of_u(theirs: Mixture, with_u: bool) -> Fraction:
    return theirs.member(0).total if with_u else Fraction(0)


def _remarks(theirs: Mixture, with_u: bool) -> tuple[str, ...]:
    mass = _mass_of_u(theirs, with_u)
    if mass == 1:
        return ()
    return (f"u halts with probability {number_text(mass)} = {float(mass):.3f} on the empty condition",)


def _with_skewed_prior(model_class: ModelClass) -> ModelClass:
    """Move half of the first member's prior to the last."""
    prior = [Fraction(1, 1 << len(word)) for word in model_class.words]
    prior[-1] += prior[0] / 2
    prior[0] /= 2
    return replace(model_class, prior=tuple(prior))


def _claims(
    ours: Mixture, theirs: Mixture, conditions: Sequence[BitString], kappa: Fraction, equal: int
) -> dict[str, Any]:
    """Return all runs of u, and where m_D / m_C is least for each length of string."""
    rows: dict[int, list[tuple[Fraction, BitString, BitString]]] = {}
    for z in conditions:
        for x, m in ours.measure(z).mass.items():
            rows.setdefault(len(x), []).append((theirs.measure(z).lower(x) / m, z, x))
    runs = {z: theirs.runs(0, z) for z in conditions}
    return {
        "prior_of_u": U_PRIOR,
        "kappa": kappa,
        "strings_where_equal": equal,
        "unresolved": max(enumeration.unresolved for enumeration in runs.values()),
        "runs_of_u": runs,
        "lengths": [first_least(rows[length]) for length in sorted(rows)],
    }
