"""Codes in order: Bayesian at most variational at most two-part, for one prior, on every set of labels.

The hypotheses are the programs z of the machine u that reads a member's word and is that member (Lemma 4.1 of Bloem
2025), each with its prior 2^-|z| and the model function that it computes on a few inputs. For every assignment of
labels to these inputs, each repeated so that learning can pay,

    -log2 sum_z 2^-|z| p(Y|X; f_z)  <=  min_beta L_var(Y|X; beta)  <=  min_z |z| - log2 p(Y|X; f_z).

The posteriors beta that are tried are the point mass of the best program and the Bayesian posterior cut off after the
best 4 and 16. That the left side holds for every beta is eq. 76: L_var exceeds the Bayesian code by KL[beta ||
posterior]. Eq. 10, the logarithm outside the mean, breaks it. The right side is Lemma 5, a point mass costs what the
two-part code does. Lemma 1, the minimum over programs is one over functions, is found in both ways.

Source: Shaw et al. 2025 (arXiv 2509.22445), proposition 3, lemmas 1 and 5, eq. 76. Limits: the constants of that
proposition compare one universal code with another; for one prior there are none. Its first part, K(Y|X) below the
Bayesian code, is the coding theorem (`theory.checks.coding`). Model functions are read from strings
(`theory.measures.program_codes`).
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from theory.checks.registry import CODES
from theory.checks.result import Advance, CheckResult, Counterexample, Equality, EqualityRow, Item, counted, equality
from theory.errors import InputError
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import Bound
from theory.measures.codes import (
    Data,
    FiniteCode,
    Posterior,
    bayesian,
    function_weights,
    likelihood,
    mean_inside,
    posterior,
    shortest_two_part,
    two_part,
    variational,
)
from theory.measures.program_codes import Halting, halting, program_code
from theory.numbers.bit_strings import kraft_sum, strings_of_length
from theory.numbers.code_length import CodeLength
from theory.numbers.exact import LogSum
from theory.words import number_of

CUTS = (4, 16)
"""Of the Bayesian posterior, so many of the best programs are kept."""
RUN_AGAIN = 30


@dataclass(frozen=True)
class Labels:
    """One assignment of labels to the inputs, each `repeats` times."""

    text: str
    repeats: int

    @property
    def data(self) -> Data:
        """Pairs of places."""
        return [(x, int(y)) for x, y in enumerate(self.text)] * self.repeats


def machine_of(model_class: ModelClass) -> ClassInterpreter:
    """Return the prefix machine whose programs are the words and programs of a class's members.

    Raises:
        InputError: the members have no words.

    """
    if not model_class.words:
        raise InputError(
            "the members of this class have no words, so that no machine can read them",
            received=model_class.name,
            remedy="take a class whose prior comes from a code, such as mealy",
        )
    return ClassInterpreter(model_class)


def all_labels(input_bits: int, repeats: int) -> list[Labels]:
    """Return every assignment of labels to the inputs of so many bits.

    Raises:
        InputError: a negative number of bits, or no repeats.

    """
    if input_bits < 0 or repeats < 1:
        received = f"{number_of(input_bits, 'bit')}, {number_of(repeats, 'time')}"
        remedy = "give 0 bits or more, and 1 repeat or more"
        raise InputError("inputs have 0 bits or more, and each comes once or more", received=received, remedy=remedy)
    return [Labels("".join(text), repeats) for text in product("01", repeat=1 << input_bits)]


def check_codes(
    model_class: ModelClass,
    *,
    input_bits: int = 1,
    repeats: int = 8,
    variant: str | None = None,
    advance: Advance | None = None,
) -> CheckResult:
    """Check that the Bayesian code is the shortest and the two-part code the longest, on all labels.

    Args:
        model_class: whose machine's programs are the hypotheses.
        input_bits: inputs of so many bits, all of them.
        repeats: how often each input comes, with the same label.
        variant: None, or one of the declared ones.
        advance: is told how many inputs have been gone through.

    Raises:
        InputError: an unknown variant, a class without words, numbers that are too small, or nothing that halts.

    """
    CODES.require_variant(variant)
    machine = machine_of(model_class)
    every = all_labels(input_bits, repeats)
    inputs = list(strings_of_length(input_bits))
    most = machine.bound.time  # each bit of a program takes a step, so that no tape needs more cells
    found = halting(machine, inputs, Bound(most, most), counted(advance, len(inputs)))
    if not found.programs:
        raise nothing_halts(model_class)
    code = program_code(found)
    return CODES.result(
        [_item(code, labels, variant) for labels in every],
        equalities=_equalities(machine, found, code, every),
        class_name=model_class.name,
        bound=f"inputs of {number_of(input_bits, 'bit')}, each {number_of(repeats, 'time')}; R_t = R_s = {most}",
        constants={"sum of 2^-|z|": sum(code.prior, Fraction(0))},
        counts={"programs": len(code.prior), "functions": len(set(code.functions)), "label sets": len(every)},
        variant=variant,
    )


def cut_posterior(true: Posterior, keep: int) -> Posterior:
    """Return a posterior restricted to the likeliest hypotheses, the first of equals, and scaled to sum to 1."""
    kept = heapq.nlargest(keep, true, key=lambda h: (true[h], -h))
    mass = sum((true[h] for h in kept), Fraction(0))
    return {h: true[h] / mass for h in kept}


def _item(code: FiniteCode, labels: Labels, variant: str | None) -> Item:
    data = labels.data
    true = posterior(code, data)
    length = mean_inside if variant == "mean-inside" else variational
    two = shortest_two_part(code, data).total
    bayes = bayesian(code, data).total
    tried = [length(code, cut_posterior(true, keep), data).total for keep in (1, *CUTS)]
    if variant == "any-posterior":
        tried.append(length(code, {h: Fraction(1, len(code.prior)) for h in range(len(code.prior))}, data).total)
    least, most = min(tried), max(tried) if variant == "any-posterior" else min(tried)
    pairs = [("Bayesian <= variational", bayes, least), ("variational <= two-part", most, two)]
    if variant == "converse":
        pairs = [("two-part <= Bayesian", two, bayes)]
    return _tightest(labels, pairs, {"Bayesian": bayes, "variational": least, "two-part": two})


def _tightest(
    labels: Labels, pairs: Sequence[tuple[str, CodeLength, CodeLength]], lengths: dict[str, CodeLength]
) -> Item:
    """Return the item of what should not be longer than what, the pair with least room."""
    what, smaller, larger = min(pairs, key=lambda pair: CodeLength(pair[2].less(pair[1])))
    slack = larger.less(smaller)
    holds, name = slack.sign() >= 0, f"Y = {labels.text}"
    claimed, observed = float(larger), float(smaller)
    sentence = f"{what}: {observed:.4f} bits are more than {claimed:.4f}"
    where = f"{name}: {what}"
    return Item(
        name=name,
        holds=holds,
        slack_bits=float(slack),
        witness=what,
        numbers={each: float(bits) for each, bits in lengths.items()},
        failure=None if holds else Counterexample(where=where, claimed=claimed, observed=observed, sentence=sentence),
    )


def _equalities(
    machine: ClassInterpreter, found: Halting, code: FiniteCode, every: Sequence[Labels]
) -> Iterator[Equality]:
    yield kraft_equality([found])
    yield equality("p(1|x) of a program that is run again", _run_again(machine, found, code))
    yield likelihood_equality(code, every)
    yield equality("2^-min L over programs, over functions (Lemma 1)", _over_functions(code, every))
    yield equality("a point mass costs what the two-part code does (Lemma 5)", _point_masses(code, every))
    yield equality("the posterior sums to 1", _posterior_sums(code, every))
    yield equality("L_var - KL[beta || posterior] is the Bayesian code (eq. 76)", _excesses(code, every))


def kraft_equality(searches: Sequence[Halting]) -> Equality:
    """Show that no program was missed: all that can be read under a bound has mass 1, on each input."""
    rows = (
        ((("R", f"{each.bound.time},{each.bound.space}"), ("x", x)), Fraction(1), kraft_sum(list(runs)))
        for each in searches
        for x, runs in zip(each.inputs, each.runs, strict=True)
    )
    return equality("all that can be read has mass 1", rows)


def likelihood_equality(code: FiniteCode, every: Sequence[Labels]) -> Equality:
    """Show that likelihoods are products of predictions, pair by pair, for each function on its best labels."""

    def rows() -> Iterator[EqualityRow]:
        for f in dict.fromkeys(code.functions):
            data = Labels("".join(str(int(p[1] > p[0])) for p in f), every[0].repeats).data
            by_pair = Fraction(1)
            for x, y in data:
                by_pair *= f[x][y]
            yield [("p(1|x)", ", ".join(str(p[1]) for p in f))], by_pair, likelihood(f, data)

    return equality("p(Y|X; f), pair by pair", rows())


def _run_again(machine: ClassInterpreter, found: Halting, code: FiniteCode) -> Iterator[EqualityRow]:
    for place in range(0, len(found.programs), max(1, len(found.programs) // RUN_AGAIN)):
        z = found.programs[place]
        for x, given in zip(found.inputs, code.functions[place], strict=True):
            output = machine.run(z, x, found.bound).output
            yield [("z", z), ("x", x)], Fraction(output.count("1") + 1, len(output) + 2), given[1]


def _over_functions(code: FiniteCode, every: Sequence[Labels]) -> Iterator[EqualityRow]:
    for labels in every:
        over_functions = max(weight * likelihood(f, labels.data) for f, weight in function_weights(code).items())
        same = CodeLength.of(over_functions) == shortest_two_part(code, labels.data).total
        yield [("Y", labels.text)], 1, int(same)


def _point_masses(code: FiniteCode, every: Sequence[Labels]) -> Iterator[EqualityRow]:
    for labels in every:
        (best,) = cut_posterior(posterior(code, labels.data), 1)
        one, other = variational(code, {best: Fraction(1)}, labels.data), two_part(code, best, labels.data)
        yield [("Y", labels.text)], 1, int((one.hypothesis, one.data) == (other.hypothesis, other.data))


def _posterior_sums(code: FiniteCode, every: Sequence[Labels]) -> Iterator[EqualityRow]:
    for labels in every:
        yield [("Y", labels.text)], 1, sum(posterior(code, labels.data).values(), Fraction(0))


def _excesses(code: FiniteCode, every: Sequence[Labels]) -> Iterator[EqualityRow]:
    for labels in every:
        true = posterior(code, labels.data)
        beta = cut_posterior(true, CUTS[0])
        excess = CodeLength(LogSum((p, p / true[h]) for h, p in beta.items()))
        same = bayesian(code, labels.data).total + excess == variational(code, beta, labels.data).total
        yield [("Y", labels.text)], 1, int(same)
