"""Finetuning: a run that goes on from the weights of another on real data, and beside it the same from scratch.

    runs/notes/
      finetuning.json    what is finetuned on what: the configuration, and whether there is a baseline
      finetuned/         a run (`up.runs.folder`) that begins with the other run's weights
      scratch/           the same run from random weights: same data in the same order, same schedule
      report.json        what came of it (`up.runs.finetuning_report`), once both are complete

Both are ordinary runs of the ordinary loop, and so is everything about them: checkpoints, exact resume, `up runs`, `up
eval`. A finetuning that was stopped or killed goes on with the run that was under way.

Source: Bloem 2025, section 6.3.
"""

import dataclasses
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

import torch

from theory.words import number_of
from up.config import from_dict, to_dict
from up.data.corpora import load_corpus, load_parts
from up.data.parts import name_and_part
from up.errors import InputError
from up.recipes.config import InitialWeights, RunConfig
from up.recipes.finetuning import baseline_config, finetuning_config
from up.runs.builtin import builtin_name, label_of, refuse_builtin
from up.runs.checkpoint import read_manifest
from up.runs.events import Event
from up.runs.files import read_json, write_text
from up.runs.folder import RunFolder, open_run
from up.runs.initial import INITIAL_NAME
from up.runs.loop import Activity, never, nobody
from up.runs.place import CONFIG_NAME, hold, require_free, require_writable, unwritable
from up.runs.run import run
from up.sources.text import TextSource

FINETUNING_NAME = "finetuning.json"
FINETUNED, SCRATCH = "finetuned", "scratch"
_FORMAT = 1
_REMEDY = "restore it, or start a new finetuning in another folder"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finetuning:
    """What `finetuning.json` says.

    Attributes:
        data: the corpus, by its name or path, without a part.
        config: of the run that is finetuned, resolved.
        baseline: whether there is the same from scratch, too.
    """

    data: str
    config: RunConfig
    baseline: bool = True

    @property
    def configs(self) -> dict[str, RunConfig]:
        """Configurations of the runs by the names of their folders, in the order in which they are trained."""
        configs = {FINETUNED: self.config}
        return {**configs, SCRATCH: baseline_config(self.config)} if self.baseline else configs


def settle_finetuning(
    run: Path,
    data: str,
    device: torch.device,
    *,
    others: Sequence[str] | None = None,
    instances: int | None = None,
    assignments: Sequence[str] = (),
    baseline: bool = True,
    data_dir: Path | None = None,
) -> Finetuning:
    """Return what a new finetuning will do.

    Args:
        run: the run whose model is finetuned, or `builtin:NAME`.
        data: a corpus by its name, or a path; its training part is trained on.
        device: where the work is done.
        others: data that is evaluated on along the way; None: `stdlib` and `pydoc`.
        instances: length of both runs; None: a quarter of the run's own (`up.recipes.finetuning`).
        assignments: `a.b=c`, other settings.
        baseline: whether the same is trained from scratch, too.
        data_dir: folder with the files of the real data sets; None: see `up.data.real_sets.data_folder`.

    Raises:
        InputError: no run, one without a checkpoint, no such data, data shorter than the context, or a setting that
            does not fit.
    """
    opened = open_run(run)
    config = finetuning_config(
        opened.config(),
        weights_of(opened),
        data,
        others=others,
        instances=instances,
        assignments=assignments,
    )
    length = config.evaluation.context_length or config.model.context_length
    parts = load_parts(data, data_dir=data_dir)
    others = [name for name in config.evaluation.data if name != parts.validation.name]
    beside = [load_corpus(name, data_dir=data_dir) for name in others]
    for corpus in (parts.validation, parts.test, *beside):
        if corpus.size_bytes < length:
            raise InputError(
                f"the data {corpus.name} has {number_of(corpus.size_bytes, 'byte')}, fewer than a slice of {length:,}",
                remedy="give more data (of what is finetuned on, twenty slices), or set a smaller "
                "evaluation.context_length",
            )
    finetuning = Finetuning(data=data, config=config, baseline=baseline)
    if parts.training.place is not None:
        config = with_places(finetuning, config, {data: parts.training.place})
    return dataclasses.replace(finetuning, config=config.resolve(device))


def weights_of(run: RunFolder) -> InitialWeights:
    """Return the weights of a run's model.

    Raises:
        InputError: there is no checkpoint, or it cannot be read.
    """
    checkpoint = run.checkpoint_of_model()
    seal = read_manifest(checkpoint).model
    place = label_of(run.path) if builtin_name(run.path) is not None else str(run.path.absolute())
    return InitialWeights(run=place, instances=int(checkpoint.name), bytes=seal.bytes, sha256=seal.sha256)


def open_finetuning(out: Path) -> Finetuning:
    """Return what the finetuning in a folder does.

    Raises:
        InputError: there is none, or its file cannot be read.
    """
    refuse_builtin(out)
    path = out / FINETUNING_NAME
    if not path.is_file():
        raise InputError(
            "there is no finetuning here",
            received=str(out),
            remedy="name a folder that `up finetune --out` has written",
        )
    values = read_json(path, dict, remedy=_REMEDY)
    if values.pop("format", None) != _FORMAT:
        raise InputError(f"{path} is not of format {_FORMAT}", remedy="use the version of up that wrote it")
    try:
        return from_dict(Finetuning, values)
    except InputError as error:
        raise InputError(f"cannot read {path} ({error})", remedy=_REMEDY) from None


def require_new(out: Path) -> None:
    """Raise `InputError` unless a new finetuning can be written to a folder."""
    refuse_builtin(out)
    require_writable(out)
    if (out / FINETUNING_NAME).exists():
        raise InputError(
            "the output folder holds another finetuning",
            received=str(out),
            remedy="choose another --out, or continue that one with --resume",
        )
    require_free(out)


def finetune(
    finetuning: Finetuning,
    out: Path,
    *,
    device: torch.device,
    resume: bool = False,
    command: Sequence[str] = (),
    data_at: Mapping[str, Path] | None = None,
    data_dir: Path | None = None,
    should_stop: Callable[[], bool] = never,
    on_activity: Activity = nobody,
) -> Generator[tuple[str, Event]]:
    """Train the runs of a finetuning, one after the other, and tell what happens.

    Args:
        finetuning: a new one, or the one in the folder.
        out: the folder.
        device: where the work is done.
        resume: whether it is there and goes on; runs that are complete are left as they are.
        command: the words of the command line, for the record.
        data_at: where data is now that was moved, by the names that the finetuning has for it.
        data_dir: folder with the files of the real data sets, as for `settle_finetuning`.
        should_stop: asked between steps; the run that is under way then saves, and no other begins.
        on_activity: told how far a step or an evaluation is.

    Yields:
        The name of the run, `finetuned` or `scratch`, with what it tells (`up.runs.run.run`).

    Raises:
        InputError: as of `up.runs.run.run`; another process works there, or the folder cannot be written.
        RunError: a run failed.
    """
    with hold(out):
        if not resume:
            require_new(out)
            content = {"format": _FORMAT, **to_dict(finetuning)}
            try:
                write_text(out / FINETUNING_NAME, json.dumps(content, indent=2) + "\n")
            except OSError as error:
                raise unwritable(error, out) from None
        for name, config in finetuning.configs.items():
            folder = out / name
            begun = (folder / CONFIG_NAME).exists()
            if begun and has_ended(open_run(folder)):
                continue
            if not begun:
                (folder / INITIAL_NAME).unlink(missing_ok=True)  # left by a process that was killed
            for event in run(
                with_places(finetuning, open_run(folder).config() if begun else config, data_at or {}),
                folder,
                device=device,
                resume=begun,
                command=command,
                data_at=places_of_texts(finetuning, data_at or {}),
                data_dir=data_dir,
                should_stop=should_stop,
                on_activity=on_activity,
            ):
                yield name, event
            if not has_ended(open_run(folder)):
                return


def has_ended(run: RunFolder) -> bool:
    """Whether a run is complete, its last evaluation and all that it has written down included."""
    _, evaluation = run.metrics.latest()
    if evaluation is None or not run.is_complete() or evaluation.instances != run.instances_saved():
        return False
    return read_manifest(run.checkpoints()[-1]).metrics == run.metrics.mark()


def with_places(finetuning: Finetuning, config: RunConfig, data_at: Mapping[str, Path]) -> RunConfig:
    """Return a configuration whose training data is read where it is now."""
    place = data_at.get(finetuning.data)
    if place is None or not isinstance(config.source, TextSource):
        return config
    return dataclasses.replace(config, source=dataclasses.replace(config.source, place=str(place.absolute())))


def places_of_texts(finetuning: Finetuning, data_at: Mapping[str, Path]) -> dict[str, Path]:
    """Return where the texts are now that are evaluated on: a part of the data lies where the data does."""
    places = {name: place for name, place in data_at.items() if name != finetuning.data}
    if finetuning.data in data_at:
        parts = (name for name in finetuning.config.evaluation.data if name_and_part(name)[0] == finetuning.data)
        places |= dict.fromkeys(parts, data_at[finetuning.data])
    return places
