"""The texts of a run from Python: found where they were, by their names, and by what they hold."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import up
from tests.up.runs.cases import SMALL, outcome, refusal
from up.errors import InputError
from up.runs.texts import TextRecord, load_texts, record_of, recorded_texts, require_same_texts, texts_that_changed

TEXT = b"how much wood would a woodchuck chuck? " * 9


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("text").write_bytes(TEXT)
    return tmp_path / "here"


def remembered(*names: str) -> dict[str, TextRecord]:
    return {corpus.name: record_of(corpus) for corpus in load_texts(names, {})}


def test_a_text_is_taken_from_where_it_was_before_it_is_looked_for_by_its_name(here, tmp_path, monkeypatch):
    recorded = remembered("text")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "text").write_bytes(TEXT[1:])
    monkeypatch.chdir(tmp_path / "there")
    (corpus,) = load_texts(["text"], recorded)
    assert (corpus.data.tobytes(), corpus.place) == (TEXT, here / "text")
    (here / "text").unlink()
    (corpus,) = load_texts(["text"], recorded)
    assert (corpus.data.tobytes(), corpus.place) == (TEXT[1:], tmp_path / "there" / "text")
    (corpus,) = load_texts(["text"], recorded, places={"text": Path("../there/text")})
    assert corpus.data.tobytes() == TEXT[1:]
    os.unlink("text")
    assert "--data-at text=PATH" in refusal(load_texts, ["text"], recorded)


def test_a_part_of_a_text_is_found_where_the_text_was_and_then_by_the_name_of_the_text(here, tmp_path, monkeypatch):
    (before,) = load_texts(["text:test"], {})
    recorded = remembered("text:test")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    (found,) = load_texts(["text:test"], recorded)
    assert (found.name, found.sha256, found.place) == ("text:test", before.sha256, here / "text")
    (here / "text").rename(tmp_path / "there" / "text")
    (found,) = load_texts(["text:test"], recorded)
    assert (found.sha256, found.place) == (before.sha256, tmp_path / "there" / "text")
    (found,) = load_texts(["text:test"], recorded, places={"text:test": Path("text")})
    assert found.sha256 == before.sha256


def test_a_real_data_set_whose_file_is_gone_is_looked_for_in_the_data_folder(here, tmp_path, monkeypatch):
    monkeypatch.setenv("UP_DATA_DIR", str(here))
    (here / "linux.txt").write_bytes(TEXT)
    recorded = remembered("linux:test")
    (tmp_path / "data").mkdir()
    (here / "linux.txt").rename(tmp_path / "data" / "linux.txt")
    monkeypatch.setenv("UP_DATA_DIR", str(tmp_path / "data"))
    found = load_texts(["linux:test"], recorded)
    assert found[0].place == tmp_path / "data" / "linux.txt"
    assert require_same_texts(found, recorded) == []
    (tmp_path / "data" / "linux.txt").write_bytes(TEXT[:-40])
    with pytest.raises(InputError, match="the text linux:test that the run is evaluated on has changed"):
        require_same_texts(load_texts(["linux:test"], recorded), recorded)


@pytest.mark.usefixtures("here")
def test_what_a_text_is_called_and_said_to_be_does_not_depend_on_where_it_lies():
    (before,) = load_texts(["text"], {})
    Path("text").rename("moved")
    (after,) = load_texts(["text"], remembered("moved"), places={"text": Path("moved")})
    assert (after.name, after.source, after.sha256) == (before.name, before.source, before.sha256)


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_a_text_has_changed_if_and_only_if_its_bytes_have(tmp_path_factory, then, now):
    folder = tmp_path_factory.mktemp("texts")
    one, other = folder / "then", folder / "now"
    one.write_bytes(then)
    other.write_bytes(now)
    (corpus,) = load_texts([str(one)], {})
    recorded = {str(one): record_of(corpus)}
    found = load_texts([str(one)], recorded, places={str(one): other})
    assert (texts_that_changed(found, recorded) != {}) == (then != now)
    if then == now:
        assert require_same_texts(found, recorded) == []
    else:
        with pytest.raises(InputError, match="has changed: its SHA-256 was"):
            require_same_texts(found, recorded)
        (warning,) = require_same_texts(found, recorded, changed_data=True)
        assert "its curve breaks here" in warning


@pytest.mark.usefixtures("here")
def test_lengths_are_told_with_their_unit():
    recorded = remembered("text")
    Path("text").write_bytes(b"x")
    line = refusal(require_same_texts, load_texts(["text"], recorded), recorded)
    assert "(351 bytes), and is 2d711642b726... (1 byte)" in line


def test_the_process_that_recorded_texts_last_counts():
    old = {"name": "text", "place": "/old", "size_bytes": 3, "sha256": "aa"}
    entries = [{"texts": [old]}, {"texts": [{**old, "place": "/new"}]}, {"python": "of an earlier version"}]
    assert recorded_texts(entries)["text"].place == "/new"
    assert recorded_texts([]) == recorded_texts([{}]) == recorded_texts([{"texts": []}]) == {}


@pytest.mark.parametrize("texts", [3, "text", [3], [{}], [{"name": "text"}], None])
def test_a_record_that_is_none_is_refused(texts):
    assert "provenance.json" in refusal(recorded_texts, [{"texts": texts}])


def test_a_run_goes_on_from_python_with_its_text_elsewhere(here):
    config = up.configure("tiny", ["training.instances=16", *SMALL, 'evaluation.data=["text"]'])
    whole = outcome(up.train(config, "whole", device="cpu"))
    up.train(config, "run", device="cpu")
    Path("text").rename("moved")
    with pytest.raises(InputError, match="is not where the run found it"):
        up.train(None, "run", device="cpu", resume=True)
    again = up.train(None, "run", device="cpu", resume=True, data_at={"text": "moved"})
    assert outcome(again) == whole
    assert recorded_texts(again.provenance())["text"].place == str(here / "moved")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("more", [{"data_at": {"text": "moved"}}, {"changed_data": True}])
def test_a_new_run_has_no_text_that_moved_or_changed(more):
    config = up.configure("tiny", ["training.instances=16", *SMALL, 'evaluation.data=["text"]'])
    with pytest.raises(InputError, match="a run that is resumed"):
        up.train(config, "run", device="cpu", **more)
    assert not Path("run").exists()
