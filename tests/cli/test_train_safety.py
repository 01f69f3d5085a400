"""What can go wrong around `up train`: files, space, other processes, other machines. One line each, nothing lost."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.streams import assert_refused
from tests.cli.training_runs import drop_checkpoints, files_of, lines_of, outcome_of
from up.runs.folder import load_model, open_run
from up.runs.metrics import MetricsLog
from up.runs.place import hold, in_use

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def resume(run, path, *more):
    return run("train", "--resume", "--out", str(path), "--device", "cpu", *more)


# Files that are not what the run wrote


def truncated(path):
    path.write_bytes(path.read_bytes()[:-50])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def an_archive_of_torch(path):
    torch.save({"a": torch.zeros(2)}, path)


def removed(path):
    path.unlink()


class Intruder:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def a_pickle(path):
    path.write_bytes(pickle.dumps(Intruder(path.parent / "intruder")))


@pytest.mark.parametrize("damage", [truncated, flipped, an_archive_of_torch, removed, a_pickle])
@pytest.mark.parametrize("name", ["model.safetensors", "state.safetensors", "checkpoint.json", "config.json"])
def test_a_damaged_file_is_refused_by_eval_and_by_resume_and_not_executed(run, copied, name, damage):
    path = copied / name if name == "config.json" else open_run(copied).checkpoints()[-1] / name
    damage(path)
    before = files_of(copied)
    said = str(copied if name == "config.json" else path)
    assert_refused(resume(run, copied), said)
    if name != "state.safetensors":
        assert_refused(run("eval", str(copied), "--device", "cpu"), said)
    assert files_of(copied) == before
    assert not (path.parent / "intruder").exists()


def test_an_edited_configuration_is_refused_with_its_field_and_both_values(run, copied):
    path = copied / "config.json"
    values = json.loads(path.read_text())
    values["model"]["dropout"] = 0.25
    path.write_text(json.dumps(values))
    said = (str(path), "model.dropout = 0.25", "checkpoint.json 0.0")
    assert_refused(resume(run, copied), *said)
    assert_refused(run("eval", str(copied), "--device", "cpu"), *said)


def test_a_run_of_another_version_is_refused_with_what_to_do(run, copied):
    path = copied / "config.json"
    values = json.loads(path.read_text())
    del values["format"]
    path.write_text(json.dumps(values))
    for outcome in (resume(run, copied), run("eval", str(copied), "--device", "cpu")):
        assert_refused(outcome, str(path), "format 1", "format 3", "provenance.json")


def test_edited_metrics_are_set_aside_by_resume_which_says_so(run, copied):
    drop_checkpoints(copied)
    path = copied / "metrics.jsonl"
    edited = path.read_bytes().replace(b'"loss_bits": 8', b'"loss_bits": 3', 1)
    path.write_bytes(edited)
    outcome = resume(run, copied)
    assert outcome.code == 0
    assert f"{path} are not those" in outcome.stderr
    assert "kept as metrics.jsonl.damaged" in outcome.stderr
    assert (copied / "metrics.jsonl.damaged").read_bytes() == edited
    assert [line["instances"] for line in lines_of(copied) if line["kind"] == "step"] == [40, 48]


def test_the_checkpoint_of_another_model_is_refused(run, arguments, copied, tmp_path):
    assert run(*arguments(tmp_path / "wide", "-q", **{"model.width": "32"})).code == 0
    wide, path = (open_run(folder).checkpoints()[-1] for folder in (tmp_path / "wide", copied))
    shutil.copy(wide / "model.safetensors", path / "model.safetensors")
    for outcome in (resume(run, copied), run("eval", str(copied), "--device", "cpu")):
        assert_refused(outcome, str(path / "model.safetensors"))
    shutil.copytree(wide, path, dirs_exist_ok=True)
    for outcome in (resume(run, copied), run("eval", str(copied), "--device", "cpu")):
        assert_refused(outcome, "config.json says model.width = 16", "checkpoint.json 32")


# Other processes and other machines


def test_a_run_in_which_another_process_trains_is_refused_and_unchanged(run, arguments, copied, trained):
    drop_checkpoints(copied)
    before = files_of(copied)
    words = ["import sys, time", "from pathlib import Path", "from up.runs.place import hold"]
    words += ["with hold(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"]
    code = "\n".join(words)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(copied)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            assert_refused(resume(run, copied), "another process is training", str(copied), "--out")
            assert_refused(run(*arguments(copied)), "holds another run")
            assert files_of(copied) == before
            assert in_use(copied)
        finally:
            other.send_signal(signal.SIGKILL)
            other.wait()
    assert not in_use(copied)
    assert resume(run, copied, "-q").code == 0
    assert outcome_of(copied) == outcome_of(trained)


def test_a_new_run_that_another_process_has_begun_but_not_written_is_refused(run, arguments, tmp_path):
    with hold(tmp_path / "run"):
        assert_refused(run(*arguments(tmp_path / "run")), "another process is training")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"), [("threads", 99, "threads was 99, is"), ("versions", {"torch": "1.0"}, "versions was")]
)
def test_a_run_that_goes_on_elsewhere_is_warned_that_digits_may_differ(run, copied, name, value, said):
    drop_checkpoints(copied)
    path = copied / "provenance.json"
    (entry,) = json.loads(path.read_text())
    path.write_text(json.dumps([{**entry, name: value}]))
    outcome = resume(run, copied, "-q")
    assert (outcome.code, outcome.stderr.count("\n")) == (0, 1)
    for each in ("up: warning: ", "last digits", said):
        assert each in outcome.stderr
    assert [each["instances"] for each in json.loads(path.read_text())] == [0, 32]
    drop_checkpoints(copied)
    assert resume(run, copied, "-q").stderr == ""  # now the latest process was this machine's


# No space, no permission


def test_a_disk_that_is_full_ends_a_run_in_one_line_and_room_lets_it_go_on(run, copied, trained, monkeypatch):
    drop_checkpoints(copied)
    kept = {name: content for name, content in files_of(copied).items() if name.startswith("checkpoints")}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as planted:
        planted.setattr("up.runs.checkpoint.save_file", full)
        outcome = resume(run, copied, "-q")
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (1, "", 1)
    for said in ("cannot write the checkpoint", "No space left on device", "--resume"):
        assert said in outcome.stderr
    assert {name: content for name, content in files_of(copied).items() if name.startswith("checkpoints")} == kept
    assert resume(run, copied, "-q").code == 0
    assert outcome_of(copied) == outcome_of(trained)


def test_metrics_that_find_no_space_end_a_run_in_one_line(run, copied, trained, monkeypatch):
    drop_checkpoints(copied)
    real = MetricsLog.append

    def full(log, record):
        with monkeypatch.context() as planted:
            planted.setattr("pathlib.Path.open", refuse)
            real(log, record)

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as planted:
        planted.setattr(MetricsLog, "append", full)
        outcome = resume(run, copied, "-q")
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (1, "", 1)
    assert "metrics.jsonl (No space left on device)" in outcome.stderr
    assert resume(run, copied, "-q").code == 0
    assert outcome_of(copied) == outcome_of(trained)


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_real_limit_of_the_system_leaves_the_last_good_checkpoint_and_nothing_half_written(run, copied, trained):
    """The weights, of 49 kB, fit; optimiser and buffer do not."""
    drop_checkpoints(copied)
    words = ["train", "--resume", "--out", str(copied), "--device", "cpu", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "60000", *words], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"up: cannot write the checkpoint {copied}")
    assert "Traceback" not in done.stderr
    assert [folder.name for folder in open_run(copied).checkpoints()] == ["00000032"]
    assert not list(copied.rglob("*.partial"))
    load_model(copied, torch.device("cpu"))
    assert resume(run, copied, "-q").code == 0
    assert outcome_of(copied) == outcome_of(trained)


def test_a_folder_that_may_not_be_written_is_refused_before_anything_is_done(run, arguments, tmp_path, monkeypatch):
    """Whoever runs the tests may be allowed everything, so the refusal of the system is planted."""
    real = Path.mkdir

    def refuse(path, *arguments, **options):
        if path == tmp_path / "run":
            raise PermissionError(13, "Permission denied")
        real(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert_refused(run(*arguments(tmp_path / "run")), "cannot write the output folder", "Permission denied", "--out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(run, arguments, copied, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert_refused(run(*arguments(tmp_path / "locked" / "run")), "Permission denied", "--out")
    drop_checkpoints(copied)
    (copied / ".lock").unlink(missing_ok=True)
    copied.chmod(0o500)
    try:
        assert_refused(resume(run, copied), "Permission denied")
    finally:
        copied.chmod(0o700)
    assert resume(run, copied, "-q").code == 0


# TensorBoard


def test_tensorboard_events_hold_what_the_metrics_hold(run, arguments, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert run(*arguments(tmp_path / "run", "--tensorboard", "-q")).code == 0
    drop_checkpoints(tmp_path / "run")
    assert resume(run, tmp_path / "run", "--tensorboard", "-q").code == 0
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    losses = [(event.step, event.value) for event in events.Scalars("training/loss_bits")]
    history = open_run(tmp_path / "run").metrics.history()
    assert losses == [(record.instances, pytest.approx(record.loss_bits)) for record in history.steps]
    assert len(losses) == 6


def test_without_the_package_tensorboard_nothing_is_begun(run, arguments, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # importing it then raises ImportError
    assert_refused(run(*arguments(tmp_path / "run", "--tensorboard")), "package tensorboard", "pip install")
    assert list(tmp_path.iterdir()) == []
    assert run(*arguments(tmp_path / "run", "-q")).code == 0
