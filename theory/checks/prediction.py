"""Theorem 4.2: whoever predicts with a dominating q loses a bounded number of bits to p, over the whole string.

With the end of the string as an outcome "$" beside the bits 0 and 1, let

    D_n = sum over |x| = n of p(x_) KL(p( . | x) || q( . | x)),   n = 0, 1, 2, ...

Every D_n is at least 0, the chain rule gives sum D_n = KL(p || q) exactly, and q >= c p gives KL(p || q) <= log 1/c.
For the mixture q = m_C and a member p the constant is the prior p(c). The terms are kept as rational combinations of
logarithms of integers (`theory.numbers.exact.LogSum`): the chain rule is an identity there, and signs are decided
exactly.

Source: Bloem 2025 (arXiv 2506.20057), section 4.2; Li and Vitányi, theorem 5.2.1. Limits: members must be sufficient.

Deviation (erratum): the second line of the definition of D_n and all that follows from it carries a minus sign too
many. In the proof, p(xb_) = sum over |y| = m of p(xby_) fails for strings that end within y; the telescoping sum starts
at n = 0, not 1; and the last step, "sum D_n <= sum of p <= 1", drops the logarithm: a point mass with p(c) = 1/8 that
no other member shares has sum D_n = 3. The bound that holds is log 1/p(c). Over the bits alone, as printed, D_n can be
negative, since p(0|x) + p(1|x) is less than 1 where a string may end.

A prior may sum to less than 1. What it leaves over is then an outcome of its own, which only q has, before the first
symbol: D_0 counts it, and p(c) stays the prior as it was given.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate

from theory.checks.equalities import mixture_equalities
from theory.checks.registry import PREDICTION
from theory.checks.result import CheckResult, Counterexample, Item, Picture, StepCurve, tightest_item
from theory.machines.classes import ModelClass
from theory.machines.named_sources import SOURCES, prior
from theory.measures.mixture import STRING_END, Distribution, Mixture, next_symbol, prefix_masses
from theory.numbers.bit_strings import BitString, shown, strings_of_length
from theory.numbers.exact import LogSum, log2_float, number_text
from theory.words import number_of


def divergences(p: Distribution, q: Distribution, outcomes: str = "01" + STRING_END) -> list[LogSum]:
    """Return D_0, D_1, ... up to the longest string of p; q must be positive wherever p is, of mass 1 or less.

    >>> point, fair = {"1": Fraction(1)}, {"0": Fraction(1, 2), "1": Fraction(1, 2)}
    >>> [float(d) for d in divergences(point, fair)]
    [1.0, 0.0]
    """
    p_masses, q_masses = prefix_masses(p), _masses_of_all(q)
    terms = [LogSum() for _ in range(max(map(len, p_masses)) + 1)]
    for x, p_x in p_masses.items():
        for outcome in outcomes:
            p_next = p.get(x, Fraction(0)) if outcome == STRING_END else p_masses.get(x + outcome, Fraction(0))
            if p_next:
                q_next = q[x] if outcome == STRING_END else q_masses[x + outcome]
                # p_next log [ (p_next / p_x) / (q_next / q_x) ], apart so that equal terms of opposite sign cancel
                term = terms[len(x)]
                term.add(p_next, p_next)
                term.add(-p_next, p_x)
                term.add(-p_next, q_next)
                term.add(p_next, q_masses[x])
    return terms


def _masses_of_all(q: Distribution) -> dict[BitString, Fraction]:
    """Return the prefix masses of q, of which the empty prefix also has what q leaves over."""
    return prefix_masses(q) | {"": Fraction(1)}


def relative_entropy(p: Distribution, q: Distribution) -> LogSum:
    """Return KL(p || q), the sum of p(x) log2 p(x) / q(x)."""
    total = LogSum()
    for x, p_x in p.items():
        total.add(p_x, p_x)
        total.add(-p_x, q[x])
    return total


def least_prediction_ratio(p: Distribution, q: Distribution) -> tuple[Fraction, BitString, str]:
    """Return the least q(b|x) / p(b|x) over all x and outcomes b that p allows, and where it lies."""
    p_masses, q_masses = prefix_masses(p), _masses_of_all(q)
    ratios = []
    for x in p_masses:
        ours, theirs = next_symbol(p, x, p_masses), next_symbol(q, x, q_masses)
        ratios += [(theirs[outcome] / p_next, x, outcome) for outcome, p_next in ours.items() if p_next]
    return min(ratios)


def total(terms: list[LogSum]) -> LogSum:
    """Return the sum of the terms."""
    added = LogSum()
    for term in terms:
        for integer, coefficient in term.terms.items():
            added.add(coefficient, integer)
    return added


@dataclass(frozen=True)
class _Comparison:
    """Member p against the mixture q, with everything that a claim may need."""

    p: Distribution
    q: Distribution
    constant: Fraction
    terms: list[LogSum]
    sum: LogSum
    kl: LogSum
    ratio: tuple[Fraction, BitString, str]


def check_prediction(model_class: ModelClass, *, condition: BitString = "", variant: str | None = None) -> CheckResult:
    """Check 0 <= D_n, sum D_n = KL(p_c || m_C) and sum D_n <= log 1/p(c) for every member c.

    Args:
        model_class: the class C; every member must be sufficient. The prior is taken as it is, also if its sum is less
            than 1.
        condition: what is on the conditional tape throughout.
        variant: None, or one of the declared ones.

    Raises:
        InputError: a member that is not sufficient under the bound, or an unknown variant.

    """
    PREDICTION.require_variant(variant)
    if variant == "lacking-dup":
        return _lacking_dup()
    mixture = Mixture(model_class)
    mixture.require_sufficient([condition])
    q = mixture.measure(condition).mass
    items, curves, worst = [], [], None
    for index, (machine, p_c) in enumerate(zip(model_class.members, model_class.prior, strict=True)):
        p = mixture.member(index, condition).mass
        terms = divergences(p, q)
        compared = _Comparison(p, q, p_c, terms, total(terms), relative_entropy(p, q), least_prediction_ratio(p, q))
        items.append(_judge(machine.name, model_class.code_length_bits(index), compared, variant))
        if not worst or compared.ratio[0] / compared.constant < worst[1].ratio[0] / worst[1].constant:
            worst = (machine.name, compared)
        values = [float(term) for term in terms]
        curves.append(StepCurve(f"D_n of {machine.name}", "n", tuple(values)))
    assert worst is not None
    return PREDICTION.result(
        items,
        equalities=mixture_equalities(mixture, [condition]),
        class_name=model_class.name,
        bound=f"every string that a member writes on condition {shown(condition)}",
        variant=variant,
        tightest=lambda item: item.name,
        counts={"members": len(items), "failures": sum(not item.holds for item in items)},
        curves=curves,
        pictures=_tightest_pictures(items, curves),
        remarks=[*_left_over(model_class), _pointwise_remark(*worst)],
    )


def _left_over(model_class: ModelClass) -> list[str]:
    """Return a remark on a prior that sums to less than 1, or nothing."""
    whole = sum(model_class.prior, Fraction(0))
    if whole == 1:
        return []
    return [
        f"The prior sums to {number_text(whole)}: what it leaves over is predicted before the first symbol, and costs"
        f" every member log2 {number_text(1 / whole)} = {log2_float(1 / whole):.3f} bits of D_0."
    ]


def _tightest_pictures(items: list[Item], curves: list[StepCurve]) -> list[Picture]:
    """Return the terms of the tightest member, and their running sums, marked with the bound."""
    least = tightest_item(items)
    terms, bound = curves[items.index(least)], float(least.numbers["log 1/p(c)"])
    sums = tuple(accumulate(terms.values))
    return [
        Picture(replace(terms, name=f"{terms.name}, in bits")),
        Picture(
            replace(terms, name=f"D_0 + ... + D_n of {least.name}, in bits", values=sums),
            (bound,) * len(sums),
            "log 1/p(c)",
        ),
    ]


def _judge(name: str, length: int | None, compared: _Comparison, variant: str | None) -> Item:
    """Return the item of one member, with the counterexample to the claim of the variant, if there is one."""
    bound = LogSum([(-1, compared.constant)])
    slack: LogSum | None = bound - compared.sum  # None: the claim fails altogether, by a factor of 0
    where, sentence, claimed, observed = "", "", float(bound), float(compared.sum)
    if variant == "printed-bound":
        slack, claimed = LogSum([(1, 2)]) - compared.sum, 1.0
        sentence = f"sum D_n is {observed:.4f} bits, more than the 1 that is printed"
    elif variant == "printed-sign":
        positive = [(n, term) for n, term in enumerate(compared.terms) if term.sign() > 0]
        n, term = max(positive, key=lambda pair: float(pair[1]), default=(0, compared.terms[0]))
        slack, where, claimed, observed = LogSum() - term, f"n = {n}", 0.0, -float(term)
        sentence = f"with the printed minus sign D_{n} is {observed:.4f}, below 0"
    elif variant in ("bits-only", "from-one"):
        other = total(divergences(compared.p, compared.q, "01") if variant == "bits-only" else compared.terms[1:])
        gap = compared.kl - other
        slack = gap if gap.sign() < 0 else LogSum() - gap
        claimed, observed = float(compared.kl), float(other)
        sentence = f"the sum of D_n is {observed:.4f}, not KL(p || q) = {claimed:.4f}"
    elif variant == "no-end":
        x = min(compared.p, key=lambda x: (-compared.p[x], x))
        masses = prefix_masses(compared.p)
        claimed, observed = masses[x], masses.get(x + "0", Fraction(0)) + masses.get(x + "1", Fraction(0))
        slack, where = LogSum([(1, observed / claimed)]) if observed else None, shown(x)
        found, whole = number_text(observed), number_text(claimed)
        sentence = f"p(x0_) + p(x1_) = {found} but p(x_) = {whole}: the string may end at x = {shown(x)}"
    elif variant == "pointwise":
        ratio, x, outcome = compared.ratio
        slack, where = LogSum([(1, ratio / compared.constant)]), f"{outcome} after {shown(x)}"
        claimed, observed = compared.constant, ratio
        event, found, prior = f"({outcome}|{shown(x)})", number_text(observed), number_text(claimed)
        sentence = f"q{event} is {found} times p{event}, below p(c) = {prior}"
    else:
        where, sentence = _broken_part(compared)
    holds = slack is not None and slack.sign() >= 0 and not (variant is None and sentence)
    failure = None
    if not holds:
        sentence = sentence or f"sum D_n is {observed:.4f} bits, more than log 1/p(c) = {claimed:.4f}"
        at = f"{name} {where}".strip()
        failure = Counterexample(where=at, claimed=claimed, observed=observed, sentence=sentence)
    return Item(
        name=name,
        holds=holds,
        slack_bits=None if slack is None else float(slack),
        code_length_bits=length,
        witness=where,
        numbers={"sum D_n": float(compared.sum), "log 1/p(c)": float(bound), "min q/p": compared.ratio[0]},
        failure=failure,
    )


def _broken_part(compared: _Comparison) -> tuple[str, str]:
    """Say where the true statement fails apart from the bound: never, unless this code is wrong."""
    for n, term in enumerate(compared.terms):
        if term.sign() < 0:
            return f"n = {n}", f"D_{n} is negative"
    if (compared.sum - compared.kl).sign():
        return "", "the chain rule fails: sum D_n is not KL(p || q)"
    return "", ""


def _pointwise_remark(name: str, compared: _Comparison) -> str:
    ratio, x, outcome = compared.ratio
    verb = "falls below" if ratio < compared.constant else "stays above"
    event = f"({outcome}|{shown(x)})"
    return (
        f"Single predictions are not dominated in general: for {name}, q{event} / p{event} = {float(ratio):.3f}"
        f" {verb} p(c) = {float(compared.constant):.3f}."
    )


def _lacking_dup(length: int = 12) -> CheckResult:
    """Compare dup with class A without it, through the densities: KL(p || q) needs q on the strings of dup alone."""
    dup = next(source for source in SOURCES if source.name == "dup")
    others = [source for source in SOURCES if source is not dup]
    whole = 1 - prior(dup)
    divergence = LogSum()
    for word in strings_of_length(length // 2):
        x = word + word
        p = dup.density(length, x)
        q = sum((prior(source) / whole * source.density(length, x) for source in others), Fraction(0))
        divergence.add(p, p / q)
    slack = LogSum([(-1, prior(dup))]) - divergence
    claimed, observed = float(LogSum([(-1, prior(dup))])), float(divergence)
    holds = slack.sign() >= 0
    sentence = f"sum D_n is {observed:.4f} bits, more than log 1/p(c) = {claimed:.4f}, since dup is no member"
    failure = Counterexample(where="dup", claimed=claimed, observed=observed, sentence=sentence)
    item = Item(
        name="dup",
        holds=holds,
        slack_bits=float(slack),
        code_length_bits=dup.code_length_bits,
        numbers={"sum D_n": observed, "log 1/p(c)": claimed},
        failure=None if holds else failure,
    )
    return PREDICTION.result(
        [item],
        class_name=f"sources without dup, {number_of(length, 'bit')}",
        bound=f"every string that a member writes on condition {shown('')}",
        variant="lacking-dup",
        tightest=lambda item: item.name,
        counts={"members": 1, "failures": int(not holds)},
    )
