import io
import os
import threading

import pytest

from up.errors import InputError
from up.evaluation.compressors import COMPRESSORS, compressed_sizes
from up.use.score import FileScore, score_files

TEXT = b"the cat sat on the mat; the mat sat on the cat. " * 20
NOISE = bytes((37 * place * place + 11 * place) % 251 for place in range(400))


@pytest.fixture
def files(tmp_path):
    contents = {"text": TEXT, "noise": NOISE}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {str(tmp_path / name): content for name, content in contents.items()}


def score_of(path: str, data: bytes) -> FileScore:
    return FileScore(path=path, size_bytes=len(data), baselines=compressed_sizes(data))


def test_each_file_has_its_size_and_what_every_compressor_makes_of_it_in_the_order_given(files):
    assert list(score_files(list(files))) == [score_of(path, data) for path, data in files.items()]


def test_what_stdin_holds_scores_as_a_file_with_the_same_bytes(files):
    (path, data), *_ = files.items()
    found = list(score_files([path, "-"], stdin=io.BytesIO(data)))
    assert found == [score_of(path, data), score_of("-", data)]
    assert [each.name for each in found] == [path, "standard input"]


def test_a_file_that_is_called_like_stdin_can_be_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(TEXT)
    (found,) = score_files(["./-"], stdin=io.BytesIO(NOISE))
    assert (found.size_bytes, found.name) == (len(TEXT), "./-")


def test_a_named_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    assert list(score_files([str(path)])) == [score_of(str(path), TEXT)]
    writer.join()


def test_progress_counts_every_compression_of_every_file(files):
    told = []
    list(score_files(list(files), progress=lambda done, total: told.append((done, total))))
    total = len(files) * len(COMPRESSORS)
    assert told == [(done, total) for done in range(1, total + 1)]


def test_a_file_is_read_when_its_turn_comes_and_not_before(tmp_path, files):
    scores = score_files([*files, "-"], stdin=io.BytesIO(TEXT))
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
def test_what_cannot_be_scored_is_refused_before_anything_is_compressed(tmp_path, files, name, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(InputError, match=said) as caught:
        score_files([*files, str(tmp_path / name)])  # nothing is asked of the iterator
    assert name in str(caught.value)


def test_a_file_without_permission_is_refused(files, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InputError, match=r"cannot read the file \(Permission denied\)"):
        score_files(list(files))


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_which_may_never_end_is_refused(device):
    with pytest.raises(InputError, match="neither a file nor a pipe"):
        score_files([device])


def test_stdin_is_named_once_and_has_to_be_there_and_to_hold_something():
    with pytest.raises(InputError, match="named twice"):
        score_files(["-", "-"], stdin=io.BytesIO(TEXT))
    with pytest.raises(InputError, match="there is no standard input"):
        score_files(["-"])
    with pytest.raises(InputError, match="empty file"):
        list(score_files(["-"], stdin=io.BytesIO(b"")))


def test_a_lack_of_memory_is_not_called_a_file_that_cannot_be_read():
    class TooMuch(io.BytesIO):
        def read(self, *_):
            raise OSError(12, "Cannot allocate memory")

    with pytest.raises(OSError, match="Cannot allocate memory"):
        list(score_files(["-"], stdin=TooMuch(TEXT)))
