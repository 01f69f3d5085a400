"""Regret and convergence: what a Bayes mixture loses to its best member, and how fast its predictions become right.

Take N coins, coin j with P(1) = theta_j, and the mixture m = (1/N) sum of P_j. Since m >= P_j / N on every string, no
member is ever ahead by more than log2 N bits, on any string of any length: the regret is bounded for ever, although the
losses themselves grow. The bound is approached where one coin is right and the others are refuted (all ones, for the
largest theta). Solomonoff's convergence theorem follows: if coin j does produce the bits and q_n is the mixture's
probability that the next one is 1, Pinsker's inequality in nats, 2 (q - p)^2 <= KL, and the chain rule give

    sum over n of E (q_n - theta_j)^2 <= (ln N) / 2,

so that the expected squared errors, summed for ever, stay finite. Coins see only counts, hence n + 1 cases stand for
2^n strings. Ratios of probabilities are exact; the sum of squares is enclosed between binary fractions that are rounded
outward, and so is ln N. Bounds from above hold of numbers that are too small as well. So the counts are shown to be all
strings, of mass 1 for each length, and up to `STRING_BITS` bits every string is gone through by itself: its
probabilities are products of those of its bits, and what is predicted is the share of its two continuations.

Source: Bloem 2025 (arXiv 2506.20057), section 4.2, of which this is the classical special case; Solomonoff 1978; Li and
Vitányi, theorem 5.2.1. Limits: uniform prior; independent bits; strings of `steps` bits at most, a partial sum.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import comb, lcm, prod

from theory.checks.registry import REGRET
from theory.checks.result import (
    CheckResult,
    Counterexample,
    Equality,
    EqualityRow,
    Item,
    StepCurve,
    equality,
    ratio_item,
)
from theory.errors import InputError
from theory.numbers.bit_strings import BitString, strings
from theory.numbers.exact import log2_float, log2_interval, number_text
from theory.words import number_of

EIGHTHS = tuple(Fraction(k, 8) for k in range(1, 8))

STRING_BITS = 5

Enclosure = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Counts:
    """All strings of `ones` ones and `zeros` zeros; `weights` are in proportion to the coins' probabilities of one."""

    ones: int
    zeros: int
    weights: tuple[int, ...]

    @property
    def length(self) -> int:
        """Bits of each of these strings."""
        return self.ones + self.zeros

    def ratio(self, index: int) -> Fraction:
        """Return P_j(x) / m(x)."""
        return Fraction(len(self.weights) * self.weights[index], sum(self.weights))

    def __str__(self) -> str:
        return f"{number_of(self.ones, 'one')}, {number_of(self.zeros, 'zero')}"


def counts(thetas: Sequence[Fraction], steps: int) -> Iterator[Counts]:
    """Yield the counts of all strings of up to `steps` bits that some coin can produce."""
    whole = lcm(*(theta.denominator for theta in thetas))
    heads = [int(theta * whole) for theta in thetas]
    for length in range(steps + 1):
        for ones in range(length + 1):
            weights = tuple(head**ones * (whole - head) ** (length - ones) for head in heads)
            if any(weights):
                yield Counts(ones, length - ones, weights)


def squared_errors(thetas: Sequence[Fraction], index: int, steps: int, precision: int = 128) -> list[Enclosure]:
    """Enclose E (q_n - theta)^2 for n = 0 .. steps where the coin with this index produces the bits.

    >>> low, high = squared_errors([Fraction(0), Fraction(1)], 1, 3)[0]
    >>> low == high == Fraction(1, 4)
    True
    """
    whole = lcm(*(theta.denominator for theta in thetas))
    heads = [int(theta * whole) for theta in thetas]
    unit = 1 << precision
    ends = [[0, 0] for _ in range(steps + 1)]
    for case in counts(thetas, steps):
        if not case.weights[index]:
            continue
        total = sum(case.weights)
        error = sum(w * head for w, head in zip(case.weights, heads, strict=True)) - heads[index] * total
        numerator = comb(case.length, case.ones) * case.weights[index] * error * error * unit
        denominator = whole**case.length * (whole * total) ** 2
        ends[case.length][0] += numerator // denominator
        ends[case.length][1] -= -numerator // denominator
    return [(Fraction(low, unit), Fraction(high, unit)) for low, high in ends]


def ln_interval(value: int, precision: int = 128) -> Enclosure:
    """Enclose the natural logarithm of an integer: log2 times ln 2 = 2 (1/3 + (1/3)^3/3 + (1/3)^5/5 + ...).

    >>> low, high = ln_interval(7)
    >>> float(low), high - low < Fraction(1, 1 << 120)
    (1.9459101490553132, True)
    """
    terms = precision // 3 + 2  # each brings more than 3 binary digits
    ln2 = sum((Fraction(2, (2 * k + 1) * 3 ** (2 * k + 1)) for k in range(terms)), Fraction(0))
    rest = Fraction(2, (2 * terms + 1) * 3 ** (2 * terms + 1)) / (1 - Fraction(1, 9))
    low, high = log2_interval(value, precision)
    return low * ln2, high * (ln2 + rest)


def check_regret(*, steps: int = 64, thetas: Sequence[Fraction] = EIGHTHS, variant: str | None = None) -> CheckResult:
    """Check that the mixture loses log2 N bits at most to any coin, and that its squared errors sum to (ln N) / 2.

    Args:
        steps: strings of up to this many bits are looked at, and predictions after 0 to this many bits.
        thetas: the coins' probabilities of a 1.
        variant: None, or one of the declared ones.

    Raises:
        InputError: no coins, one that is no probability, a negative number of steps, or an unknown variant.

    """
    REGRET.require_variant(variant)
    if steps < 0:
        raise InputError("a length is not negative", received=steps, remedy="give 0 or more")
    if not thetas or not all(0 <= theta <= 1 for theta in thetas):
        raise InputError(
            "a coin has a probability from 0 to 1",
            received=", ".join(map(number_text, thetas)) or "no coin",
            remedy="give one or more such fractions",
        )
    size = len(thetas)
    allowed = Fraction(size - 1 if variant == "one-member-less" else size)
    cases = list(counts(thetas, steps))
    items = [
        *_regrets(thetas, cases, allowed, any_theta=variant == "any-parameter"),
        *(_convergence(thetas, index, steps, without_weight=variant == "without-weight") for index in range(size)),
    ]
    last = size - 1
    largest = [Fraction(0)] * (steps + 1)
    for case in cases:
        largest[case.length] = max(largest[case.length], *(case.ratio(index) for index in range(size)))
    return REGRET.result(
        items,
        equalities=_equalities(thetas, cases, steps),
        class_name=f"{number_of(size, 'coin')}, theta = {', '.join(map(number_text, thetas))}",
        bound=f"strings up to length {steps}",
        constants={"1/N": Fraction(1, size)},
        counts={"counts": len(cases), "strings": (2 << steps) - 1, "failures": sum(not item.holds for item in items)},
        curves=(
            StepCurve("largest regret in bits over strings of n bits", "n", tuple(map(log2_float, largest))),
            StepCurve(
                f"E (q_n - theta)^2 for theta = {number_text(thetas[last])}",
                "n",
                tuple(float(high) for _, high in squared_errors(thetas, last, steps)),
            ),
        ),
        variant=variant,
        tightest=lambda item: f"{item.name}, {item.witness}",
    )


def _regrets(
    thetas: Sequence[Fraction], cases: Sequence[Counts], allowed: Fraction, *, any_theta: bool
) -> Iterator[Item]:
    """Yield for each coin how far ahead of the mixture it ever is; or that for the best theta of all, once."""
    if any_theta:
        yield _regret("regret, any theta", *_first_largest([(_best_of_all(thetas, x), x) for x in cases]), allowed)
        return
    for index, theta in enumerate(thetas):
        yield _regret(
            f"regret, theta = {number_text(theta)}", *_first_largest([(x.ratio(index), x) for x in cases]), allowed
        )


def _first_largest(pairs: Sequence[tuple[Fraction, Counts]]) -> tuple[Fraction, Counts]:
    return max(pairs, key=lambda pair: pair[0])


def _regret(name: str, ratio: Fraction, case: Counts, allowed: Fraction) -> Item:
    observed, claimed = log2_float(ratio), log2_float(allowed)
    return ratio_item(
        name,
        allowed / ratio,
        witness=str(case),
        numbers={"observed": observed, "claimed": claimed},
        failure=partial(_failure, "the regret in bits", f"{name}: {case}", observed, claimed),
    )


def _equalities(thetas: Sequence[Fraction], cases: Sequence[Counts], steps: int) -> Iterator[Equality]:
    """Yield that the counts stand for all strings, and that short strings by themselves give the same numbers."""
    whole = lcm(*(theta.denominator for theta in thetas))
    masses = [0] * (steps + 1)
    for case in cases:
        masses[case.length] += comb(case.length, case.ones) * sum(case.weights)
    rows = (((("n", str(n)),), 1, Fraction(mass, len(thetas) * whole**n)) for n, mass in enumerate(masses))
    yield equality("m(x) sums to 1 over the strings of n bits", rows)
    longest = min(steps, STRING_BITS)
    coins = {x: [_of_string(theta, x) for theta in thetas] for x in strings(longest + 1)}
    yield equality("P_j(x) / m(x), string by string", _ratio_rows(thetas, cases, coins, longest))
    yield equality("E (q_n - theta)^2, string by string", _error_rows(thetas, coins, longest))


def _of_string(theta: Fraction, x: BitString) -> Fraction:
    return prod((theta if bit == "1" else 1 - theta for bit in x), start=Fraction(1))


def _ratio_rows(
    thetas: Sequence[Fraction], cases: Sequence[Counts], coins: Mapping[BitString, Sequence[Fraction]], longest: int
) -> Iterator[EqualityRow]:
    found = {(case.ones, case.zeros): case for case in cases}
    for x, each in coins.items():
        mixed = sum(each, Fraction(0)) / len(thetas)
        if len(x) <= longest and mixed:
            case = found.get((x.count("1"), x.count("0")))
            for index, p in enumerate(each):
                where = ("x", x), ("theta", number_text(thetas[index]))
                yield where, p / mixed, Fraction(0) if case is None else case.ratio(index)


def _error_rows(
    thetas: Sequence[Fraction], coins: Mapping[BitString, Sequence[Fraction]], longest: int
) -> Iterator[EqualityRow]:
    """Yield E (q_n - theta)^2 and the same if it lies in its enclosure, otherwise the enclosure's upper end."""
    for index, theta in enumerate(thetas):
        exact = [Fraction(0)] * (longest + 1)
        for x in strings(longest):
            if sum(coins[x]):
                predicted = sum(coins[x + "1"], Fraction(0)) / sum(coins[x])
                exact[len(x)] += coins[x][index] * (predicted - theta) ** 2
        for n, ((low, high), error) in enumerate(zip(squared_errors(thetas, index, longest), exact, strict=True)):
            where = ("theta", number_text(theta)), ("n", str(n))
            yield where, error, error if low <= error <= high else high


def _failure(what: str, where: str, observed: float, claimed: float) -> Counterexample:
    sentence = f"{what} is {observed:.4f}, more than the {claimed:.4f} that was claimed"
    return Counterexample(where=where, claimed=claimed, observed=observed, sentence=sentence)


def _best_of_all(thetas: Sequence[Fraction], case: Counts) -> Fraction:
    """Return P(x) / m(x) for the theta in [0, 1] that makes x most likely: the share of ones in x."""
    share = Fraction(case.ones, case.length) if case.length else Fraction(1)

    def likelihood(theta: Fraction) -> Fraction:
        return theta**case.ones * (1 - theta) ** case.zeros

    return len(thetas) * likelihood(share) / sum(map(likelihood, thetas))


def _convergence(thetas: Sequence[Fraction], index: int, steps: int, *, without_weight: bool) -> Item:
    """Compare twice the sum of squares with ln N, in ever narrower enclosures until the sign is certain.

    They do not overlap for ever: the sum is rational, and the logarithm of an integer above 1 is not. (For one coin
    both are exactly 0. The wrong variant compares with a rational number, which is not guaranteed to be told apart.)
    """
    precision = 128
    while True:
        errors = squared_errors(thetas, index, steps, precision)
        low, high = (2 * sum((error[end] for error in errors), Fraction(0)) for end in (0, 1))
        ends = (Fraction(1), Fraction(1)) if without_weight else ln_interval(len(thetas), precision)
        if high <= ends[0] or low > ends[1]:
            break
        precision *= 2
    slack = ends[0] - high
    name, witness = f"squares, theta = {number_text(thetas[index])}", f"n = 0 .. {steps}"
    observed, claimed = float(high / 2), float(ends[0] / 2)
    return Item(
        name=name,
        holds=slack >= 0,
        slack_bits=float(slack / 2 / ln_interval(2)[0]),
        witness=witness,
        numbers={"observed": observed, "claimed": claimed},
        failure=None if slack >= 0 else _failure("the sum of squares", f"{name}: {witness}", observed, claimed),
    )
