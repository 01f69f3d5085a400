"""Files are replaced whole or left as they were."""

import os
import stat
from pathlib import Path

import pytest

from up.runs.files import beside, remove_leftovers, replacing, write_text


def test_the_content_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in ("first", "second, longer", ""):
        write_text(path, text)
        assert path.read_text() == text
        assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(pipe, "content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name, exists in (("old", True), ("new", False)):
        target, link = tmp_path / "elsewhere" / name, tmp_path / name
        if exists:
            target.write_text("before")
        link.symlink_to(Path("elsewhere", name))
        write_text(link, "content")
        assert link.is_symlink()
        assert target.read_text() == "content"
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["new", "old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "new", "old"]


def test_a_link_that_leads_to_itself_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        write_text(tmp_path / "loop", "content")
    assert (tmp_path / "loop").is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_the_mode_of_a_file_is_kept_and_a_new_one_has_that_of_any_new_file(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    (tmp_path / "plain").touch()
    write_text(tmp_path / "fresh", "new")
    assert (tmp_path / "fresh").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["n" * 255, "n" * 250 + ".json", "ü" * 127])
def test_a_name_as_long_as_a_name_may_be_is_replaced_like_any_other(tmp_path: Path, name: str) -> None:
    for text in ("first", "second"):
        write_text(tmp_path / name, text)
        assert (tmp_path / name).read_text() == text
    assert os.listdir(tmp_path) == [name]


def test_names_beside_two_long_names_are_two_and_always_the_same() -> None:
    one, other = Path("a" * 240 + "1"), Path("a" * 240 + "2")
    assert beside(one, ".partial") == beside(one, ".partial")
    assert beside(one, ".partial") != beside(other, ".partial")
    assert beside(one, ".partial").stem == beside(one, ".json").stem


def test_a_reader_of_a_pipe_that_leaves_is_no_error(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replacing(pipe) as handle:
        os.close(reader)
        handle.write(b"content")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_two_processes_that_replace_one_file_do_not_write_to_one_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as one, replacing(path) as other:
        one.write(b"one, longer than the other")
        other.write(b"other")
    assert path.read_bytes() == b"one, longer than the other"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_behind_is_known_by_its_name_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("config.json.0123abcd.partial", "mine.partial", "notes.txt"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["mine.partial", "notes.txt"]
