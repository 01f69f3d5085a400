"""Whatever is wrong with the files of a run: one line that names file and field, before anything of them is used."""

import contextlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tests.up.runs.cases import CPU, outcome, refusal, same_tensors, small_config, small_state, weights
from up.errors import InputError
from up.runs.files import sha256_of
from up.runs.folder import RunFolder, load_model, open_run
from up.runs.loop import train
from up.training.state import TrainingState

MODEL, STATE, MANIFEST = "model.safetensors", "state.safetensors", "checkpoint.json"


@pytest.fixture
def run(begin) -> RunFolder:
    """A finished run of three steps with checkpoints after the second and the third."""
    run, state, prepared = begin("training.checkpoint_every=16", instances=24)
    list(train(run, state, prepared))
    return run


def restore(run: RunFolder) -> TrainingState:
    state = TrainingState(run.config(), CPU)
    run.restore(state)
    return state


def load(run: RunFolder) -> torch.nn.Module:
    return load_model(run.path, CPU)


def latest(run: RunFolder, name: str) -> Path:
    return run.checkpoints()[-1] / name


def reseal(path: Path) -> None:
    """Make the manifest agree with a file, as somebody who means harm would."""
    manifest = path.with_name(MANIFEST)
    values = json.loads(manifest.read_text())
    values[path.stem] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    manifest.write_text(json.dumps(values))


def edit(path: Path, change: Callable[[dict], object]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


class Intruder:
    """An object whose unpickling makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def removed(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nothing"))


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Intruder(path.with_name("intruder"))))


def an_archive_of_torch(path: Path) -> None:
    torch.save({"weights": Intruder(path.with_name("intruder"))}, path)


def of_another_library(path: Path) -> None:
    save_file({"model.layers.0.weight": torch.zeros(2, 2)}, path)


DAMAGES = [
    truncated,
    emptied,
    lengthened,
    flipped,
    removed,
    a_folder,
    a_dangling_link,
    a_pickle,
    an_archive_of_torch,
    of_another_library,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [MODEL, STATE])
def test_a_damaged_file_is_refused_in_one_line_that_names_it_and_is_not_executed(run, name, damage):
    path = latest(run, name)
    damage(path)
    assert str(path) in refusal(restore, run)
    if name == MODEL:
        assert str(path) in refusal(load, run)
    else:
        load(run)  # the model itself is whole
    assert not path.with_name("intruder").exists()


@pytest.mark.parametrize("damage", [truncated, emptied, a_pickle, an_archive_of_torch, of_another_library])
@pytest.mark.parametrize("name", [MODEL, STATE])
def test_neither_is_one_whose_seal_was_forged(run, name, damage):
    path = latest(run, name)
    damage(path)
    reseal(path)
    said = refusal(restore, run)
    if damage is of_another_library:
        assert ("another model" if name == MODEL else "does not fit its configuration") in said
    else:
        assert f"{path} is no safetensors file" in said
    if name == MODEL:
        assert str(path) in refusal(load, run)
    assert not path.with_name("intruder").exists()


def test_removing_a_damaged_checkpoint_goes_back_to_the_one_before(run):
    expected = outcome(run)
    flipped(latest(run, STATE))
    assert "remove the checkpoint's folder" in refusal(restore, run)
    shutil.rmtree(run.checkpoints()[-1])
    assert restore(run).instances == 16
    load(run)
    assert outcome(run) != expected


def test_the_weights_of_another_model_are_refused_by_their_first_tensor_that_does_not_fit(run, begin):
    other, state, _ = begin("model.width=32", name="other")
    path = latest(run, MODEL)
    shutil.copy(other.save(state) / MODEL, path)
    for call in (restore, load):
        assert "was written with" in refusal(call, run)
    reseal(path)
    for call in (restore, load):
        line = refusal(call, run)
        for said in (str(path), "another model", "token_embedding.weight is (256, 32)", "(256, 16)"):
            assert said in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: tensors.pop("norm.weight"), "norm.weight is absent, and this model's is (16,)"),
        (lambda tensors: tensors.update(extra=torch.zeros(3)), "extra is (3,), and this model's is absent"),
    ],
)
def test_a_tensor_too_few_or_too_many_is_named(run, change, said):
    path = latest(run, MODEL)
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    reseal(path)
    for call in (restore, load):
        assert said in refusal(call, run)


def test_the_state_of_another_run_is_refused(run, begin):
    other, state, _ = begin("model.width=32", name="other", instances=24)
    state.train_step()
    path = latest(run, STATE)
    shutil.copy(other.save(state) / STATE, path)
    assert str(path) in refusal(restore, run)
    reseal(path)
    assert "does not fit its configuration (" in refusal(restore, run)


def test_a_checkpoint_under_another_number_is_refused(run):
    run.checkpoints()[-1].rename(run.path / "checkpoints" / "00000032")
    line = refusal(restore, run)
    for said in ("named after 32 instances", f"{MANIFEST} in it says 24", f"{STATE} 24"):
        assert said in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.update(format=1), "has format 1"),
        (lambda values: values.update(format=4), "has format 4"),
        (lambda values: values.pop("format"), "has format 1"),
        (lambda values: values.update(format=2), "has format 2"),
        (lambda values: values.update(format="3"), "has format '3'"),
        (lambda values: values.pop("model"), "setting model is missing"),
        (lambda values: values["state"].pop("sha256"), "setting state.sha256 is missing"),
        (lambda values: values["model"].update(bytes="many"), "model.bytes has the wrong type"),
        (lambda values: values.update(colour="red"), "unknown setting colour"),
        (lambda values: values.update(config=3), "config has the wrong type"),
    ],
)
def test_a_manifest_of_another_format_or_with_other_fields_is_refused(run, change, said):
    path = latest(run, MANIFEST)
    edit(path, change)
    for call in (restore, load):
        line = refusal(call, run)
        assert str(path) in line
        assert said in line


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (removed, "is missing"),
        (truncated, "is not JSON"),
        (emptied, "is not JSON"),
        (a_pickle, "is not JSON"),
        (a_folder, "cannot read"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is not JSON"),
        (lambda path: path.write_text("[1, 2]"), "does not hold a JSON object"),
        (lambda path: path.write_text("[" * 100_000), "is not JSON"),
    ],
)
@pytest.mark.parametrize("name", [MANIFEST, "config.json"])
def test_json_that_cannot_be_read_is_refused_in_one_line_that_names_the_file(run, name, damage, said):
    path = latest(run, name) if name == MANIFEST else run.path / name
    damage(path)
    calls = (restore, load)
    if name == "config.json" and damage in (removed, a_folder):  # then there is no run
        calls, said = (lambda run: open_run(run.path),), "there is no run here"
        path = run.path
    for call in calls:
        line = refusal(call, run)
        assert str(path) in line
        assert said in line
    assert not path.with_name("intruder").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.update(format=1), ("has format 1", "provenance.json")),
        (lambda values: values.pop("format"), ("has format 1", "provenance.json")),
        (lambda values: values.update(colour="red"), ("unknown setting colour", "red")),
        (lambda values: values["model"].update(width="x"), ("model.width has the wrong type", "'x'")),
        (lambda values: values["model"].update(width=-1), ("model.width must be positive", "-1")),
        (lambda values: values.update(training=3), ("training has the wrong type", "3")),
        (lambda values: values["training"].pop("instances"), ("training.instances is missing",)),
        (lambda values: values.update(seed=3), ("says seed = 3", "checkpoint.json 0")),
        (lambda values: values["model"].update(dropout=0.5), ("says model.dropout = 0.5", "checkpoint.json 0.0")),
        (lambda values: values["training"].update(instances=99), ("training.instances = 99", "checkpoint.json 24")),
        (
            lambda values: values["training"].pop("learning_rate"),
            ("training.learning_rate = 0.0003", "checkpoint.json 0.0"),
        ),
        (lambda values: values["evaluation"].update(data=["a"]), ("evaluation.data = ['a']", "checkpoint.json [")),
    ],
)
def test_an_edited_configuration_is_refused_with_its_field_and_both_values(run, change, said):
    path = run.path / "config.json"
    state = small_state(instances=24)
    edit(path, change)
    for call in (lambda run: run.restore(state), load):
        line = refusal(call, run)
        for each in (str(path), *said):
            assert each in line
    assert state.instances == 0


def test_a_configuration_edited_in_the_manifest_is_refused_alike(run):
    edit(latest(run, MANIFEST), lambda values: values["config"]["source"].update(temperature=1.0))
    for call in (restore, load):
        assert "source.temperature = 0.0001" in refusal(call, run)


def test_a_run_from_before_a_setting_existed_is_read_with_its_default(run):
    def forget(values: dict) -> None:
        config = values.get("config", values)
        del config["model"]["copy_pool"], config["training"]["keep"]

    for path in (run.path / "config.json", latest(run, MANIFEST)):
        edit(path, forget)
    assert (run.config().model.copy_pool, run.config().training.keep) == ("logarithmic", "latest")
    load(run)
    assert restore(run).instances == 24


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b"\n")[2])


@pytest.mark.parametrize("damage", [flipped, emptied, truncated, cut, removed])
def test_damaged_metrics_are_set_aside_and_the_run_goes_on_from_its_checkpoint(run, damage):
    path, step = run.metrics.metrics_path, run.metrics.latest()[0]
    expected = restore(run)
    damage(path)
    content = path.read_bytes() if path.exists() else None
    state = small_state(instances=24)
    said = run.restore(state)
    assert same_tensors(weights(state), weights(expected))
    assert "\n" not in said
    assert f"bytes of {path} are not those that the checkpoint knows" in said
    kept = path.with_name("metrics.jsonl.damaged")
    if content is None:
        assert "is gone" in said
        assert not kept.exists()
    else:
        assert f"kept as {kept.name}" in said
        assert kept.read_bytes() == content
    assert run.metrics.latest() == (None, None)
    run.metrics.append(step)
    run.save(state)
    load(run)
    assert run.restore(small_state(instances=24)) is None  # the next checkpoint knows the metrics that began anew


def test_metrics_damaged_twice_are_kept_twice(run):
    for name in ("metrics.jsonl.damaged", "metrics.jsonl.damaged-2", "metrics.jsonl.damaged-3"):
        run.metrics.metrics_path.write_text(name)
        run.restore(small_state(instances=24))
        assert run.metrics.metrics_path.with_name(name).read_text() == name


def test_a_run_trained_on_a_card_cannot_continue_without_one(run):
    edit(latest(run, MANIFEST), lambda values: values.update(device="cuda"))
    line = refusal(restore, run)
    assert "trained on cuda" in line
    assert "--device cuda" in line
    load(run)  # but its model can be used anywhere


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> RunFolder:
    from up.runs.folder import create_run

    run = create_run(tmp_path_factory.mktemp("finished") / "run", small_config(instances=8))
    state = small_state(instances=8)
    state.train_step()
    run.save(state)
    return run


FILES = [f"checkpoints/00000008/{name}" for name in (MODEL, STATE, MANIFEST)] + ["config.json"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FILES), st.data())
def test_a_byte_changed_anywhere_is_refused_or_changes_nothing(finished, name, data):
    """In a sealed file every change is seen; in JSON it may have met a space or a line break and mean nothing."""
    path, before = finished.path / name, restore(finished)
    content = path.read_bytes()
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        if name.endswith(".safetensors"):
            assert str(path) in refusal(restore, finished)
        else:
            with contextlib.suppress(InputError):
                state = restore(finished)
                assert same_tensors(weights(state), weights(before))
                assert same_tensors(state.tensors(), before.tensors())
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize(
    "raised",
    [
        OSError(12, "Cannot allocate memory"),
        SafetensorError("Error while deserializing header: I/O error: Cannot allocate memory (os error 12)"),
        MemoryError(),
    ],
)
def test_where_memory_runs_out_nothing_is_said_against_the_files(run, monkeypatch, raised):
    """Once the advice was to remove the checkpoint, which was good."""

    def run_out(_path):
        raise raised

    monkeypatch.setattr("up.runs.checkpoint.load_file", run_out)
    with pytest.raises(type(raised)) as caught:
        restore(run)
    assert caught.value is raised
