"""Theorem 4.5 end to end: random functions, iterated on random strings, run a machine for n steps.

Take the class C of six functions of strings, with their prior:

    i      1/4    copies its input
    f      1/16   one step of a machine, by the LSTM of `theory.lstm.construction`
    s      1/8    writes its input on a tape
    r      1/8    reads the tape, forgetting head and state
    const  1/4    always answers 1
    rev    3/16   reverses its input

(s, f and r answer with the empty string where their input makes no sense.) Start from a random string u of at most 4
bits, all lengths equally likely, and apply n + 2 functions drawn from the prior. The draw s, f, ..., f, r happens with
probability p(r) p(f)^n p(s) and leaves what the machine has on its tape after n steps. So, with all probabilities
computed exactly,

    m_C^{n+2}(x) >= p(r) p(f)^n p(s) · m_UTM^n(x).

A machine that has settled, its tape changing no more, needs no further f: with tau steps until then, choosing which
j >= tau of the n places in the middle hold f and putting i in the others,

    m_C^{n+2}(x) >= p(r) p(s) sum over u of p(u) [the tape of u is x] sum_{j >= tau(u)} C(n, j) p(f)^j p(i)^{n-j}.

Room is left in all of these, so the numbers are found on a second way as well: what is written at the end, weighed, is
taken back through the functions to the strings at the start, and f is compared with the machine on every tape that it
meets.

Deviation (erratum): Theorem 4.5 prints the constant once with p(i)^n, where its last line has p(f)^n; p(i)^n is larger
here, and wrong. In line 4 of its proof m_C^{n-1} should be m_C^n, and p_s(., .) should be p_s(. | .).

Source: Bloem 2025 (arXiv 2506.20057), Theorem 4.5. Limits: a machine with one tape of fixed size and two symbols, which
is not universal, and n steps of it. What the theorem takes from elsewhere is taken here as well. That m_C dominates the
class of LSTMs is assumed: here f is a named member of C with p(f) = 1/16, where Lemma 4.4 gives a random network that
computes f a probability of 2^-7404 at least (for the busy beaver and rounded answers; 2^-7728 for saturated ones). The
network f runs in floats; f is the function that this program computes, so that no rounding can make the inequality look
true.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from math import comb, inf

import numpy as np

from theory.checks.equalities import weighed, weighed_backwards
from theory.checks.registry import UNIVERSALITY
from theory.checks.result import CheckResult, Counterexample, Equality, EqualityRow, Item, equality, ratio_item
from theory.errors import InputError
from theory.lstm.construction import LSTM, forward, padded_columns, read, step_lstm
from theory.lstm.probability import log2_probability
from theory.lstm.radius import certified_radius
from theory.machines.one_tape import Configuration, TapeMachine, column_string, configuration_of, load_machine, step
from theory.measures.mixture import Distribution
from theory.numbers.bit_strings import BitString, strings
from theory.numbers.exact import log2_float
from theory.words import number_of

INPUT_CELL, HEAD_CELL = 2, 3
MAX_LENGTH = 12  # about a minute
PRIOR: Mapping[str, Fraction] = {
    "i": Fraction(1, 4),
    "s": Fraction(1, 8),
    "f": Fraction(1, 16),
    "r": Fraction(1, 8),
    "const": Fraction(1, 4),
    "rev": Fraction(3, 16),
}


@dataclass(frozen=True)
class Setting:
    """A machine, the `cells` of its tape, and the greatest length of what s writes on it (`max_length`, in bits)."""

    machine: TapeMachine
    cells: int
    max_length: int

    def __post_init__(self) -> None:
        if self.machine.symbols != 2:
            raise InputError("r reads bits from a tape", received=self.machine.name, remedy="take a 2-symbol machine")
        if self.cells <= HEAD_CELL:
            raise InputError("the tape is too short", received=self.cells, remedy=f"give {HEAD_CELL + 1} cells or more")
        longest = min(self.cells - INPUT_CELL, MAX_LENGTH)
        if not 0 <= self.max_length <= longest:
            raise InputError(
                "inputs do not fit on the tape or are too many",
                received=self.max_length,
                remedy=f"give a length of 0 to {longest}",
            )

    def start(self, u: BitString) -> Configuration:
        """Return the tape with u on it and the head of the machine in its first state."""
        blank = (0,) * self.cells
        tape = (*blank[:INPUT_CELL], *map(int, u), *blank[INPUT_CELL + len(u) :])
        return Configuration(tape, HEAD_CELL, self.machine.states[0])

    def inputs(self) -> Distribution:
        """Return the base distribution p_u: the length uniform, then uniform within the length."""
        return {u: Fraction(1, (self.max_length + 1) << len(u)) for u in strings(self.max_length)}


def tape_bits(configuration: Configuration) -> BitString:
    """Return what is on the tape."""
    return "".join(map(str, configuration.tape))


def functions(setting: Setting, lstm: LSTM) -> dict[str, Callable[[BitString], BitString]]:
    """Return the six functions of the class, each remembering what it has answered."""
    machine, steps_seen = setting.machine, dict[BitString, BitString]()

    def network_step(y: BitString) -> BitString:
        if y not in steps_seen:
            configuration = configuration_of(machine, y)
            steps_seen[y] = ""
            if configuration is not None:
                answers = forward(lstm, padded_columns(machine, [configuration]))
                steps_seen[y] = "".join(str(int(bit)) for bit in read(answers, "rounded").ravel())
        return steps_seen[y]

    def read_out(y: BitString) -> BitString:
        configuration = configuration_of(machine, y)
        return "" if configuration is None else tape_bits(configuration)

    return {
        "i": lambda y: y,
        "s": lambda u: column_string(machine, setting.start(u)) if len(u) <= setting.max_length else "",
        "f": network_step,
        "r": read_out,
        "const": lambda _: "1",
        "rev": lambda y: y[::-1],
    }


def iterate(members: Mapping[str, Callable[[BitString], BitString]], start: Distribution, times: int) -> Distribution:
    """Return m_C^times: strings from `start`, passed through so many functions drawn from the prior."""
    current = dict(start)
    for _ in range(times):
        following: dict[BitString, Fraction] = {}
        for u, probability in current.items():
            for name, function in members.items():
                x = function(u)
                following[x] = following.get(x, Fraction(0)) + probability * PRIOR[name]
        current = following
    return current


def machine_distribution(setting: Setting, steps: int) -> tuple[Distribution, Distribution]:
    """Return m_UTM^n, the distribution of the tape after n steps, and the sharpened lower bound of m_C^{n+2}."""
    tapes: dict[BitString, Fraction] = {}
    sharpened: dict[BitString, Fraction] = {}
    for u, probability in setting.inputs().items():
        seen = [setting.start(u)]
        for _ in range(steps):
            seen.append(step(setting.machine, seen[-1]))
        x = tape_bits(seen[-1])
        settled = max((t + 1 for t in range(steps) if tape_bits(seen[t]) != x), default=0)
        choices = (comb(steps, j) * PRIOR["f"] ** j * PRIOR["i"] ** (steps - j) for j in range(settled, steps + 1))
        ways = PRIOR["r"] * PRIOR["s"] * sum(choices, Fraction(0))
        tapes[x] = tapes.get(x, Fraction(0)) + probability
        sharpened[x] = sharpened.get(x, Fraction(0)) + probability * ways
    return tapes, sharpened


def check_universality(
    machine_name: str | TapeMachine = "bb2",
    *,
    steps: int = 3,
    cells: int = 7,
    max_length: int = 4,
    seed: int = 0,
    variant: str | None = None,
) -> CheckResult:
    """Check Theorem 4.5 for every tape that the machine can leave after so many steps.

    Args:
        machine_name: a machine with two symbols, `bb2` or `flip`, `path/to/file.py:NAME`, or a machine itself.
        steps: n, the steps of the machine; m_C is iterated n + 2 times.
        cells: size of the tape.
        max_length: greatest length of the random strings at the start, in bits.
        seed: for the parameters of the moved network (within the certified radius, or outside it in the variant).
        variant: None, or one of the declared ones.

    Raises:
        InputError: an unknown machine or variant, a negative number of steps, or inputs that do not fit.

    """
    UNIVERSALITY.require_variant(variant)
    if steps < 0:
        raise InputError("a number of steps is not negative", received=steps, remedy="give 0 or more")
    setting = Setting(load_machine(machine_name), cells, max_length)
    lstm = step_lstm(setting.machine)
    radius = _radius(setting.machine)
    reach = radius * (8 if variant == "outside-radius" else 1)
    moved = lstm.shifted(np.random.default_rng(seed).uniform(-reach, reach, lstm.parameter_count))

    members = functions(setting, moved)
    if variant == "without-f":
        del members["f"]
    observed = iterate(members, setting.inputs(), steps + 2)
    unmoved = iterate(functions(setting, lstm), setting.inputs(), steps + 2)
    tapes, sharpened = machine_distribution(setting, steps)
    stepping = "i" if variant == "printed-constant" else "f"
    constant = PRIOR["r"] * PRIOR[stepping] ** steps * PRIOR["s"]

    items = [_item(x, constant, tapes[x], observed.get(x, Fraction(0)), sharpened[x]) for x in sorted(tapes)]
    items.append(_sharpened_item(observed, sharpened))
    sharp = min(log2_float(sharpened[x] / tapes[x]) for x in tapes)
    least = min(log2_float(observed[x] / tapes[x]) if x in observed else -inf for x in tapes)
    same = "the same distribution as" if observed == unmoved else "another distribution than"
    remark = f"f is an LSTM whose parameters moved by up to {reach:.4f}; it gives {same} the LSTM that was built."
    return UNIVERSALITY.result(
        items,
        equalities=_equalities(setting, members, steps, observed, tapes),
        formula=f"m_C^(n+2)(x) >= p(r) p({stepping})^n p(s) m_UTM^n(x)",
        class_name="{i, s, f, r, const, rev}" if variant != "without-f" else "{i, s, r, const, rev}",
        bound=f"{setting.machine.name}, n = {number_of(steps, 'step')}, {number_of(cells, 'cell')}, "
        f"inputs of at most {number_of(max_length, 'bit')}",
        constants={"p(r) p(f)^n p(s)": constant} if stepping == "f" else {"p(r) p(i)^n p(s)": constant},
        tightest=lambda item: item.name,
        counts={"inputs": len(setting.inputs()), "outputs": len(tapes), "strings": len(observed)},
        remarks=(
            f"log2 of m_C / m_UTM is at least {least:.3f}; the theorem says {log2_float(constant):.3f}, sharpened"
            f" {sharp:.3f}.",
            remark if "f" in members else "Nothing in the class computes a step of the machine.",
            _assumed(lstm, radius),
        ),
        variant=variant,
    )


def _assumed(lstm: LSTM, radius: float) -> str:
    """Say what p(f) is in this class, what Lemma 4.4 proves of it, and that domination of the LSTMs is not checked."""
    proved = f"2^{float(log2_probability(lstm, radius=radius, region='box')):.0f} at least" if radius else "above 0"
    return (
        f"p(f) = {PRIOR['f']} is that of a named member; a network with Gaussian weights computes f with probability"
        f" {proved}. That m_C dominates all LSTMs is assumed here."
    )


@cache
def _radius(machine: TapeMachine) -> float:
    return certified_radius(step_lstm(machine), machine, "box", read_out="rounded")


def _item(x: BitString, constant: Fraction, tape: Fraction, observed: Fraction, sharpened: Fraction) -> Item:
    numbers = {"m_UTM": tape, "m_C": observed, "sharpened": sharpened}
    failure = partial(_failure, x, constant * tape, observed)
    return ratio_item(x, observed / (constant * tape), witness=x, numbers=numbers, failure=failure)


def _failure(x: BitString, claimed: Fraction, observed: Fraction) -> Counterexample:
    sentence = f"{x} is less likely than the constant times its probability on the machine."
    return Counterexample(where=x, claimed=claimed, observed=observed, sentence=sentence)


def _sharpened_item(observed: Distribution, sharpened: Distribution) -> Item:
    """Return the item of the sharpened constant, at the output that comes nearest to it."""
    ratios = {x: observed.get(x, Fraction(0)) / bound for x, bound in sharpened.items()}
    nearest = min(sorted(ratios), key=lambda x: ratios[x])
    seen, claimed = observed.get(nearest, Fraction(0)), sharpened[nearest]
    numbers, failure = {"m_C": seen, "sharpened": claimed}, partial(_failure, nearest, claimed, seen)
    return ratio_item("sharpened", ratios[nearest], witness=nearest, numbers=numbers, failure=failure)


def _equalities(
    setting: Setting,
    members: Mapping[str, Callable[[BitString], BitString]],
    steps: int,
    observed: Distribution,
    tapes: Distribution,
) -> Iterator[Equality]:
    """Yield that f is a step of the machine, and that both distributions are what the members and the machine give."""
    yield equality("f is one step of the machine", _step_rows(setting, members["f"], steps))
    start = setting.inputs()
    back = weighed_backwards([(PRIOR[name], members[name]) for name in members], start, steps + 2)
    rows = [((("n", str(steps)),), back, weighed(observed)), ((("", "m_UTM"),), 1, sum(tapes.values(), Fraction(0)))]
    yield equality("m_C^(n+2), weighed, and m_UTM in all", rows)


def _step_rows(setting: Setting, f: Callable[[BitString], BitString], steps: int) -> Iterator[EqualityRow]:
    for u in setting.inputs():
        configuration = setting.start(u)
        for t in range(steps):
            following = step(setting.machine, configuration)
            answer = f(column_string(setting.machine, configuration))
            yield (("u", u), ("t", str(t))), 1, int(answer == column_string(setting.machine, following))
            configuration = following
