"""A corpus in a file: its rows are those of the data set, it goes on where it was cut off, and is never half there."""

import contextlib
import hashlib
import importlib
import json
import os
import resource

import filelock
import numpy as np
import pytest
import torch

import up
from tests.up.runs.no_locks import REFUSALS, refuse_locks
from up.errors import InputError, RunError
from up.use.corpus import write_corpus
from up.use.dataset import RandomComputation

LSTM = up.RecurrentSource(hidden_size=4)
COINS = """import dataclasses

import torch

import up


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coins(up.RowSource):
    def rows(self, num_rows, num_tokens, generator):
        return torch.randint(2, (num_rows, num_tokens), generator=generator)
"""


def expected_rows(source, rows, length, seed):
    dataset = RandomComputation(seed, length=length, source=source, stop=rows)
    return torch.stack(list(dataset)).to(torch.uint8).numpy()


@pytest.mark.parametrize("source", [LSTM, up.NoiseSource()], ids=["lstm", "noise"])
@pytest.mark.parametrize("rows", [1, 64, 150])
def test_its_rows_are_those_of_the_data_set(tmp_path, source, rows):
    told = []
    sheet = write_corpus(
        tmp_path / "rows.npy", source=source, rows=rows, length=24, seed=7, progress=lambda *each: told.append(each)
    )
    tokens_RT = np.load(tmp_path / "rows.npy")
    assert np.array_equal(tokens_RT, expected_rows(source, rows, 24, 7))
    assert tokens_RT.dtype == np.uint8
    assert told[-1] == (rows, rows)
    written = json.loads((tmp_path / "rows.npy.json").read_text())
    assert written["sha256"] == sheet.sha256 == hashlib.sha256((tmp_path / "rows.npy").read_bytes()).hexdigest()
    assert (written["rows"], written["length"], written["seed"], written["source"]) == (rows, 24, 7, source.kind)
    assert written["settings"]["kind"] == source.kind
    assert len(written["distribution"]) > 200
    assert "no data" in written["licence"]
    assert {"entropy_bits", "constant_share", "zlib_bits"} <= written["statistics"].keys()
    assert sorted(os.listdir(tmp_path)) == ["rows.npy", "rows.npy.json"]


def test_parquet_holds_the_same_rows(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    write_corpus(tmp_path / "rows.parquet", source=up.NoiseSource(), rows=70, length=24, seed=7)
    column = parquet.read_table(tmp_path / "rows.parquet")["tokens"]
    assert np.array_equal(np.array(column.to_pylist(), np.uint8), expected_rows(up.NoiseSource(), 70, 24, 7))


class StopHereError(Exception):
    pass


@pytest.mark.parametrize("stop_at", [64, 128, 192])
@pytest.mark.parametrize("torn", [0, 100])
def test_a_corpus_that_was_cut_off_goes_on_to_the_same_bytes(tmp_path, stop_at, torn):
    def stop(done, _total):
        if done == stop_at:
            raise StopHereError

    settings = {"source": LSTM, "rows": 200, "length": 24, "seed": 3}
    write_corpus(tmp_path / "whole.npy", **settings)
    out = tmp_path / "rows.npy"
    with pytest.raises(StopHereError):
        write_corpus(out, **settings, progress=stop)
    assert not out.exists()
    with (tmp_path / "rows.npy.partial").open("ab") as handle:
        handle.write(b"x" * torn)  # of a row that was cut off
    told = []
    write_corpus(out, **settings, progress=lambda *each: told.append(each))
    assert told[0][0] == stop_at
    assert out.read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_a_half_written_file_of_other_settings_is_refused(tmp_path):
    def stop(done, _total):
        if done:
            raise StopHereError

    with pytest.raises(StopHereError):
        write_corpus(tmp_path / "rows.npy", source=LSTM, rows=200, length=24, seed=3, progress=stop)
    with pytest.raises(InputError, match=r"rows\.npy\.partial was begun with another seed"):
        write_corpus(tmp_path / "rows.npy", source=LSTM, rows=200, length=24, seed=4)


def test_a_corpus_of_a_source_whose_file_moved_goes_on_and_one_of_another_text_does_not(tmp_path):
    def stop(done, _total):
        if done:
            raise StopHereError

    one, other = tmp_path / "here" / "coins.py", tmp_path / "there" / "coins.py"
    for path in (one, other):
        path.parent.mkdir()
        path.write_text(COINS)
    settings = {"rows": 200, "length": 24}
    whole, out = tmp_path / "whole.npy", tmp_path / "rows.npy"
    write_corpus(whole, source=up.make_source(f"{one}:Coins"), **settings)
    with pytest.raises(StopHereError):
        write_corpus(out, source=up.make_source(f"{one}:Coins"), **settings, progress=stop)
    one.write_text(COINS.replace("randint(2", "randint(3"))
    with pytest.raises(InputError, match=r"was begun with another .*settings"):
        write_corpus(out, source=up.make_source(f"{one}:Coins"), **settings)
    write_corpus(out, source=up.make_source(f"{other}:Coins"), **settings)
    assert out.read_bytes() == whole.read_bytes()


@contextlib.contextmanager
def no_file_larger_than(size_bytes):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["rows.npy", "rows.parquet"])
def test_where_there_is_no_room_for_the_file_it_says_why_and_the_rows_are_kept(tmp_path, name):
    """The raw rows fit, to the byte; the finished file, which has a header, does not."""
    pytest.importorskip("pyarrow" if name.endswith("parquet") else "numpy")
    settings = {"source": up.NoiseSource(), "rows": 2_000, "length": 24}
    with no_file_larger_than(48_000), pytest.raises(RunError, match=r"\(File too large\): make room") as caught:
        write_corpus(tmp_path / name, **settings)
    assert "\n" not in str(caught.value)
    left = sorted(f"{name}.partial{more}" for more in ("", ".json", ".lock"))
    assert sorted(os.listdir(tmp_path)) == left
    told = []
    write_corpus(tmp_path / name, **settings, progress=lambda *each: told.append(each))
    assert told[0][0] == 1_984  # it goes on with the last block
    assert sorted(os.listdir(tmp_path)) == [name, f"{name}.json"]


@pytest.mark.parametrize("stem", ["n" * 246, "ü" * 122])
def test_a_name_that_leaves_just_room_for_its_datasheet_is_written_and_a_longer_one_is_refused(tmp_path, stem):
    settings = {"source": up.NoiseSource(), "rows": 70, "length": 24}
    write_corpus(tmp_path / f"{stem}.npy", **settings)
    assert np.load(tmp_path / f"{stem}.npy").shape == (70, 24)
    with pytest.raises(InputError, match=r"datasheet beside it \(File name too long"):
        write_corpus(tmp_path / f"{stem}xxx.npy", **settings, progress=lambda *_: pytest.fail("it began"))
    assert sorted(os.listdir(tmp_path)) == [f"{stem}.npy", f"{stem}.npy.json"]


@pytest.mark.parametrize("number", REFUSALS)
def test_on_a_file_system_without_locks_a_lock_that_was_left_behind_is_nobodys(tmp_path, monkeypatch, number):
    refuse_locks(monkeypatch, number)
    (tmp_path / "rows.npy.partial.lock").touch()
    write_corpus(tmp_path / "rows.npy", source=LSTM, rows=10, length=24)
    assert sorted(os.listdir(tmp_path)) == ["rows.npy", "rows.npy.json"]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("rows.txt", {}, r"another suffix .*\.npy or \.parquet"),
        ("none/rows.npy", {}, "no folder to go to"),
        ("there.npy", {}, "exists already"),
        ("dangling.npy", {}, "exists already"),
        ("rows.npy", {"rows": 0}, r"corpus\.rows must be positive"),
        ("rows.npy", {"rows": 10**12}, r"corpus\.rows is too large"),
        ("rows.npy", {"length": 0}, r"corpus\.length must be positive"),
        ("rows.npy", {"seed": -1}, r"corpus\.seed must not be negative"),
        ("rows.npy", {"length": 8}, "must exceed source.seed_length"),
        ("rows.npy", {"source": up.NoiseSource(vocabulary_size=1000)}, r"corpus\.vocabulary_size is too large"),
        ("rows.npy", {"source": up.RecurrentSource(sequences_per_model=4)}, "rows that share a model"),
        (f"{'r' * 300}.npy", {}, "cannot write the corpus"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path, name, settings, said):
    (tmp_path / "there.npy").write_text("mine")
    (tmp_path / "dangling.npy").symlink_to("nowhere")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(InputError, match=said) as caught:
        write_corpus(tmp_path / name, **{"source": LSTM, "rows": 10, "length": 24, **settings})
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "there.npy").read_text() == "mine"


@pytest.mark.parametrize("text", ["[1]", "{x"])
def test_a_damaged_record_of_a_half_written_corpus_is_one_line(tmp_path, text):
    (tmp_path / "rows.npy.partial").write_bytes(b"")
    (tmp_path / "rows.npy.partial.json").write_text(text)
    with pytest.raises(InputError, match=r"rows\.npy\.partial\.json"):
        write_corpus(tmp_path / "rows.npy", source=LSTM, rows=10, length=24)


def test_two_processes_do_not_write_the_same_corpus(tmp_path):
    with (
        filelock.FileLock(tmp_path / "rows.npy.partial.lock"),
        pytest.raises(InputError, match="another process is writing the corpus"),
    ):
        write_corpus(tmp_path / "rows.npy", source=LSTM, rows=10, length=24)


def test_the_datasheet_of_a_combination_says_how_each_of_its_parts_draws(tmp_path):
    path = tmp_path / "coins.py"
    path.write_text(COINS)
    source = up.make_source("mix", members=[f"{path}:Coins", "noise"])
    sheet = write_corpus(tmp_path / "rows.npy", source=source, rows=8, length=24)
    parts = [importlib.import_module(type(each).__module__).__doc__.strip() for each in (source, up.NoiseSource())]
    assert all(part in sheet.distribution for part in [COINS, *parts])
