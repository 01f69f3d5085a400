"""Invariance: two machines that can call each other agree on every probability, up to the price of the call.

Let U read one bit: after 0 it runs a program of its own kind, after 1 it becomes V. Let V do the same with its own kind
and with U. Reading "become the other" costs one bit, so that m_U >= m_V / 2 and m_V >= m_U / 2, on every string: the
choice of a universal machine moves no log probability by more than a constant. If the two kinds alone have the measures
a and b, the machines call each other without end, and their measures are the fixed point of

    m_U = a / 2 + m_V / 2,   m_V = b / 2 + m_U / 2,

which is m_U = (2a + b) / 3 and m_V = (a + 2b) / 3 exactly. The ratio 2, one whole bit, is reached on the strings that
only one of the two kinds can write. Here a = m_C for a model class C, and b is the sticky source of class A, as long as
the class's strings (a fair bit, then each bit repeats the one before with probability 3/4).

That is shown and not taken for granted: the equations are evaluated at every string, and where the members have words,
two machines that do call each other are run (`Caller`). With at most k calls they give what the fixed point gives when
it is unrolled k + 1 times.

Source: Bloem 2025 (arXiv 2506.20057), section 4.1, of which this is the classical case; Li and Vitányi, theorem 2.1.1.
Limits: empty condition; members under their bound, so that a class whose runs stay unresolved is a semimeasure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from theory.checks.equalities import mixture_equalities
from theory.checks.registry import INVARIANCE
from theory.checks.result import CheckResult, Counterexample, Equality, EqualityRow, Item, equality
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import Bound, Machine, Run, Status
from theory.machines.named_sources import SOURCES, sources_class
from theory.measures.measure import output_measure
from theory.measures.mixture import Distribution, Mixture
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float, number_text
from theory.words import number_of

CALL = Fraction(1, 2)
MOST_CALLS = 1


@dataclass(frozen=True)
class Caller:
    """A machine that reads a bit, and after 0 runs the `first` kind in what is left; after 1 it becomes the other.

    The kinds come with the bound of their runs, which reading the calls does not shorten. After `MOST_CALLS` calls it
    goes on no more.
    """

    first: tuple[Machine, Bound]
    second: tuple[Machine, Bound]
    name: str = "caller"
    reads_condition: bool = False

    @property
    def bound(self) -> Bound:
        """Room for every run of either kind, and for reading the calls."""
        bounds = [bound for _, bound in (self.first, self.second)]
        time = max(bound.time for bound in bounds) + MOST_CALLS + 1
        return Bound(time=time, space=max(bound.space for bound in bounds))

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run; one step for each bit read before the own kind begins, and then its steps."""
        calls = len(program) - len(program.lstrip("1"))
        header = min(calls, MOST_CALLS) + 1
        if calls > MOST_CALLS or header > bound.time:
            return Run(Status.OUT_OF_TIME, "", min(header, bound.time), 0, min(header, bound.time))
        if calls == len(program):
            return Run(Status.NEEDS_INPUT, "", calls, 0, calls)
        machine, its = self.second if calls % 2 else self.first
        within = Bound(min(its.time, bound.time - header), min(its.space, bound.space))
        run = machine.run(program[header:], condition, within)
        return replace(run, steps=run.steps + header, bits_read=run.bits_read + header)


def fixed_point(
    own_u: Distribution, own_v: Distribution
) -> tuple[dict[BitString, Fraction], dict[BitString, Fraction]]:
    """Return m_U and m_V for two machines that run their own kind after 0 and the other machine after 1.

    >>> u, v = fixed_point({"0": Fraction(1)}, {"1": Fraction(1)})
    >>> str(u["0"]), str(v["0"])
    ('2/3', '1/3')
    """
    m_u: dict[BitString, Fraction] = {}
    m_v: dict[BitString, Fraction] = {}
    for x in sorted(own_u.keys() | own_v.keys(), key=lambda x: (len(x), x)):
        a, b = own_u.get(x, Fraction(0)), own_v.get(x, Fraction(0))
        m_u[x], m_v[x] = (2 * a + b) / 3, (a + 2 * b) / 3
    return m_u, m_v


def one_way(own_u: Distribution, own_v: Distribution) -> tuple[dict[BitString, Fraction], dict[BitString, Fraction]]:
    """Return m_U and m_V for a V that cannot call U."""
    m_u: dict[BitString, Fraction] = {}
    m_v: dict[BitString, Fraction] = {}
    for x in sorted(own_u.keys() | own_v.keys(), key=lambda x: (len(x), x)):
        m_v[x] = CALL * own_v.get(x, Fraction(0))
        m_u[x] = CALL * own_u.get(x, Fraction(0)) + CALL * m_v[x]
    return m_u, m_v


def check_invariance(model_class: ModelClass, *, variant: str | None = None) -> CheckResult:
    """Check |log2 m_U(x) / m_V(x)| <= 1 for every string that either machine can write.

    Args:
        model_class: the class C that U runs after a 0; its length is that of the sticky source that V runs.
        variant: None, or one of the declared ones.

    Raises:
        InputError: a class of which no member halts under the bound, or an unknown variant.

    """
    INVARIANCE.require_variant(variant)
    mixture, sources = Mixture(model_class), sources_class(model_class.max_length)
    sticky = Mixture(sources).member(sources.index("sticky")).mass
    sticky_machine = sources.members[sources.index("sticky")], sources.bound
    own = {x: p for x, p in mixture.measure("").mass.items() if p}
    if not own:
        raise nothing_halts(model_class)
    m_u, m_v = (one_way if variant == "one-way" else fixed_point)(own, sticky)
    items = [_item(shown(x), m_u[x], m_v[x], half_a_bit=variant == "half-bit") for x in m_u]
    alone = {"U's kind": own.keys() - sticky.keys(), "V's kind": sticky.keys() - own.keys()}
    return INVARIANCE.result(
        items,
        equalities=_equalities(mixture, own, sticky, m_u, m_v, sticky_machine),
        class_name=model_class.name,
        bound=(
            f"time {model_class.bound.time}, space {model_class.bound.space};"
            f" the sticky source writes {number_of(model_class.max_length, 'bit')}"
        ),
        constants={"price of a call": CALL},
        counts={
            "strings": len(items),
            "tight": sum(item.slack == 1 for item in items),
            "failures": sum(not item.holds for item in items),
        },
        remarks=(
            *(f"strings that {kind} alone can write: {len(strings)}" for kind, strings in alone.items()),
            *mixture.open_mass(),
        ),
        variant=variant,
        tightest=lambda item: item.name,
    )


def _equalities(
    mixture: Mixture,
    own: Distribution,
    sticky: Distribution,
    m_u: Distribution,
    m_v: Distribution,
    sticky_machine: tuple[Machine, Bound],
) -> Iterator[Equality]:
    """Yield the equations of the fixed point, what runs of the machines say of them, and what the mixture rests on."""
    yield equality("m_U = m_C/2 + m_V/2", _halves(m_u, own, m_v))
    yield equality("m_V = sticky/2 + m_U/2", _halves(m_v, sticky, m_u))
    model_class = mixture.model_class
    density = partial(next(source.density for source in SOURCES if source.name == "sticky"), model_class.max_length)
    rows = (((("x", x),), density(x), sticky.get(x, Fraction(0))) for x in {**m_u, **m_v})
    yield equality("the sticky source has its density", rows)
    if model_class.words:
        u = ClassInterpreter(model_class)
        p_u = _of_code(mixture)
        m_u, m_v = fixed_point(p_u, sticky)
        kinds = (u, u.bound), sticky_machine
        yield equality("runs of U that calls V", _runs(Caller(kinds[0], kinds[1]), m_u, m_v))
        yield equality("runs of V that calls U", _runs(Caller(kinds[1], kinds[0]), m_v, m_u))
    yield from mixture_equalities(mixture, [""])


def _halves(whole: Distribution, own: Distribution, other: Distribution) -> Iterator[EqualityRow]:
    zero = Fraction(0)
    for x in {**whole, **own, **other}:
        yield [("x", x)], CALL * own.get(x, zero) + CALL * other.get(x, zero), whole.get(x, zero)


def _of_code(mixture: Mixture) -> dict[BitString, Fraction]:
    """Return the sum of 2^-|word| p_c, the measure of the machine that reads the word of a member."""
    mass: dict[BitString, Fraction] = {}
    for index, word in enumerate(mixture.model_class.words):
        for x, p in mixture.member(index).mass.items():
            mass[x] = mass.get(x, Fraction(0)) + p / (1 << len(word))
    return mass


def _runs(caller: Caller, its: Distribution, others: Distribution) -> Iterator[EqualityRow]:
    """Yield the fixed point, and what was run of it: all but the calls beyond the last, which go on as it says."""
    found = output_measure(caller, "", caller.bound)
    beyond = (its if MOST_CALLS % 2 else others), Fraction(1, 2 << MOST_CALLS)
    for x in {**its, **found.mass}:
        rest = beyond[1] * beyond[0].get(x, Fraction(0))
        yield [("x", x)], its.get(x, Fraction(0)), found.lower(x) + rest


def _item(name: str, u: Fraction, v: Fraction, *, half_a_bit: bool) -> Item:
    """Return the item of one string: the smaller of the two masses over the larger is at least 1/2."""
    ratio = min(u, v) / max(u, v)
    holds = 2 * ratio * ratio >= 1 if half_a_bit else 2 * ratio >= 1
    claimed = 0.5**0.5 if half_a_bit else CALL
    failure = None
    if not holds:
        sentence = (
            f"one machine gives it {number_text(ratio)} times what the other does, less than {float(claimed):.4f}"
        )
        failure = Counterexample(where=f"x = {name}", claimed=claimed, observed=ratio, sentence=sentence)
    return Item(
        name=name,
        holds=holds,
        slack=None if half_a_bit else 2 * ratio,
        slack_bits=log2_float(ratio) + (0.5 if half_a_bit else 1) if ratio else None,
        witness=name,
        numbers={
            "observed": ratio,
            "claimed": claimed,
            "m_U": u,
            "m_V": v,
        },
        failure=failure,
    )
