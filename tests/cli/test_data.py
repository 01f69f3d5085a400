import json

import pytest

from tests.cli.streams import assert_refused
from up.data.real_sets import REAL_SETS
from up.data.synthetic import SYNTHETIC_SETS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder, with a file of linux, the one set that has no SHA-256."""
    monkeypatch.setenv("UP_DATA_DIR", str(tmp_path))
    (tmp_path / "linux.txt").write_text("int main(void);\n" * 100)
    return tmp_path


def test_the_list_has_every_corpus_with_licence_file_names_and_the_best_possible(run, folder):
    outcome = run("data", "list")
    assert outcome.code == 0
    said = " ".join(outcome.stdout.split())
    for name in ("stdlib", "pydoc", *SYNTHETIC_SETS, *REAL_SETS):
        assert f"\n  {name}" in outcome.stdout
    assert "bitsflip 0.5000" in said
    assert "GPL-2.0" in said
    assert "missing up data get wp, or put enwik8 or enwik8.zip or enwik8-head.bin into the data folder" in said
    corpora = {each["name"]: each for each in json.loads(run("data", "list", "--json").stdout)["corpora"]}
    assert [name for name, each in corpora.items() if not each["is_here"]] == ["wp", "german", "code"]
    assert corpora["linux"]["path"] == str(folder / "linux.txt")
    assert corpora["wp"]["sha256"] == REAL_SETS["wp"].sha256
    assert [name for name, each in corpora.items() if each["selection"]] == [
        "stdlib", "pydoc", "champ", "dyck", "ndfa", "toy",
    ]  # fmt: skip


def test_path_prints_where_the_file_lies_and_get_leaves_it_as_it_is(run, folder):
    assert run("data", "path", "linux").stdout == f"{folder}/linux.txt\n"
    found = json.loads(run("data", "get", "linux", "--json").stdout)["corpus"]
    assert (found["path"], found["licence"]) == (str(folder / "linux.txt"), REAL_SETS["linux"].licence)
    outcome = run("data", "get", "linux")
    assert outcome.code == 0
    assert "GPL-2.0" in outcome.stdout


@pytest.mark.usefixtures("folder")
def test_unknown_and_missing_sets_are_refused(run, tmp_path):
    for command in ("get", "path"):
        assert_refused(run("data", command, "toy"), "no real data set has this name", "wp, german, code, linux")
    assert_refused(run("data", "path", "wp"), "wp is not here", "up data get wp", "stdlib, pydoc")
    empty = tmp_path / "empty"
    assert_refused(run("data", "path", "linux", "--data-dir", str(empty)), "linux is not here", "linux.txt")
    assert_refused(run("data", "get", "linux", "--data-dir", str(empty)), "linux cannot be downloaded")
    (tmp_path / "d3.min.js").write_text("another file")
    assert_refused(run("data", "get", "code"), "the file is not code", "d3.min.js", "move it away")
