"""`up models`, `builtin:NAME` where a command takes RUN, and the command that makes such a model of a run."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.make_builtin import main as make_builtin
from cli.context import CliContext
from tests.cli.streams import Outcome, Terminal, assert_refused
from tests.up.runs.cases import CPU, finished_run
from up.runs import builtin
from up.runs.pack import pack

COMMAND = ("up", "train", "--preset", "tiny", "--out", "runs/it")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run, and a folder of models with the one in it that was made of it."""
    folder, path = tmp_path_factory.mktemp("shipped"), tmp_path_factory.mktemp("runs") / "it"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "FOLDER", folder)
        pack(finished_run(path, command=COMMAND).path, "small", device=CPU, samples=4)
    return path, folder


@pytest.fixture
def shipped(made, tmp_path, monkeypatch) -> Path:
    """The folder of `builtin:small`, a test's own."""
    monkeypatch.setattr(builtin, "FOLDER", Path(shutil.copytree(made[1], tmp_path / "shipped")))
    return builtin.FOLDER / "small"


@pytest.mark.usefixtures("shipped")
class TestModels:
    def test_it_lists_size_training_seal_and_bits_beside_the_hardest_bar_and_itself_untrained(self, shipped, run):
        outcome = run("models")
        assert (outcome.code, outcome.stderr) == (0, "")
        card = json.loads((shipped / "card.json").read_text())
        (row,) = card["rows"]
        for said in (
            "builtin:small",
            f"{card['parameters']:,} parameters",
            f"{card['weights_bytes']:,} bytes, SHA-256 {card['weights_sha256'][:12]}",
            "64 sequences of 32 tokens from",
            "up train --preset tiny --out runs/it",
            "No data was used to train this model",
            f"{row['tail_bits']:.3f} ± {row['tail_stderr']:.3f}",
            f"{row['untrained_tail_bits']:.3f}",
            f"{row['ppm_exclusion_tail_bits']:.3f} PPM-D with update exclusion",
        ):
            assert said in outcome.stdout

    @pytest.mark.parametrize("columns", ["40", "60", "80", "140"])
    def test_no_line_is_wider_than_the_terminal(self, run, columns):
        outcome = run("models", environment={"COLUMNS": columns})
        assert max(map(len, outcome.stdout.splitlines())) <= int(columns)

    def test_json_has_the_whole_card_and_the_name_that_other_commands_take(self, shipped, run):
        (model,) = json.loads(run("models", "--json").stdout)["models"]
        assert model == {"run": "builtin:small", **json.loads((shipped / "card.json").read_text())}

    def test_where_none_ships_it_says_so(self, tmp_path, monkeypatch, run):
        monkeypatch.setattr(builtin, "FOLDER", tmp_path / "nothing")
        assert run("models").stdout.startswith("no models ship with this version; train one with: up train")
        assert json.loads(run("models", "--json").stdout) == {"command": "models", "models": []}


@pytest.mark.usefixtures("shipped")
class TestNamedAsRun:
    def test_eval_predicts_as_it_does_with_the_run(self, made, text, run):
        options = ("--data", str(text), "--samples", "8", "--device", "cpu", "--json", "--quiet")
        found, expected = (json.loads(run("eval", name, *options).stdout) for name in ("builtin:small", str(made[0])))
        assert found["run"] == "builtin:small"
        assert found["rows"] == expected["rows"]

    def test_runs_show_tells_where_it_comes_from(self, run, tmp_path):
        outcome = run("runs", "show", "builtin:small", "--svg", str(tmp_path / "it.svg"))
        assert outcome.stdout.startswith("builtin:small  complete, 64 of 64 instances\n")
        assert "up train --preset tiny --out runs/it" in " ".join(outcome.stdout.split())
        assert json.loads(run("runs", "show", "builtin:small", "--json").stdout)["name"] == "builtin:small"
        assert "builtin:small" in (tmp_path / "it.svg").read_text()

    def test_runs_compare_sets_it_beside_a_run(self, made, run):
        outcome = run("runs", "compare", "builtin:small", str(made[0]))
        assert outcome.stdout.startswith("A builtin:small  complete")
        assert "All settings are the same" in outcome.stdout

    def test_runs_lists_it_where_it_is_given_as_the_folder(self, run):
        assert "builtin:small  complete" in run("runs", "--folder", "builtin:small").stdout

    @pytest.mark.parametrize("words", ["eval {}", "runs show {}", "runs compare {} {}", "runs --folder {}"])
    @pytest.mark.parametrize("name", ["builtin:big", "builtin:"])
    def test_an_unknown_one_is_one_line_that_lists_those_that_there_are(self, run, words, name):
        outcome = run(*words.format(name, name).split())
        assert_refused(outcome, f"received '{name}'", "use one of builtin:small")

    @pytest.mark.parametrize(
        "words",
        ["models", "models --json", "eval {}", "runs show {}", "runs compare {} {}", "runs --folder {}"],
    )
    def test_damaged_weights_are_one_line_that_says_to_reinstall(self, shipped, run, words):
        (path,) = shipped.glob("checkpoints/*/model.safetensors")
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        outcome = run(*words.format("builtin:small", "builtin:small").split())
        assert_refused(outcome, "model.safetensors was changed, its SHA-256 differs", "reinstall up (pip install")

    @pytest.mark.parametrize(
        "words",
        ["--out builtin:small", "--out builtin:new --plan", "--resume --out builtin:small", "--resume --out {}"],
    )
    def test_nothing_is_trained_into_it(self, shipped, run, words):
        before = {path: path.read_bytes() for path in shipped.rglob("*") if path.is_file()}
        outcome = run("train", *words.format(shipped).split())
        assert_refused(outcome, "nothing is trained into a model that ships with up", "choose another --out")
        assert {path: path.read_bytes() for path in shipped.rglob("*") if path.is_file()} == before


class TestMaking:
    def make(self, *words) -> Outcome:
        stdout, stderr = Terminal(), Terminal()
        code = make_builtin([str(word) for word in words], CliContext.from_streams(stdout, stderr, {"NO_COLOR": "1"}))
        return Outcome(code, stdout.getvalue(), stderr.getvalue())

    def test_a_model_that_was_made_is_there_at_once(self, made, shipped, run):
        outcome = self.make(made[0], "another-1", "--samples", "4")
        assert outcome.code == 0
        assert "builtin:another-1" in outcome.stdout
        assert run("runs", "show", "builtin:another-1").code == 0
        assert {path.name for path in shipped.parent.iterdir()} == {"another-1", "small"}

    def test_what_cannot_ship_is_one_line_and_leaves_nothing(self, made, shipped, tmp_path):
        half = Path(shutil.copytree(made[0], tmp_path / "half"))
        shutil.rmtree(half / "checkpoints/00000064")
        assert_refused(self.make(half, "mine"), "the run is stopped after 64 of 64 instances")
        assert_refused(self.make(shipped.parent, "mine"), "there is no run here")
        assert_refused(self.make("builtin:small", "Small"), "a model cannot have this name")
        assert {path.name for path in shipped.parent.iterdir()} == {"small"}
