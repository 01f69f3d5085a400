"""Domination: the mixture gives every string at least p(c) times what any member c gives it.

Source: Bloem 2025 (arXiv 2506.20057), section 4.1. The sum m_C(x|z) = p(c) p_c(x|z) + (the other members) has no
negative term, so the constant is the prior itself. It cannot be improved: where no other member can write x, equality
holds. In code lengths, m_C compresses x at most log 1/p(c) bits worse than c does. All that would hold of 2 m_C as
well: so m_C is shown to be that sum, and no more than a semimeasure (`theory.checks.equalities`).

Limits: strings up to a length, members under a bound; a member that does not always halt is taken as a semimeasure.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from theory.checks.equalities import mixture_equalities
from theory.checks.registry import DOMINATION
from theory.checks.result import Advance, CheckResult, Counterexample, Evidence, Item, counted, first_least, ratio_item
from theory.machines.classes import ModelClass, nothing_halts
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import number_text


def check_domination(
    model_class: ModelClass,
    *,
    max_length: int | None = None,
    variant: str | None = None,
    advance: Advance | None = None,
) -> CheckResult:
    """Check m_C(x|z) >= p(c) p_c(x|z) for every member c, condition z and string x that c can write.

    Args:
        model_class: the class C.
        max_length: length of the conditions; by default that of the class.
        variant: None, or one of the declared ones.
        advance: is told how many conditions have been gone through.

    Raises:
        InputError: a class of which no member halts under the bound, or an unknown variant.

    """
    DOMINATION.require_variant(variant)
    longest = model_class.max_length if max_length is None else max_length
    factor = 2 if variant == "double-constant" else 1
    conditions = list(model_class.conditions(longest))
    mixture = Mixture(model_class, counted(advance, len(conditions)))
    items, triples, tight, failures = [], 0, 0, 0
    for index, (machine, prior) in enumerate(zip(model_class.members, model_class.prior, strict=True)):
        constant, at = factor * prior, ("", "")
        claimed, claimed_whole = constant.as_integer_ratio()
        above, below = 1, 0  # the least ratio; ratios are compared crosswise, and none is reduced
        for z in conditions:
            member, whole = mixture.member(index, z).mass, mixture.measure(z).mass
            for x, p in member.items():
                m = whole[x]
                n, d = m.numerator * p.denominator, m.denominator * p.numerator
                left, right = n * claimed_whole, claimed * d
                triples += 1
                tight += left == right
                failures += left < right
                if n * below < above * d or not below:
                    above, below, at = n, d, (x, z)
        least = Fraction(above, below) if below else None
        items.append(_item(model_class, index, machine.name, least, constant, at))
    if not triples:
        raise nothing_halts(model_class)
    return DOMINATION.result(
        items,
        equalities=mixture_equalities(mixture, conditions),
        class_name=model_class.name,
        bound=f"time {model_class.bound.time}, space {model_class.bound.space}, conditions up to length {longest}",
        constants={machine.name: factor * p for machine, p in zip(model_class.members, model_class.prior, strict=True)},
        counts={
            "members": len(items),
            "conditions": len(conditions),
            "programs": mixture.programs_found,
            "triples": triples,
            "tight": tight,
            "failures": failures,
        },
        remarks=(*filter(None, [model_class.legend]), *mixture.open_mass()),
        variant=variant,
        evidence=Evidence(mixture=mixture, conditions=longest, claims=partial(_claims, mixture, conditions)),
    )


def _item(
    model_class: ModelClass,
    index: int,
    name: str,
    least: Fraction | None,
    constant: Fraction,
    at: tuple[BitString, BitString],
) -> Item:
    length = model_class.code_length_bits(index)
    if least is None:  # the member never halts under the bound: nothing to dominate
        return Item(name=name, holds=True, slack_bits=None, code_length_bits=length)
    witness = f"x = {shown(at[0])}, z = {shown(at[1])}"
    numbers = {"constant": constant, "min m_C/p_c": least}

    def failure() -> Counterexample:
        found, said = number_text(least), number_text(constant)
        sentence = f"m_C(x|z) is {found} times p_c(x|z), less than the constant {said} that was claimed"
        return Counterexample(where=f"{name}: {witness}", claimed=constant, observed=least, sentence=sentence)

    return ratio_item(
        name, least / constant, witness=witness, code_length_bits=length, numbers=numbers, failure=failure
    )


def _claims(mixture: Mixture, conditions: Sequence[BitString]) -> list[dict[str, Any]]:
    """Return for each member its constant, and where m_C / p_c is least."""

    def ratios(index: int) -> Iterator[tuple[Fraction, BitString, BitString]]:
        for z in conditions:
            whole = mixture.measure(z)
            yield from ((whole.mass[x] / p, z, x) for x, p in mixture.member(index, z).mass.items())

    return [
        {"constant": prior, "least": first_least(ratios(index))}
        for index, prior in enumerate(mixture.model_class.prior)
    ]
