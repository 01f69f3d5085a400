"""What is copied of a finished run that ships, what is said of it, and which runs are refused."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.up.runs.cases import CPU, finished_run, refusal, same_tensors
from up.runs import builtin
from up.runs.card import builtin_cards, read_card
from up.runs.checkpoint import read_manifest
from up.runs.files import sha256_of
from up.runs.folder import RunFolder, load_model, open_run
from up.runs.overview import summarise_run
from up.runs.pack import KEPT_STEPS, pack
from up.runs.texts import recorded_texts

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
COMMAND = ("/home/me/.venv/bin/up", "train", "--preset", "tiny", "--out", "/home/me/runs/run")
# Rates at which a model of width 16 becomes worse and worse, so that its first evaluation is the best.
TOO_FAST = ("training.keep=best", "training.learning_rate=1", "training.warmup_instances=0")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finished_run(tmp_path_factory.mktemp("finished") / "run", command=COMMAND)


@pytest.fixture
def best(tmp_path):
    """A run whose best checkpoint is not the last."""
    return finished_run(tmp_path / "best", *TOO_FAST, command=COMMAND)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "FOLDER", tmp_path / "shipped")
    return builtin.FOLDER


def packed(run, name="small"):
    return pack(run.path, name, device=CPU, samples=4)


def test_what_ships_is_what_the_module_says(finished, folder):
    packed(finished)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    checkpoint = "small/checkpoints/00000064"
    assert names == {
        "small/config.json", "small/provenance.json", "small/metrics.jsonl", "small/card.json", "small/SHA256SUMS",
        f"{checkpoint}/model.safetensors", f"{checkpoint}/checkpoint.json",
    }  # fmt: skip
    assert (folder / "small/config.json").read_bytes() == (finished.path / "config.json").read_bytes()


def test_the_card_says_what_was_trained_and_how_well_it_predicts(finished, folder):
    card = packed(finished)
    assert builtin_cards() == (card,) == (read_card(folder / "small"),)
    (weights,) = folder.glob("small/checkpoints/*/model.safetensors")
    assert (card.weights_bytes, card.weights_sha256) == (weights.stat().st_size, sha256_of(weights))
    assert card.parameters == sum(each.numel() for each in load_model(finished.path, CPU).parameters())
    assert (card.instances, card.total_instances, card.seed) == (64, 64, 0)
    assert card.statement.startswith("No data was used to train this model. It saw 64 sequences of random computation")
    assert "evaluated on toy, which decided nothing." in card.statement
    assert card.command == ("up", "train", "--preset", "tiny", "--out", "run")
    (row,) = card.rows
    assert (row.data, row.samples) == ("toy", 4)
    assert row.untrained_tail_bits is not None
    assert row.ppm_exclusion_tail_bits is not None


def test_no_place_of_this_machine_ships(finished, folder, tmp_path):
    packed(finished)
    texts = [path.read_text() for path in folder.rglob("*.json*")]
    assert not any("/home/me" in text or str(tmp_path.parent) in text for text in texts)
    assert recorded_texts(open_run("builtin:small").provenance()) == recorded_texts(finished.provenance())


def test_of_a_run_that_keeps_its_best_the_best_ships_and_is_a_complete_run(best):
    chosen = best.best()
    assert chosen is not None
    assert chosen != best.checkpoints()[-1]
    card = packed(best)
    assert (card.instances, card.total_instances) == (int(chosen.name), 64)
    assert "which decided which of its checkpoints this is, and nothing else" in card.statement
    shipped = open_run("builtin:small")
    assert same_tensors(load_model("builtin:small", CPU).state_dict(), load_model(best.path, CPU).state_dict())
    overview = summarise_run(shipped)
    assert (overview.state, overview.instances, overview.instances_of_model) == ("complete", 64, int(chosen.name))


def test_the_metrics_keep_every_evaluation_and_some_of_the_steps_the_last_among_them(finished, folder, monkeypatch):
    monkeypatch.setattr("up.runs.pack.KEPT_STEPS", 3)
    packed(finished)
    whole, kept = finished.metrics.history(), open_run("builtin:small").metrics.history()
    assert kept.evaluations == whole.evaluations
    assert kept.steps == whole.steps[1::3]
    assert kept.steps[-1] == whole.steps[-1]
    assert kept.timings == ()
    assert open_run("builtin:small").metrics.latest() == finished.metrics.latest()
    (checkpoint,) = RunFolder(folder / "small").checkpoints()
    assert read_manifest(checkpoint).metrics == RunFolder(folder / "small").metrics.mark()


def test_few_steps_are_all_kept(finished):
    packed(finished)
    assert len(finished.metrics.history().steps) < KEPT_STEPS
    assert open_run("builtin:small").metrics.history().steps == finished.metrics.history().steps


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs the program sha256sum")
def test_the_sums_are_what_sha256sum_reads(finished, folder):
    packed(finished)
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=folder / "small", check=True)
    assert len((folder / "small/SHA256SUMS").read_text().splitlines()) == 6


def test_what_is_packed_twice_is_the_same_bytes(finished, folder):
    packed(finished)
    first = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shutil.rmtree(folder / "small")
    packed(finished)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == first


class TestRefused:
    def refused(self, run, name="small"):
        line = refusal(packed, run, name)
        assert not builtin.FOLDER.exists() or not builtin.builtin_names()
        return line

    @pytest.fixture
    def copied(self, finished, tmp_path):
        return RunFolder(shutil.copytree(finished.path, tmp_path / "copied"))

    def test_a_run_that_is_not_complete(self, copied):
        shutil.rmtree(copied.checkpoints()[-1])
        assert "the run is stopped after 64 of 64 instances" in self.refused(copied)

    def test_a_run_whose_weights_are_damaged(self, copied):
        path = copied.checkpoints()[-1] / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        assert "its SHA-256 differs" in self.refused(copied)

    def test_a_run_that_was_evaluated_on_a_text_of_ones_own(self, tmp_path):
        (tmp_path / "mine").write_text("mine and yours and ours " * 20)
        run = finished_run(tmp_path / "run", f'evaluation.data=["{tmp_path / "mine"}"]', command=COMMAND)
        assert "a text that not everybody has" in self.refused(run)

    def test_a_run_whose_texts_lay_elsewhere(self, copied):
        provenance = copied.provenance()
        provenance[0]["texts"][0]["place"] = "/home/me/toy"
        (copied.path / "provenance.json").write_text(json.dumps(provenance))
        assert "a text that not everybody has (received '/home/me/toy')" in self.refused(copied)

    def test_a_run_on_a_source_of_ones_own(self, tmp_path):
        run = finished_run(tmp_path / "run", source=f"{EXAMPLES / 'coins.py'}:Coins", command=COMMAND)
        assert "nobody can say what a source of one's own reads" in self.refused(run)

    def test_a_run_without_a_command_line(self, tmp_path):
        assert "does not know the command line" in self.refused(finished_run(tmp_path / "run", command=()))

    @pytest.mark.parametrize("name", ["", "a/b", "..", "Tiny", "a b", "-a", "a-", "ünï"])
    def test_a_name_that_cannot_be_typed(self, finished, name):
        assert "a model cannot have this name" in self.refused(finished, name)

    def test_a_name_that_is_taken(self, finished):
        packed(finished)
        assert "a model of this name ships already" in refusal(packed, finished)
