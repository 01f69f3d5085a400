"""The table of all checks: what each is called, what it claims, where it is, and what it runs on by default.

Nothing here imports the checks themselves, so that a list of them costs nothing; `Check.run` imports the one that it
runs. Whoever wants every statement of section 4 tested goes through `CHECKS`:

    for check in CHECKS.values():
        assert check.run().holds
        for variant in check.variants:
            assert not check.run(variant=variant).holds

Limits: the defaults are sized so that all checks take well under 90 seconds together on one core.
"""

import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from theory.checks.result import CheckResult
from theory.errors import InputError
from theory.machines.classes import ModelClass, class_names, load_class
from theory.machines.machine import Bound
from theory.numbers.bit_strings import require_bit_string

CLASS_SETTINGS: Mapping[str, Any] = {"class_name": None, "max_length": None, "time": None, "space": None}
"""What can be set for every check that goes through a model class, with defaults; None: that of the check or class."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One entry of the table.

    Attributes:
        name: what commands and results call it.
        summary: what is checked, in a line.
        source: where the paper has it.
        module: the module that holds the function and its `VARIANTS`.
        class_name: the model class by default; None for a check that has no class.
        options: the function's own parameters that can be set, with their defaults.
        variants: deliberately wrong variants; each must be caught.
        is_certifiable: whether `theory.certificates.write` writes a certificate of it.
        rough_seconds: time with the defaults, to an order of magnitude.

    """

    name: str
    summary: str
    source: str
    module: str
    class_name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[str, ...]
    is_certifiable: bool = False
    rough_seconds: float

    @property
    def function(self) -> str:
        """The name of the function in its module."""
        return f"check_{self.name}"

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that can be set, with defaults."""
        return {**(CLASS_SETTINGS if self.class_name else {}), **self.options}

    def describe(self, variant: str) -> str:
        """Say what is wrong with a variant.

        Raises:
            InputError: an unknown variant.

        """
        return self._known(variant)[variant]

    def model_class(self, settings: Mapping[str, Any]) -> ModelClass:
        """Return the class that a check with these settings goes through.

        Raises:
            InputError: an unknown class, a file that cannot be executed, or a negative bound.

        """
        name, max_length = settings.get("class_name"), settings.get("max_length")
        name = self.class_name if name is None else name
        assert name is not None, f"{self.name} has no class"
        if max_length is not None and max_length < 0:
            raise InputError("a length is not negative", received=max_length, remedy="give 0 or more")
        try:
            found = load_class(name, max_length)
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            if name in class_names():
                raise
            # A user's file is executed: what it raises is the user's mistake.
            problem = f"{name} cannot be executed: {type(error).__name__}: {error}"
            raise InputError(problem, remedy="correct the file") from error
        steps, cells = settings.get("time"), settings.get("space")
        bound = Bound(
            time=found.bound.time if steps is None else steps, space=found.bound.space if cells is None else cells
        )
        return replace(found, bound=bound)

    def run(self, settings: Mapping[str, Any] | None = None, *, variant: str | None = None) -> CheckResult:
        """Run the check and time it.

        Args:
            settings: values for some of the names in `settings`; None stands for the default.
            variant: None, or one of `variants`.

        Raises:
            InputError: an unknown variant or class, or a value that the check refuses.

        """
        if variant is not None:
            self._known(variant)
        given = {name: value for name, value in (settings or {}).items() if value is not None}
        require_bit_string(given.get("condition", ""))
        if given.get("seed", 0) < 0:
            raise InputError("a seed is not negative", received=given["seed"], remedy="give 0 or more")
        chosen = {name: value for name, value in {**self.options, **given}.items() if name in self.options}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        start = time.perf_counter()
        classes = [self.model_class(given)] if self.class_name else []
        result = getattr(self._imported(), self.function)(*classes, **chosen, variant=variant)
        return replace(result, seconds=time.perf_counter() - start)

    def _imported(self) -> ModuleType:
        return importlib.import_module(self.module)

    def _known(self, variant: str) -> Mapping[str, str]:
        if variant not in self.variants:
            remedy = f"choose {', '.join(self.variants)}"
            raise InputError(f"check-{self.name} has no such variant", received=variant, remedy=remedy)
        return self._imported().VARIANTS


_TABLE = (
    Check(
        name="domination",
        summary="the mixture dominates each of its members",
        source="section 4.1",
        module="theory.checks.domination",
        class_name="mealy",
        variants=("double-constant",),
        is_certifiable=True,
        rough_seconds=2,
    ),
    Check(
        name="embedding",
        summary="a class that can run all of C dominates m_C",
        source="section 4.1, Lemma 4.1",
        module="theory.checks.embedding",
        class_name="mealy",
        options={"max_length": None},
        variants=("footnote-pairing", "without-u", "any-prior"),
        is_certifiable=True,
        rough_seconds=0.1,
    ),
    Check(
        name="prediction",
        summary="predicting with m_C costs log 1/p(c) bits at most",
        source="section 4.2, Theorem 4.2",
        module="theory.checks.prediction",
        class_name="sources",
        options={"condition": ""},
        variants=("printed-bound", "printed-sign", "bits-only", "from-one", "no-end", "pointwise", "lacking-dup"),
        rough_seconds=1,
    ),
    Check(
        name="iteration",
        summary="one more random machine loses at most p(i)",
        source="section 4.3, Theorem 4.3",
        module="theory.checks.iteration",
        class_name="mealy",
        options={"steps": 8},
        variants=("without-identity", "one-constant", "entropy-grows"),
        is_certifiable=True,
        rough_seconds=4,
    ),
    Check(
        name="mix",
        summary="the buffer's mixture dominates every depth",
        source="section 5.1 and appendix A.1",
        module="theory.checks.mix",
        class_name="mealy",
        options={"steps": 8, "source_batch": 138, "reset_rows": 40},
        variants=("double-weight", "without-noise"),
        rough_seconds=3,
    ),
    Check(
        name="lstm",
        summary="a ball of LSTMs computes a machine's step",
        source="section 4.4, Lemma 4.4",
        module="theory.checks.lstm",
        options={"machine_name": "bb2", "cells": 6, "attack_cells": 3, "samples": 50, "seed": 0},
        variants=("printed-bias", "matrix-step", "outside-radius"),
        rough_seconds=3,
    ),
    Check(
        name="universality",
        summary="iterated random functions dominate a machine",
        source="section 4.4, Theorem 4.5",
        module="theory.checks.universality",
        options={"machine_name": "bb2", "steps": 3, "cells": 7, "max_length": 4, "seed": 0},
        variants=("outside-radius", "without-f", "printed-constant"),
        rough_seconds=1,
    ),
    Check(
        name="coding",
        summary="the shortest program against the whole mass",
        source="section 4.1",
        module="theory.checks.coding",
        class_name="mealy",
        variants=("converse", "free-name"),
        rough_seconds=0.1,
    ),
    Check(
        name="invariance",
        summary="two machines that call each other agree up to a bit",
        source="section 4.1",
        module="theory.checks.invariance",
        class_name="mealy",
        variants=("half-bit", "one-way"),
        rough_seconds=0.1,
    ),
    Check(
        name="regret",
        summary="a mixture of N coins loses at most log N bits",
        source="section 4.2",
        module="theory.checks.regret",
        options={"steps": 64},
        variants=("one-member-less", "any-parameter", "without-weight"),
        rough_seconds=1,
    ),
    Check(
        name="resources",
        summary="measures grow with time and space",
        source="section 4.1",
        module="theory.checks.resources",
        class_name="universal",
        variants=("wrapping-tape", "free-time"),
        rough_seconds=1,
    ),
)

CHECKS: Mapping[str, Check] = {check.name: check for check in _TABLE}
"""All checks by name: those of the paper in its order, then the classical facts that they rest on."""
