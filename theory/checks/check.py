"""What a check declares, once: its statement, options, wrong variants, and what its certificate claims.

The command and its help, `--break`, the list, the pages and the certificates all read a `Check`; none of them knows a
check by its name. The code that goes through the class is in the module that the declaration names, as the function
`check_<name>`; it is imported when the check is run, so that a list of all checks costs nothing.

Limits: a check goes through its class in seconds to minutes. Work that would not end is refused beforehand, by an
estimate (`theory.measures.effort`).
"""

import importlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import log10
from typing import TYPE_CHECKING, Any

from theory.checks.option import CLASS_OPTIONS, Option
from theory.errors import InputError

if TYPE_CHECKING:  # the list of checks, and so the help of every command, does without
    from theory.checks.result import Advance, CheckResult, Equality, Evidence, Item, Picture, StepCurve
    from theory.machines.classes import ModelClass

MOST_STEPS = 20_000_000
"""Steps of machines that a check may take, a minute or two and about two gigabytes."""


def of_the_class(model_class: "ModelClass", settings: Mapping[str, Any]) -> int:  # noqa: ARG001 (see `Check.conditions`)
    """Say that conditions are as long as the class's strings."""
    return model_class.max_length


def as_given(model_class: "ModelClass", settings: Mapping[str, Any]) -> int:  # noqa: ARG001
    """Say that there is only the empty condition unless a length is given."""
    return settings.get("max_length") or 0


def rounded(count: int) -> str:
    """Return a number with two digits that count; one that nobody wants to read as a power of ten.

    >>> rounded(1_234_567), rounded(3 * 10**40)
    ('1,200,000', '10^40')
    """
    zeros = len(str(count)) - 2 if count < 10**18 else 0
    return f"{round(count, -zeros):,}" if zeros > 0 or count < 100 else f"10^{int(log10(count))}"


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check as it declares itself.

    Attributes:
        name: what commands and results call it.
        summary: what is checked, in a line.
        source: where the paper has it.
        paper: which paper that is, with its number at arXiv.
        page: of the documentation that shows it.
        statement: what is claimed, in words.
        formula: the same in symbols, plain text.
        module: the module that holds the function.
        class_name: the model class by default; None for a check that has no class.
        options: the function's own parameters that can be set.
        variants: deliberately wrong variants, each with what it claims; each must be caught.
        certificate: the inequality that a certificate claims; nothing where none can be written.
        is_about_words: whether that lists the members' words even where the prior is not from them.
        conditions: how long the conditions are that the check goes through; None: there is only the empty one.
        arithmetic: about what a number of conditions and the option `steps` cost beside the runs, in steps.
        quick: settings under which it takes next to no time, and still catches every wrong variant.
        rough_seconds: time with the defaults, to an order of magnitude.

    """

    name: str
    summary: str
    source: str
    statement: str
    formula: str
    module: str
    class_name: str | None = None
    options: tuple[Option, ...] = ()
    variants: Mapping[str, str]
    certificate: str = ""
    is_about_words: bool = False
    conditions: "Callable[[ModelClass, Mapping[str, Any]], int] | None" = None
    arithmetic: Callable[[int, int], int] | None = None
    quick: Mapping[str, Any] = field(default_factory=dict)
    rough_seconds: float
    paper: str = "Bloem 2025, arXiv 2506.20057"
    page: str = "docs/learn/4-theory.md"

    @property
    def function(self) -> "Callable[..., CheckResult]":
        """The code of the check; its module is imported when this is asked for."""
        return getattr(importlib.import_module(self.module), f"check_{self.name}")

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Everything that can be set, each once; those of the class come first."""
        listed = (*(CLASS_OPTIONS if self.class_name else ()), *self.options)
        return tuple({option.name: option for option in listed}.values())

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that can be set, with defaults."""
        return {option.name: option.default for option in self.all_options}

    def describe(self, variant: str) -> str:
        """Say what is wrong with a variant.

        Raises:
            InputError: an unknown variant.

        """
        self.require_variant(variant)
        return self.variants[variant]

    def must_catch(self, settings: Mapping[str, Any]) -> bool:
        """Return whether every wrong variant has a counterexample under these settings: the defaults, or `quick`.

        Under others a wrong variant can be true of all that is gone through. None stands for the default.
        """
        defaults = self.settings | {"class_name": self.class_name}

        def set_apart(values: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in values.items() if value not in (None, defaults[name])}

        return set_apart(settings) in ({}, set_apart(self.quick))

    def require_variant(self, variant: str | None) -> None:
        """Refuse a variant that the check does not have.

        Raises:
            InputError: an unknown name.

        """
        if variant is not None and variant not in self.variants:
            remedy = f"choose {', '.join(self.variants)}"
            raise InputError(f"check-{self.name} has no such variant", received=variant, remedy=remedy)

    def model_class(self, settings: Mapping[str, Any]) -> "ModelClass":
        """Return the class that a check with these settings goes through.

        Raises:
            InputError: an unknown class, a file that cannot be executed, or a negative bound.

        """
        from theory.machines.classes import load_class
        from theory.machines.machine import Bound

        name, max_length = settings.get("class_name"), settings.get("max_length")
        name = self.class_name if name is None else name
        assert name is not None, f"{self.name} has no class"
        if max_length is not None and max_length < 0:
            raise InputError("a length is not negative", received=max_length, remedy="give 0 or more")
        found = load_class(name, max_length)
        steps, cells = settings.get("time"), settings.get("space")
        bound = Bound(
            time=found.bound.time if steps is None else steps, space=found.bound.space if cells is None else cells
        )
        return replace(found, bound=bound)

    def run(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        variant: str | None = None,
        expect: Callable[[int], None] | None = None,
        advance: "Advance | None" = None,
    ) -> "CheckResult":
        """Run the check and time it.

        Args:
            settings: values for some of the names in `settings`; None stands for the default.
            variant: None, or one of `variants`.
            expect: is told beforehand how much there is to do, in steps of a machine.
            advance: is told how many conditions have been gone through, where there are several.

        Raises:
            InputError: an unknown variant or class, a value that the check refuses, or work that would not end.

        """
        from theory.numbers.bit_strings import require_bit_string

        self.require_variant(variant)
        given = {name: value for name, value in (settings or {}).items() if value is not None}
        require_bit_string(given.get("condition", ""))
        if given.get("seed", 0) < 0:
            raise InputError("a seed is not negative", received=given["seed"], remedy="give 0 or more")
        own = {option.name: option.default for option in self.options} | given
        chosen = {option.name: own[option.name] for option in self.options if own[option.name] is not None}
        model_class = self.model_class(given) if self.class_name else None
        steps = self._expected_steps(model_class, self.settings | given)
        if steps > MOST_STEPS:
            self._refuse_endless(steps, given)
        if expect:
            expect(steps)
        if self.conditions:
            chosen["advance"] = advance
        start = time.perf_counter()
        result = self.function(*([model_class] if model_class else []), **chosen, variant=variant)
        return replace(result, seconds=time.perf_counter() - start)

    def _expected_steps(self, model_class: "ModelClass | None", chosen: Mapping[str, Any]) -> int:
        total, conditions = 0, 1
        if model_class is not None:
            from theory.measures.effort import expected_steps

            bits = 0 if self.conditions is None else max(0, self.conditions(model_class, chosen))
            total, conditions = expected_steps(model_class, bits), (2 << bits) - 1
        return total + (self.arithmetic(conditions, max(0, chosen["steps"])) if self.arithmetic else 0)

    def _refuse_endless(self, steps: int, given: Mapping[str, Any]) -> None:
        received = ", ".join(f"{name} {value}" for name, value in given.items() if value != self.settings[name])
        quick = ", ".join(f"{name} {value}" for name, value in self.quick.items())
        raise InputError(
            f"check-{self.name} would take about {rounded(steps)} steps, and {MOST_STEPS:,} are the most",
            received=received or self.class_name,
            remedy=f"give smaller values: {quick} is done at once",
        )

    def result(
        self,
        items: "Sequence[Item]",
        *,
        equalities: "Iterable[Equality]" = (),
        class_name: str,
        bound: str,
        variant: str | None,
        tightest: "Callable[[Item], str]" = lambda item: f"{item.name} at {item.witness}",
        formula: str = "",
        constants: Mapping[str, Fraction] | None = None,
        counts: Mapping[str, int] | None = None,
        curves: "Sequence[StepCurve]" = (),
        pictures: "Sequence[Picture] | None" = None,
        remarks: Sequence[str] = (),
        evidence: "Evidence | None" = None,
    ) -> "CheckResult":
        """Return the result that these items amount to: the statement holds where all of them do, and the equalities.

        Args:
            items: one for each thing that was checked.
            equalities: what the items are computed from, found again in another way; they are computed here, and for a
                wrong variant, which may be wrong in just this, not at all.
            class_name: the model class.
            bound: what bounds the search, in words.
            variant: the wrong variant that was run.
            tightest: how the result names the item that is nearest to failing.
            formula: in place of the declared one, where a variant claims another.
            constants: the exact constants of the statement.
            counts: how much was checked, by name.
            curves: numbers over steps.
            pictures: what to draw of them; each curve by itself unless it is told.
            remarks: facts worth saying beside the verdict.
            evidence: what a certificate is written from; a wrong variant has none.

        """
        from theory.checks.result import CheckResult, Picture, tightest_item

        least = tightest_item(items)
        found = () if variant else tuple(equalities)
        broken = next((each.failure for each in found if not each.holds), None)
        return CheckResult(
            check=self.name,
            statement=self.statement,
            formula=formula or self.formula,
            class_name=class_name,
            bound=bound,
            constants=constants or {},
            items=tuple(items),
            equalities=found,
            holds=broken is None and all(item.holds for item in items),
            slack_bits=least.slack_bits,
            tightest=tightest(least),
            counterexample=broken or least.failure,
            counts=counts or {},
            curves=tuple(curves),
            remarks=tuple(remarks),
            variant=variant,
            pictures=tuple(map(Picture, curves) if pictures is None else pictures),
            evidence=evidence if variant is None else None,
        )
