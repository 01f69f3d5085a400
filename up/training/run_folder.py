"""A run on disk: configuration, provenance, metrics and checkpoints in one folder.

    runs/tiny/
      config.json              the resolved configuration
      provenance.json          versions, commit, device and command line of each process that worked on the run
      metrics.jsonl            one JSON object a line: kind `progress` or `evaluation`
      checkpoints/00012000/    after 12,000 instances
        model.safetensors      the weights, named as in the model
        state.safetensors      optimiser, buffer, generators, counters

Nothing in it can execute code: JSON and safetensors only. A checkpoint is written under another name and renamed when
it is whole, so that a crash leaves the previous one; the last two are kept.
"""

import dataclasses
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

import up
from up.config import from_dict, to_dict
from up.errors import InputError, RunError
from up.evaluation.rows import EvaluationRow
from up.model.transformer import Transformer
from up.training.config import RunConfig
from up.training.state import TrainingState

KEPT_CHECKPOINTS = 2
_RECORDED_PACKAGES = ("torch", "numpy", "safetensors")


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run; made by `create_run` or `open_run`."""

    path: Path

    @property
    def metrics_path(self) -> Path:
        """The metrics, JSON lines."""
        return self.path / "metrics.jsonl"

    def config(self) -> RunConfig:
        """Return the configuration that the run was started with.

        Raises:
            InputError: the file is missing, not JSON, or not a configuration of this version.
        """
        path = self.path / "config.json"
        try:
            return from_dict(RunConfig, _read_json(path, dict))
        except InputError as error:
            raise InputError(f"cannot read {path} ({error})", remedy="restore the file or start a new run") from None

    def checkpoints(self) -> list[Path]:
        """Return the folders of the complete checkpoints, oldest first."""
        complete = (entry for entry in (self.path / "checkpoints").glob("*") if entry.name.isdigit())
        return sorted(complete, key=lambda entry: int(entry.name))

    def instances_saved(self) -> int:
        """Return the instances behind the latest checkpoint; 0 if there is none."""
        return int(self.checkpoints()[-1].name) if self.checkpoints() else 0

    def save(self, state: TrainingState) -> Path:
        """Write a checkpoint of a run and return its folder; older ones beyond the last two are removed."""
        final = self.path / "checkpoints" / f"{state.instances:08d}"
        partial = final.with_name(f"{final.name}.partial")
        for leftover in final.parent.glob("*.partial"):  # of a save that was cut off
            shutil.rmtree(leftover)
        partial.mkdir(parents=True)
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in state.model.state_dict().items()}
        _save_tensors(weights, partial / "model.safetensors")
        _save_tensors(state.tensors(), partial / "state.safetensors", device=state.device.type)
        if final.exists():  # the same state was saved before
            shutil.rmtree(final)
        partial.rename(final)
        _sync_folder(final.parent)
        for old in self.checkpoints()[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(old)
        return final

    def restore(self, state: TrainingState) -> None:
        """Load the latest checkpoint into a fresh state.

        Raises:
            InputError: there is none, it is truncated or does not fit the configuration, or its random numbers are
                those of another kind of device.
        """
        checkpoint = self._latest()
        tensors = _load_tensors(checkpoint / "state.safetensors")
        with safe_open(checkpoint / "state.safetensors", framework="pt") as handle:
            device = (handle.metadata() or {}).get("device", state.device.type)
        if device != state.device.type:
            raise InputError(
                f"the run was trained on {device} and its random numbers exist only there",
                received=str(state.device),
                remedy=f"resume it with --device {device}",
            )
        state.restore(_load_tensors(checkpoint / "model.safetensors"), tensors)

    def load_weights(self, model: Transformer) -> None:
        """Load the weights of the latest checkpoint into a model; raises as `restore` does."""
        path = self._latest() / "model.safetensors"
        try:
            model.load_state_dict(_load_tensors(path))
        except RuntimeError as error:
            detail = " ".join(str(error).split())[:120]
            raise InputError(
                f"{path} holds the weights of another model ({detail})", remedy="restore the file the run saved"
            ) from None

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Add one line to the metrics."""
        with self.metrics_path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(record, allow_nan=False) + "\n")

    def truncate_metrics(self, instances: int) -> None:
        """Drop the lines after `instances`, and a line that a crash cut off, before a run is resumed from there."""
        if not self.metrics_path.exists():
            return
        kept = []
        for line in self.metrics_path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                if json.loads(line)["instances"] <= instances:
                    kept.append(line)
            except (json.JSONDecodeError, KeyError, TypeError):
                continue
        _write_text(self.metrics_path, "".join(f"{line}\n" for line in kept))

    def last_evaluation(self) -> tuple[EvaluationRow, ...]:
        """Return the rows of the latest evaluation in the metrics; none before the first."""
        rows: tuple[EvaluationRow, ...] = ()
        if self.metrics_path.exists():
            for line in self.metrics_path.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                if record.get("kind") == "evaluation":
                    rows = tuple(from_dict(EvaluationRow, row) for row in record["rows"])
        return rows

    def append_provenance(self, device: torch.device, command: Sequence[str]) -> None:
        """Record versions, commit, device and command line of a process that is about to work on the run."""
        path = self.path / "provenance.json"
        try:
            earlier = _read_json(path, list) if path.exists() else []
        except InputError as error:
            raise InputError(f"cannot read {path} ({error})", remedy="restore the file, or remove it") from None
        record = {
            "command": list(command),
            "commit": _commit(),
            "device": str(device),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "versions": {"up": up.__version__, **{name: metadata.version(name) for name in _RECORDED_PACKAGES}},
        }
        _write_text(path, json.dumps([*earlier, record], indent=2) + "\n")

    def _latest(self) -> Path:
        checkpoints = self.checkpoints()
        if not checkpoints:
            raise InputError(f"the run {self.path} has no checkpoint yet", remedy="let it train until it has saved one")
        return checkpoints[-1]


def require_free(path: Path) -> None:
    """Raise `InputError` unless a new run can be written to `path`: it does not exist, or is an empty folder."""
    try:
        names = {entry.name for entry in path.iterdir()}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        problem = "the output folder is a file" if path.exists() else "the output folder would lie below a file"
        raise InputError(problem, received=str(path), remedy="choose another --out") from None
    except OSError as error:
        raise _unwritable(error, path) from None
    if "config.json" in names:
        raise InputError(
            "the output folder holds another run",
            received=str(path),
            remedy="choose another --out, or continue that run with --resume",
        )
    if names:
        raise InputError("the output folder is not empty", received=str(path), remedy="choose another --out")


def create_run(path: Path, config: RunConfig) -> RunFolder:
    """Make the folder of a new run and store its resolved configuration.

    Raises:
        InputError: the folder is taken or cannot be written.
    """
    require_free(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        _write_text(path / "config.json", json.dumps(to_dict(config), indent=2) + "\n")
    except OSError as error:
        raise _unwritable(error, path) from None
    return RunFolder(path)


def open_run(path: Path) -> RunFolder:
    """Return the run in a folder.

    Raises:
        InputError: there is no run.
    """
    if not os.path.isfile(path / "config.json"):  # False, too, for a name that is no path, such as one too long
        raise InputError(
            "there is no run here", received=str(path), remedy="name a folder that `up train --out` has written"
        )
    return RunFolder(path)


def load_model(path: Path, device: torch.device) -> Transformer:
    """Return the model of a run's latest checkpoint, on a device and in evaluation mode.

    Raises:
        InputError: no run, no checkpoint, or one that is truncated or of another model.
    """
    run = open_run(path)
    model = Transformer(run.config().model)
    run.load_weights(model)
    return model.to(device).eval()


def _unwritable(error: OSError, path: Path) -> InputError:
    return InputError(
        f"cannot write the output folder ({error.strerror})", received=str(path), remedy="choose another --out"
    )


def _read_json(path: Path, kind: type) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", remedy="check its permissions") from None
    except ValueError as error:  # not UTF-8, or not JSON
        raise InputError(f"the file is not JSON: {error}", remedy="it was changed or cut off") from None
    if not isinstance(value, kind):
        raise InputError("the file holds something else", remedy=f"it must be a JSON {kind.__name__}")
    return value


def _commit() -> str | None:
    """Return the commit of the checkout that this code runs from; None where it was installed without one."""
    checkout = Path(up.__file__).parents[1]
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _save_tensors(tensors: dict[str, Tensor], path: Path, **about: str) -> None:
    try:
        save_file(tensors, path, metadata=about)
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    except (SafetensorError, OSError) as error:
        raise RunError(f"cannot write {path} ({error}): make room; the checkpoints before it are whole") from None


def _load_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"{path} is missing", remedy="restore it, or start a new run") from None
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is no whole safetensors file ({error})", remedy="restore it, or remove its folder"
        ) from None


def _write_text(path: Path, text: str) -> None:
    """Replace a file's content in one step."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)


def _sync_folder(path: Path) -> None:
    """Make renames in a folder durable, where the platform can open folders."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
