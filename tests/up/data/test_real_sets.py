import dataclasses
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from up.data.corpora import EMBEDDED_CORPORA, every_corpus, load_corpus, load_parts
from up.data.listing import listed_corpora
from up.data.real_sets import REAL_SETS, data_folder
from up.data.synthetic import SYNTHETIC_SETS
from up.errors import InputError
from up.evaluation.bits import EvaluationConfig
from up.recipes.presets import configure

SHARED = Path(__file__).parents[4] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real texts are not in ../shared/data")

WHOLE = bytes(range(256)) * 4  # stands for enwik8


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder; wp is a small set, of which 100 bytes prove a prefix."""
    small = {
        "size_bytes": len(WHOLE),
        "sha256": sha256(WHOLE),
        "prefix_bytes": 100,
        "prefix_sha256": sha256(WHOLE[:100]),
    }
    monkeypatch.setitem(REAL_SETS, "wp", dataclasses.replace(REAL_SETS["wp"], **small))
    monkeypatch.setenv("UP_DATA_DIR", str(tmp_path))
    return tmp_path


def zipped(path: Path, name: str, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


def test_a_set_is_the_same_from_a_file_and_from_an_archive(folder):
    zipped(folder / "enwik8.zip", "enwik8", WHOLE)
    unpacked = load_corpus("wp").data.tobytes()
    assert unpacked == WHOLE
    (folder / "enwik8").write_bytes(WHOLE)
    corpus = load_corpus("wp")
    assert corpus.place == folder / "enwik8"  # the first of the names
    assert corpus.data.tobytes() == unpacked
    assert corpus.label is None


def test_a_prefix_is_split_like_the_whole_and_says_that_it_is_one(folder):
    (folder / "enwik8-head.bin").write_bytes(WHOLE[:200])
    parts = load_parts("wp")
    assert parts.training.data.tobytes() == WHOLE[:180]
    assert parts.validation.data.tobytes() == WHOLE[180:190]
    assert parts.test.data.tobytes() == WHOLE[190:200]
    assert load_corpus("wp").label == "a prefix of 200 bytes of enwik8"
    assert parts.test.label == "the test part of a prefix of 200 bytes of enwik8"
    (listed,) = (each for each in listed_corpora(folder) if each.name == "wp")
    assert listed.is_prefix


def test_a_file_that_is_something_else_is_refused_and_named(folder):
    cases = {
        b"another text" * 30: r"the file is not wp: the SHA-256 of its first 100 bytes is [0-9a-f]{64}, not",
        WHOLE[:99]: r"the file is not wp: its SHA-256 is",
        WHOLE[:-1] + b"x": r"the file is not wp: its SHA-256 is",
        WHOLE + b"x": r"the file is not wp: it has 1,025 bytes, not 1,024",
        b"": "the data has no bytes",
    }
    for data, message in cases.items():
        (folder / "enwik8").write_bytes(data)
        with pytest.raises(InputError, match=message) as caught:
            load_corpus("wp:test")
        assert str(folder / "enwik8") in str(caught.value)
    (folder / "german.txt").mkdir()
    with pytest.raises(InputError, match="german is a file, not a folder"):
        load_corpus("german")


def test_an_archive_that_does_not_hold_the_set_is_refused(folder):
    path = folder / "enwik8.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="the archive does not hold enwik8"):
        load_corpus("wp")
    for name, data in {"enwik9": WHOLE, "enwik8": WHOLE + b"x"}.items():
        zipped(path, name, data)
        with pytest.raises(InputError, match=r"the archive does not hold enwik8.*enwik8\.zip"):
            load_corpus("wp")


def test_a_set_that_is_not_here_is_refused_in_a_line_that_names_what_is(folder):
    with pytest.raises(InputError, match=r"up data get german.*--data-dir or UP_DATA_DIR.*stdlib, pydoc") as caught:
        load_corpus("german:test")
    assert str(folder) in str(caught.value)
    with pytest.raises(InputError) as caught:
        load_corpus("linux")
    assert "data get" not in str(caught.value)


def test_the_folder_given_wins_over_the_variable_and_that_over_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UP_DATA_DIR", str(tmp_path / "variable"))
    assert data_folder(tmp_path / "given") == tmp_path / "given"
    assert data_folder() == tmp_path / "variable"
    for value in ("", None):
        monkeypatch.delenv("UP_DATA_DIR") if value is None else monkeypatch.setenv("UP_DATA_DIR", value)
        assert data_folder().is_relative_to(platformdirs.user_cache_path("universal-pretraining", appauthor=False))


def test_linux_is_a_tree_in_hashed_order_up_to_a_bound_with_its_white_space(folder, monkeypatch):
    monkeypatch.setitem(REAL_SETS, "linux", dataclasses.replace(REAL_SETS["linux"], most_bytes=1000))
    for place in range(200):
        (folder / "linux" / f"d{place % 7}").mkdir(parents=True, exist_ok=True)
        (folder / "linux" / f"d{place % 7}" / f"{place}.c").write_text(f"int  a{place};\t\t/* x */\n")
    corpus = load_corpus("linux")
    whole = load_corpus(str(folder / "linux"))
    assert whole.size_bytes > 1000
    assert corpus.data.tobytes() == whole.data.tobytes()[:1000]
    assert load_corpus("linux:test").size_bytes == 50
    (folder / "linux").rename(folder / "tree")
    (folder / "linux.txt").write_bytes(whole.data.tobytes())
    assert load_corpus("linux").sha256 == corpus.sha256


def test_no_data_set_changes_what_is_evaluated_on_unless_it_is_named(folder):
    (folder / "enwik8").write_bytes(WHOLE)
    assert EvaluationConfig().data == ("stdlib", "pydoc")
    assert configure("tiny", []).evaluation.data == ("stdlib", "pydoc")
    assert EMBEDDED_CORPORA == ("stdlib", "pydoc")


def test_every_corpus_is_all_that_is_here_of_the_real_ones_validation_and_test(folder):
    always = (*EMBEDDED_CORPORA, *SYNTHETIC_SETS)
    assert every_corpus() == (always, ("wp", "german", "code", "linux"))
    (folder / "enwik8").write_bytes(WHOLE)
    assert every_corpus() == ((*always, "wp:validation", "wp:test"), ("german", "code", "linux"))


@needs_shared
def test_the_german_book_is_split_at_characters_as_published():
    parts = load_parts("german", data_dir=SHARED)
    text = (SHARED / "german.txt").read_bytes().decode()
    assert parts.training.data.tobytes().decode() == text[:800_000]
    assert parts.validation.data.tobytes().decode() == text[800_000:1_000_000]
    assert parts.test.data.tobytes().decode() == text[1_000_000:]


@needs_shared
def test_the_beginning_of_enwik8_is_recognised():
    corpus = load_corpus("wp", data_dir=SHARED)
    assert corpus.label == f"a prefix of {corpus.size_bytes:,} bytes of enwik8"
    assert corpus.data[:10].tobytes() == b"<mediawiki"
    sizes = [part.size_bytes for part in vars(load_parts("wp", data_dir=SHARED)).values()]
    np.testing.assert_allclose(np.array(sizes) / corpus.size_bytes, (0.9, 0.05, 0.05), atol=1e-6)
