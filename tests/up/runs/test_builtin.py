"""Models that ship with up: verified as a whole before anything of them is used, and never written to."""

import errno
import os
import shutil
from pathlib import Path

import pytest

import up
from tests.up.runs.cases import CPU, files_of, finished_run, refusal, same_tensors, small_config
from up.errors import InputError
from up.runs import builtin
from up.runs.builtin import builtin_names, label_of, locate, refuse_builtin
from up.runs.card import builtin_cards
from up.runs.folder import RunFolder, load_model, open_run
from up.runs.overview import list_runs
from up.runs.pack import pack
from up.runs.place import hold
from up.runs.run import run, settle
from up.training.state import TrainingState


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A folder of models with one in it, and the run that it was made of."""
    folder, path = tmp_path_factory.mktemp("shipped"), tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "FOLDER", folder)
        pack(finished_run(path).path, "small", device=CPU, samples=4)
    return folder, path


@pytest.fixture
def shipped(packed, tmp_path, monkeypatch) -> Path:
    """The folder of `builtin:small`, a test's own."""
    monkeypatch.setattr(builtin, "FOLDER", Path(shutil.copytree(packed[0], tmp_path / "shipped")))
    return builtin.FOLDER / "small"


class TestReading:
    def test_its_model_is_that_of_the_run(self, shipped, packed):
        for model in (up.load("builtin:small"), load_model(Path("builtin:small"), CPU), up.load(shipped)):
            assert same_tensors(model.state_dict(), load_model(packed[1], CPU).state_dict())

    def test_it_is_opened_and_listed_as_a_run_that_is_complete(self, shipped):
        opened = up.open_run("builtin:small")
        assert (opened.path, opened.label) == (shipped, "builtin:small")
        (overview,) = list_runs(Path("builtin:small"))
        assert (overview.name, overview.label, overview.state) == ("builtin:small", "builtin:small", "complete")

    def test_what_reads_it_changes_no_file(self, shipped):
        before = files_of(RunFolder(shipped))
        up.load("builtin:small")
        list_runs(Path("builtin:small"))
        open_run("builtin:small").metrics.history()
        assert files_of(RunFolder(shipped)) == before

    def test_names_that_begin_otherwise_are_paths(self, shipped, monkeypatch):
        monkeypatch.chdir(shipped.parent)
        assert locate("runs/builtin:small") == Path("runs/builtin:small")
        assert label_of(Path("runs/other")) == "runs/other"
        assert label_of(Path("a\0b")) == "a\0b"

    def test_a_path_that_leads_to_it_is_verified_likewise(self, shipped, monkeypatch):
        monkeypatch.chdir(shipped.parent)
        assert (label_of(Path("small")), locate("small")) == ("builtin:small", shipped)

    @pytest.mark.parametrize("name", ["big", "small/checkpoints", "../shipped/small", "SMALL", ""])
    def test_an_unknown_one_lists_those_that_there_are(self, shipped, name):
        shutil.copytree(shipped, shipped.with_name("other"))
        line = refusal(open_run, f"builtin:{name}")
        assert f"(received 'builtin:{name}'): use one of builtin:other, builtin:small" in line

    def test_where_none_ships_that_is_said(self, tmp_path, monkeypatch):
        monkeypatch.setattr(builtin, "FOLDER", tmp_path / "nothing")
        assert builtin_names() == builtin_cards() == ()
        assert "this version ships none; train one with up train" in refusal(up.load, "builtin:tiny")

    def test_what_is_half_packed_is_no_model(self, shipped):
        (shipped.parent / ".partial").mkdir()
        assert builtin_names() == ("small",)


FILES = ("config.json", "provenance.json", "metrics.jsonl", "card.json", "SHA256SUMS", "*/*/checkpoint.json")
WEIGHTS = "*/*/model.safetensors"


class TestDamage:
    @pytest.mark.parametrize("name", [*FILES, WEIGHTS])
    @pytest.mark.parametrize("damage", ["a flipped bit", "cut", "emptied", "removed"])
    def test_of_any_file_is_one_line_with_the_remedy_to_reinstall(self, shipped, name, damage):
        (path,) = shipped.glob(name)
        content = bytearray(path.read_bytes())
        if damage == "removed":
            path.unlink()
        else:
            content[len(content) // 2] ^= 1
            path.write_bytes({"a flipped bit": content, "cut": content[:-1], "emptied": b""}[damage])
        lines = {refusal(call, "builtin:small") for call in (open_run, up.load, locate)}
        lines |= {refusal(list_runs, Path("builtin:small")), refusal(builtin_cards), refusal(up.load, shipped)}
        (line,) = lines
        assert line.startswith("the model builtin:small that ships with up is damaged: ")
        assert "pip install --force-reinstall universal-pretraining" in line
        assert "remove" not in line
        assert path.name in line

    def test_a_file_too_many_is_damage_but_not_one_that_is_hidden(self, shipped):
        (shipped / ".lock").touch()
        up.load("builtin:small")
        shutil.copytree(next(shipped.glob("checkpoints/*")), shipped / "checkpoints/99999999")
        assert "SHA256SUMS does not know checkpoints/99999999/" in refusal(up.load, "builtin:small")

    def test_a_file_that_cannot_be_read_is_named(self, shipped):
        (shipped / "SHA256SUMS").unlink()
        (shipped / "SHA256SUMS").mkdir()
        assert "damaged: cannot read SHA256SUMS (Is a directory)" in refusal(up.load, "builtin:small")

    @pytest.mark.usefixtures("shipped")
    def test_memory_that_ran_out_is_no_damage(self, monkeypatch):
        def fail(_path):
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), "config.json")

        monkeypatch.setattr(builtin, "sha256_of", fail)
        with pytest.raises(OSError, match="Cannot allocate memory"):
            locate("builtin:small")


class TestWriting:
    def test_nothing_is_trained_into_it_by_any_name(self, shipped, tmp_path):
        before, config = files_of(RunFolder(shipped)), small_config()
        (tmp_path / "link").symlink_to(shipped)
        for path in (Path("builtin:small"), Path("builtin:new"), shipped, shipped / "sub", tmp_path / "link"):
            calls = (
                lambda path=path: up.train(config, path),
                lambda path=path: up.train(None, path, resume=True),
                lambda path=path: settle(path, CPU),
                lambda path=path: settle(path, CPU, resume=True),
                lambda path=path: list(run(config, path, device=CPU)),
                lambda path=path: hold(path).__enter__(),
            )
            for call in calls:
                line = refusal(call)
                assert line.startswith("nothing is trained into a model that ships with up")
                assert "choose another --out" in line
        assert files_of(RunFolder(shipped)) == before
        assert not Path("builtin:new").exists()

    @pytest.mark.usefixtures("shipped")
    def test_nothing_is_saved_to_it(self):
        assert "nothing is trained into" in refusal(open_run("builtin:small").save, TrainingState(small_config(), CPU))

    def test_a_copy_of_it_is_evaluated_but_not_resumed(self, shipped, tmp_path):
        copied = Path(shutil.copytree(shipped, tmp_path / "copied"))
        before = files_of(RunFolder(copied))
        assert same_tensors(up.load(copied).state_dict(), up.load("builtin:small").state_dict())
        with pytest.raises(InputError, match=r"holds weights only, .* start a new run with the command in card\.json"):
            open_run(copied).restore(TrainingState(open_run(copied).config(), CPU))
        assert files_of(RunFolder(copied)) == before

    def test_other_folders_are_free(self, shipped, tmp_path):
        refuse_builtin(tmp_path / "runs")
        refuse_builtin(shipped.parent.with_name("shipped-not"))


def test_every_model_that_ships_is_whole_and_is_what_its_card_says():
    for card in builtin_cards():
        opened = open_run(f"builtin:{card.name}")
        assert builtin.FOLDER / card.name == opened.path
        assert sum(each.numel() for each in up.load(opened.path).parameters()) == card.parameters
        assert opened.instances_of_model() == card.instances
        assert opened.config().training.instances == card.total_instances
