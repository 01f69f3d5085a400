import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.data.corpora import Corpus, load_corpus, load_parts
from up.data.parts import PARTS, bounds_in_characters, name_and_part, proportional_bounds
from up.errors import InputError


def corpus_of(data: bytes) -> Corpus:
    return Corpus(name="test", data=np.frombuffer(data, np.uint8), source="bytes")


@given(st.binary(min_size=20, max_size=400))
def test_the_parts_joined_are_the_whole_and_none_is_empty(data):
    parts = [corpus_of(data).part(part) for part in PARTS]
    assert b"".join(part.data.tobytes() for part in parts) == data
    assert all(part.size_bytes for part in parts)
    assert [part.name for part in parts] == ["test:training", "test:validation", "test:test"]


def test_nine_tenths_are_for_training_and_a_twentieth_each_for_validation_and_test():
    assert proportional_bounds(1000) == (900, 950)
    assert proportional_bounds(100_000_000) == (90_000_000, 95_000_000)  # as enwik8 is split


@given(st.text(st.sampled_from("aäß€😀"), min_size=3, max_size=60), st.data())
def test_a_split_in_characters_is_that_of_the_decoded_text(text, draw):
    training = draw.draw(st.integers(0, len(text) - 2))
    validation = draw.draw(st.integers(0, len(text) - training - 1))
    data = text.encode()
    first, second = bounds_in_characters(np.frombuffer(data, np.uint8), training, validation)
    assert data[:first].decode() == text[:training]
    assert data[first:second].decode() == text[training : training + validation]
    assert data[second:].decode() == text[training + validation :]


def test_a_part_of_a_file_is_named_behind_a_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_bytes(bytes(range(100)))
    validation = load_corpus("notes.txt:validation")
    assert validation.data.tolist() == list(range(90, 95))
    assert validation.name == "notes.txt:validation"
    assert validation.place == tmp_path / "notes.txt"
    assert validation.source == "the validation part, bytes 90 to 95, of the file notes.txt"
    parts = load_parts("notes.txt")
    assert parts.test.data.tolist() == load_corpus("notes.txt:test").data.tolist() == list(range(95, 100))
    assert parts.training.size_bytes == 90


def test_a_file_that_is_called_like_a_part_is_that_file_here_and_where_it_was_moved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").write_bytes(b"the whole of the notes")
    (tmp_path / "notes:test").write_bytes(b"another file")
    assert load_corpus("notes:test").data.tobytes() == b"another file"
    assert load_corpus("notes:test", place=tmp_path / "notes:test").data.tobytes() == b"another file"
    assert load_corpus("notes:test", place=tmp_path / "notes").data.tobytes() == b"es"  # the last of 22 bytes
    assert load_parts("notes:test").training.data.tobytes() == b"another fi"


def test_a_part_of_a_synthetic_set_has_the_entropy_rate_of_the_set_and_a_file_of_that_name_has_none(tmp_path):
    assert load_corpus("bitsflip:test").entropy_rate_bits == load_corpus("bitsflip").entropy_rate_bits == 0.5
    (tmp_path / "bitsflip").write_text("0110")
    assert load_corpus(str(tmp_path / "bitsflip")).entropy_rate_bits is None
    assert load_corpus("bitsflip", place=tmp_path / "bitsflip").entropy_rate_bits is None
    assert load_corpus("pydoc").entropy_rate_bits is None


def test_only_the_three_words_are_parts():
    assert name_and_part("wp:test") == ("wp", "test")
    for name in ("wp:tests", ":test", "C:\\texts", "wp"):
        assert name_and_part(name) == (name, None)


def test_parts_that_there_are_not_are_refused(tmp_path):
    short = tmp_path / "short"
    short.write_text("ten bytes!")
    with pytest.raises(InputError, match=r"too short to have a validation part.*short, 10 bytes"):
        load_corpus(f"{short}:validation")
    with pytest.raises(InputError, match="too short"):
        load_parts(str(short))
    with pytest.raises(InputError, match=r"a part has no parts.*'pydoc:test'.*name the whole: pydoc"):
        load_parts("pydoc:test")
    with pytest.raises(InputError, match="no such part"):
        corpus_of(b"x" * 100).part("train")
    with pytest.raises(InputError, match=r"no such data \(received 'wikipedia'\)"):
        load_corpus("wikipedia:test")
