"""Every check says of the wrong implementations under it that its statement does not hold: the commands themselves."""

import io
import json

import pytest

from cli.context import CliContext, ExitCode
from cli.main import main
from tests.theory.mutations.wrong import WRONG
from theory.checks.mutations import MUTATIONS
from theory.checks.registry import CHECKS

# Where the class by default has nothing that could be wrong in this way.
OF_OTHER_CLASSES = {
    "nothing-open": {"class_name": "turing-1"},
    "kappa-one": {"class_name": "sources"},
    "shrinking": {"class_name": "mealy"},
}
PAIRS = [(mutation.name, check) for mutation in MUTATIONS for check in mutation.checks]


def command(name, **settings):
    """Run a check in a moment; return its exit code and what it says as JSON."""
    words = ["theory", f"check-{name}", "--json", "--quiet"]
    for option in CHECKS[name].all_options:
        value = {**CHECKS[name].quick, **settings}.get(option.name)
        if value is not None:
            words += [option.flag or f"--{option.name.replace('_', '-')}", str(value)]
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(words, CliContext.from_streams(stdout, stderr, {}))
    assert stdout.getvalue(), stderr.getvalue()
    return code, json.loads(stdout.getvalue())


@pytest.mark.parametrize(("mutation", "name"), PAIRS, ids=lambda value: value)
def test_a_check_that_rests_on_a_wrong_implementation_does_not_hold(monkeypatch, mutation, name):
    with monkeypatch.context() as patch:
        WRONG[mutation](patch)
        code, said = command(name, **OF_OTHER_CLASSES.get(mutation, {}))
    assert (code, said["holds"]) == (ExitCode.FAILED, False)
    assert said["counterexample"]["sentence"]


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_has_mutations_and_holds_without_one(name):
    own = [mutation for mutation in MUTATIONS if name in mutation.checks]
    assert len(own) >= 4
    for settings in ({}, *(OF_OTHER_CLASSES[m.name] for m in own if m.name in OF_OTHER_CLASSES)):
        code, said = command(name, **settings)
        assert (code, said["holds"]) == (0, True)
        assert said["equalities"]


def test_the_list_has_those_that_are_tested():
    assert [mutation.name for mutation in MUTATIONS] == list(WRONG)
    assert {check for mutation in MUTATIONS for check in mutation.checks} == set(CHECKS)
