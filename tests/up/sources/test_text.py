"""Slices of real bytes: of one part only, the same for the same seed, and refused where the bytes have changed."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
import torch

import up
from tests.up.runs.cases import refusal, small_config
from up.config import to_dict
from up.data.corpora import load_parts
from up.runs import builtin
from up.runs.pack import pack
from up.sources.base import Source, make_source
from up.sources.nesting import reads_real_data, without_places
from up.sources.registry import SOURCES
from up.use.corpus import write_corpus

CPU = torch.device("cpu")


def a_generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def notes(tmp_path) -> Path:
    """400 bytes, each pair of which occurs at one place only."""
    path = tmp_path / "notes"
    path.write_bytes(b"".join(bytes([i, j]) for i in range(10) for j in range(10, 30)))
    return path


def the_source(data: Path | str, **settings) -> Source:
    return make_source("text", data=f"{data}:training", **settings).resolve(CPU)


def test_rows_are_slices_of_the_part_and_every_place_is_drawn(notes):
    part = load_parts(str(notes)).training.data.tobytes()
    rows = [bytes(row) for row in the_source(notes).rows(4_000, 350, a_generator()).tolist()]
    assert {part.index(row) for row in rows} == set(range(len(part) - 350 + 1))


def test_the_same_seed_draws_the_same_rows_however_they_are_batched(notes):
    streams = [small_config_with(the_source(notes)).stream(CPU) for _ in range(2)]
    whole = streams[0].draw(12)
    assert whole.dtype == torch.uint8
    assert torch.equal(whole, torch.cat([streams[1].draw(5), streams[1].draw(7)]))


def small_config_with(source):
    return dataclasses.replace(small_config(), source=source)


def test_settings_hold_the_length_and_the_seal_of_the_part(notes):
    source, part = the_source(notes), load_parts(str(notes)).training
    assert (source.size_bytes, source.sha256) == (360, hashlib.sha256(part.data.tobytes()).hexdigest())
    assert source.place == str(notes)
    assert "real bytes of" in source.description
    assert source.resolve(CPU) == source


def test_changed_bytes_are_refused_and_moved_ones_are_not(notes, tmp_path):
    source, moved = the_source(notes), tmp_path / "moved"
    content = notes.read_bytes()
    notes.rename(moved)
    there = dataclasses.replace(source, place=str(moved))
    assert torch.equal(there.rows(3, 20, a_generator()), there.opened().rows(3, 20, a_generator()))
    assert without_places(to_dict(there)) == without_places(to_dict(source))
    moved.write_bytes(content[:-1] + b"x")  # of the test part
    there.opened()
    moved.write_bytes(b"x" + content[1:])
    line = refusal(there.opened)
    assert "has changed: its SHA-256 was " in line
    assert "restore it, or start a new run" in line


def test_data_that_is_not_there_too_short_or_beyond_the_vocabulary_is_refused(notes):
    assert "no such data" in refusal(the_source, notes.with_name("nothing"))
    source = the_source(notes)
    assert "has 360 bytes, fewer than an instance of 361" in refusal(source.rows, 1, 361, a_generator())
    long = dataclasses.replace(small_config().model, context_length=512)
    line = refusal(lambda: dataclasses.replace(small_config(), source=source, model=long))
    assert "fewer than an instance of 512: give more data, or train a model of a shorter context" in line
    assert "bytes beyond the vocabulary" in refusal(
        make_source("text", data=str(notes), vocabulary_size=5).resolve, CPU
    )


def test_it_is_no_source_of_random_computation(notes, tmp_path):
    assert "text" not in SOURCES
    assert reads_real_data(make_source("mix", members=["noise", "text"]))
    assert not reads_real_data(make_source("mix", members=["noise", "lstm"]))
    line = refusal(lambda: write_corpus(tmp_path / "rows.npy", source=the_source(notes), rows=2, length=32))
    assert "this source is real data" in line


def test_no_model_that_was_trained_on_it_can_ship(notes, tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "FOLDER", tmp_path / "shipped")
    config = dataclasses.replace(small_config('evaluation.data=["toy"]'), source=the_source(notes))
    run = up.train(config, tmp_path / "run", device="cpu")
    line = refusal(lambda: pack(run.path, "small", device=CPU, samples=4))
    assert line.startswith("no model ships that was trained on data")
