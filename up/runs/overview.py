"""What a run folder says at a glance, and the runs that lie in a folder, without loading a model."""

import dataclasses
import os
from pathlib import Path

from up.errors import InputError
from up.evaluation.rows import EvaluationRow
from up.runs.builtin import builtin_name, label_of, locate
from up.runs.folder import RunFolder
from up.runs.place import in_use, refuse_dead_link

COMPLETE, RUNNING, STOPPED, BROKEN = "complete", "running", "stopped", "broken"

_TRACES = ("config.json", "provenance.json", "metrics.jsonl", "checkpoints")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOverview:
    """One run.

    Attributes:
        path: its folder.
        state: `running` while a process works on it, `complete` when the checkpoint of its last instance is saved, or
            the one at which it ended early, or the run ships with up, `broken` when something in the folder cannot be
            read, `stopped` otherwise.
        problem: what cannot be read; None unless broken, and then the fields below may be None or empty.
        arch: architecture of the model.
        shape: architecture and sizes of the model in words.
        width: of the model; None, like its depth, for an architecture that has none.
        depth: blocks of the model.
        seed: of everything random.
        instances: trained on so far, as the metrics have it.
        instances_saved: behind the latest checkpoint.
        total_instances: length of the run.
        loss_bits: of the latest step, bits per character; None before the first, or if it was not finite.
        skipped_steps: steps whose loss or gradient was not finite.
        evaluated_at: instances at the evaluation in `rows`; None before the first.
        rows: the latest evaluation, or the best one of a run that keeps its best checkpoint; empty before the first.
        instances_of_model: behind the checkpoint that is the run's model: the latest, or the best one of a run that
            keeps it.
        started: when a process last began to work on the run, ISO 8601, UTC; None if that was not recorded.
    """

    path: Path
    state: str
    problem: str | None = None
    arch: str | None = None
    shape: str | None = None
    width: int | None = None
    depth: int | None = None
    seed: int | None = None
    instances: int | None = None
    instances_saved: int | None = None
    total_instances: int | None = None
    loss_bits: float | None = None
    skipped_steps: int | None = None
    evaluated_at: int | None = None
    rows: tuple[EvaluationRow, ...] = ()
    instances_of_model: int | None = None
    started: str | None = None

    @property
    def name(self) -> str:
        """Name of the run: that of its folder, or `builtin:NAME` if it ships with up."""
        if builtin_name(self.path) is not None:
            return self.label
        return self.path.name or self.path.resolve().name

    @property
    def label(self) -> str:
        """What the run is called where its folder is told in full: its path, or `builtin:NAME`."""
        return label_of(self.path)


def summarise_run(run: RunFolder) -> RunOverview:
    """Return the overview of a run; the metrics are read from their end, unless the best evaluation is looked for.

    Raises:
        InputError: configuration, provenance or metrics cannot be read.
    """
    config, saved = run.config(), run.instances_saved()
    step, evaluation = run.metrics.latest()
    if config.training.keep == "best":
        evaluation = run.metrics.best(config.training.best_by)
    started = [entry["started"] for entry in run.provenance() if isinstance(entry.get("started"), str)]
    total = config.training.instances
    return RunOverview(
        path=run.path,
        state=RUNNING if in_use(run.path) else COMPLETE if run.is_complete() else STOPPED,
        arch=config.model.arch,
        shape=config.model.shape,
        width=config.model.sizes.get("width"),
        depth=config.model.sizes.get("depth"),
        seed=config.seed,
        instances=step.instances if step else saved,
        instances_saved=saved,
        total_instances=total,
        loss_bits=step.loss_bits if step else None,
        skipped_steps=step.skipped_steps if step else 0,
        evaluated_at=evaluation.instances if evaluation else None,
        rows=evaluation.rows if evaluation else (),
        instances_of_model=run.instances_of_model(),
        started=started[-1] if started else None,
    )


def list_runs(folder: Path) -> tuple[RunOverview, ...]:
    """Return the runs in a folder, the one started last first and broken ones at the end; or the run that it is itself.

    Raises:
        InputError: there is no such folder, or it cannot be read; or `builtin:NAME`, which does not ship or is damaged.
    """
    folder = locate(folder)
    refuse_dead_link(folder)
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"cannot list the runs of a folder ({error.strerror})",
            received=str(folder),
            remedy="name the folder that holds your runs with --folder",
        ) from None
    candidates = [folder] if _looks_like_a_run(folder) else [entry for entry in entries if _looks_like_a_run(entry)]
    found = [_overview_or_problem(path) for path in candidates]
    found.sort(key=lambda each: each.started or "", reverse=True)  # stable: what is alike stays in the order of names
    return tuple(sorted(found, key=lambda each: each.problem is not None))


def _looks_like_a_run(path: Path) -> bool:
    return any(os.path.exists(path / name) for name in _TRACES)  # False, too, where there is no permission to look


def _overview_or_problem(path: Path) -> RunOverview:
    try:
        return summarise_run(RunFolder(path))
    except (InputError, OSError) as error:
        return RunOverview(path=path, state=BROKEN, problem=str(error))
