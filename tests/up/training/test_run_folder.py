"""A run on disk: what is written, that it continues exactly, and what is said about files that are not right."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tests.up.training.cases import ARCHITECTURES, CPU, same_tensors, small_config, small_state, weights
from up.errors import InputError, RunError
from up.evaluation.rows import EvaluationRow, PositionBits
from up.model.transformer import Transformer
from up.training import run_folder
from up.training.run_folder import RunFolder, create_run, load_model, open_run, require_free
from up.training.state import TrainingState


@pytest.fixture
def saved(tmp_path):
    """A run of two steps with a checkpoint after each, and its state."""
    return train(tmp_path / "run", small_config())


def train(path, config, steps=2):
    run, state = create_run(path, config), TrainingState(config, CPU)
    for _ in range(steps):
        state.train_step()
        run.save(state)
    return run, state


def refusal(call, *arguments) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 600
    return line


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_run_continues_bit_for_bit_from_its_folder(arch, tmp_path):
    """Weights, losses and buffer equal those of the run that was never stopped; dropout included."""
    config = small_config("model.dropout=0.3", arch=arch)
    run, whole = train(tmp_path / "run", config, steps=3)
    expected = [whole.train_step() for _ in range(3)]

    restored = TrainingState(open_run(run.path).config(), CPU)
    open_run(run.path).restore(restored)
    assert (restored.instances, restored.step) == (24, 3)
    assert [restored.train_step() for _ in range(3)] == expected
    assert same_tensors(weights(restored), weights(whole))
    assert torch.equal(restored.stream.buffer.rows_CT, whole.stream.buffer.rows_CT)
    assert same_tensors(restored.tensors(), whole.tensors())


def test_saving_changes_nothing_in_a_run(tmp_path):
    config = small_config(arch="paper")
    _, saved_often = train(tmp_path / "run", config, steps=3)
    never_saved = TrainingState(config, CPU)
    for _ in range(3):
        never_saved.train_step()
    assert same_tensors(weights(saved_often), weights(never_saved))


def test_a_folder_holds_json_and_safetensors_and_nothing_that_can_execute(saved):
    run, _ = saved
    run.append_metrics({"kind": "progress", "instances": 8})
    run.append_provenance(CPU, ["up", "train"])
    files = sorted(file.relative_to(run.path).as_posix() for file in run.path.rglob("*") if file.is_file())
    assert files == [
        "checkpoints/00000008/model.safetensors",
        "checkpoints/00000008/state.safetensors",
        "checkpoints/00000016/model.safetensors",
        "checkpoints/00000016/state.safetensors",
        "config.json",
        "metrics.jsonl",
        "provenance.json",
    ]
    for file in run.path.rglob("*.safetensors"):
        content = file.read_bytes()
        assert not content.startswith((b"PK", b"\x80"))  # an archive of torch.save, a pickle
        header_length = int.from_bytes(content[:8], "little")
        assert isinstance(json.loads(content[8 : 8 + header_length]), dict)


def test_the_last_two_checkpoints_are_kept(tmp_path):
    run, _ = train(tmp_path / "run", small_config(), steps=5)
    assert [path.name for path in run.checkpoints()] == ["00000032", "00000040"]


def test_saving_the_same_state_again_replaces_its_checkpoint(saved):
    run, state = saved
    run.save(state)
    assert [path.name for path in run.checkpoints()] == ["00000008", "00000016"]
    run.restore(small_state())


def test_the_stored_configuration_is_the_one_that_the_run_was_made_with(saved):
    run, state = saved
    assert open_run(run.path).config() == state.config


def test_the_loaded_model_predicts_what_the_trained_one_did(saved):
    run, state = saved
    state.model.eval()
    model = load_model(run.path, CPU)
    tokens_BT = torch.arange(64).view(2, 32)
    assert not model.training
    with torch.no_grad():
        assert torch.equal(model(tokens_BT), state.model(tokens_BT))


@pytest.mark.parametrize("file", ["model.safetensors", "state.safetensors"])
def test_a_crash_within_a_save_leaves_the_checkpoint_before(saved, monkeypatch, file):
    run, state = saved
    before = weights(state)
    written = run_folder._save_tensors

    def crash(tensors, path, **about):
        written(tensors, path, **about)
        if path.name == file:
            path.write_bytes(path.read_bytes()[:100])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "_save_tensors", crash)
    state.train_step()
    with pytest.raises(OSError, match="No space"):
        run.save(state)
    assert [path.name for path in run.checkpoints()] == ["00000008", "00000016"]
    restored = small_state()
    run.restore(restored)
    assert same_tensors(weights(restored), before)

    monkeypatch.undo()
    restored.train_step()
    restored.train_step()
    run.save(restored)
    left = sorted(path.name for path in (run.path / "checkpoints").iterdir())
    assert left == ["00000016", "00000032"]


def truncated(path):
    path.write_bytes(path.read_bytes()[:-50])


def emptied(path):
    path.write_bytes(b"")


def foreign_bytes(path):
    path.write_bytes(b"PK\x03\x04 something else" * 10)


def removed(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = [truncated, emptied, foreign_bytes, removed, a_folder]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["model.safetensors", "state.safetensors"])
def test_a_damaged_checkpoint_is_refused_in_one_line_that_names_the_file(saved, file, damage):
    run, _ = saved
    path = run.checkpoints()[-1] / file
    damage(path)
    assert str(path) in refusal(run.restore, small_state())
    if file == "model.safetensors":
        assert str(path) in refusal(load_model, run.path, CPU)


def test_the_checkpoint_of_another_model_is_refused(saved, tmp_path):
    run, _ = saved
    other, _ = train(tmp_path / "other", small_config("model.width=32"))
    path = run.checkpoints()[-1] / "model.safetensors"
    shutil.copy(other.checkpoints()[-1] / "model.safetensors", path)
    assert "does not fit" in refusal(run.restore, small_state())
    assert "another model" in refusal(load_model, run.path, CPU)
    assert str(path) in refusal(load_model, run.path, CPU)


def test_weights_of_another_library_are_refused(saved):
    run, _ = saved
    path = run.checkpoints()[-1] / "model.safetensors"
    save_file({"model.layers.0.weight": torch.zeros(2, 2)}, path)
    assert str(path) in refusal(load_model, run.path, CPU)


def test_the_state_of_another_run_is_refused(saved, tmp_path):
    run, _ = saved
    other, _ = train(tmp_path / "other", small_config("model.width=32"))
    shutil.copy(other.checkpoints()[-1] / "state.safetensors", run.checkpoints()[-1] / "state.safetensors")
    assert "does not fit" in refusal(run.restore, small_state())


def test_a_run_trained_on_a_card_cannot_continue_without_one(saved):
    run, _ = saved
    path = run.checkpoints()[-1] / "state.safetensors"
    save_file(load_file(path), path, metadata={"device": "cuda"})
    line = refusal(run.restore, small_state())
    assert "trained on cuda" in line
    assert "--device cuda" in line
    load_model(run.path, CPU)  # but its model can be used anywhere


def change_config(path, change):
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("{"), "not JSON"),
        (lambda path: path.write_text(""), "not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "not JSON"),
        (lambda path: path.write_text("[1, 2]"), "something else"),
        (lambda path: path.write_text("{}"), "model is missing"),
        (lambda path: change_config(path, lambda values: values.update(colour="red")), "unknown setting colour"),
        (
            lambda path: change_config(path, lambda values: values["model"].update(width="x")),
            "model.width has the wrong",
        ),
        (
            lambda path: change_config(path, lambda values: values["model"].update(width=-1)),
            "model.width must be positive",
        ),
        (lambda path: change_config(path, lambda values: values.update(training=3)), "training has the wrong type"),
    ],
)
def test_a_damaged_configuration_is_refused_in_one_line_that_names_the_file(saved, damage, said):
    run, _ = saved
    path = run.path / "config.json"
    damage(path)
    for call in (lambda: open_run(run.path).config(), lambda: load_model(run.path, CPU)):
        line = refusal(call)
        assert str(path) in line
        assert said in line


@pytest.mark.parametrize("content", ["", "{", "{}", "3"])
def test_a_damaged_provenance_is_refused_in_one_line_that_names_the_file(saved, content):
    run, _ = saved
    path = run.path / "provenance.json"
    path.write_text(content)
    assert str(path) in refusal(run.append_provenance, CPU, ["up"])


def test_the_provenance_has_a_record_for_each_process(saved):
    run, _ = saved
    run.append_provenance(CPU, ["up", "train"])
    run.append_provenance(CPU, ["up", "train", "--resume"])
    first, second = json.loads((run.path / "provenance.json").read_text())
    assert (first["command"], second["command"]) == (["up", "train"], ["up", "train", "--resume"])
    assert first["device"] == "cpu"
    assert first["versions"]["torch"] == torch.__version__
    assert set(first["versions"]) == {"up", "torch", "numpy", "safetensors"}


def test_metrics_after_the_checkpoint_and_cut_off_lines_are_dropped(saved):
    run, _ = saved
    for instances in (8, 16, 24):
        run.append_metrics({"kind": "progress", "instances": instances})
    with run.metrics_path.open("ab") as handle:
        handle.write(b'{"kind": "progress", "instances": 1\xff')
    run.truncate_metrics(16)
    run.append_metrics({"kind": "progress", "instances": 17})
    lines = run.metrics_path.read_text().splitlines()
    assert [json.loads(line)["instances"] for line in lines] == [8, 16, 17]


def test_truncating_without_metrics_makes_none(saved):
    run, _ = saved
    run.truncate_metrics(0)
    assert not run.metrics_path.exists()


def file_in_the_way(path):
    path.write_text("")


def run_in_the_way(path):
    create_run(path, small_config())


def something_in_the_way(path):
    path.mkdir()
    (path / "notes.txt").write_text("mine")


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        (file_in_the_way, "is a file"),
        (run_in_the_way, "holds another run"),
        (something_in_the_way, "is not empty"),
    ],
)
def test_an_output_folder_that_is_taken_is_refused_and_left_as_it_is(tmp_path, obstacle, said):
    path = tmp_path / "out"
    obstacle(path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    for call in (lambda: require_free(path), lambda: create_run(path, small_config())):
        line = refusal(call)
        assert said in line
        assert str(path) in line
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(("name", "said"), [("file/out", "below a file"), ("x" * 300, "too long")])
def test_an_output_folder_that_cannot_be_is_refused_before_anything_is_done(tmp_path, name, said):
    (tmp_path / "file").write_text("")
    assert re.search(said, refusal(require_free, tmp_path / name))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    """Whoever runs the tests may be allowed everything, so the refusal of the system is planted."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    line = refusal(create_run, tmp_path / "out", small_config())
    assert "Permission denied" in line
    assert "--out" in line


def test_an_empty_folder_and_a_new_one_are_free(tmp_path):
    require_free(tmp_path)
    require_free(tmp_path / "a" / "b")
    assert create_run(tmp_path / "a" / "b", small_config()).config() == small_config()


@pytest.mark.parametrize("name", ["", "file", "nothing", "x" * 300])
def test_where_there_is_no_run_none_is_opened(tmp_path, name):
    (tmp_path / "file").write_text("")
    assert "there is no run here" in refusal(open_run, tmp_path / name)


def test_a_run_without_a_checkpoint_has_no_model(tmp_path):
    run = create_run(tmp_path / "run", small_config())
    for call in (lambda: load_model(run.path, CPU), lambda: run.restore(small_state())):
        assert "no checkpoint yet" in refusal(call)


def test_weights_load_into_a_model_that_is_at_hand(saved):
    run, state = saved
    model = Transformer(state.config.model)
    run.load_weights(model)
    assert same_tensors(dict(model.state_dict()), weights(state))


def test_the_latest_checkpoint_is_the_one_with_the_most_instances_not_the_last_name(tmp_path):
    for name in ("100000000", "99000000", "99500000"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    run = RunFolder(tmp_path)
    assert [folder.name for folder in run.checkpoints()] == ["99000000", "99500000", "100000000"]
    assert run.instances_saved() == 10**8


def test_a_checkpoint_that_cannot_be_written_is_a_failed_run_and_says_so(tmp_path, monkeypatch):
    def full_disk(*_, **__):
        raise SafetensorError("I/O error: no space left on device")

    run = create_run(tmp_path / "run", small_config())
    monkeypatch.setattr(run_folder, "save_file", full_disk)
    with pytest.raises(RunError, match=r"cannot write .*model\.safetensors .*no space left"):
        run.save(small_state())


def test_provenance_names_the_commit_of_a_checkout(tmp_path):
    run = create_run(tmp_path / "run", small_config())
    run.append_provenance(CPU, ["up", "train"])
    (record,) = json.loads((run.path / "provenance.json").read_text())
    checkout = Path(__file__).parents[3]
    assert record["commit"] is None or len(record["commit"]) == 40
    assert (record["commit"] is None) == (not (checkout / ".git").exists())


def test_the_last_evaluation_is_read_back_as_it_was_written(tmp_path):
    def row(bits):
        positions = (PositionBits(first_position=1, last_position=1, bits=bits, stderr=0.1, markov_bits=8.0),)
        numbers = dict.fromkeys(("stderr", "tail_bits", "tail_stderr", "markov_bits", "markov_tail_bits"), 4.5)
        return EvaluationRow(
            data="stdlib", source="files", samples=8, context_length=32, bits=bits, tail_positions=8, uniform_bits=8.0,
            markov_order=1, markov_smoothing=0.01, positions=positions, **numbers,
        )  # fmt: skip

    run = create_run(tmp_path / "run", small_config())
    assert run.last_evaluation() == ()
    for instances, bits in ((8, 7.5), (16, 6.5)):
        run.append_metrics({"kind": "evaluation", "instances": instances, "rows": [dataclasses.asdict(row(bits))]})
        run.append_metrics({"kind": "progress", "instances": instances, "loss_bits": 1.0})
    assert run.last_evaluation() == (row(6.5),)
