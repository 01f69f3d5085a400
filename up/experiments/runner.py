"""An experiment from its beginning to its end; this file is its table of contents.

    experiment, record = settle("depth-sweep", out, given, resume=False)       what will be run
    for event in run_experiment(experiment, record, out): ...                  lock, train, measure, draw, report

Trainings are ordinary runs (`up.runs.run`), in folders below that of the experiment; what a part has measured is
written when it is complete. So whatever stops an experiment, it goes on with the checkpoint of the training that was
under way, or with the measuring, and ends in the same measurements.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from up.data.corpora import every_corpus
from up.data.parts import name_and_part
from up.data.real_sets import REAL_SETS
from up.device import resolve_device
from up.errors import InputError, RunError
from up.experiments.drawing import write_figures
from up.experiments.events import Began, Ended, ExperimentEvent, PartBegan, PartMeasured, PartTold
from up.experiments.experiment import LENGTHS, Experiment, Part, Setting, SubRun
from up.experiments.folder import (
    EXPERIMENT_NAME,
    ExperimentFolder,
    Process,
    Record,
    create_experiment,
    describe_worker,
    open_experiment,
)
from up.experiments.measurement import Measurement
from up.experiments.registry import make_experiment
from up.experiments.report import write_report
from up.runs.events import Finished
from up.runs.files import remove_leftovers
from up.runs.loop import Activity, never, nobody
from up.runs.place import CONFIG_NAME, hold, require_free, require_writable
from up.runs.run import run


def settle(
    name: str | None,
    out: Path,
    *,
    scale: str | None = None,
    arch: str | None = None,
    seeds: Sequence[int] | None = None,
    device: str | None = None,
    instances: int | None = None,
    samples: int | None = None,
    resume: bool = False,
) -> tuple[Experiment, Setting]:
    """Return the experiment that is meant and how it is run; what is not given is as the experiment has it.

    Args:
        name: of the experiment; may be None for one that is resumed.
        out: its folder.
        scale: one of `SCALES`; `laptop`, if not given.
        arch: of the models.
        seeds: of the trainings.
        device: where it works; the processor, if not given: an experiment is to be the same on every machine.
            Whatever real data is here when it starts is measured, too, but for `smoke`.
        instances: of every training, in place of what the scale has (`Setting`).
        samples: slices of each data set, likewise.
        resume: whether it is there and goes on; what is given must then be what it was started with.

    Raises:
        InputError: an unknown experiment or value, one that would change nothing, a folder that is taken or cannot be
            written, or an experiment to resume that was started otherwise.
    """
    lengths = {"instances": instances, "samples": samples}
    if resume:
        record = open_experiment(out).record()
        given = {"scale": scale, "arch": arch, "seeds": seeds and tuple(seeds), "device": device, **lengths}
        _require_same(record, experiment=name, **given)
        return make_experiment(record.experiment), record.setting
    assert name is not None
    experiment = make_experiment(name)
    place = str(resolve_device(device or "cpu"))
    setting = Setting(scale=scale or "laptop", arch=arch, device=place, instances=instances, samples=samples)
    usual = tuple(range(experiment.seeds[setting.scale]))
    chosen = usual if seeds is None else tuple(seeds)
    _require_heeded(experiment, setting, seeds=None if chosen == usual else seeds)
    real = () if setting.is_smoke else tuple(name for name in every_corpus()[0] if name_and_part(name)[0] in REAL_SETS)
    setting = dataclasses.replace(setting, seeds=chosen, real_data=real)
    require_writable(out)
    _require_free(out)
    experiment.runs(setting)
    return experiment, setting


def run_experiment(
    experiment: Experiment,
    setting: Setting,
    out: Path,
    *,
    resume: bool = False,
    should_stop: Callable[[], bool] = never,
    on_activity: Activity = nobody,
) -> Generator[ExperimentEvent]:
    """Run an experiment in a folder, and tell what happens.

    Args:
        experiment: what to run.
        setting: how; of one that is resumed, its own.
        out: folder of the experiment.
        resume: whether it is there and goes on.
        should_stop: asked between steps of trainings, and while something is measured; the experiment then saves and
            ends.
        on_activity: told how far a step, an evaluation or a measurement is.

    Yields:
        `Began`, then for each part that is not complete `PartBegan`, `PartTold` and `PartMeasured`, at the end `Ended`.

    Raises:
        InputError: data, source or folder cannot be used.
        RunError: a training failed; what was measured before is kept.
    """
    device = resolve_device(setting.device)
    parts = tuple(experiment.runs(setting))
    names = tuple(part.name for part in parts)
    assert len(set(names)) == len(names), "two parts of one name"
    with hold(out):
        started = time.perf_counter()
        folder = _open(out, Record(experiment=experiment.name, setting=setting, parts=names), resume=resume)
        worker = describe_worker(device, setting)
        with _at_work(folder, worker, started):
            complete = _complete(folder)
            yield Began(parts=parts, complete=len(complete))
            for number, part in enumerate(parts, start=1):
                if part.name in complete:
                    continue
                if should_stop():
                    break
                yield PartBegan(part=part, number=number)
                measured = yield from _work(experiment, part, folder, setting, device, should_stop, on_activity)
                if measured is None:
                    break
                _keep(folder, part, measured)
                yield PartMeasured(part=part, measurements=tuple(measured))
            is_complete = set(names) <= _complete(folder)
        if is_complete:
            finish(experiment, folder)
        yield Ended(complete=is_complete, seconds=time.perf_counter() - started)


def finish(experiment: Experiment, folder: ExperimentFolder) -> None:
    """Draw the figures and write the report of an experiment from its measurements.

    Raises:
        RunError: they cannot be written.
    """
    measurements = folder.measurements()
    figures = experiment.figures(measurements)
    try:
        write_figures(folder.path / "figures", figures)
        write_report(folder, experiment, figures)
    except OSError as error:
        raise RunError(
            f"cannot write the report in {folder.path} ({error.strerror}): make room, then --resume"
        ) from None


def _keep(folder: ExperimentFolder, part: Part, measured: Sequence[Measurement]) -> None:
    try:
        folder.add(part.name, measured)
    except OSError as error:
        raise RunError(
            f"cannot write the measurements of {part.name} ({error.strerror}): make room, then --resume"
        ) from None


class _StoppedError(Exception):
    """The user stopped the experiment while something was measured."""


def _work(
    experiment: Experiment,
    part: Part,
    folder: ExperimentFolder,
    setting: Setting,
    device: torch.device,
    should_stop: Callable[[], bool],
    on_activity: Activity,
) -> Generator[ExperimentEvent, None, Sequence[Measurement] | None]:
    """Train and measure a part; return its measurements, None if it was stopped."""
    place = folder.runs / part.name
    if isinstance(part, SubRun):
        is_complete = yield from _train(part, place, folder, device, should_stop, on_activity)
        if not is_complete:
            return None

    def watch(done: int, total: int) -> None:
        on_activity("measurement", done, total)
        if should_stop():
            raise _StoppedError

    try:
        return experiment.measure(part, place, setting, watch)
    except _StoppedError:
        return None


def _train(
    part: SubRun,
    place: Path,
    folder: ExperimentFolder,
    device: torch.device,
    should_stop: Callable[[], bool],
    on_activity: Activity,
) -> Generator[ExperimentEvent, None, bool]:
    """Run the training of a part, from its checkpoint if it has one; return whether it is complete."""
    config = part.config if not callable(part.config) else part.config(folder.runs)
    events = run(
        config.resolve(device),
        place,
        device=device,
        resume=(place / CONFIG_NAME).is_file(),
        command=folder.record().command.split(),
        should_stop=should_stop,
        on_activity=on_activity,
    )
    with contextlib.closing(events):
        for event in events:
            yield PartTold(event=event)
            if isinstance(event, Finished):
                return event.complete
    raise AssertionError("a training that does not end tells of no end")


def _open(out: Path, record: Record, *, resume: bool) -> ExperimentFolder:
    if not resume:
        _require_free(out)
        return create_experiment(out, record)
    folder = open_experiment(out)
    stored = folder.record()
    if (stored.experiment, stored.setting, stored.parts) != (record.experiment, record.setting, record.parts):
        raise InputError(
            "the experiment to resume has other parts than this version of up gives it",
            received=str(out),
            remedy="resume it with the up that it was started with, or start it again in another --out",
        )
    remove_leftovers(out)
    return folder


@contextlib.contextmanager
def _at_work(folder: ExperimentFolder, worker: Process, started: float) -> Iterator[None]:
    """Record a process as it begins, and how long it worked as it ends."""
    record = folder.record()
    folder.write(dataclasses.replace(record, processes=(*record.processes, worker)))
    try:
        yield
    finally:
        ended = dataclasses.replace(worker, seconds=round(time.perf_counter() - started, 1))
        folder.write(dataclasses.replace(record, processes=(*record.processes, ended)))


def _complete(folder: ExperimentFolder) -> set[str]:
    return {each.part for each in folder.measurements()}


def _require_free(out: Path) -> None:
    if (out / EXPERIMENT_NAME).exists():
        raise InputError(
            "the output folder holds another experiment",
            received=str(out),
            remedy="choose another --out, or continue that experiment with --resume",
        )
    require_free(out)


def _require_heeded(experiment: Experiment, setting: Setting, *, seeds: Sequence[int] | None) -> None:
    """Refuse what would change nothing, but not what is so anyway."""
    given = {"arch": setting.arch, "device": None if setting.device == "cpu" else setting.device, "seeds": seeds}
    without = [name for name in given if name in experiment.ignores]
    without += [name for name in LENGTHS if name not in experiment.lengths]
    given |= {name: getattr(setting, name) for name in LENGTHS}
    for name in without:
        if given[name] is not None:
            raise InputError(
                f"the experiment {experiment.name} has no {name} to set",
                received=given[name],
                remedy=f"leave --{name} out: it would change nothing",
            )


def _require_same(record: Record, **given: Any) -> None:
    """Refuse what is given and is not what an experiment to resume was started with."""
    own = {"experiment": record.experiment, **vars(record.setting)}
    differing = [name for name, value in given.items() if value is not None and value != own[name]]
    if differing:
        raise InputError(
            f"the experiment to resume was started with other {' and '.join(differing)}",
            received=", ".join(str(given[name]) for name in differing),
            remedy="leave it out to continue the experiment as it is, or choose another --out for a new one",
        )
