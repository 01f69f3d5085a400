"""Bounds on time and space: more of either never lengthens the shortest description, and unused tape costs nothing.

Z_(T,R) are the programs that halt within R = (R_t, R_s) on every input. With the prior 2^-|z| on them (Theorem 1) the
shortest two-part code has

    C_(T,R)(Y|X) = min over z in Z_(T,R) of |z| - log2 p(Y|X; f_z)

bits, and a larger R keeps all of Z_(T,R), so that C falls (Proposition 2). In a transformer z lies on a tape of R_s
prompt tokens. To send them all takes R_s bits, more for every token that is not used. Left to chance, those after z are
free, and the tape takes exactly |z| bits (B.10); or |z| is sent first, for log2 R_s bits more (B.11).

Source: Shaw et al. 2025 (arXiv 2509.22445), Theorem 1, Proposition 2, B.10 and B.11. Limits: the weights that are not
the prompt's are the compiler's matter (`docs/errata.md`); K_(T,R)(f) is infinite for an f that takes unbounded time on
some input, which finitely many inputs do not show. Each R is enumerated afresh: that C falls is observed, not assumed.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from theory.checks.codes import Labels, all_labels, kraft_equality, likelihood_equality, machine_of
from theory.checks.registry import BUDGET
from theory.checks.result import (
    Advance,
    CheckResult,
    Counterexample,
    Equality,
    EqualityRow,
    Item,
    StepCurve,
    counted,
    equality,
    ratio_item,
)
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import Bound, Run, Status
from theory.measures.codes import FiniteCode, function_weights, likelihood, quasi_optimal, tape_divergence
from theory.measures.program_codes import Halting, halting, program_code
from theory.numbers.bit_strings import strings_of_length
from theory.numbers.code_length import CodeLength
from theory.numbers.exact import log2_float, number_text

Resources = tuple[int, int]
"""R_t and R_s."""
Best = Mapping[str, Fraction]
"""2^-C_(T,R) for each set of labels; 0 where no program halts."""


def check_budget(
    model_class: ModelClass,
    *,
    input_bits: int = 1,
    repeats: int = 8,
    variant: str | None = None,
    advance: Advance | None = None,
) -> CheckResult:
    """Check that the bound falls as time and space grow, and what the tape costs.

    Args:
        model_class: whose machine's programs are the hypotheses.
        input_bits: inputs of so many bits, all of them.
        repeats: how often each input comes, with the same label.
        variant: None, or one of the declared ones.
        advance: is told how many inputs have been gone through, for the largest bound.

    Raises:
        InputError: an unknown variant, a class without words, numbers that are too small, or nothing that halts.

    """
    BUDGET.require_variant(variant)
    machine = machine_of(model_class)
    every = all_labels(input_bits, repeats)
    inputs = list(strings_of_length(input_bits))
    most = machine.bound.time
    times, spaces = (sorted({max(1, most - less) for less in steps}) for steps in ((0, 2, 4), (0, 4)))
    searches = {
        (t, s): halting(machine, inputs, Bound(t, s), counted(advance if (t, s) == (most, most) else None, len(inputs)))
        for t in times
        for s in spaces
    }
    largest = searches[most, most]
    if not largest.programs:
        raise nothing_halts(model_class)
    codes = {r: _code(found, variant) for r, found in searches.items()}
    best = {r: _best(code, every) for r, code in codes.items()}
    items = [
        *(_growth(r, q, best[r], best[q]) for r in best for q in _after(r, times, spaces, variant)),
        *(_quasi(r, searches[r], every, free_length=variant == "free-length") for r in best),
    ]
    return BUDGET.result(
        items,
        equalities=_equalities(searches, largest, every),
        class_name=model_class.name,
        bound=f"R_t {', '.join(map(str, times))}; R_s {', '.join(map(str, spaces))}",
        counts={"bounds": len(searches), "programs": len(largest.programs), "label sets": len(every)},
        curves=(_curve(best, spaces[-1], times),),
        variant=variant,
    )


def _code(found: Halting, variant: str | None) -> FiniteCode | None:
    """Return the two-part code of a bound; None where no program halts."""
    if not found.programs:
        return None
    code = program_code(found)
    if variant == "whole-tape":
        return FiniteCode((Fraction(1, 1 << found.bound.space),) * len(code.prior), code.functions)
    return code


def _best(code: FiniteCode | None, every: Sequence[Labels]) -> Best:
    if code is None:
        return {labels.text: Fraction(0) for labels in every}
    weights = function_weights(code)
    return {labels.text: max(a * likelihood(f, labels.data) for f, a in weights.items()) for labels in every}


def _after(r: Resources, times: Sequence[int], spaces: Sequence[int], variant: str | None) -> Iterator[Resources]:
    """Yield the bounds with the next larger time, and with the next larger space."""
    later, wider = (next((x for x in values if x > own), None) for values, own in ((times, r[0]), (spaces, r[1])))
    if variant == "space-for-time" and wider is not None:
        yield times[0], wider
    if later is not None:
        yield later, r[1]
    if wider is not None:
        yield r[0], wider


def _growth(r: Resources, q: Resources, before: Best, after: Best) -> Item:
    name = f"R = {r[0]},{r[1]} to {q[0]},{q[1]}"
    ratios = {y: after[y] / p for y, p in before.items() if p}
    if not ratios:
        return Item(name=name, holds=True, slack_bits=None)
    least = min(ratios, key=lambda y: ratios[y])
    return _item(name, ratios[least], least, "the bound on the code")


def _quasi(r: Resources, found: Halting, every: Sequence[Labels], *, free_length: bool) -> Item:
    """Compare the quasi-optimal code, |z| first, with C_(T,R) + log2 R_s (eq. 103)."""
    name = f"quasi-optimal, R = {r[0]},{r[1]}"
    if not any(found.programs):
        return Item(name=name, holds=True, slack_bits=None)
    code = program_code(found)
    quasi, best = _best(quasi_optimal(code, r[1]), every), _best(code, every)
    allowed = 1 if free_length else r[1]
    ratios = {y: allowed * quasi[y] / best[y] for y in best}
    least = min(ratios, key=lambda y: ratios[y])
    return _item(name, ratios[least], least, "the quasi-optimal code")


def _item(name: str, slack: Fraction, labels: str, what: str) -> Item:
    at = f"Y = {labels}"

    def failure() -> Counterexample:
        bits = -log2_float(slack)
        sentence = f"at {at} {what} is {bits:.3f} bits longer than claimed (ratio {number_text(slack)})"
        return Counterexample(where=f"{name}: {at}", claimed=Fraction(1), observed=slack, sentence=sentence)

    return ratio_item(name, slack, witness=at, failure=failure)


def _curve(best: Mapping[Resources, Best], space: int, times: Sequence[int]) -> StepCurve:
    """Return the mean over all labels, in bits, where there is a program for each."""
    kept = [t for t in times if all(best[t, space].values())]
    means = [sum(-log2_float(p) for p in best[t, space].values()) / len(best[t, space]) for t in kept]
    return StepCurve("mean of C over all labels, in bits, with most space", "time", tuple(means), tuple(kept))


def _equalities(searches: Mapping[Resources, Halting], largest: Halting, every: Sequence[Labels]) -> Iterator[Equality]:
    yield kraft_equality(list(searches.values()))
    yield equality("Z_(T,R) are the programs that take no more than R", _within(searches, largest))
    yield likelihood_equality(program_code(largest), every)
    yield equality("a tape takes |z| bits: 2^(R_s - |z|) of 2^R_s tapes begin with z", _tapes(searches, largest))


def _within(searches: Mapping[Resources, Halting], largest: Halting) -> Iterator[EqualityRow]:
    runs = largest.runs
    for (time, space), found in searches.items():
        needs = [z for z in runs[0] if len(z) <= space and all(_takes(each.get(z), time, space) for each in runs)]
        extra = set(needs) ^ set(found.programs)
        yield [("R", f"{time},{space}"), ("programs", str(len(needs)))], 0, len(extra)


def _takes(run: Run | None, time: int, space: int) -> bool:
    return run is not None and run.status is Status.HALTED and run.steps <= time and run.space <= space


def _tapes(searches: Mapping[Resources, Halting], largest: Halting) -> Iterator[EqualityRow]:
    lengths: list[int] = sorted({len(z) for z in largest.programs})
    for space in sorted({s for _, s in searches}):
        for bits in lengths:
            if bits <= space:
                share = CodeLength.of(Fraction(1 << (space - bits), 1 << space))
                yield [("R_s", str(space)), ("|z|", str(bits))], 1, int(tape_divergence(bits, space) == share)
