"""Where a run cannot go is told before anything is done, and leaves nothing behind."""

import os

import pytest

from tests.up.runs.cases import refusal, small_config
from up.runs.folder import create_run, load_model, open_run
from up.runs.overview import list_runs
from up.runs.place import hold, require_writable


def enter(path):
    with hold(path):
        pytest.fail("it can be held")


@pytest.mark.parametrize("below", ["", "run", "a/run"])
@pytest.mark.parametrize("target", ["nowhere", "link", "file/nowhere"])
def test_a_link_that_leads_nowhere_is_told_in_the_same_words_by_everything(tmp_path, target, below):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(target)
    before = sorted(os.listdir(tmp_path))
    path = tmp_path / "link" / below
    told = {refusal(call, path) for call in (require_writable, enter, open_run, list_runs)}
    assert told == {
        f"{tmp_path / 'link'} is a link to {target}, which is not there: make what it leads to, or remove the link"
    }
    assert sorted(os.listdir(tmp_path)) == before


def test_a_link_to_a_folder_is_as_good_as_the_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    require_writable(tmp_path / "link" / "run")
    with hold(tmp_path / "link" / "run"):
        create_run(tmp_path / "link" / "run", small_config())
    assert open_run(tmp_path / "folder" / "run").config() == small_config()


def test_a_name_that_is_too_long_is_refused_before_anything_is_done(tmp_path):
    assert "File name too long" in refusal(require_writable, tmp_path / ("n" * 256))
    require_writable(tmp_path / ("n" * 255))


def test_folders_on_the_way_that_were_made_for_nothing_are_removed_and_others_are_not(tmp_path):
    (tmp_path / "mine").mkdir()
    for path in (tmp_path / "mine" / "a" / "b" / "c", tmp_path / "d"):
        with pytest.raises(KeyError), hold(path):
            raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_start_on_a_full_disk_leaves_no_folder(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    def start():
        with hold(tmp_path / "run"):
            create_run(tmp_path / "run", small_config())

    assert "No space left" in refusal(start)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_name_as_long_as_a_name_may_be_is_a_run(tmp_path):
    path = tmp_path / ("n" * 255)
    with hold(path):
        create_run(path, small_config())
    assert open_run(path).config() == small_config()
    assert "no checkpoint yet" in refusal(load_model, path, "cpu")
