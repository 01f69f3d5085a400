"""One checkpoint on disk: written so that it is whole or absent, and verified before anything of it is used.

    checkpoints/00012000/     after 12,000 instances
      model.safetensors       the weights, named as in the model
      state.safetensors       optimiser, buffer, generators, counters
      checkpoint.json         configuration, device, length and SHA-256 of both files and of the metrics so far

The folder is written under another name, every file in it is made durable, and then it is renamed. A folder whose name
is a number is therefore complete. Nothing in it can execute code: JSON and safetensors only.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load, load_file, save_file
from torch import Tensor

from theory.words import number_of
from up.config import flatten, from_dict, to_dict
from up.errors import InputError, RunError
from up.memory import is_out_of_memory
from up.recipes.config import RunConfig
from up.runs.files import read_json, reason_of, sha256_of, sync_file, sync_folder, write_text
from up.runs.metrics import MetricsMark
from up.sources.nesting import without_places
from up.training.state import TrainingState

FORMAT = 3
"""Version of everything in a run folder; 1 was written before versions were, 2 before sources had a kind."""

MODEL_NAME = "model.safetensors"
STATE_NAME = "state.safetensors"
MANIFEST_NAME = "checkpoint.json"


class Seal(Protocol):
    """Length and SHA-256 of a file."""

    @property
    def bytes(self) -> int:
        """Length of the file."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of its content, in hexadecimal."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class _FileSeal:
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """What `checkpoint.json` says.

    Attributes:
        instances: trained on.
        device: kind of device whose generators the state holds, such as `cpu`.
        model: seal of the weights.
        state: seal of everything else; None where only the weights are kept, as in a model that ships.
        metrics: how far the metrics had come.
        config: the resolved configuration, as nested dictionaries.
    """

    instances: int
    device: str
    model: _FileSeal
    state: _FileSeal | None
    metrics: MetricsMark
    config: dict


def checkpoint_name(instances: int) -> str:
    """Return the name of a checkpoint's folder.

    >>> checkpoint_name(12_000)
    '00012000'
    """
    return f"{instances:08d}"


def write_checkpoint(folder: Path, state: TrainingState, metrics: MetricsMark) -> None:
    """Write a checkpoint to `folder`, which must not exist; `metrics` must be durable already.

    Raises:
        RunError: a file cannot be written; nothing is left of the attempt.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in state.model.state_dict().items()}
    try:
        partial.mkdir(parents=True)
        manifest = Manifest(
            instances=state.instances,
            device=state.device.type,
            model=_save_tensors(weights, partial / MODEL_NAME),
            state=_save_tensors(state.tensors(), partial / STATE_NAME),
            metrics=metrics,
            config=to_dict(state.config),
        )
        write_manifest(partial, manifest)
        partial.rename(folder)
        sync_folder(folder.parent)
    except (SafetensorError, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise _unwritten(folder, error) from None


def extend_checkpoint(folder: Path, metrics: MetricsMark) -> None:
    """Note in a whole checkpoint that the metrics have come further since, by an evaluation of its own weights.

    Raises:
        InputError: the manifest cannot be read.
        RunError: it cannot be written; the one before is whole.
    """
    manifest = read_manifest(folder)
    if manifest.metrics != metrics:
        try:
            write_manifest(folder, dataclasses.replace(manifest, metrics=metrics))
        except OSError as error:
            raise _unwritten(folder, error) from None


def read_manifest(folder: Path) -> Manifest:
    """Return what a checkpoint says of itself.

    Raises:
        InputError: the file is missing, changed beyond reading, or of another format.
    """
    path = folder / MANIFEST_NAME
    values = read_json(path, dict, remedy=_BEFORE)
    require_format(path, values)
    try:
        return from_dict(Manifest, values)
    except InputError as error:
        raise InputError(f"cannot read {path} ({error})", remedy=_BEFORE) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what a checkpoint says of itself."""
    write_text(folder / MANIFEST_NAME, json.dumps({"format": FORMAT, **to_dict(manifest)}, indent=2) + "\n")


def require_format(path: Path, values: dict[str, Any]) -> None:
    """Take the field `format` out of the content of a file, and refuse any but this version's."""
    found = values.pop("format", 1)
    if found != FORMAT:
        raise InputError(
            f"{path} has format {found!r} and this version of up reads format {FORMAT}",
            remedy="use the version of up that wrote it (provenance.json says which), or start a new run",
        )


def load_checkpoint(folder: Path, config: RunConfig, state: TrainingState) -> Manifest:
    """Verify a checkpoint, load it into a fresh state, and return its manifest.

    Raises:
        InputError: a file is missing, truncated, edited or of another model, the run's configuration is not the one
            that the checkpoint was written with, its random numbers exist only on another kind of device, only the
            weights are kept, or the folder was renamed.
    """
    manifest = read_manifest(folder)
    _require_config(folder, manifest, config)
    if manifest.state is None:
        raise InputError(
            f"{folder} holds weights only, as a model that ships does",
            remedy="evaluate it; to train further, start a new run with the command in card.json",
        )
    if manifest.device != state.device.type:
        raise InputError(
            f"the run was trained on {manifest.device} and its random numbers exist only there",
            received=str(state.device),
            remedy=f"resume it with --device {manifest.device}",
        )
    weights = load_tensors(folder / MODEL_NAME, manifest.model)
    tensors = load_tensors(folder / STATE_NAME, manifest.state)
    require_shapes(folder / MODEL_NAME, weights, state.model.state_dict())
    state.restore(weights, tensors)
    if not int(folder.name) == manifest.instances == state.instances:
        raise InputError(
            f"{folder} is named after {number_of(int(folder.name), 'instance')}, {MANIFEST_NAME} in it says "
            f"{manifest.instances:,}, and {STATE_NAME} {state.instances:,}",
            remedy="restore the name and the files that the run saved",
        )
    return manifest


def load_weights(folder: Path, config: RunConfig, model: torch.nn.Module) -> None:
    """Verify the weights of a checkpoint and load them into a model; raises as `load_checkpoint` does."""
    manifest = read_manifest(folder)
    _require_config(folder, manifest, config)
    weights = load_tensors(folder / MODEL_NAME, manifest.model)
    require_shapes(folder / MODEL_NAME, weights, model.state_dict())
    model.load_state_dict(weights)


_BEFORE = "restore it, or remove the checkpoint's folder to go back to the one before"


def _require_config(folder: Path, manifest: Manifest, config: RunConfig) -> None:
    """Refuse a run whose configuration was changed after the checkpoint was written; a source's file may have moved.

    A setting that neither file has is one that came later, and has its default.
    """
    try:
        stored = from_dict(RunConfig, manifest.config)
    except InputError as error:
        raise InputError(f"cannot read {folder / MANIFEST_NAME} ({error})", remedy=_BEFORE) from None
    then, now = (flatten(without_places(json.loads(json.dumps(to_dict(each))))) for each in (stored, config))
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            raise InputError(
                f"{folder.parents[1] / 'config.json'} says {name} = {now.get(name)!r}, and {folder / MANIFEST_NAME} "
                f"{then.get(name)!r}",
                remedy="restore the file that was edited; for other settings start a new run",
            )


def require_shapes(path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Refuse the weights of another model, and name the first tensor that does not fit."""
    for name in [*expected, *found]:
        shapes = [tuple(tensors[name].shape) if name in tensors else "absent" for tensors in (found, expected)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"{path} holds the weights of another model: {name} is {shapes[0]}, and this model's is {shapes[1]}",
                remedy="restore the file that the run saved",
            )


def _unwritten(folder: Path, error: Exception) -> RunError:
    return RunError(
        f"cannot write the checkpoint {folder} ({reason_of(error)}): make room, then --resume continues from the one "
        "before"
    )


def _save_tensors(tensors: dict[str, Tensor], path: Path) -> _FileSeal:
    path.touch()
    mode = path.stat().st_mode  # what the user's umask makes of a new file; safetensors would leave it to the owner
    save_file(tensors, path)
    path.chmod(mode)
    sync_file(path)
    return _FileSeal(bytes=path.stat().st_size, sha256=sha256_of(path))


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:  # `load_file` opens no such name
        return load(path.read_bytes())
    return load_file(path)


def load_tensors(path: Path, seal: Seal, *, remedy: str = _BEFORE) -> dict[str, Tensor]:
    """Return the tensors of a file, if it is as it was written.

    Raises:
        InputError: it is not, or cannot be read; with the remedy given.
    """
    try:
        size = path.stat().st_size
        if size != seal.bytes:
            raise InputError(f"{path} has {number_of(size, 'byte')} and was written with {seal.bytes:,}", remedy=remedy)
        if sha256_of(path) != seal.sha256:
            raise InputError(f"{path} was changed after it was written: its SHA-256 differs", remedy=remedy)
        return _read_tensors(path)
    except (OSError, SafetensorError) as error:
        if is_out_of_memory(error):  # nothing is wrong with the file, and it is not to be removed
            raise
        if isinstance(error, OSError):
            raise InputError(f"cannot read {path} ({reason_of(error)})", remedy=remedy) from None
        raise InputError(f"{path} is no safetensors file ({error})", remedy=remedy) from None
