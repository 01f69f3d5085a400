"""A run from its beginning to its end; this file is its table of contents.

    config, trained = settle(out, device, preset="tiny")      # what will be run
    for event in run(config, out, device=device): ...         # lock, restore or start, train, evaluate, save

`up.train` and `up train` both do just this; the second one also shows the plan and the events.
"""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import torch

from up.config import override, require_positive, to_dict
from up.errors import InputError
from up.recipes.config import RunConfig
from up.recipes.presets import configure, differing_settings
from up.runs.builtin import refuse_builtin
from up.runs.evaluate import prepare_evaluation
from up.runs.events import Event, Started
from up.runs.folder import KEPT_CHECKPOINTS, create_run, open_run
from up.runs.loop import Activity, never, nobody, train
from up.runs.place import hold, require_free, require_writable
from up.runs.provenance import changes_since
from up.runs.tensorboard import TensorBoardLog, require_tensorboard
from up.runs.texts import load_texts, record_of, recorded_texts, require_same_texts
from up.sources.nesting import without_places
from up.training.state import TrainingState


def settle(
    out: Path,
    device: torch.device,
    *,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    default_preset: str = "tiny",
    resume: bool = False,
    new: bool = True,
) -> tuple[RunConfig, int]:
    """Return the resolved configuration of the run that is meant, and the instances that it has behind it.

    Args:
        out: folder of the run.
        device: where it will work.
        preset: named configuration; for a run that is resumed, the one that it must have been started with.
        assignments: `a.b=c`, likewise.
        default_preset: taken where no preset is given for a new run.
        resume: whether the run is there and goes on.
        new: whether the folder must be free for a new run.

    Raises:
        InputError: the folder is taken or cannot be written, an unknown preset or setting, a value that does not fit,
            or a run to resume that has other settings or ships with up.
    """
    refuse_builtin(out)
    if resume:
        stored = open_run(out)
        config = _as_given(stored.config(), preset, assignments, device)
        return config, stored.instances_saved()
    require_writable(out)
    if new:
        require_free(out)
    return configure(preset or default_preset, assignments).resolve(device), 0


def run(
    config: RunConfig,
    out: Path,
    *,
    device: torch.device,
    resume: bool = False,
    keep: int = KEPT_CHECKPOINTS,
    command: Sequence[str] = (),
    tensorboard: bool = False,
    data_at: Mapping[str, Path] | None = None,
    data_dir: Path | None = None,
    changed_data: bool = False,
    should_stop: Callable[[], bool] = never,
    on_activity: Activity = nobody,
) -> Generator[Event]:
    """Run a configuration in a folder, and tell what happens.

    Args:
        config: a resolved configuration; of a run that is resumed, its own.
        out: folder of the run.
        device: where it works.
        resume: whether the run is there and goes on.
        keep: checkpoints to keep, the latest ones.
        command: the words of the command line, for the record.
        tensorboard: whether TensorBoard events are written to the folder, too.
        data_at: where texts are now that a run which is resumed is evaluated on, by the names that it has for them.
        data_dir: folder with the files of the real data sets; None: see `up.data.real_sets.data_folder`.
        changed_data: whether a run which is resumed goes on though such a text has changed; its curve then breaks.
        should_stop: asked between steps; the run then saves and ends.
        on_activity: told how far a step or an evaluation is.

    Yields:
        `Started`, then what `up.runs.loop.train` tells.

    Raises:
        InputError: data, source, folder or checkpoint cannot be used, or a text of a run which is resumed has changed.
        RunError: the run failed; `up.runs.loop.train` says how.
    """
    require_positive("run", keep=keep)
    recorded = recorded_texts(open_run(out).provenance()) if resume else {}
    corpora = load_texts(config.evaluation.data, recorded, places=data_at, data_dir=data_dir)
    broken = require_same_texts(corpora, recorded, changed_data=changed_data)
    prepared = prepare_evaluation(config, config.evaluation, device=device, corpora=corpora)
    state = TrainingState(config, device)
    if tensorboard:
        require_tensorboard(out / "tensorboard")
    with contextlib.ExitStack() as held:
        held.enter_context(hold(out))
        folder = open_run(out, keep=keep) if resume else create_run(out, config, keep=keep)
        damage = None
        if resume:
            damage = folder.restore(state)
        else:
            folder.begin(state.model)
        log = held.enter_context(TensorBoardLog(out / "tensorboard", after=state.instances)) if tensorboard else None
        changed = changes_since(folder.provenance(), device)
        folder.append_provenance(
            device, command, instances=state.instances, texts=[record_of(corpus) for corpus in corpora]
        )
        _, last = folder.metrics.latest()
        yield Started(
            resumed=resume,
            instances=state.instances,
            total_instances=config.training.instances,
            rows=last.rows if last is not None else (),
            warnings=(*_warnings(damage, changed), *broken),
        )
        for event in train(folder, state, prepared, should_stop=should_stop, on_activity=on_activity):
            if log is not None:
                log.write(event)
            yield event


def _warnings(damage: str | None, changed: Sequence[str]) -> Iterator[str]:
    if damage is not None:
        yield damage
    if changed:
        yield f"the rest may differ in the last digits from an undisturbed run: {'; '.join(changed)}"


def _as_given(stored: RunConfig, preset: str | None, assignments: Sequence[str], device: torch.device) -> RunConfig:
    """Return the configuration to resume, and refuse a preset or settings that are not its own.

    What is not given is not compared. A source in a file may be named where it lies now: its SHA-256 must be the same.
    """
    given = configure(preset, assignments) if preset is not None else override(stored, assignments)
    given = given.resolve(device)
    own = stored.resolve(device) if not _is_moved(stored, given) else dataclasses.replace(stored, source=given.source)
    differing = differing_settings(own, given, assignments=assignments)
    if differing:
        raise InputError(
            f"the run to resume has another {', '.join(differing[:3])}",
            remedy="leave the settings out to continue it as it is, or choose another --out for a new run",
        )
    return own


def _is_moved(stored: RunConfig, given: RunConfig) -> bool:
    """Whether both sources are the same but for where files lie."""
    one, other = (json.loads(json.dumps(to_dict(config.source))) for config in (stored, given))
    return one != other and without_places(one) == without_places(other)
