"""How a check is run: settings, classes of one's own, and what is refused."""

from dataclasses import replace

import pytest

from theory.checks.check import MOST_STEPS
from theory.checks.option import CLASS_OPTIONS
from theory.checks.registry import CHECKS
from theory.errors import InputError
from theory.machines.machine import Bound

MINE = """
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine

def fair_bit(tape):
    tape.write(tape.read())

def spin(tape):
    while True:
        tape.tick()

def raises(tape):
    tape.write(1 // 0)

RAISES = ModelClass.of("raises", [FunctionMachine("raises", raises)], bound=Bound(time=8, space=8), max_length=1)
CLASS = ModelClass.of("mine", [FunctionMachine("fair", fair_bit)], bound=Bound(time=8, space=8), max_length=1)
NEVER = ModelClass.of("never", [FunctionMachine("spin", spin)], bound=Bound(time=8, space=8), max_length=1)
NUMBER = 3
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def test_settings_reach_class_and_bound():
    check = CHECKS["domination"]
    model_class = check.model_class({"max_length": 3, "time": 9, "space": None})
    assert (model_class.name, model_class.max_length) == ("mealy", 3)
    assert model_class.bound == Bound(time=9, space=3)
    assert "time 9, space 3" in check.run({"max_length": 3, "time": 9}).bound
    assert check.run({"class_name": "sources", "max_length": 3}).class_name == "sources"


def test_the_time_bound_decides_what_is_resolved():
    """A class B machine that is stopped before its clock halts on nothing that needs longer."""
    short, whole = (CHECKS["coding"].run({"max_length": 4, "time": time}) for time in (1, 4))
    assert 0 < short.counts["strings"] < whole.counts["strings"]


def test_none_stands_for_the_default():
    check = CHECKS["iteration"]
    settings = dict.fromkeys(check.settings) | {"max_length": 2}
    assert replace(check.run(settings), seconds=None) == replace(check.run({"max_length": 2}), seconds=None)
    assert {option.name for option in CLASS_OPTIONS} < set(check.settings)


@pytest.mark.parametrize(
    ("name", "settings", "received"),
    [
        ("domination", {"max_length": 20, "time": 3}, "max_length 20, time 3"),
        ("prediction", {"max_length": 20, "condition": ""}, "max_length 20"),
        ("iteration", {"steps": 1000}, "steps 1000"),
        ("mix", {"max_length": 5, "steps": 1000, "source_batch": 138}, "max_length 5, steps 1000"),
        ("regret", {"steps": 1000}, "steps 1000"),
    ],
)
def test_work_that_would_not_end_is_refused_before_any_is_done(name, settings, received):
    with pytest.raises(InputError, match=f"would take about .* the most .received '{received}'.: give smaller values"):
        CHECKS[name].run(settings)


def test_the_defaults_are_far_from_being_refused():
    class ToldError(Exception):
        pass

    def stop(steps):
        raise ToldError(steps)

    for check in CHECKS.values():
        with pytest.raises(ToldError) as seen:
            check.run(expect=stop)
        assert seen.value.args[0] < MOST_STEPS // 10


def test_conditions_are_counted_while_they_are_gone_through():
    told = []
    CHECKS["domination"].run({"max_length": 2}, advance=lambda *seen: told.append(seen))
    assert told == [(done, 7) for done in range(1, 8)]


def test_a_class_of_ones_own(mine):
    assert CHECKS["domination"].run({"class_name": f"{mine}:CLASS"}).class_name == "mine"


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("domination", {"class_name": "nothing"}, "no such class"),
        ("domination", {"class_name": "missing.py:CLASS"}, "no such file"),
        ("domination", {"max_length": -1}, "length is not negative"),
        ("domination", {"time": -1}, "bound on time is not negative"),
        ("domination", {"space": -1}, "bound on space is not negative"),
        ("prediction", {"condition": "012"}, "only the characters 0 and 1"),
        ("prediction", {"class_name": "universal"}, "is not sufficient"),
        ("lstm", {"seed": -1}, "seed is not negative"),
    ],
)
def test_wrong_settings_are_refused(name, settings, said):
    with pytest.raises(InputError, match=said):
        CHECKS[name].run(settings)


def test_files_that_define_no_class_or_cannot_be_executed_are_refused(mine, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    leaving = tmp_path / "leaving.py"
    leaving.write_text("raise SystemExit(0)\n")
    for class_name, said in (
        (f"{mine}:NUMBER", "no ModelClass of this name"),
        (f"{mine}:MISSING", "no ModelClass of this name"),
        (f"{broken}:CLASS", "cannot be executed: ZeroDivisionError: division by zero"),
        (f"{leaving}:CLASS", "cannot be executed: SystemExit: 0"),
    ):
        with pytest.raises(InputError, match=said):
            CHECKS["domination"].run({"class_name": class_name})


@pytest.mark.parametrize("name", ["domination", "embedding", "coding", "resources"])
def test_a_class_that_never_halts_is_refused_where_nothing_could_be_said(mine, name):
    with pytest.raises(InputError, match="no member halts under the bound"):
        CHECKS[name].run({"class_name": f"{mine}:NEVER"})


@pytest.mark.parametrize("check", [check for check in CHECKS.values() if check.class_name], ids=lambda c: c.name)
def test_a_machine_of_ones_own_that_raises_is_named(check, mine):
    with pytest.raises(InputError, match="machine raises fails on program ε: ZeroDivisionError"):
        check.run({"class_name": f"{mine}:RAISES"})


def test_an_unknown_variant_is_refused_with_the_known_ones():
    for call in (CHECKS["coding"].describe, lambda variant: CHECKS["coding"].run(variant=variant)):
        with pytest.raises(InputError, match="converse, free-name"):
            call("nothing")
