import ast
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.data import embedded
from up.data.corpora import EMBEDDED_CORPORA, Corpus, load_corpus, sample_slices
from up.errors import InputError


def corpus_of(data: bytes) -> Corpus:
    return Corpus(name="test", data=np.frombuffer(data, np.uint8), source="bytes")


@pytest.mark.parametrize("name", EMBEDDED_CORPORA)
def test_embedded_corpora_are_large_read_only_and_the_same_each_time(name):
    first, second = load_corpus(name), load_corpus(name)
    assert first.name == name
    assert first.size_bytes > 100_000
    assert first.data.dtype == np.uint8
    np.testing.assert_array_equal(first.data, second.data)
    with pytest.raises(ValueError, match="read-only"):
        first.data[0] = 0


def test_stdlib_is_the_source_of_modules_and_of_no_tests():
    text = load_corpus("stdlib").data.tobytes()
    for module in (ast, os):
        assert module.__file__ is not None
        assert Path(module.__file__).read_bytes() in text
    assert b"class TestCase(object):" in text  # unittest itself is part of it


def test_stdlib_leaves_out_tests_packages_and_the_other_corpus(tmp_path, monkeypatch):
    files = {
        "b.py": "b",
        "package/c.py": "c",
        "data.txt": "x",
        "site-packages/d.py": "x",
        "dist-packages/d.py": "x",
        "test/e.py": "x",
        "package/tests/f.py": "x",
        "idlelib/idle_test/g.py": "x",
        "pydoc_data/topics.py": "x",
        "package/__pycache__/h.py": "x",
        "_sysconfigdata__linux.py": "x",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(embedded.sysconfig, "get_path", lambda _: str(tmp_path))
    corpus = load_corpus("stdlib")
    assert sorted(corpus.data.tobytes().split()) == [b"b", b"c"]
    assert corpus.source.startswith("2 files of Python 3.")


def test_pydoc_is_the_text_of_the_topics_without_python_around_it():
    from pydoc_data.topics import topics

    text = load_corpus("pydoc").data.tobytes().decode()
    position = -1
    for topic in sorted(topics):
        position = text.index(topics[topic], position + 1)  # every text, in this order
    assert len(text) <= sum(map(len, topics.values())) + len(topics)


def test_a_file_is_its_bytes(tmp_path):
    path = tmp_path / "bytes.bin"
    path.write_bytes(bytes(range(256)))
    corpus = load_corpus(str(path))
    assert corpus.data.tolist() == list(range(256))
    assert corpus.name == str(path)
    assert (corpus.size_bytes, corpus.sha256) == (256, hashlib.sha256(bytes(range(256))).hexdigest())


def test_a_corpus_knows_where_it_lay_and_may_be_read_from_another_place(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("in a folder")
    (tmp_path / "file").write_text("in a file")
    monkeypatch.chdir(tmp_path)
    assert load_corpus("pydoc").place is None
    for name in ("file", "folder"):
        corpus = load_corpus(name)
        assert corpus.place == tmp_path / name
        (tmp_path / name).rename(tmp_path / f"moved {name}")
        moved = load_corpus(name, place=Path(f"moved {name}"))
        assert (moved.name, moved.source, moved.sha256) == (corpus.name, corpus.source, corpus.sha256)
        assert moved.place == tmp_path / f"moved {name}"
    with pytest.raises(InputError, match=r"no such data.*nowhere"):
        load_corpus("file", place=Path("nowhere"))


def test_a_folder_is_its_files_in_the_order_of_hashed_paths_one_newline_between(tmp_path):
    contents = {"a.txt": b"first\n", "b.txt": b"no newline", "sub/c.txt": b"third", "sub/d.txt": b"", "e": b"\n"}
    for name, data in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    order = sorted((n for n in contents if contents[n]), key=lambda n: hashlib.sha256(n.encode()).hexdigest())
    expected = b""
    for i, name in enumerate(order):
        last = i == len(order) - 1
        expected += contents[name] + (b"" if contents[name].endswith(b"\n") or last else b"\n")
    assert load_corpus(str(tmp_path)).data.tobytes() == expected


def test_a_folder_gives_the_same_bytes_wherever_it_lies(tmp_path):
    for root in ("here", "elsewhere/deep"):
        for name in "xyz":
            (tmp_path / root / name).mkdir(parents=True)
            (tmp_path / root / name / "f.txt").write_text(name)
    here, elsewhere = load_corpus(str(tmp_path / "here")), load_corpus(str(tmp_path / "elsewhere/deep"))
    assert here.data.tobytes() == elsewhere.data.tobytes()


def test_hidden_files_pipes_broken_links_and_loops_are_skipped(tmp_path):
    (tmp_path / "text").write_text("kept")
    (tmp_path / ".hidden").write_text("hidden")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("hidden")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert load_corpus(str(tmp_path)).data.tobytes() == b"kept"


def test_data_that_cannot_be_used_is_refused_in_one_line(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    cases = {
        "wikipedia": r"no such data \(received 'wikipedia'\): use stdlib or pydoc, a data set of the paper \(aut, "
        r"bits, bitsflip, bitsrep, champ, dyck, ndfa, toy, toy2, wp, german, code, linux\), or the path of a file "
        r"or folder",
        "": "no such data",
        "null\0": "no such data",
        str(tmp_path / "missing"): "no such data",
        str(tmp_path / "empty" / "below"): "no such data",
        "x" * 5000: "cannot read the data: File name too long",
        str(tmp_path / "empty"): "no bytes",
        str(tmp_path / "folder"): "no bytes",
        str(tmp_path / "pipe"): "neither a file nor a folder",
    }
    for name, message in cases.items():
        with pytest.raises(InputError, match=message) as caught:
            load_corpus(name)
        assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("text")

    def deny(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)
    for path in (tmp_path, tmp_path / "secret"):
        with pytest.raises(InputError, match=r"cannot read the data: Permission denied \(received '.*secret'\)"):
            load_corpus(str(path))


@given(st.binary(min_size=1, max_size=60), st.data())
def test_slices_are_pieces_of_the_corpus(data, draw):
    length = draw.draw(st.integers(1, len(data)))
    generator = np.random.default_rng(draw.draw(st.integers(0, 2**32)))
    slices_NT = sample_slices(corpus_of(data), num_slices=20, length=length, generator=generator)
    assert slices_NT.shape == (20, length)
    assert slices_NT.dtype == np.uint8
    assert all(row.tobytes() in data for row in slices_NT)


def test_every_starting_point_is_equally_likely_the_last_one_included():
    corpus = corpus_of(bytes(range(10)))
    slices_NT = sample_slices(corpus, num_slices=70_000, length=4, generator=np.random.default_rng(0))
    counts = np.bincount(slices_NT[:, 0], minlength=10)
    assert counts[7:].sum() == 0  # 7 starting points, 0 to 6
    np.testing.assert_allclose(counts[:7], 10_000, atol=5 * 100)  # five standard deviations


def test_slices_follow_the_generator():
    corpus = corpus_of(bytes(range(200)))

    def draw(seed: int) -> bytes:
        return sample_slices(corpus, num_slices=5, length=9, generator=np.random.default_rng(seed)).tobytes()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_a_corpus_shorter_than_a_slice_is_refused():
    generator = np.random.default_rng(0)
    assert sample_slices(corpus_of(b"abc"), num_slices=1, length=3, generator=generator).tobytes() == b"abc"
    with pytest.raises(InputError, match="3 bytes, fewer than a slice of 4"):
        sample_slices(corpus_of(b"abc"), num_slices=1, length=4, generator=generator)
    with pytest.raises(InputError, match=r"num_slices must be positive"):
        sample_slices(corpus_of(b"abc"), num_slices=0, length=1, generator=generator)
