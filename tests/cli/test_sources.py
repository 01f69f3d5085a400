"""`up sources`: the list and the comparison, in a pipe and as JSON."""

import json

import pytest

from tests.cli.streams import assert_refused
from up.sources.registry import SOURCES


def test_the_list_names_every_source_within_80_columns(run):
    outcome = run("sources")
    assert (outcome.code, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert {line.split()[0] for line in lines if line and not line.startswith(" ")} >= set(SOURCES)
    listed = json.loads(run("sources", "--json").stdout)["sources"]
    assert [each["name"] for each in listed] == list(SOURCES)
    assert all(each["settings"]["kind"] == each["name"] for each in listed)
    assert {each["name"]: each["reads"] for each in listed}["lstm"]


def test_the_comparison_has_a_line_for_each_source_and_json_has_the_fields(run):
    outcome = run("sources", "compare", "noise", "lstm", "--rows", "4", "--length", "96")
    assert outcome.code == 0
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert "4 rows of 96 tokens" in outcome.stdout
    assert outcome.stderr.splitlines()[-1] == "up: sources compared: 2 of 2"
    options = ("--rows", "4", "--length", "96", "--json", "--quiet")
    report = run("sources", "compare", "noise", "lstm", *options)
    assert (report.stderr, report.stdout.count("\n")) == ("", 1)
    one, other = json.loads(report.stdout)["sources"]
    assert (one["name"], other["name"]) == ("noise", "lstm")
    assert {"rows_per_second", "entropy_bits", "constant_share", "markov_order", "zlib_bits"} <= one.keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", "abacus"), ("unknown source", "'abacus'")),
        (("compare", "no/such.py:Coins"), ("cannot read the file of the source", "no/such.py")),
        (("compare", "--rows", "0"), ("comparison.rows", "0")),
        (("compare", "--length", "-1"), ("comparison.length", "-1")),
        (("compare", "--length", "3"), ("longer than their seed", "3")),
        (("compare", "--seed", "-1"), ("comparison.seed", "-1")),
        (("--json", "compare"), ("have no effect",)),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run, words, said):
    assert_refused(run("sources", *words, *(("--quiet",) if words[0] == "compare" else ())), *said)


def test_a_corpus_is_written_with_its_datasheet(run, tmp_path):
    out = tmp_path / "rows.npy"
    words = ("sources", "write", "restaurant", "--rows", "70", "--length", "48", "--set", "max_depth=2")
    outcome = run(*words, "--out", str(out))
    assert outcome.code == 0, outcome.stderr
    assert "70 rows of 48 tokens" in outcome.stdout
    sheet = json.loads(out.with_name("rows.npy.json").read_text())
    assert sheet["settings"]["max_depth"] == 2
    again = run(*words, "--out", str(tmp_path / "again.npy"), "--json", "--quiet")
    assert json.loads(again.stdout)["datasheet"]["sha256"] == sheet["sha256"]
    assert_refused(run(*words, "--out", str(out), "--quiet"), "exists already", str(out))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("abacus", "--out", "rows.npy"), ("unknown source", "'abacus'")),
        (("noise", "--out", ""), ("--out", "the path is empty")),
        (("noise", "--out", "rows.npy", "--set", "temperature=1"), ("unknown setting", "temperature")),
        (("noise", "--out", "rows.npy", "--rows", "0"), ("corpus.rows", "0")),
        (("noise", "--out", "rows.csv"), ("another suffix", "rows.csv")),
        (("noise",), ("--out",)),
    ],
)
def test_a_corpus_that_cannot_be_is_one_line_and_exit_2(run, monkeypatch, tmp_path, words, said):
    monkeypatch.chdir(tmp_path)
    assert_refused(run("sources", "write", *words), *said)
    assert list(tmp_path.iterdir()) == []
