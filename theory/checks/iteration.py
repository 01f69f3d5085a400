"""Theorem 4.3: passing strings through one more random machine loses at most a constant.

With the kernel K(x|u) = m_C(x|u), m^{n+1} = m^n K. If C has the identity i, which copies the condition, then
K(x|x) >= p(i), so m^{n+1} >= p(i) m^n and m^n >= p(i)^k m^{n-k}. The sharper constant is min over x of K(x|x).
Source: Bloem 2025 (arXiv 2506.20057), section 4.3 with its remarks. Limits: finitely many steps, and a class under
which the strings stay few.

Remark 2 (the constant shrinks exponentially) is tight: with C = {i, const} it is attained at every step. Remark 3 (a
constant for all n, if samples of the limit have a probability) holds for a fixed target stage: a member g that writes a
sample of sum_j w_j m^j gives m'^n >= p(g) w_j m^j for all n >= 1.

Deviation (erratum): theorem 4.3 asks for "u, i in C"; only i is needed, and u stands for no member anywhere in it. The
text places u on the output tape; it is the conditional tape. The theorem is about domination. It does not say that
deeper samples are richer: on class B the entropy falls from 5.81 to 3.14 bits in eight iterations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain, islice, pairwise, takewhile
from typing import Any

from theory.checks.equalities import kernel_equality, least_ratios, mixture_equalities
from theory.checks.registry import ITERATION
from theory.checks.result import (
    Advance,
    CheckResult,
    Counterexample,
    Evidence,
    Item,
    Picture,
    StepCurve,
    counted,
    first_least,
    ratio_item,
)
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.mealy import erasing_class
from theory.measures.distances import entropy, least_ratio, total_variation
from theory.measures.measure import Measure
from theory.measures.mixture import Distribution, Mixture, depth_mixture, iterates, length_uniform, push
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float, number_text
from theory.words import number_of


def identity_index(mixture: Mixture, conditions: Iterable[BitString]) -> int | None:
    """Return the first member that copies each of these conditions under the bound; None without one."""
    conditions = list(conditions)
    for index in range(len(mixture.model_class.members)):
        if all(mixture.member(index, z) == Measure({z: Fraction(1)}) for z in conditions):
            return index
    return None


def check_iteration(
    model_class: ModelClass,
    *,
    steps: int = 8,
    base: Distribution | None = None,
    variant: str | None = None,
    advance: Advance | None = None,
) -> CheckResult:
    """Check m^{n+1} >= p(i) m^n and m^n >= p(i)^n m^0 for n up to `steps`, and remark 3.

    Args:
        model_class: a class that has the identity, closed enough that the strings stay few.
        steps: how often the kernel is applied.
        base: m^0; by default a uniform length up to the class's, then a uniform string.
        variant: None, or one of the declared ones.
        advance: is told how many conditions have been gone through.

    Raises:
        InputError: a class without the identity, or whose identity lacks the time or space for a string that occurs;
            stages of a single string; an unknown variant; for `entropy-grows` also stages that are no distributions.

    """
    ITERATION.require_variant(variant)
    require_steps(steps)
    base = length_uniform(model_class.max_length) if base is None else base
    mixture = Mixture(model_class, counted(advance, len(base)))
    identity = _require_identity(mixture, base)
    constant = model_class.prior[identity]
    if variant == "without-identity":
        mixture = Mixture(erasing_class(model_class.max_length))
    stages = list(islice(iterates(base, mixture), steps + 1))
    if variant != "without-identity":
        identity = _require_identity(mixture, _passed_on(stages))
        constant = model_class.prior[identity]
        _require_strings(stages)
    total = sum(stages[-1].values(), Fraction(0))
    if variant == "entropy-grows" and total < 1:
        raise InputError(
            f"m^{steps} is no distribution and has no entropy",
            received=number_text(total),
            remedy="take a class of machines that halt under the bound, with a prior that sums to 1",
        )
    items = [_stage_item(stages, n, constant, variant) for n in range(1, steps + 1)]
    if variant is None:
        items += [_sharper(stages, mixture), _remark_3(stages, mixture)]
    last = stages[-1]
    shape = StepCurve(
        "entropy of m^n in bits" if total == 1 else "-sum m^n log2 m^n",
        "n",
        tuple(float(entropy(stage)) for stage in stages),
    )
    ratios = StepCurve("log2 min m^n / m^0", "n", tuple(log2_float(ratio) for ratio in _ratios_to_base(stages)))
    curves = (shape, ratios, _approach(stages))
    return ITERATION.result(
        items,
        equalities=chain(
            [
                kernel_equality(stages, mixture),
                least_ratios(
                    (f"n = {n}", stages[n], below)
                    for n in range(1, len(stages))
                    for below in (stages[n - 1], stages[0])
                ),
            ],
            mixture_equalities(mixture, _passed_on(stages)),
        ),
        class_name=mixture.model_class.name,
        bound=f"n <= {steps}, base: {number_of(len(base), 'string')} up to length {max(map(len, base))}",
        constants={
            "p(i)": constant,
            "min K(x|x)": least_return(stages, mixture)[0],
            "last step in total variation": _last_step(stages),
        },
        counts={"steps": steps, "strings missed by m^1": sum(x not in stages[1] for x in base), "strings": len(last)},
        curves=curves,
        pictures=[
            _bits_lost(curve, constant) if curve is ratios else Picture(curve) for curve in curves if curve.values
        ],
        remarks=(
            f"Entropy goes from {float(entropy(base)):.2f} to {float(entropy(last)):.2f} bits."
            if total == 1
            else f"{_lost(mixture.model_class)} taken the mass of m^{steps} down to {float(total):.4f}.",
            *mixture.open_mass(),
        ),
        variant=variant,
        evidence=Evidence(
            mixture=mixture,
            conditions=_passed_on(stages),
            claims=partial(_claims, stages, mixture, identity),
            power=(constant, steps),
        ),
    )


def _lost(model_class: ModelClass) -> str:
    """Say what takes mass from one stage to the next, where something does."""
    if sum(model_class.prior, Fraction(0)) == 1:
        return "Runs that did not halt have"
    return "What the prior leaves over, and runs that did not halt if there were any, have"


def _bits_lost(ratios: StepCurve, constant: Fraction) -> Picture:
    """Return how much the iterates have lost against m^0, marked with what the theorem allows."""
    lost = tuple(-value for value in ratios.values)
    allowed = tuple(-n * log2_float(constant) for n in ratios.places)
    return Picture(replace(ratios, name="log2 max m^0 / m^n, bits lost", values=lost), allowed, "n log 1/p(i)")


def _require_identity(mixture: Mixture, conditions: Iterable[BitString]) -> int:
    """Return the first member that copies each of the conditions, or refuse the class."""
    identity = identity_index(mixture, conditions)
    if identity is None:
        raise InputError(
            "Theorem 4.3 needs a member that copies every condition that occurs, under the bound",
            received=mixture.model_class.name,
            remedy="add a machine that copies the condition, or raise the bound",
        )
    return identity


def _require_strings(stages: list[dict[BitString, Fraction]]) -> None:
    """Refuse stages that all have one and the same string, of which the theorem says nothing."""
    strings = {x for stage in stages for x in stage}
    if len(strings) == 1:
        raise InputError(
            "there is a single string in all stages, so that nothing is passed on",
            received=shown(*strings),
            remedy="give longer strings",
        )


def _passed_on(stages: list[dict[BitString, Fraction]]) -> list[BitString]:
    """Return every string that is a condition on the way to the last stage, in the order of its first appearance."""
    return list({x: None for stage in stages[:-1] for x in stage})


def require_steps(steps: int) -> None:
    """Refuse a number of steps below 1.

    Raises:
        InputError: zero or negative steps.

    """
    if steps < 1:
        raise InputError("an iteration needs at least one step", received=steps, remedy="give 1 or more")


def _stage_item(stages: list[dict[BitString, Fraction]], n: int, constant: Fraction, variant: str | None) -> Item:
    """Return the item of step n: the lesser slack of the one-step and the n-step statement, or the variant's claim."""
    if variant == "entropy-grows":
        before, after = entropy(stages[n - 1]), entropy(stages[n])
        name, witness, holds = f"n = {n}", "the whole distribution", (after - before).sign() >= 0
        return Item(
            name=name,
            holds=holds,
            slack_bits=float(after - before),
            witness=witness,
            numbers={"claimed": float(before), "observed": float(after)},
            failure=None if holds else _shortfall(f"{name}, {witness}", float(before), float(after)),
        )
    step, at = least_ratio(stages[n], stages[n - 1])
    whole, start = least_ratio(stages[n], stages[0])
    claimed = constant if variant == "one-constant" else constant**n
    if whole / claimed < step / constant:
        x, claim, seen = start, claimed, whole
    else:
        x, claim, seen = at, constant, step
    numbers = {"min m^n/m^{n-1}": step, "min m^n/m^0": whole, "p(i)^n": constant**n, "claimed": claim, "observed": seen}
    return claim_item(f"n = {n}", numbers, witness=f"x = {shown(x)}")


def least_return(stages: list[dict[BitString, Fraction]], mixture: Mixture) -> tuple[Fraction, BitString]:
    """Return the least K(x|x) over every string that is passed on, and where it is attained."""
    ratio, _, x = min((mixture.measure(x).lower(x), i, x) for i, x in enumerate(_passed_on(stages)))
    return ratio, x


def _sharper(stages: list[dict[BitString, Fraction]], mixture: Mixture) -> Item:
    """Return the item of the sharper constant, m^{n+1} >= min K(x|x) m^n."""
    constant, _ = least_return(stages, mixture)
    step, x = min(least_ratio(after, before) for before, after in pairwise(stages))
    numbers = {"claimed": constant, "observed": step}
    return claim_item("min K(x|x)", numbers, witness=f"x = {shown(x)}")


def _ratios_to_base(stages: list[dict[BitString, Fraction]]) -> list[Fraction]:
    """Return min m^n / m^0 for n = 0, 1, ..., as long as it is positive."""
    return list(takewhile(bool, (least_ratio(stage, stages[0])[0] for stage in stages)))


def _approach(stages: list[dict[BitString, Fraction]]) -> StepCurve:
    """Return how the iterates approach each other, in bits, as long as they differ."""
    steps = takewhile(bool, (total_variation(after, before) for before, after in pairwise(stages)))
    bits = tuple(-log2_float(step) for step in steps)
    return StepCurve("-log2 of the total variation from m^{n-1} to m^n", "n", bits, tuple(range(1, len(bits) + 1)))


def _remark_3(stages: list[dict[BitString, Fraction]], mixture: Mixture) -> Item:
    """Return the item of remark 3: with a member g of prior 1/2 beside C, m'^n >= w_j m^j / 2 for every n >= 1 and j.

    g writes a sample of the sum of w_j m^j, w_j = 1 / ((j + 1) (j + 2)), the remainder on the last stage.
    """
    weights = [Fraction(1, (j + 1) * (j + 2)) for j in range(len(stages) - 1)]
    weights.append(1 - sum(weights, Fraction(0)))
    sample, half = depth_mixture(stages, weights), Fraction(1, 2)
    current: dict[BitString, Fraction] = dict(stages[0])
    found = []
    for n in range(1, len(stages)):
        current = depth_mixture([sample, push(current, mixture)], [half, half])
        for j, stage in enumerate(stages):
            ratio, x = least_ratio(current, stage)
            found.append((ratio / (half * weights[j]), n, j, x))
    slack, n, j, x = min(found)
    numbers = {"claimed": half * weights[j], "observed": slack * half * weights[j]}
    return claim_item("remark 3", numbers, witness=f"n = {n}, stage {j}, x = {shown(x)}")


def _last_step(stages: list[dict[BitString, Fraction]]) -> Fraction:
    return total_variation(stages[-1], stages[-2])


def claim_item(name: str, numbers: Mapping[str, Fraction], *, witness: str) -> Item:
    """Return the item of a ratio that was `observed` and is at least what was `claimed`, both among the numbers."""
    claimed, observed = numbers["claimed"], numbers["observed"]
    failure = partial(_shortfall, f"{name}, {witness}", claimed, observed)
    return ratio_item(name, observed / claimed, witness=witness, numbers=numbers, failure=failure)


def _shortfall(where: str, claimed: Fraction | float, observed: Fraction | float) -> Counterexample:
    sentence = f"{float(observed):.6g} was found, less than the {float(claimed):.6g} that was claimed"
    return Counterexample(where=where, claimed=claimed, observed=observed, sentence=sentence)


def _claims(stages: list[dict[BitString, Fraction]], mixture: Mixture, identity: int) -> dict[str, Any]:
    """Return every stage, and where it is least against the one before and against the first."""

    def least(above: Distribution, below: Distribution) -> dict[str, Any] | None:
        return first_least((above.get(x, Fraction(0)) / p, "", x) for x, p in below.items())

    rows = [
        {
            "mass": stage,
            "least_step": least(stage, stages[n - 1]) if n else None,
            "least_whole": least(stage, stages[0]) if n else None,
        }
        for n, stage in enumerate(stages)
    ]
    constant = mixture.model_class.prior[identity]
    return {"identity": identity, "constant": constant, "steps": len(stages) - 1, "stages": rows}
