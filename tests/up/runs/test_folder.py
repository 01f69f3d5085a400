"""A run on disk: what is written, that it continues exactly, and what is said about files that are not right."""

import errno
import json
import os
import re
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from tests.up.runs.cases import (
    ARCHITECTURES,
    CPU,
    files_of,
    refusal,
    same_tensors,
    small_config,
    small_state,
    weights,
)
from up.errors import RunError
from up.model.transformer.model import Transformer
from up.runs import checkpoint
from up.runs.checkpoint import read_manifest
from up.runs.files import sha256_of
from up.runs.folder import RunFolder, create_run, load_model, open_run
from up.runs.place import require_free
from up.training.state import TrainingState
from up.training.step import Step


@pytest.fixture
def saved(tmp_path):
    """A run of two steps with a checkpoint after each, and its state."""
    return train(tmp_path / "run", small_config())


def train(path, config, steps=2, keep=2):
    run, state = create_run(path, config, keep=keep), TrainingState(config, CPU)
    for _ in range(steps):
        state.train_step()
        run.metrics.append(a_step(state.instances))
        run.save(state)
    return run, state


def a_step(instances: int) -> Step:
    return Step(
        instances=instances, step=instances // 8, batch=8, loss_bits=7.5, learning_rate=0.1, gradient_norm=1.0,
        enabled_blocks=1, skipped_steps=0, observations={"depth": (4, 4)},
    )  # fmt: skip


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_run_continues_bit_for_bit_from_its_folder(arch, tmp_path):
    """Weights, losses and buffer equal those of the run that was never stopped; dropout included."""
    config = small_config(arch=arch, dropout=0.3)
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
    run.append_provenance(CPU, ["up", "train"], instances=0)
    files = sorted(file.relative_to(run.path).as_posix() for file in run.path.rglob("*") if file.is_file())
    assert files == [
        "checkpoints/00000008/checkpoint.json",
        "checkpoints/00000008/model.safetensors",
        "checkpoints/00000008/state.safetensors",
        "checkpoints/00000016/checkpoint.json",
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


@pytest.mark.parametrize(
    ("keep", "kept"), [(1, ["00000040"]), (2, ["00000032", "00000040"]), (3, ["00000024", "00000032", "00000040"])]
)
def test_the_latest_checkpoints_are_kept_also_by_the_process_that_resumes(tmp_path, keep, kept):
    run, state = train(tmp_path / "run", small_config(), steps=5, keep=keep)
    assert [path.name for path in run.checkpoints()] == kept
    again = open_run(run.path, keep=2)
    state.train_step()
    again.save(state)
    assert [path.name for path in again.checkpoints()] == [*kept, "00000048"][-2:]
    for folder in again.checkpoints():
        manifest = read_manifest(folder)
        assert manifest.model.sha256 == sha256_of(folder / "model.safetensors")


def test_two_are_kept_unless_one_asks_for_more(tmp_path):
    run = create_run(tmp_path / "run", small_config())
    assert (run.keep, open_run(run.path).keep) == (2, 2)


def test_even_if_one_is_kept_there_is_a_whole_one_at_every_moment(tmp_path):
    """At every line that a save executes, some complete checkpoint has the bytes that its manifest seals."""
    run, state = train(tmp_path / "run", small_config(), keep=1)
    state.train_step()
    seen = []

    def whole(folder: Path) -> bool:
        seals = json.loads((folder / "checkpoint.json").read_text())
        return all(seals[name]["sha256"] == sha256_of(folder / f"{name}.safetensors") for name in ("model", "state"))

    def look(frame, event, _argument):
        if event == "call":
            return look if frame.f_code.co_name in ("save", "write_checkpoint", "_save_tensors", "write_text") else None
        seen.append([folder.name for folder in run.checkpoints() if whole(folder)])
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        run.save(state)
    finally:
        sys.settrace(before)
    assert len(seen) > 20
    assert all(seen)
    assert (seen[0], seen[-1]) == (["00000016"], ["00000024"])
    assert ["00000016", "00000024"] in seen


def test_saving_a_state_that_is_saved_already_changes_nothing(saved):
    run, state = saved
    before = files_of(run)
    run.save(state)
    assert files_of(run) == before


def test_a_saved_checkpoint_learns_of_metrics_that_came_after_it(saved):
    """As those of an evaluation that a stop gave up and that was made up for."""
    run, state = saved
    model = files_of(run)["checkpoints/00000016/model.safetensors"]
    run.metrics.append(a_step(16))
    run.save(state)
    assert read_manifest(run.checkpoints()[-1]).metrics == run.metrics.mark()
    run.restore(small_state())
    assert [record.instances for record in run.metrics.history().steps] == [8, 16, 16]
    assert files_of(run)["checkpoints/00000016/model.safetensors"] == model


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


NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


def on_call(function, number, error):
    """Return a function that fails at its n-th call, after having done what it does."""
    calls = 0

    def call(*arguments, **options):
        nonlocal calls
        calls += 1
        done = function(*arguments, **options)
        if calls == number:
            raise error
        return done

    return call


@pytest.mark.parametrize(
    ("name", "number", "error"),
    [
        ("save_file", 1, NO_SPACE),
        ("save_file", 2, SafetensorError("I/O error: No space left on device")),
        ("sync_file", 1, NO_SPACE),
        ("sync_file", 2, OSError(errno.EDQUOT, "No space left on device: quota")),
        ("sha256_of", 2, NO_SPACE),
        ("write_text", 1, NO_SPACE),
    ],
)
def test_a_save_without_space_is_a_failed_run_that_leaves_the_checkpoint_before(
    saved, monkeypatch, name, number, error
):
    run, state = saved
    before, kept = weights(state), files_of(run)
    state.train_step()
    monkeypatch.setattr(checkpoint, name, on_call(getattr(checkpoint, name), number, error))
    with pytest.raises(RunError) as caught:
        run.save(state)
    line = str(caught.value)
    assert "\n" not in line
    for said in (str(run.path / "checkpoints" / "00000024"), "No space left", "--resume"):
        assert said in line
    assert files_of(run) == kept
    assert sorted(path.name for path in (run.path / "checkpoints").iterdir()) == ["00000008", "00000016"]
    restored = small_state()
    run.restore(restored)
    assert same_tensors(weights(restored), before)

    monkeypatch.undo()
    run.save(state)
    assert [path.name for path in run.checkpoints()] == ["00000016", "00000024"]


def test_leftovers_of_a_save_that_was_cut_off_are_no_checkpoints_and_the_next_save_removes_them(saved):
    run, state = saved
    folder = run.path / "checkpoints"
    for name in ("00000024.partial", "00000008.removed"):
        (folder / name).mkdir()
        (folder / name / "model.safetensors").write_bytes(b"half")
    (run.path / "config.json.0123abcd.partial").write_text("{")
    assert [path.name for path in run.checkpoints()] == ["00000008", "00000016"]
    restored = small_state()
    run.restore(restored)
    assert restored.instances == 16
    assert sorted(path.name for path in folder.iterdir()) == ["00000008", "00000016"]
    load_model(run.path, CPU)
    (folder / "00000024.partial").mkdir()
    state.train_step()
    run.save(state)
    assert sorted(path.name for path in folder.iterdir()) == ["00000016", "00000024"]


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_what_a_killed_process_wrote_after_its_checkpoint_is_cut_away(saved, cut):
    run, _ = saved
    before = run.metrics.metrics_path.read_bytes()
    for instances in (24, 32):
        run.metrics.append(a_step(instances))
    run.metrics.metrics_path.write_bytes(run.metrics.metrics_path.read_bytes() + b'{"kind": "step", "insta'[:cut])
    run.restore(small_state())
    assert run.metrics.metrics_path.read_bytes() == before


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again_from_nothing(tmp_path):
    run = create_run(tmp_path / "run", small_config())
    run.metrics.append(a_step(8))
    state = small_state()
    run.restore(state)
    assert (state.instances, state.step) == (0, 0)
    assert run.metrics.latest() == (None, None)
    assert not run.metrics.metrics_path.exists()


@pytest.mark.parametrize("name", ["²", "٣", "123", "000000016", "-0000001", "1e3", "notes"])
def test_a_folder_among_the_checkpoints_that_is_none_of_ours_is_left_alone(saved, name):
    run, _ = saved
    (run.path / "checkpoints" / name).mkdir()
    assert [path.name for path in run.checkpoints()] == ["00000008", "00000016"]
    state = small_state()
    run.restore(state)
    load_model(run.path, CPU)
    state.train_step()
    run.save(state)
    assert (run.path / "checkpoints" / name).is_dir()


def test_an_empty_folder_with_a_checkpoints_name_is_refused_with_what_to_do(saved):
    run, _ = saved
    stray = run.path / "checkpoints" / "99999999"
    stray.mkdir()
    for call in (lambda: run.restore(small_state()), lambda: load_model(run.path, CPU)):
        line = refusal(call)
        assert str(stray) in line
        assert "remove the checkpoint's folder to go back to the one before" in line
    stray.rmdir()
    run.restore(small_state())


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_every_file_of_a_checkpoint_has_the_mode_that_the_umask_gives(saved, umask):
    run, state = saved
    before = os.umask(umask)
    try:
        state.train_step()
        folder = run.save(state)
    finally:
        os.umask(before)
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == dict.fromkeys(
        ("model.safetensors", "state.safetensors", "checkpoint.json"), 0o666 & ~umask
    )


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

    config = small_config()
    for name in ("mkdir", "open"):
        with monkeypatch.context() as planted:
            planted.setattr(Path, name, refuse)
            line = refusal(create_run, tmp_path / "out", config)
        assert "Permission denied" in line
        assert "--out" in line
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    line = refusal(create_run, tmp_path / "out", small_config())
    assert "Permission denied" in line
    assert not list((tmp_path / "out").iterdir())


def test_a_checkpoint_in_a_folder_that_became_read_only_is_a_failed_run(saved, monkeypatch):
    run, state = saved
    state.train_step()
    kept = files_of(run)
    real = Path.mkdir

    def refuse(path, *arguments, **options):
        if path.name.endswith(".partial"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match=r"cannot write the checkpoint .*00000024 \(Permission denied\)"):
        run.save(state)
    assert files_of(run) == kept


def test_a_process_that_was_killed_as_it_began_is_not_in_the_way_of_the_next(tmp_path):
    for name in (".lock", "config.json.0123abcd.partial"):
        (tmp_path / name).write_text("")
    require_free(tmp_path)
    create_run(tmp_path, small_config())
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "config.json"]


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
    assert "no checkpoint yet" in refusal(load_model, run.path, CPU)


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


@pytest.mark.parametrize("reader", ["read_manifest", "load_tensors", "load_file"])
def test_a_checkpoint_that_is_removed_while_it_is_loaded_is_not_the_latest_any_more(begin, monkeypatch, reader):
    """The process that trains saves just as the reader has looked for the latest checkpoint, or opens its files."""
    run, state, _ = begin()
    run = RunFolder(run.path, keep=1)
    state.train_step()
    run.save(state)
    real, saves = getattr(checkpoint, reader), []

    def interrupted(*arguments, **options):
        if not saves:
            saves.append(state.train_step())
            run.save(state)
        if not Path(arguments[0]).exists() and reader == "load_file":
            raise RuntimeError("unable to mmap a file that is gone")
        return real(*arguments, **options)

    monkeypatch.setattr(checkpoint, reader, interrupted)
    model = load_model(run.path, CPU)
    assert len(saves) == 1
    assert same_tensors(dict(model.state_dict()), weights(state))


def test_a_checkpoint_that_is_there_and_broken_is_told_at_once_and_with_a_reason(saved):
    run, _ = saved
    (run.checkpoints()[-1] / "model.safetensors").unlink()
    line = refusal(load_model, run.path, CPU)
    assert "model.safetensors (No such file or directory)" in line
    assert "None" not in line
