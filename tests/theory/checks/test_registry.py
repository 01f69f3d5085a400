"""The table of checks says what is true of the checks, and runs them as it is told."""

import inspect
import subprocess
import sys

import pytest

from theory.checks.registry import CHECKS
from theory.machines.classes import class_names


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
class TestEntries:
    def test_the_function_takes_what_is_declared_with_these_defaults(self, check):
        parameters = inspect.signature(check.function).parameters
        assert ("model_class" in parameters) == (check.class_name is not None)
        for option in check.options:
            if option.default is not None:
                assert parameters[option.name].default == option.default
            assert option.name in parameters

    def test_its_default_class_exists_and_its_result_has_what_a_certificate_needs_if_it_declares_one(self, check):
        assert check.class_name is None or check.class_name in class_names()
        result = check.run(check.quick)
        assert (result.evidence is not None) == bool(check.certificate)
        assert (result.statement, result.check) == (check.statement, check.name)

    def test_it_holds_is_timed_and_every_wrong_variant_is_caught(self, check):
        result = check.run(check.quick)
        assert result.holds
        assert result.check == check.name
        assert result.seconds > 0
        for variant in check.variants:
            wrong = check.run(check.quick, variant=variant)
            assert not wrong.holds, variant
            assert wrong.counterexample is not None
            assert wrong.variant == variant


def test_the_table_imports_no_check():
    heavy = ("numpy", "theory.measures.mixture", "theory.lstm.construction")
    code = f"import sys, theory.checks.registry; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
