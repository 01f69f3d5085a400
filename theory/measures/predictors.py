"""The classics among densities: estimators that count, Markov chains, hidden and variable, and mixtures of predictors.

    Laplace                P(1 | x) = (ones + 1) / (n + 2)              at most log2(n + 1) bits behind the best coin
    Krichevsky-Trofimov    P(1 | x) = (ones + 1/2) / (n + 1)            at most log2(n)/2 + 1 bits, for n > 0
    Bayes                  weights w_i(x) = p(i) p_i(x_)                log2 1/p(i) bits behind member i
    fixed share            after each bit, the writer is drawn anew with probability s

The best coin is that which makes x most likely, P(1) = ones / n. Behind the best sequence of K writers with M changes
on n bits, fixed share is at most log2 K + M log2 (K/s) + (n - 1 - M) log2 1/(1 - s + s/K) bits: the right side is the
logarithm of 1 / (the prior of that sequence), and the mixture is the sum over all sequences.

Source: Krichevsky and Trofimov 1981; Willems, Shtarkov and Tjalkens 1995 (the bound log2(n)/2 + 1); Herbster and
Warmuth 1998 (fixed share; here the writer that is drawn anew may be the same one). Limits: bits, and in fixed share
uniform over the writers. Fractions grow with the string, so that strings of thousands of bits are slow.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from theory.errors import InputError
from theory.measures.density import OUTCOMES, Density, Prediction
from theory.measures.measure import ONE, ZERO
from theory.numbers.bit_strings import BitString, require_bit_string, shown
from theory.numbers.exact import number_text

State = TypeVar("State")
_MOST_KNOWN = 4096


def laplace(length: int) -> Density:
    """Return Laplace's rule of succession, the mixture of all coins with theta uniform.

    >>> str(laplace(10).next_symbol("11")["1"])
    '3/4'
    """
    return Density("Laplace", lambda x: _counted(x, Fraction(1)), length)


def krichevsky_trofimov(length: int) -> Density:
    """Return the estimator of Krichevsky and Trofimov, the mixture of all coins under Jeffreys' prior.

    >>> str(krichevsky_trofimov(10).next_symbol("11")["1"])
    '5/6'
    """
    return Density("Krichevsky-Trofimov", lambda x: _counted(x, Fraction(1, 2)), length)


def _counted(x: BitString, added: Fraction) -> Prediction:
    one = (x.count("1") + added) / (len(x) + 2 * added)
    return {"0": 1 - one, "1": one}


def markov(ones: Mapping[BitString, Fraction], length: int, name: str = "Markov") -> Density:
    """Return a Markov chain of any order, also of one that varies: a table of P(1) by the last bits.

    The longest context in the table with which x ends is the one that counts. So {"": 1/2, "0": 1/4, "1": 3/4} starts
    with a fair bit and then repeats with probability 3/4.

    Raises:
        InputError: a context that is no bit string, a probability out of range, or no entry for the empty context.

    """
    if "" not in ones:
        raise InputError(f"{name}: a string begins without a context", remedy='give the table an entry for ""')
    table = {require_bit_string(context): _as_prediction(one, name, context) for context, one in ones.items()}
    order = max(map(len, table))

    def predict(x: BitString) -> Prediction:
        suffixes = (x[len(x) - n :] for n in range(min(order, len(x)), -1, -1))
        return next(table[suffix] for suffix in suffixes if suffix in table)

    return Density(name, predict, length)


def hidden_markov(
    start: Sequence[Fraction],
    moves: Sequence[Sequence[Fraction]],
    ones: Sequence[Fraction],
    length: int,
    name: str = "hidden Markov",
) -> Density:
    """Return a hidden Markov model: a state that moves, unseen, and writes each bit; predicted by the forward sums.

    Args:
        start: the probability of each state at the first bit.
        moves: for each state the probabilities of the next one.
        ones: for each state P(1).
        length: bits of a string.
        name: what results call it.

    Raises:
        InputError: tables that do not fit together, or rows that do not sum to 1.

    """
    states = range(len(start))
    if not len(start) == len(moves) == len(ones) or any(len(row) != len(start) for row in moves):
        raise InputError(f"{name}: the tables do not have the same states", remedy="give each one entry a state")
    for row in (start, *moves):
        if sum(row, ZERO) != 1 or min(row) < 0:
            received = ", ".join(map(number_text, row))
            raise InputError(f"{name}: a row is no distribution", received=received, remedy="let it sum to 1")
    written = [_as_prediction(one, name, f"state {state}") for state, one in enumerate(ones)]

    def after(weights: list[Fraction], _: BitString, bit: str) -> list[Fraction]:
        seen = [weight * written[state][bit] for state, weight in enumerate(weights)]
        return [sum((seen[i] * moves[i][j] for i in states), ZERO) for j in states]

    weights_after = _remembering(list(start), after)
    return Density(name, lambda x: _averaged(name, x, weights_after(x), written), length)


def bayes(members: Sequence[Density], prior: Sequence[Fraction] | None = None, name: str = "Bayes") -> Density:
    """Return the mixture of densities as a density: its predictions weigh each member with its posterior.

    Args:
        members: densities that do not read a condition.
        prior: the weight of each, in proportion; by default all are equal.
        name: what results call it.

    Raises:
        InputError: no members, or a prior that does not fit.

    """
    return _sharing(members, prior, ZERO, name)


def fixed_share(members: Sequence[Density], share: Fraction, name: str = "fixed share") -> Density:
    """Return the mixture over all sequences of writers, in which the writer seldom changes.

    Before each bit but the first it is drawn anew among all members with probability `share`, otherwise it stays.

    >>> always = [Density(bit, lambda _, bit=bit: {bit: ONE}, 8) for bit in "01"]
    >>> str(fixed_share(always, Fraction(1, 8)).prefix_mass("0011"))
    '225/8192'

    Raises:
        InputError: no members, or a share that is no probability.

    """
    if not 0 <= share <= 1:
        raise InputError(f"{name}: a share is a probability", received=number_text(share), remedy="give e.g. 1/8")
    return _sharing(members, None, share, name)


def _sharing(members: Sequence[Density], prior: Sequence[Fraction] | None, share: Fraction, name: str) -> Density:
    reading = next((member.name for member in members if member.reads_condition), None)
    if reading is not None:
        raise InputError(f"{name}: a mixture of densities reads no condition", received=reading, remedy="leave it out")
    prior = [ONE] * len(members) if prior is None else list(prior)
    if not members or len(prior) != len(members) or min(prior) < 0 or not sum(prior):
        raise InputError(f"{name}: a mixture has members, each with a weight", remedy="give one positive weight each")

    def after(weights: list[Fraction], x: BitString, bit: str) -> list[Fraction]:
        seen = [w and w * member.next_symbol(x)[bit] for w, member in zip(weights, members, strict=True)]
        anew = share * sum(seen, ZERO) / len(members)
        return [(1 - share) * w + anew for w in seen]

    weights_after = _remembering(prior, after)

    def predict(x: BitString) -> Prediction:
        weights = weights_after(x)
        return _averaged(
            name, x, weights, [m.next_symbol(x) if w else {} for w, m in zip(weights, members, strict=True)]
        )

    return Density(name, predict, max(member.length for member in members))


def _averaged(
    name: str, x: BitString, weights: Sequence[Fraction], predictions: Sequence[Prediction]
) -> dict[str, Fraction]:
    whole = sum(weights, ZERO)
    if not whole:
        raise InputError(f"density {name} says nothing after what cannot occur", received=shown(x), remedy="ask before")
    pairs = [(w, p) for w, p in zip(weights, predictions, strict=True) if w]
    return {outcome: sum((w * p.get(outcome, ZERO) for w, p in pairs), ZERO) / whole for outcome in OUTCOMES}


def _as_prediction(one: Fraction, name: str, where: str) -> Prediction:
    if not isinstance(one, int | Fraction) or not 0 <= one <= 1:
        raise InputError(
            f"{name}: P(1) at {shown(where)} is no exact probability", received=one, remedy="give e.g. 1/3"
        )
    return {"0": 1 - one, "1": one}


def _remembering(first: State, after: Callable[[State, BitString, str], State]) -> Callable[[BitString], State]:
    """Return a function of strings that goes on from what it knows of their beginnings, bit by bit."""
    known = {"": first}

    def of(x: BitString) -> State:
        length = len(x)
        while x[:length] not in known:
            length -= 1
        for place in range(length, len(x)):
            if len(known) > _MOST_KNOWN:
                begun = known[x[:place]]
                known.clear()
                known.update({"": first, x[:place]: begun})
            known[x[: place + 1]] = after(known[x[:place]], x[:place], x[place])
        return known[x]

    return of
