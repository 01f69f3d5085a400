"""Lemma 4.1: one machine that runs all of C makes a class D dominate the whole mixture m_C.

The machine u reads a word code(i) and then behaves like machine i on the rest of its program. If the code is complete
and the prior is p_C(i) = 2^-|code(i)|, then p_u = m_C exactly, and m_D >= p_D(u) m_C for every D that contains u. With
another prior the constant is p_D(u) kappa, kappa = min over i of 2^-|code(i)| / p_C(i). Source: Bloem 2025 (arXiv
2506.20057), section 4.1. D here has two members, u and a machine that writes nothing, with p_D(u) = 1/4.

Deviation (erratum): the proof of Lemma 4.1 writes m_C(x) for the sum of 2^-|r| over the programs r of u. This needs the
pairing (i, x) = code(i) x with x as it is. Footnote 4 codes x once more; u must then be told how long the program is,
is stuck wherever machine i does not read exactly that much, and so is not sufficient: for class B its total mass is
about 0.45, and the least p_u / m_C is 2^-(T+1) for machines that read up to T bits, with no constant for all T. The
proof also assumes p_C(i) = 2^-|code(i)| silently; for another prior the factor kappa is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from theory.checks.result import CheckResult, Counterexample, Item, ratio_item, require_variant, tightest_item
from theory.errors import InputError
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import Bound, Machine, Run, Status
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float

VARIANTS = {
    "footnote-pairing": "pairs machine and program as footnote 4 does, the program coded once more",
    "without-u": "takes a class D that lacks u",
    "any-prior": "claims the constant p_D(u) for a prior that is not 2^-|code(i)|",
}

U_PRIOR = Fraction(1, 4)
EQUALITY = "p_u = m_C"


@dataclass(frozen=True)
class ClassInterpreter:
    """The machine u of Lemma 4.1: reads code(i), then is machine i of the class, within that class's bound.

    With `recoded` it expects the program as footnote 4 has it, 1^n 0 and then n bits.
    """

    model_class: ModelClass
    recoded: bool = False

    @property
    def name(self) -> str:
        """What results call it."""
        return f"u({self.model_class.name})"

    @property
    def reads_condition(self) -> bool:
        """Whether any member does."""
        return any(member.reads_condition for member in self.model_class.members)

    @property
    def bound(self) -> Bound:
        """Room for every run of a member, and for reading the pair."""
        inner = self.model_class.bound
        header = max(map(len, self.model_class.words)) + (inner.time + 1 if self.recoded else 0)
        return Bound(time=inner.time + header, space=inner.space)

    @cached_property
    def _places(self) -> dict[BitString, int]:
        return {word: i for i, word in enumerate(self.model_class.words)}

    @cached_property
    def _word_lengths(self) -> list[int]:
        return sorted({len(word) for word in self.model_class.words})

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run; one step for each bit of the pair's code and each step of the member."""
        header = next((n for n in self._word_lengths if program[:n] in self._places), None)
        if header is None:
            can_go_on = any(word.startswith(program) for word in self.model_class.words)
            return _stopped(Status.NEEDS_INPUT if can_go_on else Status.STUCK, self._strayed(program), bound)
        member, rest = self.model_class.members[self._places[program[:header]]], program[header:]
        if not self.recoded:
            return self._inside(member, rest, condition, header, bound)
        length = len(rest) - len(rest.lstrip("1"))
        if length > self.model_class.bound.time:  # no member can read so much
            return _stopped(Status.STUCK, header + self.model_class.bound.time + 1, bound)
        if length == len(rest):
            return _stopped(Status.NEEDS_INPUT, len(program), bound)
        header += length + 1
        supplied = rest[length + 1 :][:length]
        run = self._inside(member, supplied, condition, header, bound)
        halted_early = run.status is Status.HALTED and run.bits_read < header + length
        asks_for_more = run.status is Status.NEEDS_INPUT and len(supplied) == length
        return replace(run, status=Status.STUCK) if halted_early or asks_for_more else run

    def _inside(self, member: Machine, program: BitString, condition: BitString, header: int, bound: Bound) -> Run:
        if header > bound.time:
            return _stopped(Status.OUT_OF_TIME, header, bound)
        inner = self.model_class.bound
        run = member.run(program, condition, Bound(min(inner.time, bound.time - header), min(inner.space, bound.space)))
        return replace(run, steps=run.steps + header, bits_read=run.bits_read + header)

    def _strayed(self, program: BitString) -> int:
        """Return how many bits have been read when no word can follow any more, or all of them."""
        for n in range(len(program) + 1):
            if not any(word.startswith(program[:n]) for word in self.model_class.words):
                return n
        return len(program)


@dataclass(frozen=True)
class _Nothing:
    """The machine that halts at once and writes nothing."""

    name: str = "nothing"
    reads_condition: bool = False

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:  # noqa: ARG002 (it looks at neither)
        """Halt."""
        return Run(Status.HALTED, "", 0, 0, 0)


def _stopped(status: Status, bits_read: int, bound: Bound) -> Run:
    if bits_read > bound.time:
        return Run(Status.OUT_OF_TIME, "", bound.time, 0, bound.time)
    return Run(status, "", bits_read, 0, bits_read)


def embedding_class(model_class: ModelClass, *, recoded: bool = False, with_u: bool = True) -> ModelClass:
    """Return D = {u, nothing} with p_D(u) = 1/4, or without u as the variant has it."""
    u = ClassInterpreter(model_class, recoded)
    members, prior = ([u, _Nothing()], [U_PRIOR, 1 - U_PRIOR]) if with_u else ([_Nothing()], [1 - U_PRIOR])
    return ModelClass.of("D", members, bound=u.bound, max_length=model_class.max_length, prior=prior)


def prior_constant(model_class: ModelClass) -> Fraction:
    """Return kappa = min over i of 2^-|code(i)| / p_C(i); 1 when the prior is that of the code."""
    return min(Fraction(1, 1 << len(w)) / p for w, p in zip(model_class.words, model_class.prior, strict=True))


def check_embedding(model_class: ModelClass, *, max_length: int = 0, variant: str | None = None) -> CheckResult:
    """Check m_D(x|z) >= p_D(u) kappa m_C(x|z), and p_u = m_C where the prior is 2^-|code(i)|.

    Args:
        model_class: the class C; its members need code words.
        max_length: length of the conditions; only the empty one by default.
        variant: None, or one of `VARIANTS`.

    """
    require_variant(variant, VARIANTS)
    if not model_class.words:
        raise InputError(
            "Lemma 4.1 needs a code for the members", received=model_class.name, remedy="give the class words"
        )
    if variant == "any-prior":
        model_class = _with_skewed_prior(model_class)
    kappa = Fraction(1) if variant == "any-prior" else prior_constant(model_class)
    recoded, with_u = variant == "footnote-pairing", variant != "without-u"
    ours, theirs = Mixture(model_class), Mixture(embedding_class(model_class, recoded=recoded, with_u=with_u))
    constant = U_PRIOR * kappa
    by_length: dict[int, tuple[Fraction, str]] = {}
    strings_seen = failures = equal = 0
    conditions = list(ours.conditions(max_length))
    for z in conditions:
        for x, m in ours.measure(z).mass.items():
            slack = theirs.measure(z).lower(x) / (constant * m)
            strings_seen += 1
            failures += slack < 1
            equal += with_u and theirs.member(0, z).lower(x) == m
            if len(x) not in by_length or slack < by_length[len(x)][0]:
                by_length[len(x)] = (slack, f"x = {shown(x)}, z = {shown(z)}")
    if not by_length:
        raise nothing_halts(model_class)
    items = [
        ratio_item(f"strings of length {length}", slack, witness=witness, numbers={"min m_D/m_C": slack * constant})
        for length, (slack, witness) in sorted(by_length.items())
    ]
    if variant is None and model_class.prior_is_of_code:
        items.append(_equality_item(ours, theirs, conditions))
    tightest = tightest_item(items)
    return CheckResult(
        check="embedding",
        statement="A class D with a machine u that runs every member of C dominates the mixture m_C.",
        formula="u(code(i) r) = T_i(r)   =>   m_D(x|z) >= p_D(u) kappa m_C(x|z),   kappa = min_i 2^-|code(i)| / p_C(i)",
        class_name=model_class.name,
        bound=f"time {model_class.bound.time}, space {model_class.bound.space}, conditions up to length {max_length}",
        constants={"p_D(u)": U_PRIOR, "kappa": kappa, "total mass of u": _mass_of_u(theirs, with_u)},
        items=tuple(items),
        holds=all(item.holds for item in items),
        slack_bits=tightest.slack_bits,
        tightest=tightest.witness,
        counterexample=_counterexample(tightest, constant),
        counts={
            "programs": ours.programs_found,
            "programs of u": theirs.programs_found - 1,
            "strings": strings_seen,
            "strings where p_u = m_C": equal,
            "failures": failures,
        },
        remarks=(*_remarks(theirs, with_u), *ours.open_mass()),
        variant=variant,
    )


def _equality_item(ours: Mixture, theirs: Mixture, conditions: Sequence[BitString]) -> Item:
    """Return the item of p_u = m_C: the lesser of the two over the greater, at the string where they differ most."""
    found = []
    for z in conditions:
        p_u, m_c = theirs.member(0, z).mass, ours.measure(z).mass
        for x in {**p_u, **m_c}:
            ends = sorted((p_u.get(x, Fraction(0)), m_c.get(x, Fraction(0))))
            found.append((ends[0] / ends[1], f"x = {shown(x)}, z = {shown(z)}"))
    slack, witness = min(found)
    return ratio_item(EQUALITY, slack, witness=witness)


def _mass_of_u(theirs: Mixture, with_u: bool) -> Fraction:
    return theirs.member(0).total if with_u else Fraction(0)


def _remarks(theirs: Mixture, with_u: bool) -> tuple[str, ...]:
    mass = _mass_of_u(theirs, with_u)
    return () if mass == 1 else (f"u halts with probability {mass} = {float(mass):.3f} on the empty condition",)


def _with_skewed_prior(model_class: ModelClass) -> ModelClass:
    """Move half of the first member's prior to the last."""
    prior = [Fraction(1, 1 << len(word)) for word in model_class.words]
    prior[-1] += prior[0] / 2
    prior[0] /= 2
    return replace(model_class, prior=tuple(prior))


def _counterexample(worst: Item, constant: Fraction) -> Counterexample | None:
    if worst.holds:
        return None
    if worst.name == EQUALITY and worst.slack is not None:
        sentence = f"p_u(x|z) and m_C(x|z) should be equal and have the ratio {worst.slack}"
        return Counterexample(where=worst.witness, claimed=Fraction(1), observed=worst.slack, sentence=sentence)
    observed = Fraction(worst.numbers["min m_D/m_C"])
    power = f" = 2^{log2_float(observed / constant):.4g} of what is claimed" if observed else ""
    return Counterexample(
        where=worst.witness,
        claimed=constant,
        observed=observed,
        sentence=f"m_D(x|z) is {observed} times m_C(x|z){power}, less than the constant {constant}",
    )
