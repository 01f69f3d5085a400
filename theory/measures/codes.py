r"""Codes for labels given inputs, over finitely many hypotheses: two-part, Bayesian, variational, adaptive.

A hypothesis h has a prior alpha(h) and stands for a model function m(h), which gives each input x a distribution over
labels. Alice sends labels Y to Bob, who has the inputs X as well:

    two-part      -log2 alpha(h) - log2 p(Y|X; m(h))                                                    (eq. 2)
    Bayesian      -log2 sum_h alpha(h) p(Y|X; m(h))                                                     (eq. 58)
    variational   E_beta [log2 beta(h) - log2 alpha(h)]  +  E_beta [-log2 p(Y|X; m(h))]                 (eq. 9)
    adaptive      the same with alpha(h; psi), and the bits that psi takes                              (eq. 86)

Each is a `Description`: bits for the hypothesis, bits for the data, and their sum. Probabilities are fractions, bits
are exact (`theory.numbers.code_length`). The quasi-optimal code of B.11, |z| first and then z, is a two-part code too,
with the prior 2^-|z| / R_s.

Deviation: eq. 10 of Shaw et al. 2025 writes -log2 E_beta p(Y|X; m(h)) for the last term of eq. 9 and calls both equal.
The mean of a logarithm is not the logarithm of the mean; by Jensen eq. 10 is the smaller one, it can fall below the
Bayesian code (`mean_inside`), and no bits-back scheme reaches it. What is called variational here is eq. 9.

Deviation: a model function gives probabilities, not logits; the softmax of rational logits is irrational.

Source: Shaw et al. 2025 (arXiv 2509.22445), sections 4 and 5, B.4, B.7 and B.8. Limits: finite spaces.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod

from theory.errors import InputError
from theory.measures.description import Description
from theory.numbers.code_length import CodeLength
from theory.numbers.exact import LogSum
from theory.words import number_of

ModelFunction = tuple[tuple[Fraction, ...], ...]
"""p(y|x) by the places of x and of y."""
Data = Sequence[tuple[int, int]]
"""Inputs with their labels, each by its place."""
Posterior = Mapping[int, Fraction]
"""beta(h) by the place of h; in sum 1."""
ExactDescription = Description[CodeLength]

NOTHING = CodeLength(LogSum())
"""No bits."""


@dataclass(frozen=True)
class FiniteCode:
    """Hypotheses, each with its prior and its model function: definition 1 of the paper.

    Attributes:
        prior: alpha(h), none negative, in sum at most 1.
        functions: m(h), in the same order; several hypotheses may stand for one function.

    """

    prior: tuple[Fraction, ...]
    functions: tuple[ModelFunction, ...]

    def __post_init__(self) -> None:
        if len(self.prior) != len(self.functions):
            raise InputError(
                "one prior for each hypothesis", received=len(self.prior), remedy=f"give {len(self.functions)}"
            )
        if not self.prior or min(self.prior) < 0 or sum(self.prior) > 1:
            remedy = "give fractions that are not negative, in sum at most 1"
            raise InputError("the prior is no semimeasure", received=", ".join(map(str, self.prior)), remedy=remedy)

    @cached_property
    def distinct(self) -> tuple[ModelFunction, ...]:
        """Each model function once, in the order in which they are first met."""
        return tuple(dict.fromkeys(self.functions))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The place of each hypothesis' function in `distinct`."""
        place_of = {function: place for place, function in enumerate(self.distinct)}
        return tuple(place_of[function] for function in self.functions)

    @cached_property
    def masses(self) -> tuple[Fraction, ...]:
        """The prior of each function in `distinct`, that of all its hypotheses together (eq. 62)."""
        sums = [Fraction(0)] * len(self.distinct)
        for place, prior in zip(self.places, self.prior, strict=True):
            sums[place] += prior
        return tuple(sums)

    def likelihoods(self, data: Data) -> list[Fraction]:
        """Return p(Y|X; m(h)) for each hypothesis."""
        known = [likelihood(function, data) for function in self.distinct]
        return [known[place] for place in self.places]

    def joint(self, data: Data) -> list[Fraction]:
        """Return alpha(h) p(Y|X; m(h)) for each hypothesis."""
        return [prior * p for prior, p in zip(self.prior, self.likelihoods(data), strict=True)]


def likelihood(function: ModelFunction, data: Data) -> Fraction:
    """Return p(Y|X; f), the product over the pairs (eq. 1).

    >>> likelihood(((Fraction(1, 3), Fraction(2, 3)),), [(0, 1), (0, 1)])
    Fraction(4, 9)
    """
    return prod((function[x][y] ** times for (x, y), times in Counter(data).items()), start=Fraction(1))


def two_part(code: FiniteCode, hypothesis: int, data: Data) -> ExactDescription:
    """Return the two-part description by one hypothesis (eq. 2)."""
    return Description(
        hypothesis=CodeLength.of(code.prior[hypothesis]),
        data=CodeLength.of(likelihood(code.functions[hypothesis], data)),
    )


def shortest_two_part(code: FiniteCode, data: Data) -> ExactDescription:
    """Return the shortest two-part description (eq. 3); of equals the first."""
    joint = code.joint(data)
    return two_part(code, joint.index(max(joint)), data)


def function_weights(code: FiniteCode) -> dict[ModelFunction, Fraction]:
    """Return 2^-L(f), the greatest prior of a hypothesis that stands for f (eq. 34 and 37)."""
    greatest = [Fraction(0)] * len(code.distinct)
    for place, prior in zip(code.places, code.prior, strict=True):
        greatest[place] = max(greatest[place], prior)
    return dict(zip(code.distinct, greatest, strict=True))


def bayesian(code: FiniteCode, data: Data) -> ExactDescription:
    """Return the Bayesian description (eq. 58): no hypothesis is sent, all bits are the data's."""
    return Description(hypothesis=NOTHING, data=CodeLength.of(marginal(code, data)))


def marginal(code: FiniteCode, data: Data) -> Fraction:
    """Return the probability of the labels under the mixture of all hypotheses, by functions (eq. 61 and 78)."""
    each = (mass * likelihood(function, data) for mass, function in zip(code.masses, code.distinct, strict=True))
    return sum(each, Fraction(0))


def posterior(code: FiniteCode, data: Data) -> dict[int, Fraction]:
    """Return the Bayesian posterior (eq. 77).

    Raises:
        InputError: no hypothesis allows the data.

    """
    whole = marginal(code, data)
    if not whole:
        raise InputError("no hypothesis allows these labels", received=len(data), remedy="give others")
    return {h: joint / whole for h, joint in enumerate(code.joint(data)) if joint}


def divergence(beta: Posterior, alpha: Sequence[Fraction] | Posterior) -> CodeLength:
    """Return KL[beta || alpha] in bits; infinite where beta is positive and alpha is not."""
    return CodeLength.mean((p, CodeLength.of(Fraction(alpha[h]) / p)) for h, p in beta.items() if p)


def variational(code: FiniteCode, beta: Posterior, data: Data) -> ExactDescription:
    """Return the variational description (eq. 9), which bits back attains.

    Raises:
        InputError: beta is no distribution.

    """
    if sum(beta.values()) != 1 or min(beta.values()) < 0:
        remedy = "give probabilities in sum 1"
        raise InputError("beta is no distribution", received=", ".join(map(str, beta.values())), remedy=remedy)
    expected = ((p, CodeLength.of(likelihood(code.functions[h], data))) for h, p in beta.items() if p)
    return Description(hypothesis=divergence(beta, code.prior), data=CodeLength.mean(expected))


def mean_inside(code: FiniteCode, beta: Posterior, data: Data) -> ExactDescription:
    """Return eq. 10 as it is printed, with the logarithm outside the mean; no code has this length.

    >>> certain = ((Fraction(1), Fraction(0)),), ((Fraction(0), Fraction(1)),)
    >>> code = FiniteCode((Fraction(1, 2), Fraction(1, 2)), certain)
    >>> beta = {0: Fraction(78, 100), 1: Fraction(22, 100)}
    >>> printed, bound = mean_inside(code, beta, [(0, 0)]).total, bayesian(code, [(0, 0)]).total
    >>> f"{float(printed):.3f} {float(bound):.3f} {float(variational(code, beta, [(0, 0)]).total)}"
    '0.598 1.000 inf'
    """
    mean = sum((p * likelihood(code.functions[h], data) for h, p in beta.items()), Fraction(0))
    return Description(hypothesis=divergence(beta, code.prior), data=CodeLength.of(mean))


def adaptive_variational(
    hyperprior: Sequence[Fraction], codes: Sequence[FiniteCode], psi: int, beta: Posterior, data: Data
) -> ExactDescription:
    """Return the adaptive variational description (eq. 86): first the parameters of the prior, then as `variational`.

    Args:
        hyperprior: 2^-L(psi) of each prior, in sum at most 1.
        codes: one for each prior, of the same hypotheses.
        psi: the prior that is taken.
        beta: the posterior.
        data: inputs and labels.

    Raises:
        InputError: the hyperprior sums to more than 1, or beta is no distribution.

    """
    if sum(hyperprior) > 1:
        raise InputError("the priors' code breaks Kraft's inequality", received=sum(hyperprior), remedy="scale it down")
    found = variational(codes[psi], beta, data)
    return Description(hypothesis=found.hypothesis, data=found.data, prior=CodeLength.of(hyperprior[psi]))


def quasi_optimal(code: FiniteCode, registers: int) -> FiniteCode:
    """Return the two-part code that sends how long a program is before it sends the program (B.11).

    Its hypotheses are as many bits long as their prior says, 1 to R_s. It takes log2 R_s bits more (eq. 103) and needs
    no posterior over what is not used.

    Args:
        code: with the prior 2^-|z|.
        registers: R_s, at least as many as the longest program has bits.

    Raises:
        InputError: a program that is longer than the tape, or empty.

    """
    shortest = max(code.prior)
    if shortest == 1 or min(code.prior) < Fraction(1, 1 << registers):
        remedy = f"give programs of 1 bit to {number_of(registers, 'bit')}"
        raise InputError("a program has a bit at least and fits its tape", received=registers, remedy=remedy)
    return FiniteCode(tuple(prior / registers for prior in code.prior), code.functions)


def tape_divergence(program_bits: int, registers: int) -> CodeLength:
    """Return the KL of B.10 for a tape whose first bits are a program and whose rest is left to chance.

    Each register holds +1 or -1, a priori with probability 1/2 (Rademacher); those of the program have all mass on one.

    Raises:
        InputError: a program that is longer than the tape.

    """
    if not 0 <= program_bits <= registers:
        raise InputError("a program fits its tape", received=program_bits, remedy=f"give 0 to {registers}")
    fair = {1: Fraction(1, 2), -1: Fraction(1, 2)}
    total = NOTHING
    for register in range(registers):
        total += divergence({1: Fraction(1)} if register < program_bits else fair, fair)
    return total
