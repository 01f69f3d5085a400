import json
import math

import pytest

from cli import demo

SMALL = ("demo", "enrich", "--length", "64", "--depth", "2", "--seed", "3")


def passes(outcome):
    return json.loads(outcome.stdout)["passes"]


def test_json_is_one_object_with_every_pass_and_its_measures(run):
    outcome = run(*SMALL, "--json")
    assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    report = json.loads(outcome.stdout)
    assert report["command"] == "demo enrich"
    assert report["config"]["seed"] == 3
    assert [each["depth"] for each in report["passes"]] == [0, 1, 2]
    for each in report["passes"]:
        assert len(each["text"]) == len(each["character_bits"]) == 64
        assert each["distinct_symbols"] == len(set(each["text"]))
        assert each["markov_bits"] == pytest.approx(sum(each["character_bits"]) / 64)
        assert {"entropy_bits", "markov_order", "zlib_bits", "lzma_bits"} <= set(each)


def test_the_seed_decides_the_strings_and_the_options_reach_the_experiment(run):
    assert run(*SMALL, "--json").stdout == run(*SMALL, "--json").stdout
    assert passes(run(*SMALL, "--json"))[0]["text"] != passes(run(*SMALL[:-1], "4", "--json"))[0]["text"]
    assert all(" " <= character <= "~" for each in passes(run(*SMALL, "--json")) for character in each["text"])
    noise = passes(run(*SMALL, "--bytes", "--json"))[0]["text"]
    assert not all(" " <= character <= "~" for character in noise)
    source = json.loads(run(*SMALL, "--width", "50", "--temperature", "2.5", "--json").stdout)["config"]["source"]
    assert (source["kind"], source["hidden_size"], source["temperature"]) == ("lstm", 5, 2.5)


def test_in_a_pipe_every_string_stands_in_full_above_its_numbers_without_escape_codes(run):
    outcome = run(*SMALL)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "\x1b" not in outcome.stdout
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    for each in passes(run(*SMALL, "--json")):
        assert each["text"] in outcome.stdout
        assert f"{each['entropy_bits']:5.2f}" in outcome.stdout
    assert "docs, Learn 1: enrichment" in outcome.stdout


def test_in_a_terminal_the_strings_are_coloured_unless_no_color_is_set(run):
    assert "\x1b[" in run(*SMALL, terminal=True).stdout
    plain = run(*SMALL, terminal=True, environment={"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80"})
    assert "\x1b" not in plain.stdout
    assert plain.stdout == run(*SMALL).stdout


def test_animate_in_a_pipe_is_ignored_with_a_note(run):
    outcome = run(*SMALL, "--animate")
    assert outcome.code == 0
    assert outcome.stdout == run(*SMALL).stdout
    assert outcome.stderr.startswith("up: --animate needs a terminal")
    assert outcome.stderr.count("\n") == 1
    assert run(*SMALL, "--animate", "--quiet").stderr == ""


def test_animate_in_a_terminal_writes_each_string_out_step_by_step(run, monkeypatch):
    waits = []
    monkeypatch.setattr(demo.time, "sleep", waits.append)
    outcome = run(*SMALL, "--animate", terminal=True)
    assert outcome.code == 0
    assert len(outcome.stdout) > 3 * len(run(*SMALL, terminal=True).stdout)
    assert math.isclose(sum(waits), 3 * demo._SECONDS_PER_STRING, rel_tol=0.05)


def test_an_interrupted_animation_ends_with_130(run, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.time, "sleep", interrupt)
    outcome = run(*SMALL, "--animate", terminal=True)
    assert outcome.code == 130
    assert "interrupted" in outcome.stderr
    assert outcome.stdout.rfind("\x1b[?25h") > outcome.stdout.rfind("\x1b[?25l")  # the cursor is shown again
