"""Model classes: finitely many machines, a prefix code for them, a prior, and the bound under which they run.

The statements of section 4 are about a class C with a prior p(c). Here both are finite and exact, so that every string
can be gone through. A class is named (`load_class("mealy")`) or lies in a user's own file
(`load_class("mine.py:CLASS")`):

    from theory import Bound, FunctionMachine, ModelClass

    def fair_bit(tape):
        tape.write(tape.read())

    def one(tape):
        tape.write(1)

    CLASS = ModelClass.of("mine", [FunctionMachine("fair", fair_bit), FunctionMachine("one", one)],
                          bound=Bound(time=8, space=8), max_length=1)

Source: Bloem 2025 (arXiv 2506.20057), section 4. Limits: a class must be sufficient under its bound for statements
about probability distributions (`Mixture.require_sufficient`); otherwise its members are semimeasures.
"""

import importlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from theory.errors import InputError
from theory.machines.machine import Bound, Machine
from theory.numbers.bit_strings import BitString, complete_code, is_prefix_free, require_bit_string, strings
from theory.user_file import load_object

_BUILDERS = {
    "mealy": ("mealy", "mealy_class", "all 252 one-state Mealy machines"),
    "sources": ("named_sources", "sources_class", "ten named sources: Bernoulli, Markov, Dyck, dup, xor, ..."),
    "turing-1": ("turing", "one_state_class", "16 Turing machines, all tables with one state of one kind"),
    "turing-2": ("turing", "two_state_class", "4,096 Turing machines, all tables with two states of one kind"),
    "universal": ("universal.machine", "universal_class", "the bounded universal machine"),
}


@dataclass(frozen=True)
class ModelClass:
    """A finite class C with its prior.

    Attributes:
        name: how results refer to it.
        members: the machines c, with distinct names.
        words: a prefix code for the members, or () where the prior comes from no code.
        prior: p(c) for each member, positive, in sum at most 1.
        bound: time and space of each run.
        max_length: strings and conditions up to this length are looked at.
        legend: how to read the members' names, in one sentence; or nothing.

    """

    name: str
    members: tuple[Machine, ...]
    words: tuple[BitString, ...]
    prior: tuple[Fraction, ...]
    bound: Bound
    max_length: int
    legend: str = ""

    def __post_init__(self) -> None:
        def require(ok: bool, problem: str, received: object, remedy: str) -> None:
            if not ok:
                raise InputError(f"class {self.name}: {problem}", received=received, remedy=remedy)

        names = [member.name for member in self.members]
        require(bool(names), "there are no members", 0, "give at least one machine")
        twice = next((name for name, times in Counter(names).items() if times > 1), None)
        require(twice is None, "two members have the same name", twice, "name each machine differently")
        require(len(self.prior) == len(names), "one prior for each member", len(self.prior), f"give {len(names)}")
        inexact = next((p for p in self.prior if not isinstance(p, int | Fraction)), None)
        require(inexact is None, "a prior is an exact fraction", inexact, "give e.g. Fraction(1, 3)")
        require(min(self.prior) > 0, "a prior is positive", min(self.prior), "leave out what has no probability")
        require(sum(self.prior) <= 1, "the prior sums to more than 1", sum(self.prior), "scale it down")
        require(
            len(self.words) in (0, len(names)), "one word for each member", len(self.words), "give one each or none"
        )
        require(is_prefix_free(self.words), "the words are not prefix-free", self.words, "take complete_code(n)")
        require(self.max_length >= 0, "a length is not negative", self.max_length, "give 0 or more")
        for word in self.words:
            require_bit_string(word)

    @classmethod
    def of(
        cls,
        name: str,
        machines: Iterable[Machine],
        *,
        bound: Bound,
        max_length: int,
        prior: Sequence[Fraction] | None = None,
        words: Sequence[BitString] | None = None,
        legend: str = "",
    ) -> "ModelClass":
        """Make a class; without words a complete code is taken, without a prior 2^-|word|.

        A prior that is given without words comes from no code.
        """
        members = tuple(machines)
        if words is None:
            words = complete_code(max(1, len(members))) if prior is None else ()
        if prior is None:
            prior = [Fraction(1, 1 << len(word)) for word in words]
        return cls(name, members, tuple(words), tuple(prior), bound, max_length, legend)

    @property
    def prior_is_of_code(self) -> bool:
        """Whether the members have words and each prior is 2^-|word|."""
        return self.prior == tuple(Fraction(1, 1 << len(word)) for word in self.words)

    def code_length_bits(self, index: int) -> int | None:
        """Return the length of a member's word, None where there is no code."""
        return len(self.words[index]) if self.words else None

    def conditions(self, max_length: int) -> Iterator[BitString]:
        """Yield the conditions to look at: all up to a length, or the empty one alone if no member reads it."""
        reads = any(machine.reads_condition for machine in self.members)
        yield from strings(max_length if reads else 0)

    def index(self, name: str) -> int:
        """Return the place of the member with this name.

        Raises:
            InputError: there is none.

        """
        names = [member.name for member in self.members]
        if name not in names:
            shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            raise InputError(f"class {self.name} has no such member", received=name, remedy=f"choose among {shown}")
        return names.index(name)


def nothing_halts(model_class: ModelClass) -> InputError:
    """Return the error of a class under whose bound there is nothing to check."""
    return InputError("no member halts under the bound", received=model_class.name, remedy="raise the bound")


def class_names() -> dict[str, str]:
    """Return the named classes, each with a line about it."""
    return {name: summary for name, (_module, _builder, summary) in _BUILDERS.items()}


def load_class(name: str, max_length: int | None = None) -> ModelClass:
    """Return a named class, or the one that a user's file defines.

    Args:
        name: one of `class_names()`, or `path/to/file.py:NAME` where NAME is a `ModelClass`. The file is executed.
        max_length: the length of strings to look at; by default what suits the class.

    Raises:
        InputError: an unknown name, or a file that does not hold such a class.

    """
    if name in _BUILDERS:
        module, builder, _summary = _BUILDERS[name]
        build = getattr(importlib.import_module(f"theory.machines.{module}"), builder)
        return build() if max_length is None else build(max_length)
    found = load_object(name, ModelClass, "user_class")
    if found is None:
        raise InputError(
            "there is no such class",
            received=name,
            remedy=f"choose {', '.join(_BUILDERS)} or give path/to/file.py:NAME",
        )
    if max_length is None:
        return found
    return replace(found, max_length=max_length)
