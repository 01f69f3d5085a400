"""The texts of a run from the command line: the same by their content, and found wherever one stands."""

import hashlib
import json
import types
from pathlib import Path

import pytest

from tests.cli.conftest import SETTINGS
from tests.cli.streams import assert_refused
from tests.cli.training_runs import drop_checkpoints, lines_of, outcome_of
from up.data import embedded

RAIN = "the rain in spain stays mainly in the plain. " * 40
NOISE = "".join(chr(33 + 7919 * i % 90) for i in range(1800))


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A folder with a text, in which one stands."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "notes.txt").write_text(RAIN)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def begun(run, home):
    """Return a function that makes a run on a text beside it, which has lost its last checkpoint."""

    def begin(data: str = "notes.txt", *, name: str = "r") -> Path:
        settings = {**SETTINGS, "evaluation.data": json.dumps([data])}
        chosen = [word for pair in settings.items() for word in ("--set", "=".join(pair))]
        words = ["train", "--preset", "tiny", "--source", "lstm", "--device", "cpu", "--instances", "48", "--out", name]
        words += [*chosen, "-q"]
        outcome = run(*words)
        assert outcome.code == 0, outcome.stderr
        drop_checkpoints(home / name)
        return home / name

    return begin


@pytest.fixture
def go_on(run):
    def resume(path: Path, *more: str):
        return run("train", "--resume", "--device", "cpu", "--out", str(path), *more)

    return resume


def rows_of(path: Path) -> list[dict]:
    return [row for line in lines_of(path) if line["kind"] == "evaluation" for row in line["rows"]]


def entry_of(path: Path, which: int = -1) -> dict:
    """What the process that worked on the run last, or another, recorded of its one text."""
    (text,) = json.loads((path / "provenance.json").read_text())[which]["texts"]
    return text


def test_length_and_sha256_stand_beside_every_row_and_in_the_record_of_every_process(run, begun, home):
    path, digest = begun(), hashlib.sha256(RAIN.encode()).hexdigest()
    assert {(row["data"], row["size_bytes"], row["sha256"]) for row in rows_of(path)} == {
        ("notes.txt", len(RAIN), digest)
    }
    place = str(home / "notes.txt")
    assert entry_of(path) == {"name": "notes.txt", "place": place, "size_bytes": len(RAIN), "sha256": digest}
    shown = json.loads(run("runs", "show", str(path), "--json").stdout)
    assert shown["rows"][0]["sha256"] == digest
    (measured,) = json.loads(run("eval", str(path), "--samples", "4", "--json", "-q").stdout)["rows"]
    assert (measured["size_bytes"], measured["sha256"]) == (len(RAIN), digest)
    assert f"notes.txt {digest[:12]}" in run("runs", "show", str(path)).stdout


# Going on elsewhere


def test_a_run_on_a_relative_text_goes_on_from_any_folder_to_the_same_bytes(begun, go_on, elsewhere, monkeypatch):
    whole = outcome_of(begun(name="whole"))
    path = begun()
    (elsewhere / "notes.txt").write_text(NOISE)  # another text of that name, which is not taken
    monkeypatch.chdir(elsewhere)
    outcome = go_on(path)
    assert (outcome.code, "warning" in outcome.stderr) == (0, False), outcome.stderr
    assert {name: outcome_of(path)[name] for name in whole} == whole


def test_a_run_is_evaluated_on_its_own_text_from_any_folder_and_a_given_path_is_seen_from_here(
    run, begun, elsewhere, monkeypatch
):
    path = begun()
    (elsewhere / "notes.txt").write_text(NOISE)
    monkeypatch.chdir(elsewhere)

    def sizes(*more):
        outcome = run("eval", str(path), "--samples", "4", "--json", "-q", *more)
        assert (outcome.code, outcome.stderr) == (0, "")
        return [row["size_bytes"] for row in json.loads(outcome.stdout)["rows"]]

    assert sizes() == [len(RAIN)]
    assert sizes("--data", "notes.txt") == [len(NOISE)]
    (elsewhere / "notes.txt").unlink()
    assert sizes() == [len(RAIN)]


def test_a_project_that_was_moved_as_a_whole_goes_on(begun, go_on, home, monkeypatch, tmp_path):
    begun()
    moved = home.rename(tmp_path / "moved")
    monkeypatch.chdir(moved)
    outcome = go_on(moved / "r")
    assert (outcome.code, "warning" in outcome.stderr) == (0, False), outcome.stderr
    assert entry_of(moved / "r")["place"] == str(moved / "notes.txt")


def test_a_text_that_moved_is_refused_until_one_says_where_it_is_and_then_known(
    begun, go_on, run, home, elsewhere, monkeypatch
):
    whole = outcome_of(begun(name="whole"))
    path = begun()
    (home / "notes.txt").rename(elsewhere / "texts")
    assert_refused(go_on(path), "notes.txt is not where the run found it", str(home / "notes.txt"), "--data-at")
    assert_refused(run("eval", str(path), "-q"), "notes.txt is not where the run found it", "--data PATH")
    monkeypatch.chdir(elsewhere)
    outcome = go_on(path, "--data-at", "notes.txt=texts")
    assert outcome.code == 0, outcome.stderr
    assert {name: outcome_of(path)[name] for name in whole} == whole
    assert entry_of(path)["place"] == str(elsewhere / "texts")
    monkeypatch.chdir(home)
    assert go_on(path).code == 0


def test_a_place_with_another_text_is_no_place_of_it(begun, go_on, home):
    path = begun()
    before = outcome_of(path)
    (home / "other").write_text(NOISE)
    outcome = go_on(path, "--data-at", "notes.txt=other")
    assert_refused(outcome, "notes.txt", "has changed", "SHA-256 was", str(home / "other"))
    assert outcome_of(path) == before


def test_a_name_may_have_an_equals_sign(begun, go_on, home):
    (home / "a=b").write_text(RAIN)
    path = begun("a=b")
    (home / "a=b").rename(home / "c=d")
    assert go_on(path, "--data-at", "a=b=c=d").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data-at", "diary.txt=notes.txt"], ("no text of this name", "diary.txt", "notes.txt")),
        (["--data-at", "notes.txt"], ("gives no path", "NAME=PATH")),
        (["--data-at", "notes.txt="], ("gives no path", "NAME=PATH")),
        (["--data-at", "notes.txt=no/such"], ("no such data", "no/such")),
    ],
)
def test_a_place_that_is_none_is_refused_in_one_line(begun, go_on, words, said):
    assert_refused(go_on(begun(), *words), *said)


@pytest.mark.parametrize("words", [["--data-at", "notes.txt=notes.txt"], ["--changed-data"]])
def test_a_new_run_has_no_texts_that_moved_or_changed(run, home, words):
    assert_refused(run("train", "--out", "new", *words), "--resume")
    assert not (home / "new").exists()


# A text that changed


def test_a_run_whose_text_was_rewritten_is_refused_and_left_as_it_was(begun, go_on, home):
    path = begun()
    before, then = outcome_of(path), entry_of(path)["sha256"]
    (home / "notes.txt").write_text(NOISE)
    outcome = go_on(path)
    now = "is " + hashlib.sha256(NOISE.encode()).hexdigest()[:12]
    assert_refused(outcome, "notes.txt", "has changed", f"was {then[:12]}", now, "--data-at notes.txt=PATH")
    assert "--changed-data" in outcome.stderr
    assert outcome_of(path) == before
    (home / "notes.txt").write_text(RAIN)
    assert go_on(path).code == 0


def test_a_text_of_the_same_length_that_lies_in_a_folder_is_another_too(begun, go_on, home):
    (home / "texts").mkdir()
    (home / "texts" / "a").write_text(RAIN)
    path = begun("texts")
    (home / "texts" / "a").write_text(RAIN.replace("rain", "Rain", 1))
    assert_refused(go_on(path), "texts", "has changed")


def test_who_insists_goes_on_with_a_warning_and_a_break_in_the_curve(run, begun, go_on, home):
    path = begun()
    (home / "notes.txt").write_text(NOISE)
    outcome = go_on(path, "--changed-data", "-q")
    assert outcome.code == 0
    assert "warning: notes.txt is another text than before: its SHA-256 was" in outcome.stderr
    assert [row["size_bytes"] for row in rows_of(path)] == [len(RAIN), len(NOISE)]
    page = run("runs", "show", str(path)).stdout
    for row in rows_of(path):
        assert f"notes.txt, SHA-256 {row['sha256'][:12]}" in page
    again = go_on(path, "-q")  # it is the run's text from now on
    assert (again.code, again.stderr) == (0, "")


def test_evaluating_a_run_on_its_text_that_has_changed_says_so(run, begun, home):
    path = begun()
    (home / "notes.txt").write_text(NOISE)
    outcome = run("eval", str(path), "--samples", "4", "-q")
    assert outcome.code == 0
    assert "warning: notes.txt is another text than the run was evaluated on: its SHA-256 was" in outcome.stderr
    assert run("eval", str(path), "--data", "notes.txt", "--samples", "4", "-q").stderr == ""


def test_a_run_whose_python_was_upgraded_goes_on_with_a_warning_and_a_break_in_the_curve(
    run, begun, go_on, tmp_path, monkeypatch
):
    library = tmp_path / "lib"
    library.mkdir()
    (library / "this.py").write_text(RAIN)
    monkeypatch.setattr(embedded, "sysconfig", types.SimpleNamespace(get_path=lambda _: str(library)))
    path = begun("stdlib")
    assert (entry_of(path)["name"], entry_of(path)["place"]) == ("stdlib", None)
    (library / "this.py").write_text(NOISE)
    outcome = go_on(path, "-q")
    assert outcome.code == 0
    assert outcome.stderr.startswith("up: warning: stdlib is another text than before, as it depends on the version of")
    assert outcome.stderr.count("\n") == 1
    assert [row["size_bytes"] for row in rows_of(path)] == [len(RAIN), len(NOISE)]
    titles = [f"stdlib, SHA-256 {row['sha256'][:12]}" for row in rows_of(path)]
    page = run("runs", "show", str(path)).stdout
    assert all(title in page for title in titles)


def test_a_run_that_did_not_record_its_texts_goes_on_and_records_them(begun, go_on, run):
    path = begun()
    record = path / "provenance.json"
    entries = json.loads(record.read_text())
    record.write_text(
        json.dumps([{name: value for name, value in each.items() if name != "texts"} for each in entries])
    )
    lines = lines_of(path)
    for line in lines:
        for row in line.get("rows", ()):
            del row["size_bytes"], row["sha256"]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run("runs", "show", str(path)).code == 0
    assert go_on(path).code == 0
    assert entry_of(path)["name"] == "notes.txt"


def test_a_record_that_was_damaged_is_refused_in_one_line(begun, go_on):
    path = begun()
    record = path / "provenance.json"
    (entry,) = json.loads(record.read_text())
    record.write_text(json.dumps([{**entry, "texts": [{"name": 3}]}]))
    assert_refused(go_on(path), "provenance.json", "evaluated on")


# Side by side


def test_runs_on_two_texts_of_one_name_are_neither_subtracted_nor_drawn_together(run, begun, home):
    one, own = begun(), home / "notes.txt"
    other = home / "other"
    own.write_text(NOISE)
    begun(name="other")
    outcome = run("runs", "compare", str(one), str(other))
    assert outcome.code == 0
    said = " ".join(outcome.stdout.split())
    assert "not subtracted: B has another text of the name notes.txt than A" in said
    bits = json.loads(run("runs", "compare", str(one), str(other), "--json").stdout)["bits"]
    assert [each["difference_bits"] for each in bits] == [None, None]
    assert [each["size_bytes"] for each in bits] == [len(RAIN), len(NOISE)]
    for each in bits:
        assert f"notes.txt, SHA-256 {each['sha256'][:12]}" in outcome.stdout
    listed = " ".join(run("runs", "--folder", str(home)).stdout.split())
    assert "not the same text in all runs, so do not compare: notes.txt" in listed


def test_runs_on_one_text_under_two_names_are_subtracted(run, begun, home):
    one = begun()
    (home / "copy.txt").write_text(RAIN)
    other = begun("copy.txt", name="other")
    outcome = run("runs", "compare", str(one), str(other))
    assert "not subtracted" not in outcome.stdout
    bits = json.loads(run("runs", "compare", str(one), str(other), "--json").stdout)["bits"]
    assert [(each["data"], each["difference_bits"]) for each in bits] == [("notes.txt", None), ("copy.txt", 0.0)]
    assert "so do not compare" not in run("runs", "--folder", str(home)).stdout
