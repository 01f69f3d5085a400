"""A run on disk: configuration, provenance, metrics and checkpoints in one folder.

    runs/tiny/
      config.json              the resolved configuration
      provenance.json          one entry for each process that worked on the run: versions, commit, device, command line
                               and the texts that it evaluated on (up.runs.texts)
      metrics.jsonl            what was learnt (up.runs.metrics)
      timings.jsonl            how fast
      checkpoints/00012000/    after 12,000 instances (up.runs.checkpoint)
      initial.safetensors      weights that the run began with, where those of another run (up.runs.initial)
      source.py                the text of a source of the user's own, to read; it is never run from here
      source-2.py              of a second one, where the source is made of several
      .lock                    held by the process that trains

Loading a run executes nothing of it: JSON and safetensors only. Resuming one whose source lies in a file of the user's
own runs that file, where it lay, and only if its SHA-256 is the one in `config.json`.
"""

import dataclasses
import datetime
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from up.config import from_dict, to_dict
from up.errors import InputError
from up.model.base import TargetModel, build_model
from up.recipes.config import RunConfig
from up.runs.builtin import label_of, locate, refuse_builtin
from up.runs.card import CARD_NAME
from up.runs.checkpoint import (
    FORMAT,
    checkpoint_name,
    extend_checkpoint,
    load_checkpoint,
    load_weights,
    require_format,
    write_checkpoint,
)
from up.runs.files import read_json, remove_leftovers, write_text
from up.runs.initial import INITIAL_NAME, copy_initial_weights, load_initial_weights
from up.runs.metrics import MetricsLog
from up.runs.place import CONFIG_NAME, refuse_dead_link, require_free, unwritable
from up.runs.provenance import describe_process
from up.runs.texts import TextRecord
from up.sources.nesting import all_sources, program_texts
from up.training.state import TrainingState

KEPT_CHECKPOINTS = 2
PROVENANCE_NAME = "provenance.json"
SOURCE_NAME = "source.py"


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run; made by `create_run` or `open_run`.

    Attributes:
        path: the folder.
        keep: checkpoints that are kept, the latest ones; the best one, of a run that keeps it, is kept beside them.
    """

    path: Path
    keep: int = KEPT_CHECKPOINTS

    @property
    def label(self) -> str:
        """What the run is called: `builtin:NAME` if it ships with up, or the path of its folder."""
        return label_of(self.path)

    @property
    def is_packed(self) -> bool:
        """Whether this is what ships of a finished run (`up.runs.pack`): the weights of its model, and a card."""
        return (self.path / CARD_NAME).exists()

    @property
    def metrics(self) -> MetricsLog:
        """What the run has written down."""
        return MetricsLog(self.path)

    def config(self) -> RunConfig:
        """Return the configuration that the run was started with.

        Raises:
            InputError: the file is missing, not JSON, or not a configuration of this version.
        """
        path = self.path / CONFIG_NAME
        values = read_json(path, dict)
        require_format(path, values)
        try:
            config = from_dict(RunConfig, values)
        except InputError as error:
            raise InputError(f"cannot read {path} ({error})", remedy="restore the file or start a new run") from None
        for source in all_sources(config.source):
            if not getattr(source, "sha256", "none needed"):
                raise InputError(
                    f"{path} names a source in a file without its SHA-256",
                    received=source.kind,
                    remedy="restore the file or start a new run",
                )
        return config

    def checkpoints(self) -> list[Path]:
        """Return the folders of the complete checkpoints, oldest first."""
        complete = (entry for entry in (self.path / "checkpoints").glob("*") if _is_checkpoint_name(entry.name))
        return sorted(complete, key=lambda entry: int(entry.name))

    def instances_saved(self) -> int:
        """Return the instances behind the latest checkpoint; 0 if there is none."""
        checkpoints = self.checkpoints()
        return int(checkpoints[-1].name) if checkpoints else 0

    def is_saved(self, instances: int) -> bool:
        """Whether there is a checkpoint after so many instances."""
        return (self.path / "checkpoints" / checkpoint_name(instances)).exists()

    def has_lost_patience(self) -> bool:
        """Whether so many evaluations in a row were not better than the best before them that the run has ended.

        Raises:
            InputError: configuration or metrics cannot be read.
        """
        training = self.config().training
        return 0 < training.patience <= self.metrics.since_best(training.best_by)

    def is_complete(self) -> bool:
        """Whether the checkpoint of the run's end is saved, or the run ships with up.

        Raises:
            InputError: see `has_lost_patience`.
        """
        if self.is_packed or self.instances_saved() >= self.config().training.instances:
            return True
        evaluation = self.metrics.latest()[1] if self.has_lost_patience() else None
        return evaluation is not None and self.is_saved(evaluation.instances)

    def best(self) -> Path | None:
        """Return the folder of the best checkpoint of a run that keeps it (`training.keep`); None if there is none yet.

        Raises:
            InputError: configuration or metrics cannot be read.
        """
        training = self.config().training
        evaluation = self.metrics.best(training.best_by) if training.keep == "best" else None
        path = None if evaluation is None else self.path / "checkpoints" / checkpoint_name(evaluation.instances)
        return path if path is not None and path.exists() else None

    def instances_of_model(self) -> int:
        """Return the instances behind the checkpoint that `load_weights` takes; 0 if there is none.

        Raises:
            InputError: see `best`.
        """
        best = self.best()
        return self.instances_saved() if best is None else int(best.name)

    def checkpoint_of_model(self) -> Path:
        """Return the folder of the checkpoint that `load_weights` takes.

        Raises:
            InputError: there is no checkpoint; and see `best`.
        """
        checkpoints = self.checkpoints()
        if not checkpoints:
            raise InputError(f"the run {self.path} has no checkpoint yet", remedy="let it train until it has saved one")
        return self.best() or checkpoints[-1]

    def begin(self, model: TargetModel[Any]) -> None:
        """Give a fresh model the weights that the run begins with, where those are of another run.

        Raises:
            InputError: the run's copy of them is missing, was changed, or does not fit the model.
        """
        initial = self.config().initial_weights
        if initial is not None:
            load_initial_weights(self.path / INITIAL_NAME, initial, model)

    def save(self, state: TrainingState) -> Path:
        """Write a checkpoint and return its folder; older ones beyond those to keep are removed.

        Raises:
            InputError: the run ships with up.
            RunError: it cannot be written; those before it are whole.
        """
        refuse_builtin(self.path)
        final = self.path / "checkpoints" / checkpoint_name(state.instances)
        self._tidy()
        if final.exists():  # and so holds this very state, for a run is a function of its configuration
            extend_checkpoint(final, self.metrics.mark())
        else:
            write_checkpoint(final, state, self.metrics.mark())
        self._tidy()
        return final

    def restore(self, state: TrainingState) -> str | None:
        """Load the latest checkpoint into a fresh state, and cut the metrics back to it.

        A run that was killed before its first checkpoint starts again from its beginning.

        Returns:
            What was wrong with the metrics, in words (`MetricsLog.rewind`); None if all was well.

        Raises:
            InputError: it cannot be used; `load_checkpoint` says why.
        """
        damage = None
        if self.checkpoints():
            manifest = load_checkpoint(self.checkpoints()[-1], self.config(), state)
            damage = self.metrics.rewind(manifest.metrics, manifest.instances)
        else:
            self.begin(state.model)
            self.metrics.clear()
        self._tidy()
        remove_leftovers(self.path)
        return damage

    def _tidy(self) -> None:
        """Remove the checkpoints beyond those to keep, and what a save that was cut off left behind."""
        folder, best = self.path / "checkpoints", self.best()
        for old in self.checkpoints()[: -self.keep]:
            if old != best:
                old.rename(old.with_name(f"{old.name}.removed"))
        for leftover in [*folder.glob("*.partial"), *folder.glob("*.removed")]:
            shutil.rmtree(leftover)

    def load_weights(self, model: TargetModel[Any]) -> None:
        """Load the weights of the latest checkpoint into a model, or of the best one where the run keeps it.

        A process that trains meanwhile may remove a checkpoint that is being read; then the latest one is another.

        Raises:
            InputError: there is no checkpoint, or it cannot be used.
        """
        config = self.config()
        while True:
            chosen = self.checkpoint_of_model()
            try:
                return load_weights(chosen, config, model)
            except (InputError, OSError, RuntimeError):
                if chosen.exists():
                    raise

    def provenance(self) -> list[dict[str, Any]]:
        """Return an entry for each process that worked on the run, oldest first; none if the file is missing.

        Raises:
            InputError: the file is no list of such entries.
        """
        path = self.path / PROVENANCE_NAME
        entries = read_json(path, list) if path.exists() else []
        if not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"{path} holds something else than objects", remedy="restore the file, or remove it")
        return entries

    def append_provenance(
        self, device: torch.device, command: Sequence[str], *, instances: int, texts: Sequence[TextRecord] = ()
    ) -> None:
        """Record the process that is about to continue the run after so many instances, and what it evaluates on."""
        config = self.config()
        entry = {
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "instances": instances,
            "command": list(command),
            "seeds": {"run": config.seed, **config.component_seeds()},
            **describe_process(device),
            "texts": [to_dict(text) for text in texts],
        }
        write_text(self.path / PROVENANCE_NAME, json.dumps([*self.provenance(), entry], indent=2) + "\n")


def create_run(path: Path, config: RunConfig, *, keep: int = KEPT_CHECKPOINTS) -> RunFolder:
    """Store the resolved configuration of a new run in its folder; `hold` it meanwhile.

    Raises:
        InputError: the folder is taken or cannot be written, or weights to begin with are gone or were changed.
    """
    require_free(path)
    texts = {
        path / (SOURCE_NAME if number == 1 else f"source-{number}.py"): text
        for number, text in enumerate(program_texts(config.source), start=1)
    }
    try:
        path.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        for file, text in texts.items():
            write_text(file, text)
        if config.initial_weights is not None:
            copy_initial_weights(config.initial_weights, path / INITIAL_NAME)
        write_text(path / CONFIG_NAME, json.dumps({"format": FORMAT, **to_dict(config)}, indent=2) + "\n")
    except OSError as error:
        for file in texts:
            file.unlink(missing_ok=True)
        raise unwritable(error, path) from None
    return RunFolder(path, keep)


def open_run(path: str | os.PathLike[str], *, keep: int = KEPT_CHECKPOINTS) -> RunFolder:
    """Return the run in a folder, or the one that ships as `builtin:NAME`.

    Raises:
        InputError: there is no run, or one that ships is damaged.
    """
    path = locate(path)
    refuse_dead_link(path)
    if not os.path.isfile(path / CONFIG_NAME):  # False, too, for a name that is no path, such as one too long
        raise InputError(
            "there is no run here",
            received=str(path),
            remedy="name a folder that `up train --out` has written, or builtin:NAME (`up models` lists them)",
        )
    return RunFolder(path, keep)


def load_model(path: str | os.PathLike[str], device: torch.device) -> TargetModel[Any]:
    """Return the model of a run's latest checkpoint, on a device and in evaluation mode.

    Raises:
        InputError: no run, no checkpoint, or one that is truncated, edited or of another model.
    """
    run = open_run(path)
    model = build_model(run.config().model)
    run.load_weights(model)
    return model.to(device).eval()


def _is_checkpoint_name(name: str) -> bool:
    """Whether a folder has a name that `checkpoint_name` gives; `123` and `²` were made by somebody else."""
    return name.isascii() and name.isdecimal() and name == checkpoint_name(int(name))
