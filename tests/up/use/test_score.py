import io
import os
import threading
import tracemalloc

import numpy as np
import pytest
import torch

from up.errors import InputError
from up.evaluation.compressors import COMPRESSORS, compressed_sizes
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import Context, order
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.use import score
from up.use.score import FileScore, score_files, untrained
from up.use.surprise import UNIT, Surprise

TEXT = b"the cat sat on the mat; the mat sat on the cat. " * 20
NOISE = bytes((37 * place * place + 11 * place) % 251 for place in range(400))


@pytest.fixture
def files(tmp_path):
    contents = {"text": TEXT, "noise": NOISE}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {str(tmp_path / name): content for name, content in contents.items()}


def trained_predictor() -> MixingPredictor:
    """A small one that differs from its untrained control."""
    predictor = MixingPredictor(
        MixingConfig(hidden=(6, 5)), contexts=(order(0), order(1), order(2), Context(matcher=0))
    )
    with torch.no_grad():
        predictor.gate.third.weight *= 30
        predictor.totals_KFSB.random_(0, 30, generator=torch.Generator().manual_seed(0))
    return predictor


PREDICTOR = trained_predictor()


def bits_of(data: bytes, predictor: MixingPredictor = PREDICTOR, *, adapting: bool = True) -> np.ndarray:
    """What a stream that reads all at once charges each byte."""
    return Stream(predictor, adapting=adapting).score(data)


def score_of(path: str, data: bytes) -> FileScore:
    surprise = Surprise()
    surprise.add(bits_of(data))
    return FileScore(
        path=path,
        size_bytes=len(data),
        bits_per_byte=surprise.bits_per_byte,
        frozen_bits_per_byte=None,
        scratch_bits_per_byte=None,
        baselines=compressed_sizes(data),
        surprise=surprise,
        first_bytes=b"",
        first_bits=(),
    )


def test_each_file_has_its_size_and_what_the_predictor_and_every_compressor_make_of_it_in_the_order_given(files):
    assert list(score_files(list(files), PREDICTOR)) == [score_of(path, data) for path, data in files.items()]


def test_what_stdin_holds_scores_as_a_file_with_the_same_bytes(files):
    (path, data), *_ = files.items()
    found = list(score_files([path, "-"], PREDICTOR, stdin=io.BytesIO(data)))
    assert found == [score_of(path, data), score_of("-", data)]
    assert [each.name for each in found] == [path, "standard input"]


def test_a_file_that_is_called_like_stdin_can_be_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(TEXT)
    (found,) = score_files(["./-"], PREDICTOR, stdin=io.BytesIO(NOISE))
    assert (found.size_bytes, found.name) == (len(TEXT), "./-")


def test_a_named_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    assert list(score_files([str(path)], PREDICTOR)) == [score_of(str(path), TEXT)]
    writer.join()


def test_chunks_change_nothing(files, monkeypatch):
    whole = list(score_files(list(files), PREDICTOR, frozen=True, scratch=True, first=300))
    monkeypatch.setattr(score, "CHUNK_BYTES", 7)
    assert list(score_files(list(files), PREDICTOR, frozen=True, scratch=True, first=300)) == whole


def test_each_column_is_the_stream_that_it_is_called_after(files):
    for found in score_files(list(files), PREDICTOR, frozen=True, scratch=True):
        data = files[found.path]
        columns = (found.bits_per_byte, found.frozen_bits_per_byte, found.scratch_bits_per_byte)
        expected = (
            bits_of(data).mean(),
            bits_of(data, adapting=False).mean(),
            bits_of(data, untrained(PREDICTOR)).mean(),
        )
        np.testing.assert_allclose(columns, expected, rtol=0, atol=UNIT)
        assert len(set(columns)) == 3


def test_the_control_has_the_architecture_of_the_model_and_nothing_of_its_training():
    control = untrained(PREDICTOR)
    fresh = MixingPredictor(MixingConfig(hidden=(6, 5)), contexts=PREDICTOR.contexts)
    assert control.contexts == PREDICTOR.contexts
    for name, value in control.state_dict().items():
        torch.testing.assert_close(value, fresh.state_dict()[name], rtol=0, atol=0)
    assert any(not value.equal(control.state_dict()[name]) for name, value in PREDICTOR.state_dict().items())


@pytest.mark.parametrize("first", [1, 37, len(TEXT), len(TEXT) + 5])
def test_the_first_bytes_are_kept_with_their_bits(files, first, monkeypatch):
    monkeypatch.setattr(score, "CHUNK_BYTES", 16)
    (found,) = score_files(list(files)[:1], PREDICTOR, first=first)
    assert found.first_bytes == TEXT[:first]
    assert found.first_bits == tuple(bits_of(TEXT)[:first])


def test_progress_counts_the_bytes_of_every_file_by_every_column(files, monkeypatch):
    monkeypatch.setattr(score, "CHUNK_BYTES", 100)
    told = []
    tell = lambda done, total: told.append((done, total))  # noqa: E731
    list(score_files(list(files), PREDICTOR, frozen=True, progress=tell))
    dones, totals = zip(*told, strict=True)
    assert set(totals) == {2 * (len(TEXT) + len(NOISE))}
    assert dones[-1] == totals[-1]
    assert all(0 < later - before <= 100 for before, later in zip((0, *dones), dones, strict=False))


def test_progress_has_no_total_where_a_pipe_may_hold_anything(files):
    told = []
    tell = lambda done, total: told.append((done, total))  # noqa: E731
    list(score_files([*files, "-"], PREDICTOR, stdin=io.BytesIO(TEXT), progress=tell))
    assert {total for _, total in told} == {None}
    assert told[-1][0] == 2 * len(TEXT) + len(NOISE)


def test_a_file_that_is_too_long_to_be_held_is_predicted_and_not_compressed(files, monkeypatch):
    monkeypatch.setattr(score, "COMPRESSED_BYTES", len(NOISE))
    text, noise = score_files(list(files), PREDICTOR)
    assert text.bits_per_byte == score_of("", TEXT).bits_per_byte
    assert [each.name for each in text.baselines] == [each.name for each in COMPRESSORS]
    assert {(each.size_bytes, each.bits_per_byte, each.missing_extra) for each in text.baselines} == {(None,) * 3}
    assert noise.baselines == compressed_sizes(NOISE)


def test_memory_does_not_grow_with_a_file_that_is_not_compressed(monkeypatch):
    class Charging:
        """A stream that costs no time."""

        def __init__(self, *_, **__):
            pass

        def score(self, data):
            return np.full(len(data), 8.0)

    def peak(size: int) -> int:
        tracemalloc.start()
        (found,) = score_files(["-"], PREDICTOR, stdin=Endless(size))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (found.size_bytes, found.bits_per_byte) == (size, 8)
        return most

    class Endless(io.RawIOBase):
        def __init__(self, size):
            self.left = size

        def read(self, count=-1):
            assert count > 0
            count = min(count, self.left)
            self.left -= count
            return bytes(count)

    monkeypatch.setattr(score, "Stream", Charging)
    monkeypatch.setattr(score, "COMPRESSED_BYTES", 1 << 12)
    peak(1 << 16)
    assert peak(1 << 24) < peak(1 << 20) + (1 << 17)


def test_a_file_is_read_when_its_turn_comes_and_not_before(tmp_path, files):
    scores = score_files([*files, "-"], PREDICTOR, stdin=io.BytesIO(TEXT))
    first, second = files
    assert next(scores).path == first
    (tmp_path / "noise").write_bytes(TEXT)
    assert next(scores) == score_of(second, TEXT)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing", "there is no such file"),
        ("text/more", r"cannot read the file \(Not a directory\)"),
        ("folder", "a folder cannot be scored"),
        ("empty", "an empty file has no bits per byte"),
        ("link", "there is no such file"),
        ("x" * 300, r"cannot read the file \(File name too long\)"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_is_read(tmp_path, files, name, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(InputError, match=said) as caught:
        score_files([*files, str(tmp_path / name)], PREDICTOR)  # nothing is asked of the iterator
    assert name in str(caught.value)


def test_a_file_without_permission_is_refused(files, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InputError, match=r"cannot read the file \(Permission denied\)"):
        score_files(list(files), PREDICTOR)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_which_may_never_end_is_refused(device):
    with pytest.raises(InputError, match="neither a file nor a pipe"):
        score_files([device], PREDICTOR)


def test_stdin_is_named_once_and_has_to_be_there_and_to_hold_something():
    with pytest.raises(InputError, match="named twice"):
        score_files(["-", "-"], PREDICTOR, stdin=io.BytesIO(TEXT))
    with pytest.raises(InputError, match="there is no standard input"):
        score_files(["-"], PREDICTOR)
    with pytest.raises(InputError, match="empty file"):
        list(score_files(["-"], PREDICTOR, stdin=io.BytesIO(b"")))


def test_a_lack_of_memory_is_not_called_a_file_that_cannot_be_read():
    class TooMuch(io.BytesIO):
        def read(self, *_):
            raise OSError(12, "Cannot allocate memory")

    with pytest.raises(OSError, match="Cannot allocate memory"):
        list(score_files(["-"], PREDICTOR, stdin=TooMuch(TEXT)))
