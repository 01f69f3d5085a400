"""`up codes zmap`: what it prints, and what it refuses in one line."""

import json

import pytest

from tests.cli.streams import assert_refused
from tests.theory.machines.test_prefix import FILE

COLLIDING = """
from theory.machines.prefix import HALT, PrefixMachine, PrefixRule

MINE = PrefixMachine(name="mine", inputs="01", work="_", outputs=1, rules={
    ("start", "*", "*", "*"): PrefixRule("go", program_move=1, emits=((0, "0"),)),
    ("go", "*", "<", "*"): PrefixRule("go", input_move=1),
    ("go", "*", "0", "*"): PrefixRule("go", input_move=1, program_move=1),
    ("go", "*", "1", "*"): PrefixRule("go", input_move=1),
    ("go", "*", ">", "*"): PrefixRule(HALT, emits=((0, "0"),)),
})
"""


def test_the_default_agrees(run):
    found = json.loads(run("codes", "zmap", "--json").stdout)
    assert found["agree"] is True
    assert found["logits"] == found["interpreter"] == ["1/1", "0/1"]
    assert found["network"] == [1.0, 0.0]
    assert (found["steps"], found["layers"], found["bound"]) == (33, 34, {"time": 33, "space": 4})
    assert found["sizes"]["width"] == 62


@pytest.mark.parametrize(
    ("machine", "program", "given", "logits"),
    [("rational", "010011010", "11", ["3/1", "-1/2"]), ("tag", "0011", "11", ["2/1", "2/1"])],
)
def test_the_other_machines_agree(run, machine, program, given, logits):
    words = ("codes", "zmap", "--machine", machine, "--program", program, "--input", given, "--json")
    found = json.loads(run(*words).stdout)
    assert found["agree"] is True
    assert found["logits"] == logits


def test_every_layer_is_a_row_with_both_sides_in_eighty_columns(run):
    outcome = run("codes", "zmap", "--program", "0110", "--input", "1")
    assert outcome.code == 0
    lines = outcome.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if " = " in line]
    assert [int(row.split()[0]) for row in rows] == list(range(len(rows)))
    for row in rows:
        left, _, right = row.partition(" = ")
        assert left.endswith(right)
    assert any("<[0]110" in row for row in rows)
    assert "logits 0, 1 after 17 steps" in outcome.stdout
    assert "agree in all of 19 rows" in outcome.stdout


def test_a_long_run_leaves_its_middle_out_unless_asked(run):
    words = ("codes", "zmap", "--machine", "tag", "--program", "0011", "--input", "11")
    short, whole = run(*words).stdout, run(*words, "--all").stdout
    assert "layers not shown (--all)" in short
    assert "not shown" not in whole
    assert whole.count(" = ") > short.count(" = ") == 40


def test_it_is_animated_in_a_terminal_and_says_so_elsewhere(run, monkeypatch):
    slept = []
    monkeypatch.setattr("cli.codes_zmap.clock.sleep", slept.append)
    words = ("codes", "zmap", "--input", "", "--animate")
    shown = run(*words, terminal=True)
    assert shown.code == 0
    assert len(slept) > 10
    assert "--animate needs a terminal" in run(*words).stderr


def test_a_machine_of_ones_own(run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    outcome = run("codes", "zmap", "--machine", f"{path}:SIGN", "--program", "1", "--input", "1", "--json")
    assert json.loads(outcome.stdout)["agree"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--machine", "abacus"), ("no such prefix machine", "rational, automaton, tag")),
        (("--program", "01x0"), ("only the characters 0 and 1",)),
        (("--program", "01"), ("needs another bit of program", "give a longer program")),
        (("--program", "01101"), ("halts before it has read it all", "give 0110")),
        (("--input", "12"), ("no such input symbol", "take 0 and 1")),
        (("--time", "10"), ("out of time", "larger bound on time")),
        (("--space", "2"), ("does not fit", "registers")),
        (("--space", "0"), ("the bound on space is out of range",)),
        (("--time", "9999"), ("the bound on time is out of range", "1 to 2,000")),
        (("--machine", "tag", "--program", "0111", "--input", "1"), ("out of time",)),
    ],
)
def test_bad_input_is_refused_in_one_line(run, words, said):
    assert_refused(run("codes", "zmap", *words), *said)


def test_a_table_that_is_not_prefix_free_is_refused_and_both_programs_are_named(run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(COLLIDING)
    outcome = run("codes", "zmap", "--machine", f"{path}:MINE", "--program", "0", "--input", "")
    assert_refused(outcome, "not prefix-free", "program 0 given ε", "00 given 0")


def test_a_network_that_disagrees_is_shown_and_ends_in_failure(run, monkeypatch):
    import up.compiler.zmap as module

    compiled = module.compile_program

    def wrong(*given):
        found = compiled(*given)
        row = found.program.vocabulary.index("p3")
        found.network.embedding.weight.data[row, found.layout.start["bit"]] *= -1
        return found

    monkeypatch.setattr(module, "compile_program", wrong)
    outcome = run("codes", "zmap", "--json")
    assert outcome.code == 1
    assert json.loads(outcome.stdout)["agree"] is False
    assert "DISAGREE" in run("codes", "zmap").stdout
