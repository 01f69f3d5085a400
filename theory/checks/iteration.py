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
from fractions import Fraction
from itertools import islice, pairwise, takewhile

from theory.checks.result import (
    CheckResult,
    Counterexample,
    Item,
    StepCurve,
    ratio_item,
    require_variant,
    tightest_item,
)
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound
from theory.machines.mealy import CLOCK, mealy_machines
from theory.measures.measure import Measure
from theory.measures.mixture import Distribution, Mixture, depth_mixture, iterates, length_uniform, push
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import LogSum, log2_float

VARIANTS = {
    "without-identity": "takes a class that lacks the identity: machines that write nothing on 0",
    "one-constant": "claims m^n >= p(i) m^0 for every n, as if the constant did not shrink",
    "entropy-grows": "claims that the entropy never falls: that domination is enrichment",
}


def entropy(distribution: Distribution) -> LogSum:
    """Return the entropy in bits, exactly.

    >>> float(entropy({"0": Fraction(1, 2), "1": Fraction(1, 2)}))
    1.0
    """
    return LogSum([(-p, p) for p in distribution.values() if p])


def total_variation(p: Distribution, q: Distribution) -> Fraction:
    """Return half of the sum of |p(x) - q(x)|."""
    keys = {**p, **q}
    return sum((abs(p.get(x, Fraction(0)) - q.get(x, Fraction(0))) for x in keys), Fraction(0)) / 2


def least_ratio(above: Distribution, below: Distribution) -> tuple[Fraction, BitString]:
    """Return the least above(x) / below(x) over the support of `below`, and the first x where it is attained."""
    ratio, _, x = min((above.get(x, Fraction(0)) / p, i, x) for i, (x, p) in enumerate(below.items()) if p)
    return ratio, x


def identity_prior(mixture: Mixture, conditions: Iterable[BitString]) -> Fraction | None:
    """Return p(i) of the first member that copies each of these conditions under the bound; None without one."""
    conditions = list(conditions)
    for index, prior in enumerate(mixture.model_class.prior):
        if all(mixture.member(index, z) == Measure({z: Fraction(1)}) for z in conditions):
            return prior
    return None


def erasing_class(max_length: int = CLOCK) -> ModelClass:
    """Return the class without the identity: nothing is written on 0, and the end of the condition halts."""
    members = [
        machine
        for machine in mealy_machines(max_length)
        if machine.reads_condition and not machine.actions[0].write and machine.actions[2].halt
    ]
    return ModelClass.of(
        "mealy, erasing",
        members,
        bound=Bound(time=max_length, space=max_length),
        max_length=max_length,
        prior=[Fraction(1, len(members))] * len(members),
    )


def check_iteration(
    model_class: ModelClass, *, steps: int = 8, base: Distribution | None = None, variant: str | None = None
) -> CheckResult:
    """Check m^{n+1} >= p(i) m^n and m^n >= p(i)^n m^0 for n up to `steps`, and remark 3.

    Args:
        model_class: a class that has the identity, closed enough that the strings stay few.
        steps: how often the kernel is applied.
        base: m^0; by default a uniform length up to the class's, then a uniform string.
        variant: None, or one of `VARIANTS`.

    Raises:
        InputError: a class without the identity, or whose identity lacks the time or space for a string that occurs;
            an unknown variant; for `entropy-grows` also stages that are no distributions.

    """
    require_variant(variant, VARIANTS)
    require_steps(steps)
    base = length_uniform(model_class.max_length) if base is None else base
    mixture = Mixture(model_class)
    constant = _require_identity(mixture, base)
    if variant == "without-identity":
        mixture = Mixture(erasing_class(model_class.max_length))
    stages = list(islice(iterates(base, mixture), steps + 1))
    if variant != "without-identity":
        constant = _require_identity(mixture, _passed_on(stages))
    total = sum(stages[-1].values(), Fraction(0))
    if variant == "entropy-grows" and total < 1:
        raise InputError(
            f"m^{steps} is no distribution and has no entropy",
            received=str(total),
            remedy="take a class of machines that halt under the bound",
        )
    items = [_stage_item(stages, n, constant, variant) for n in range(1, steps + 1)]
    if variant is None:
        items += [_sharper(stages, mixture), _remark_3(stages, mixture)]
    tightest = tightest_item(items)
    last = stages[-1]
    return CheckResult(
        check="iteration",
        statement="One more random machine loses at most the constant p(i), i being the machine that copies.",
        formula="m^{n+1}(x) >= p(i) m^n(x),   m^n(x) >= p(i)^n m^0(x)",
        class_name=mixture.model_class.name,
        bound=f"n <= {steps}, base: {len(base)} strings up to length {max(map(len, base))}",
        constants={
            "p(i)": constant,
            "min K(x|x)": least_return(stages, mixture)[0],
            "last step in total variation": _last_step(stages),
        },
        items=tuple(items),
        holds=all(item.holds for item in items),
        slack_bits=tightest.slack_bits,
        tightest=f"{tightest.name} at {tightest.witness}",
        counterexample=counterexample(tightest),
        counts={"steps": steps, "strings missed by m^1": sum(x not in stages[1] for x in base), "strings": len(last)},
        curves=(
            StepCurve(
                "entropy of m^n in bits" if total == 1 else "-sum m^n log2 m^n",
                "n",
                tuple(float(entropy(stage)) for stage in stages),
            ),
            StepCurve("log2 min m^n / m^0", "n", tuple(log2_float(ratio) for ratio in _ratios_to_base(stages))),
            _approach(stages),
        ),
        remarks=(
            f"Entropy goes from {float(entropy(base)):.2f} to {float(entropy(last)):.2f} bits."
            if total == 1
            else f"Runs that did not halt have taken the mass of m^{steps} down to {float(total):.4f}.",
            *mixture.open_mass(),
        ),
        variant=variant,
    )


def _require_identity(mixture: Mixture, conditions: Iterable[BitString]) -> Fraction:
    """Return p(i) of a member that copies each of the conditions, or refuse the class."""
    constant = identity_prior(mixture, conditions)
    if constant is None:
        raise InputError(
            "Theorem 4.3 needs a member that copies every condition that occurs, under the bound",
            received=mixture.model_class.name,
            remedy="add a machine that copies the condition, or raise the bound",
        )
    return constant


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
        rise = entropy(stages[n]) - entropy(stages[n - 1])
        return Item(
            name=f"n = {n}",
            holds=rise.sign() >= 0,
            slack_bits=float(rise),
            witness="the whole distribution",
            numbers={"claimed": float(entropy(stages[n - 1])), "observed": float(entropy(stages[n]))},
        )
    step, at = least_ratio(stages[n], stages[n - 1])
    whole, start = least_ratio(stages[n], stages[0])
    claimed = constant if variant == "one-constant" else constant**n
    if whole / claimed < step / constant:
        slack, x, claim, seen = whole / claimed, start, claimed, whole
    else:
        slack, x, claim, seen = step / constant, at, constant, step
    numbers = {"min m^n/m^{n-1}": step, "min m^n/m^0": whole, "p(i)^n": constant**n, "claimed": claim, "observed": seen}
    return ratio_item(f"n = {n}", slack, witness=f"x = {shown(x)}", numbers=numbers)


def least_return(stages: list[dict[BitString, Fraction]], mixture: Mixture) -> tuple[Fraction, BitString]:
    """Return the least K(x|x) over every string that is passed on, and where it is attained."""
    ratio, _, x = min((mixture.measure(x).lower(x), i, x) for i, x in enumerate(_passed_on(stages)))
    return ratio, x


def _sharper(stages: list[dict[BitString, Fraction]], mixture: Mixture) -> Item:
    """Return the item of the sharper constant, m^{n+1} >= min K(x|x) m^n."""
    constant, _ = least_return(stages, mixture)
    step, x = min(least_ratio(after, before) for before, after in pairwise(stages))
    numbers = {"claimed": constant, "observed": step}
    return ratio_item("min K(x|x)", step / constant, witness=f"x = {shown(x)}", numbers=numbers)


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
    return ratio_item(
        "remark 3",
        slack,
        witness=f"n = {n}, stage {j}, x = {shown(x)}",
        numbers={"claimed": half * weights[j], "observed": slack * half * weights[j]},
    )


def _last_step(stages: list[dict[BitString, Fraction]]) -> Fraction:
    return total_variation(stages[-1], stages[-2])


def counterexample(worst: Item) -> Counterexample | None:
    """Return what the tightest item of a ratio says if it fails; it has the numbers `claimed` and `observed`."""
    if worst.holds:
        return None
    numbers: Mapping[str, Fraction | float | int] = worst.numbers
    claimed, observed = numbers["claimed"], numbers["observed"]
    return Counterexample(
        where=f"{worst.name}, {worst.witness}",
        claimed=claimed,
        observed=observed,
        sentence=f"{float(observed):.6g} was found, less than the {float(claimed):.6g} that was claimed",
    )
