"""The mutations of `theory.checks.mutations`: for each a function that puts the wrong implementation in place.

What is replaced is replaced wherever a module of the theory has it under a name, so that it does not matter how a check
comes by it.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import pytest

from theory.checks import coding, embedding, invariance, prediction, regret, resources, trees, universality
from theory.checks.registry import CHECKS
from theory.lstm import attack, construction, lipschitz, probability, radius
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.machine import FunctionMachine, Status
from theory.measures import buffer_depth, codes, context_trees, distances, measure, mixture
from theory.measures.measure import Enumeration, Measure
from theory.measures.mixture import Mixture
from theory.measures.program_codes import Halting
from theory.numbers.code_length import CodeLength
from theory.numbers.exact import LogSum

HALF = Fraction(1, 2)
LOADED = [check.function for check in CHECKS.values()]
"""All checks: a module that is first imported while something is replaced would keep it."""


def everywhere(patch: pytest.MonkeyPatch, right: Callable, wrong: Callable) -> None:
    """Put one function in the place of another in every module of the theory that has it."""
    found = 0
    for name, module in list(sys.modules.items()):
        if name.startswith("theory."):
            for attribute in [key for key, value in vars(module).items() if value is right]:
                patch.setattr(module, attribute, wrong)
                found += 1
    assert found, f"no module has {right}"


def runs(change: Callable) -> Callable:
    """A mutation of the search: `change` is given leaves with their runs, and the condition, and returns others."""

    def put(patch):
        right = measure.leaves
        everywhere(patch, right, lambda machine, z, bound: iter(change(list(right(machine, z, bound)))))

    return put


def flipped(run):
    return replace(run, output=run.output[:-1] + "10"[int(run.output[-1])]) if run.output else run


def no_condition(patch):
    right = measure.leaves
    everywhere(patch, right, lambda machine, _z, bound: right(machine, "", bound))


def thirds(patch):
    def measure_of(self):
        mass, left = defaultdict(Fraction), Fraction(0)
        for leaf, outcome in self.outcomes.items():
            share = Fraction(1, 3 ** len(leaf))
            if isinstance(outcome, Status):
                left += share
            else:
                mass[outcome] += share
        return Measure(mass, left)

    def timed(members, bound):
        mass, speed, fastest, spent = (defaultdict(Fraction) for _ in range(4))
        left = Fraction(0)
        for machine, prior in members:
            for leaf, run in measure.leaves(machine, "", bound):
                share, x = prior * Fraction(1, 3 ** len(leaf)), run.output
                if run.status is not Status.HALTED:
                    left += share
                    continue
                charged = share / max(1, run.steps)
                mass[x] += share
                speed[x] += charged
                fastest[x] = max(fastest[x], charged)
                spent[x, run.steps] += share
        return resources.TimedMeasure(mass, speed, fastest, mass, spent, left)

    patch.setattr(Enumeration, "measure", measure_of)
    everywhere(patch, resources.timed_measure, timed)


def nothing_open(patch):
    right = Enumeration.measure
    patch.setattr(Enumeration, "measure", lambda self: Measure(right(self).mass))


def mixes(change: Callable[[tuple[Fraction, ...], list[Measure]], Mapping[str, Fraction]]) -> Callable:
    """A mutation of the mixture: `change` is given the prior and the members' measures, and returns the masses."""

    def put(patch):
        def mixed(self, condition=""):
            kept = self.__dict__.setdefault("_wrong", {})
            if condition not in kept:
                kept[condition] = found(self, condition)
            return kept[condition]

        def found(self, condition):
            members = [self.member(index, condition) for index in range(len(self.model_class.members))]
            prior = self.model_class.prior
            left = sum((p * each.unresolved for p, each in zip(prior, members, strict=True)), Fraction(0))
            return Measure(change(prior, members), left)

        patch.setattr(Mixture, "measure", mixed)

    return put


def summed(prior, members):
    mass: dict[str, Fraction] = {}
    for p, each in zip(prior, members, strict=True):
        for x, its in each.mass.items():
            mass[x] = mass.get(x, Fraction(0)) + p * its
    return mass


def doubled(prior, members):
    return {x: 2 * p for x, p in summed(prior, members).items()}


def stage_skipped(patch):
    right = mixture.iterates

    def skipping(base, its):
        stages = right(base, its)
        yield next(stages)
        yield from islice(stages, 1, None)

    everywhere(patch, right, skipping)


def even_push(patch):
    right = mixture.push
    everywhere(patch, right, lambda stage, its: right(dict.fromkeys(stage, Fraction(1, len(stage))), its))


def greatest_ratio(patch):
    def greatest(above, below):
        return max((above.get(x, Fraction(0)) / p, x) for x, p in below.items() if p)

    everywhere(patch, distances.least_ratio, greatest)


def depth_shifted(patch):
    right = mixture.depth_mixture

    def shifted(stages, weights):
        return right(list(stages), [Fraction(0), *list(weights)[:-1]])

    everywhere(patch, right, shifted)


def reset_kept(patch):
    def after(distribution, *, buffer_rows, source_batch, reset_rows):
        drawn, r = Fraction(source_batch, buffer_rows), Fraction(reset_rows, source_batch)
        before = [Fraction(0), *distribution]
        return [
            (1 - drawn + drawn * r) * p + drawn * (1 - r) * b for p, b in zip([*distribution, 0], before, strict=True)
        ]

    everywhere(patch, buffer_depth.after_batch, after)


def solved(solve: Callable[[Fraction, Fraction], tuple[Fraction, Fraction]]) -> Callable:
    """A mutation of the fixed point: from a(x) and b(x), m_U(x) and m_V(x)."""

    def put(patch):
        def wrong(a, b):
            pairs = {x: solve(a.get(x, Fraction(0)), b.get(x, Fraction(0))) for x in sorted({*a, *b})}
            return {x: u for x, (u, _) in pairs.items()}, {x: v for x, (_, v) in pairs.items()}

        everywhere(patch, invariance.fixed_point, wrong)

    return put


def fair_sticky(patch):
    def walk(length, tape):
        for _ in range(length):
            tape.write(tape.read())

    right = invariance.sources_class

    def with_fair(length):
        model_class = right(length)
        members = [
            FunctionMachine(each.name, lambda tape: walk(length, tape), reads_condition=False)
            if each.name == "sticky"
            else each
            for each in model_class.members
        ]
        return replace(model_class, members=tuple(members))

    everywhere(patch, right, with_fair)


def wrong_member(patch):
    def places(self):
        words = self.model_class.words
        return {word: (i + 1) % len(words) for i, word in enumerate(words)}

    patch.setattr(ClassInterpreter, "_places", property(places))


def long_k(patch):
    right = coding.class_complexity

    def longer(*words, **options):
        return {x: k + 1 for x, k in right(*words, **options).items()}

    everywhere(patch, right, longer)


def words(extra: int) -> Callable:
    def put(patch):
        right = coding._code_length
        everywhere(patch, right, lambda p: max(0, right(p) + extra))

    return put


def prefix_twice(patch):
    right = mixture.prefix_masses
    everywhere(patch, right, lambda p: {x: mass + p.get(x, Fraction(0)) for x, mass in right(p).items()})


def numerators(patch):
    right = LogSum.add
    patch.setattr(LogSum, "add", lambda self, c, argument: right(self, c, Fraction(argument).numerator))


def zeros_free(patch):
    right = regret.counts

    def paying_for_ones(thetas, steps):
        for case in right(thetas, steps):
            whole = regret.lcm(*(theta.denominator for theta in thetas))
            yield replace(case, weights=tuple(int(t * whole) ** case.ones * whole**case.zeros for t in thetas))

    everywhere(patch, right, paying_for_ones)


def timed(change: Callable) -> Callable:
    """A mutation of the measures that resources compares: `change` is given the right one and the bound."""

    def put(patch):
        right = resources.timed_measure
        everywhere(patch, right, lambda members, bound: change(right(members, bound), bound, members))

    return put


def square_time(found, _bound, _members):
    speed = defaultdict(Fraction)
    for (x, steps), mass in found.spent.items():
        speed[x] += mass / max(1, steps) ** 2
    fastest = {x: min(p, speed[x]) for x, p in found.fastest.items()}
    return replace(found, speed=speed, fastest=fastest)


def half_steps(found, _bound, _members):
    spent = defaultdict(Fraction)
    for (x, steps), mass in found.spent.items():
        spent[x, steps // 2] += mass
    return replace(found, spent=spent)


def shrinking(found, bound, members):
    least = min(found.spent, key=lambda key: key[1], default=("", 0))[0]
    if bound.time < 3 or not members:
        return found
    return replace(found, mass={x: p for x, p in found.mass.items() if x != least})


def half_ratio(patch):
    right = regret.Counts.ratio
    patch.setattr(regret.Counts, "ratio", lambda self, index: right(self, index) / 2)


def half_squares(patch):
    right = regret.squared_errors

    def half(*given, **options):
        return [(low / 2, high / 2) for low, high in right(*given, **options)]

    everywhere(patch, right, half)


def strings_missing(patch):
    right = regret.counts

    def without_ones(thetas, steps):
        return (case for case in right(thetas, steps) if case.zeros or not case.ones)

    everywhere(patch, right, without_ones)


def ones_before(patch):
    right = trees.ContextTrees
    everywhere(patch, right, lambda depth: right(depth, past="1" * depth))


def as_always(right: Callable, answer: object) -> Callable:
    """A mutation: the function answers the same whatever it is given."""
    return lambda patch: everywhere(patch, right, lambda *_, **__: answer)


def of_answer(right: Callable, change: Callable) -> Callable:
    """A mutation: the function's answer, changed."""
    return lambda patch: everywhere(patch, right, lambda *given, **options: change(right(*given, **options)))


def fixed_margin(patch):
    right = radius.certified_margin
    everywhere(patch, right, lambda lstm, machine, _radius, region: right(lstm, machine, 0.0, region))


def no_memory(patch):
    right = construction.forward

    def without(lstm, *given):
        return right(replace(lstm, recurrent_weight=0 * lstm.recurrent_weight), *given)

    everywhere(patch, right, without)


def iterate_less(patch):
    right = universality.iterate
    everywhere(patch, right, lambda members, start, times: right(members, start, times - 1))


def still_network(patch):
    right = universality.functions

    def still(setting, lstm):
        return {**right(setting, lstm), "f": lambda y: y}

    everywhere(patch, right, still)


def pair_forgotten(patch):
    right = codes.likelihood
    everywhere(patch, right, lambda function, data: right(function, data[:-1]))


def likeliest_only(patch):
    def greatest(code, data):
        return max(m * codes.likelihood(f, data) for m, f in zip(code.masses, code.distinct, strict=True))

    everywhere(patch, codes.marginal, greatest)


def longest_hypothesis(patch):
    def least(code):
        weights = {}
        for prior, function in zip(code.prior, code.functions, strict=True):
            weights[function] = min(prior, weights.get(function, prior))
        return weights

    everywhere(patch, codes.function_weights, least)


def no_bits_back(patch):
    def cross_entropy(beta, alpha):
        return CodeLength.mean((p, CodeLength.of(Fraction(alpha[h]))) for h, p in beta.items() if p)

    everywhere(patch, codes.divergence, cross_entropy)


def narrow_tape(patch):
    right = Halting.halts
    patch.setattr(Halting, "halts", lambda self, z, place: right(self, z, place) and len(z) < self.bound.space)


def first_input(patch):
    right = Halting.halts
    patch.setattr(
        Halting,
        "halts",
        lambda self, z, place: z in self.runs[place] if place == len(self.inputs) - 1 else right(self, z, place),
    )


def times(factor: Fraction | int) -> Callable:
    return lambda distribution: {x: factor * p for x, p in distribution.items()}


WRONG: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "lost-programs": runs(lambda found: found[:-1] if len(found) > 1 else found),
    "thirds": thirds,
    "other-output": runs(lambda found: [(leaf, flipped(run)) for leaf, run in found]),
    "no-condition": no_condition,
    "nothing-open": nothing_open,
    "double-mixture": mixes(doubled),
    "prior-reversed": mixes(lambda prior, members: summed(prior[::-1], members)),
    "member-missing": mixes(lambda prior, members: summed(prior[:-1], members[:-1])),
    "stage-skipped": stage_skipped,
    "even-push": even_push,
    "greatest-ratio": greatest_ratio,
    "depth-thirds": lambda patch: everywhere(
        patch, buffer_depth.stationary_depth_probability, lambda depth, **_: Fraction(1, 3 ** (depth + 1))
    ),
    "reset-kept": reset_kept,
    "reset-rate": of_answer(buffer_depth.reset_probability, lambda r: 1 - r),
    "depth-shifted": depth_shifted,
    "fixed-point": solved(lambda a, b: ((3 * a + 2 * b) / 5, (2 * a + 3 * b) / 5)),
    "fixed-mean": solved(lambda a, b: ((a + b) / 2, (a + b) / 2)),
    "fair-sticky": fair_sticky,
    "wrong-member": wrong_member,
    "kappa-one": as_always(embedding.prior_constant, Fraction(1)),
    "long-k": long_k,
    "long-words": words(1),
    "short-words": words(-1),
    "no-end": lambda patch: everywhere(
        patch, prediction.divergences, lambda p, q, _="", right=prediction.divergences: right(p, q, "01")
    ),
    "prefix-twice": prefix_twice,
    "numerators": numerators,
    "half-ratio": half_ratio,
    "half-squares": half_squares,
    "strings-missing": strings_missing,
    "zeros-free": zeros_free,
    "laplace-leaves": lambda patch: everywhere(
        patch,
        context_trees.predicted,
        lambda zeros, ones, bit: Fraction((ones if bit else zeros) + 1, zeros + ones + 2),
    ),
    "third-split": lambda patch: everywhere(
        patch, context_trees.weighted, lambda *given, right=context_trees.weighted: right(*given[:2], Fraction(1, 3))
    ),
    "one-child": lambda patch: everywhere(
        patch,
        context_trees.weighted,
        lambda own, children, split, right=context_trees.weighted: right(own, (children[0], None), split),
    ),
    "ones-before": ones_before,
    "leaves-unpriced": lambda patch: everywhere(
        patch, context_trees.tree_prior, lambda tree, _depth: HALF ** (len(tree) - 1)
    ),
    "half-steps": timed(half_steps),
    "square-time": timed(square_time),
    "shrinking": timed(shrinking),
    "blind-attack": as_always(attack.gradient_attack, None),
    "blind-sampling": as_always(attack.sampled_failures, 0),
    "double-radius": of_answer(radius.certified_radius, lambda r: 2 * r),
    "fixed-margin": fixed_margin,
    "root-probability": of_answer(probability.log2_probability, lambda bits: bits / 2),
    "half-move": of_answer(lipschitz.matrix_step, lambda found: (found[0], found[1] / 2)),
    "no-memory": no_memory,
    "iterate-less": iterate_less,
    "iterate-double": of_answer(universality.iterate, times(2)),
    "half-machine": of_answer(universality.machine_distribution, lambda found: (times(HALF)(found[0]), found[1])),
    "still-network": still_network,
    "pair-forgotten": pair_forgotten,
    "likeliest-only": likeliest_only,
    "longest-hypothesis": longest_hypothesis,
    "no-bits-back": no_bits_back,
    "tape-and-one": lambda patch: everywhere(
        patch,
        codes.tape_divergence,
        lambda bits, registers, right=codes.tape_divergence: right(bits + 1, registers + 1),
    ),
    "narrow-tape": narrow_tape,
    "first-input": first_input,
}
