"""Measures by density: members that are given by the exact probability of each next symbol, instead of by programs.

A statistician's models are not machines: a coin that falls on 1 with probability 3/8, or 1/3, a Markov chain, an
estimator that counts. `Density` is such a model: a function from what has been read to the probabilities of 0, of 1 and
of "$", the end of the string, as fractions that sum to 1. In three lines, and with two more a class of them:

    def double_or_nothing(x):
        return {"1": Fraction(2, 3), "$": Fraction(1, 3)}
    CLASS = density_class("mine", [Density("double", double_or_nothing, length=6), bernoulli(Fraction(1, 3), 6)])

Whatever asks a class for its measures takes them as it takes machines: the mixture, domination, prediction, iteration.
A member may read the condition, so that the class is a kernel. A machine that chooses with these probabilities has the
same measure: with coin flips it takes 3 flips at each symbol for eighths, and 2^18 programs for 6 bits of one coin.

At `length` bits a string ends in any case. So every density is the measure of finitely many strings, and a predictor
that would go on for ever is kept up to there. `theory.measures.predictors` has the classics.

Source: Bloem 2025 (arXiv 2506.20057), section 4, where the members are machines; Li and Vitányi, section 4.5.
Limits: no programs, hence none of the checks and certificates that list them. A measure goes through every prefix that
can occur, up to 2^length of them; `prefix_mass` follows a single string, however long.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Run
from theory.measures.measure import ONE, ZERO, Measure
from theory.numbers.bit_strings import BitString, require_bit_string, shown
from theory.numbers.exact import number_text

STRING_END = "$"
OUTCOMES = ("0", "1", STRING_END)
MOST_PREFIXES = 1 << 20
"""Prefixes of one measure: some ten seconds, and the strings of 19 bits."""

Prediction = Mapping[str, Fraction]
"""The probabilities of "0", "1" and "$"; what is left out has probability 0."""


@dataclass(frozen=True)
class Density:
    """A model that is given by its conditional probabilities.

    Attributes:
        name: what results call it.
        predict: from the bits x so far, and the condition if it reads one, to the probabilities of "0", "1" and "$".
        length: bits at which a string ends in any case; `predict` is not asked there.
        reads_condition: whether `predict` takes the condition as a second argument.

    """

    name: str
    predict: Callable[..., Prediction]
    length: int
    reads_condition: bool = False

    def __post_init__(self) -> None:
        if self.length < 0:
            raise InputError(
                f"density {self.name}: a length is not negative", received=self.length, remedy="give 0 or more"
            )

    def next_symbol(self, x: BitString, condition: BitString = "") -> dict[str, Fraction]:
        """Return p(0 | x), p(1 | x) and p($ | x), which sum to 1.

        Raises:
            InputError: `predict` fails, or says something else than exact fractions from 0 to 1 that sum to 1.

        """
        if len(x) >= self.length:
            return {"0": ZERO, "1": ZERO, STRING_END: ONE}
        try:
            said = self.predict(x, condition) if self.reads_condition else self.predict(x)
        except (InputError, MemoryError):
            raise
        except Exception as error:
            problem = f"density {self.name} fails after {shown(x)}: {type(error).__name__}: {error}"
            raise InputError(problem, remedy="correct its function") from error
        return self._checked(said, x)

    def prefix_mass(self, x: BitString, condition: BitString = "") -> Fraction:
        """Return p(x_), the probability of the strings that begin with x: the product of the predictions of its bits.

        >>> Density("coin", lambda x: {"0": Fraction(1, 4), "1": Fraction(3, 4)}, length=100).prefix_mass("110")
        Fraction(9, 64)
        """
        mass = ONE
        for place, bit in enumerate(require_bit_string(x)):
            mass *= self.next_symbol(x[:place], condition)[bit]
            if not mass:
                break
        return mass

    def measure(self, condition: BitString = "") -> Measure:
        """Return p( . | z): every string that can occur, with its exact probability, in lexicographic order.

        Raises:
            InputError: more than `MOST_PREFIXES` prefixes can occur; and what `next_symbol` raises.

        """
        require_bit_string(condition)
        mass: dict[BitString, Fraction] = {}
        waiting, prefixes = [("", ONE)], 0
        while waiting:
            x, p = waiting.pop()
            prefixes += 1
            if prefixes > MOST_PREFIXES:
                raise InputError(
                    f"density {self.name} has more than {MOST_PREFIXES:,} prefixes to go through",
                    received=self.length,
                    remedy="give a smaller length, or ask for the prefix_mass of single strings",
                )
            following = self.next_symbol(x, condition)
            if following[STRING_END]:
                mass[x] = p * following[STRING_END]
            waiting += [(x + bit, p * following[bit]) for bit in "10" if following[bit]]
        return Measure(mass)

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:  # noqa: ARG002 (a machine's)
        """Refuse to run: there are no programs, only probabilities.

        Raises:
            InputError: always.

        """
        raise InputError(
            f"member {self.name} is given by its probabilities and has no programs",
            remedy="take a check of measures alone, such as domination, prediction, iteration or mix",
        )

    def _checked(self, said: Prediction, x: BitString) -> dict[str, Fraction]:
        def refuse(problem: str, remedy: str) -> InputError:
            return InputError(f"density {self.name} after {shown(x)}: {problem}", remedy=remedy)

        if not isinstance(said, Mapping):
            raise refuse(f"{said!r} is no mapping", 'return e.g. {"0": Fraction(1, 4), "1": Fraction(3, 4)}')
        for outcome, p in said.items():
            if outcome not in OUTCOMES:
                raise refuse(f"there is no outcome {outcome!r}", f"choose among {', '.join(OUTCOMES)}")
            if not isinstance(p, int | Fraction):
                raise refuse(f"the probability of {outcome}, {p!r}, is no exact fraction", "give e.g. Fraction(1, 3)")
            if p < 0:
                raise refuse(f"the probability of {outcome} is {number_text(p)}", "give 0 or more")
        total = sum(said.values(), ZERO)
        if total != 1:
            raise refuse(f"the probabilities sum to {number_text(total)}", "let those of 0, 1 and $ sum to 1")
        return {outcome: Fraction(said.get(outcome, ZERO)) for outcome in OUTCOMES}


def density_class(name: str, members: Iterable[Density], *, prior: Sequence[Fraction] | None = None) -> ModelClass:
    """Return a class of densities, for all that asks a class for measures; strings are as long as the longest member's.

    >>> from theory.measures.mixture import Mixture
    >>> coins = [bernoulli(Fraction(k, 8), 6) for k in range(1, 8)]
    >>> Mixture(density_class("coins", coins, prior=[Fraction(1, 7)] * 7)).measure().lower("111111")
    Fraction(46205, 458752)

    Args:
        name: how results refer to it.
        members: the densities, with distinct names.
        prior: p(c) for each; by default that of a complete code, 2^-|word|.

    Raises:
        InputError: no members, two of the same name, or a prior that does not fit.

    """
    members = tuple(members)
    longest = max((member.length for member in members), default=0)
    return ModelClass.of(name, members, bound=Bound(time=longest, space=longest), max_length=longest, prior=prior)


def bernoulli(theta: Fraction, length: int, name: str = "") -> Density:
    """Return a coin with P(1) = theta.

    Raises:
        InputError: a theta that is no probability.

    """
    if not 0 <= theta <= 1:
        raise InputError("a coin has a probability from 0 to 1", received=number_text(theta), remedy="give e.g. 3/8")
    following = {"0": 1 - theta, "1": theta}
    return Density(name or f"coin {number_text(theta)}", lambda _: following, length)
