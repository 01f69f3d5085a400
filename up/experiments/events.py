"""What an experiment tells about itself while it goes on: the runner yields these and prints nothing."""

import dataclasses

from up.experiments.experiment import Part
from up.experiments.measurement import Measurement
from up.runs.events import Event


@dataclasses.dataclass(frozen=True, kw_only=True)
class Began:
    """An experiment is about to begin, or to go on, with so many of its parts complete."""

    parts: tuple[Part, ...]
    complete: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartBegan:
    """A part is about to begin, or to go on; `number` counts from 1."""

    part: Part
    number: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartTold:
    """The training of a part tells something (`up.runs.events`)."""

    event: Event


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartMeasured:
    """A part is complete, and its measurements are written."""

    part: Part
    measurements: tuple[Measurement, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """The experiment ended; where it is not complete, it was stopped and saved, and can go on."""

    complete: bool
    seconds: float


ExperimentEvent = Began | PartBegan | PartTold | PartMeasured | Ended
