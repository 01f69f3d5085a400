"""What an experiment is: one question of the paper, the runs that answer it, and what is made of their numbers.

    class MyExperiment(Experiment):
        name, title, question = ...
        def runs(self, setting):      the trainings, and the work that is no training, in their order
        def measure(self, ...):       the numbers of one of them
        def figures, tables, findings(self, measurements):    pure functions of all numbers, so that any folder is shown

An experiment is one file beside this one and a line in `up.experiments.registry`. `up.experiments.runner` runs it in a
folder of its own, and goes on where it stopped.
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from up.config import require_at_most, require_not_negative, require_one_of, require_positive
from up.errors import InputError
from up.evaluation.bits import MOST_SAMPLES
from up.experiments.figure import Figure
from up.experiments.measurement import Estimate, Label, Measurement, Measurements
from up.model.base import ROOMS
from up.recipes.config import RunConfig

SCALES = ("smoke", "laptop", "paper")
"""Seconds to show that all parts work; minutes on one core, for an answer; the paper's settings, on a GPU."""

LENGTHS = ("instances", "samples")
"""Settings that replace what a scale has, for an experiment that is to take less time than its scale, or more."""

HOLDS, FAILS, UNKNOWN = "holds", "does not hold", "cannot be said at this scale"

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much. It may raise to stop the work, which is then begun again later."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """How an experiment is run.

    Attributes:
        scale: one of `SCALES`.
        arch: of the models that are trained; None: the experiment's own choice.
        seeds: of every training, one run for each; at least one, none twice.
        device: where it works, such as `cpu`.
        real_data: parts of the paper's real data sets, such as `german:validation`, that are measured as well.
        instances: of every training but a finetuning and its baseline, which last the same share of the pre-training as
            ever; schedules stretch in proportion. None: as many as the scale has.
        samples: slices of each data set that models are measured on. None: as many as the scale has.

    Raises:
        InputError: an unknown scale or architecture, or seeds or numbers that are none.
    """

    scale: str = "laptop"
    arch: str | None = None
    seeds: tuple[int, ...] = (0,)
    device: str = "cpu"
    real_data: tuple[str, ...] = ()
    instances: int | None = None
    samples: int | None = None

    def __post_init__(self) -> None:
        require_one_of("experiment", "scale", self.scale, SCALES)
        if self.arch is not None:
            require_one_of("experiment", "arch", self.arch, ROOMS)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise InputError(
                "experiment.seeds must be different numbers, one at least",
                received=list(self.seeds),
                remedy="give e.g. 0,1,2",
            )
        require_not_negative("experiment", seeds=min(self.seeds))
        require_at_most("experiment", seeds=(max(self.seeds), 2**63 - 1), samples=(self.samples or 0, MOST_SAMPLES))
        lengths = {name: getattr(self, name) for name in LENGTHS}
        require_positive("experiment", **{name: value for name, value in lengths.items() if value is not None})
        if self.samples == 1:
            raise InputError(
                "experiment.samples must be at least 2", received=self.samples, remedy="a standard error needs two"
            )

    @property
    def is_smoke(self) -> bool:
        """Whether it is only to be shown that everything works."""
        return self.scale == "smoke"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SubRun:
    """A training that an experiment asks for.

    Attributes:
        name: of its folder in `runs/`.
        labels: of all that is measured of it.
        config: of the run; or a function that makes it from the folder of all runs, for a run that begins with what an
            earlier one has learned.

    """

    name: str
    labels: Mapping[str, Label]
    config: RunConfig | Callable[[Path], RunConfig]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """Work that is no training, such as an exact computation, or a model that stays as it was initialised.

    Attributes:
        name: of the folder in `runs/` that it may use; it is there once the step has written into it.
        labels: of all that it measures.

    """

    name: str
    labels: Mapping[str, Label]


Part = SubRun | Step


def verdict_of(gained: Estimate) -> str:
    """Return the verdict on a claim that something is above zero."""
    return {True: HOLDS, False: FAILS, None: UNKNOWN}[gained.is_above()]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """What the paper claims, what was measured, and whether the claim holds here.

    Attributes:
        claim: in one sentence.
        section: of the paper that makes it, such as `6.4`; empty for a claim of this house.
        paper: which paper that is.
        measured: in one sentence, with the figures and their errors.
        verdict: `HOLDS`, `FAILS` or `UNKNOWN`.

    """

    claim: str
    section: str
    measured: str
    verdict: str
    paper: str = "Bloem 2025"

    def __post_init__(self) -> None:
        assert self.verdict in (HOLDS, FAILS, UNKNOWN)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of words and numbers that are formatted already.

    Attributes:
        title: what it shows, and in which unit.
        columns: their names; the first one names the rows.
        rows: of as many cells each.

    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listing:
    """Text to be read as it stands, such as strings that a source wrote."""

    title: str
    text: str


class Experiment(abc.ABC):
    """One experiment.

    Attributes:
        name: on the command line.
        title: a few words.
        question: one sentence that ends with a question mark.
        seeds: how many seeds each scale has where none are given.
        arch: of the models where the setting leaves it open, by scale.
        lengths: which of `LENGTHS` it heeds.
        ignores: which of `arch`, `device` and `seeds` change nothing.

    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 3, "paper": 1}
    arch: ClassVar[Mapping[str, str]] = {"smoke": "mixing", "laptop": "mixing", "paper": "paper"}
    lengths: ClassVar[tuple[str, ...]] = ()
    ignores: ClassVar[tuple[str, ...]] = ()

    def arch_of(self, setting: Setting) -> str:
        """Return the architecture of the models that are trained."""
        return setting.arch or self.arch[setting.scale]

    @abc.abstractmethod
    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return all parts in their order; names are unique and can be names of folders.

        Raises:
            InputError: the experiment cannot be run so, such as with data that is not there.
        """

    @abc.abstractmethod
    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:
        """Return what there is to know of a part, at least one measurement; the same whenever it is asked.

        Args:
            part: a run that is complete, or a step to be done now.
            folder: of the run; of a step, where it may write.
            setting: how the experiment is run.
            progress: to be called now and then.

        Raises:
            InputError, RunError: it cannot be measured.
        """

    @abc.abstractmethod
    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return what is to be drawn of the measurements, as far as these are there."""

    @abc.abstractmethod
    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return what is to be tabled, with the controls in every table."""

    @abc.abstractmethod
    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return what the measurements say about each claim."""

    def listings(self, measurements: Measurements) -> Sequence[Listing]:  # noqa: ARG002
        """Return texts to be shown as they stand."""
        return ()
