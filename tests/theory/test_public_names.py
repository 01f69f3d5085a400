"""What `import theory` offers: every name resolves, and asking for none of them costs nothing."""

import importlib
import inspect
import subprocess
import sys

import pytest

import theory
from theory.checks.registry import CHECKS


@pytest.mark.parametrize("name", theory.__all__)
def test_every_public_name_is_that_of_its_module_and_is_documented(name):
    found = getattr(theory, name)
    assert getattr(importlib.import_module(f"theory.{theory._MODULE_OF[name]}"), name) is found
    assert name == "CHECKS" or inspect.getdoc(found)


def test_every_check_is_public():
    assert {f"check_{name}" for name in CHECKS} == {name for name in theory.__all__ if name.startswith("check_")}
    for name, check in CHECKS.items():
        assert check.function is getattr(theory, f"check_{name}")


def test_names_are_listed_and_others_are_missing():
    assert set(theory.__all__) <= set(dir(theory))
    with pytest.raises(AttributeError, match="module 'theory' has no attribute 'shorten'"):
        theory.shorten  # noqa: B018
    namespace = {}
    exec("from theory import *", namespace)
    assert set(theory.__all__) <= set(namespace)


def test_importing_the_package_imports_nothing_of_it():
    code = "import sys, theory; print([name for name in sys.modules if name.startswith(('theory.', 'numpy'))])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
