"""The buffer's mixture over depths: it dominates the samples of every depth, at a price that grows with the depth.

A row that has passed n machines since its reset holds a sample of m^n. The stationary probability of depth n is
w_n = r (1 - r)^n, r = R / B (`theory.measures.buffer_depth`), so that the buffer holds m^mix = sum of w_n m^n and
m^mix >= w_n m^n. The slack of log 1/w_n bits grows linearly in n, as the paper says: its constant "vanishes
exponentially". That is a choice, not a necessity: weights 1/((n+1)(n+2)) would cost about 2 log n bits, and stand
beside it here. The depths of the mixture are those that one more source batch leaves by the law of Algorithm 1; they
are shown to be w_n again.

Source: Bloem 2025 (arXiv 2506.20057), section 5.1 and appendix A.1 (B = 138, R = 40). Limits: finitely many depths. The
sum over those is a lower bound of the mixture, by which the statement is judged. The rest of the weight lies on deeper
rows; `_upper` bounds what these add, and a wrong variant is judged by that, so that its counterexample is one of the
whole mixture.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice

from theory.checks.equalities import kernel_equality, least_ratios, mixture_equalities, weighed
from theory.checks.iteration import claim_item, require_steps
from theory.checks.registry import MIX
from theory.checks.result import (
    Advance,
    CheckResult,
    Equality,
    EqualityRow,
    Item,
    Picture,
    StepCurve,
    counted,
    equality,
)
from theory.errors import InputError
from theory.machines.classes import ModelClass, nothing_halts
from theory.measures.buffer_depth import after_batch, reset_probability, stationary_depth_probability
from theory.measures.distances import least_ratio, total_variation
from theory.measures.mixture import Distribution, Mixture, depth_mixture, iterates, length_uniform
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float
from theory.words import number_of


def check_mix(
    model_class: ModelClass,
    *,
    steps: int = 8,
    source_batch: int = 138,
    reset_rows: int = 40,
    base: Distribution | None = None,
    variant: str | None = None,
    advance: Advance | None = None,
) -> CheckResult:
    """Check that the buffer's mixture over depths dominates every m^n with the weight of that depth.

    The infinite mixture is bounded from below by its depths up to `steps`; the rest is reported as unresolved mass. The
    mixture with the weights 1/((n+1)(n+2)) is checked beside it.

    Args:
        model_class: any class whose strings stay few.
        steps: the largest depth n.
        source_batch: B, rows that pass a machine at a time; the paper's 138.
        reset_rows: R, rows of those that start again from noise; the paper's 40.
        base: m^0; by default a uniform length up to the class's, then a uniform string.
        variant: None, or one of the declared ones.
        advance: is told how many conditions have been gone through.

    Raises:
        InputError: no resets, where depth has no stationary distribution, or nothing but resets, where no row has any
            depth; a class of which no member halts under the bound; an unknown variant.

    """
    MIX.require_variant(variant)
    require_steps(steps)
    r = reset_probability(source_batch, reset_rows)
    if r == 1:
        raise InputError(
            "where every row is reset, none has any depth",
            received=reset_rows,
            remedy=f"reset fewer rows than the {source_batch} of a source batch",
        )
    weights = [
        stationary_depth_probability(n, source_batch=source_batch, reset_rows=reset_rows) for n in range(steps + 1)
    ]
    base = length_uniform(model_class.max_length) if base is None else base
    mixture = Mixture(model_class, counted(advance, len(base)))
    stages = list(islice(iterates(base, mixture), steps + 1))
    if not stages[1]:
        raise nothing_halts(model_class)
    slow = [Fraction(1, (n + 1) * (n + 2)) for n in range(steps + 1)]
    left = after_batch(weights, buffer_rows=2 * source_batch, source_batch=source_batch, reset_rows=reset_rows)
    held = [Fraction(0), *weights[:-1]] if variant == "without-noise" else left[: steps + 1]
    deeper = 1 - sum(held, Fraction(0))
    mix, slow_mix = depth_mixture(stages, held), depth_mixture(stages, slow)
    if variant is not None:
        mix = _upper(mix, stages, deeper, r)
    factor = 2 if variant == "double-weight" else 1
    items = []
    for n, stage in enumerate(stages):
        if not stage:  # no machine halted: there is nothing to dominate
            items.append(Item(name=f"depth {n}", holds=True, slack_bits=None))
            continue
        (ratio, x), (slow_ratio, _) = least_ratio(mix, stage), least_ratio(slow_mix, stage)
        claimed = factor * weights[n]
        numbers = {
            "claimed": claimed,
            "observed": ratio,
            "observed with 1/((n+1)(n+2))": slow_ratio,
            "constant with 1/((n+1)(n+2))": slow[n],
        }
        items.append(claim_item(f"depth {n}", numbers, witness=f"x = {shown(x)}"))
    if variant is None:
        items.append(_slow_item(stages, slow_mix, slow))
    buffer = StepCurve("log2 1/w_n, the buffer's geometric weights", "n", tuple(-log2_float(w) for w in weights))
    slower = StepCurve("log2 (n+1)(n+2), weights that fall slowly", "n", tuple(-log2_float(w) for w in slow))
    return MIX.result(
        items,
        equalities=chain(
            [
                equality(
                    "w_n is what a source batch leaves of it", _depth_rows(r, source_batch, reset_rows, weights, held)
                ),
                _sum_equality(stages, [held, slow], [mix, slow_mix]),
                kernel_equality(stages, mixture),
                least_ratios((f"depth {n}", mix, stage) for n, stage in enumerate(stages)),
            ],
            mixture_equalities(mixture, list({x: None for stage in stages[:-1] for x in stage})),
        ),
        class_name=model_class.name,
        bound=f"depths up to {steps}, base: {number_of(len(base), 'string')} up to length {max(map(len, base))}",
        constants={"r": r, "unresolved mass of deeper rows": deeper},
        counts={"depths": steps + 1, "strings": len(mix)},
        curves=(buffer, slower),
        pictures=[Picture(buffer, slower.values, slower.name)],
        remarks=mixture.open_mass(),
        variant=variant,
    )


def _depth_rows(
    r: Fraction, source_batch: int, reset_rows: int, weights: Sequence[Fraction], held: Sequence[Fraction]
) -> Iterator[EqualityRow]:
    yield [("", "r")], Fraction(reset_rows, source_batch), r
    for n, (weight, left) in enumerate(zip(weights, held, strict=True)):
        yield [("n", str(n))], weight, left


def _sum_equality(
    stages: Sequence[Distribution], weights: Sequence[Sequence[Fraction]], mixtures: Sequence[Distribution]
) -> Equality:
    """Return that each mixture is the sum of w_n m^n, each side weighed."""
    each = [weighed(stage) for stage in stages]
    names = "the buffer's weights", "weights that fall slowly"
    rows = (
        ([("", name)], sum((w * stage for w, stage in zip(its, each, strict=True)), Fraction(0)), weighed(mixture))
        for name, its, mixture in zip(names, weights, mixtures, strict=True)
    )
    return equality("m^mix is the sum of w_n m^n, weighed", rows)


def _upper(
    mix: Distribution, stages: list[dict[BitString, Fraction]], deeper: Fraction, r: Fraction
) -> dict[BitString, Fraction]:
    """Return an upper bound of the infinite mixture, for each string of the stages.

    A kernel moves no two measures further apart (in the sum of |p - q|). So m^{N+j}(x) <= m^N(x) + j d for the last
    stage N and its distance d to the one before. How far a deeper row is beyond N is geometric with mean 1/r, so that
    these rows add deeper (m^N(x) + d/r) at most.
    """
    last, distance = stages[-1], 2 * total_variation(stages[-1], stages[-2])
    return {
        x: mix.get(x, Fraction(0)) + deeper * min(Fraction(1), last.get(x, Fraction(0)) + distance / r)
        for stage in stages
        for x in stage
    }


def _slow_item(stages: list[dict[BitString, Fraction]], mix: Distribution, weights: list[Fraction]) -> Item:
    """Return the item of the mixture whose weights fall slowly: the least slack over all depths."""
    found = []
    for n, (stage, weight) in enumerate(zip(stages, weights, strict=True)):
        if stage:
            ratio, x = least_ratio(mix, stage)
            found.append((ratio / weight, n, x))
    slack, n, x = min(found)
    numbers = {"claimed": weights[n], "observed": slack * weights[n]}
    return claim_item("w_n = 1/((n+1)(n+2))", numbers, witness=f"depth {n}, x = {shown(x)}")
