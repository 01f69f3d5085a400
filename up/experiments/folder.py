"""An experiment on disk: what was run and where, and what was measured.

    experiments/depth-sweep-laptop/
      experiment.json       the setting, the names of all parts, and one entry for each process that worked on it
      runs/                 a folder for each part; those of trainings are runs as `up train` writes them
      measurements.jsonl    one JSON object for each measurement, part by part in the order of the parts
      figures/              SVG for light and dark pages, and PNG
      report.md             claim, measurements, verdict
      .lock                 held by the process that works on it

A part's lines appear all at once when it has been measured, so a part is either there or not. The measurements are a
function of the setting, the same bytes however often the experiment was stopped or killed, on the same machine.

Reading a folder executes nothing of it, and what it says of itself is shown, not obeyed. A folder may come from another
machine: only `experiment.json` and `measurements.jsonl` are needed to show it.
"""

import dataclasses
import datetime
import json
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import up
from up.config import from_dict, to_dict
from up.data.corpora import load_corpus
from up.data.parts import name_and_part
from up.errors import InputError
from up.experiments.experiment import LENGTHS, Setting
from up.experiments.measurement import Measurement, Measurements
from up.runs.files import read_json, write_text
from up.runs.provenance import describe_process

FORMAT = 1
EXPERIMENT_NAME = "experiment.json"
MEASUREMENTS_NAME = "measurements.jsonl"
_REMEDY = "restore it, or run the experiment again"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Process:
    """One process that worked on an experiment.

    Attributes:
        started: in UTC, as ISO 8601.
        seconds: that it worked; None if it was killed, or works still.
        machine: its class in words, such as `Linux, x86_64, 2 cores`.
        device: the device in words.
        threads: that PyTorch computed with.
        python: its version.
        versions: of packages that the results depend on.
        commit: of the checkout that it ran from; None without one.
        real_texts: the real data sets that were here, by name, each with what was read, such as a prefix.

    """

    started: str
    seconds: float | None = None
    machine: str
    device: str
    threads: int
    python: str
    versions: dict[str, str]
    commit: str | None = None
    real_texts: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """What `experiment.json` holds.

    Attributes:
        experiment: its name.
        setting: how it is run.
        parts: names of all parts in their order.
        processes: that worked on it, the first one first.

    """

    experiment: str
    setting: Setting
    parts: tuple[str, ...]
    processes: tuple[Process, ...] = ()

    @property
    def command(self) -> str:
        """The command that runs it again."""
        setting = self.setting
        words = [f"up experiment run {self.experiment} --scale {setting.scale}"]
        words += [f"--arch {setting.arch}"] if setting.arch else []
        words += [f"--seeds {','.join(map(str, setting.seeds))}", f"--device {setting.device}"]
        words += [f"--{name} {value}" for name in LENGTHS if (value := getattr(setting, name)) is not None]
        return " ".join(words)


@dataclasses.dataclass(frozen=True)
class ExperimentFolder:
    """A folder that holds one experiment; made by `create_experiment` or `open_experiment`."""

    path: Path

    @property
    def runs(self) -> Path:
        """Where the parts have their folders."""
        return self.path / "runs"

    def record(self) -> Record:
        """Return what is known of the experiment.

        Raises:
            InputError: the file is missing or cannot be read, or it is of another version.
        """
        path = self.path / EXPERIMENT_NAME
        values = read_json(path, dict, remedy=_REMEDY)
        if values.pop("format", None) != FORMAT:
            raise InputError(f"{path} is of another version", remedy=f"read it with the up that wrote it, or {_REMEDY}")
        try:
            return from_dict(Record, values)
        except InputError as error:
            raise InputError(f"cannot read {path} ({error})", remedy=_REMEDY) from None

    def write(self, record: Record) -> None:
        """Replace what is known of the experiment."""
        text = json.dumps({"format": FORMAT, **to_dict(record)}, indent=2)
        write_text(self.path / EXPERIMENT_NAME, text + "\n")

    def measurements(self) -> Measurements:
        """Return all measurements; none before the first part is complete.

        Raises:
            InputError: the file cannot be read, or a line of it is not one of ours.
        """
        path = self.path / MEASUREMENTS_NAME
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return Measurements()
        except OSError as error:
            raise InputError(f"cannot read {path} ({error.strerror})", remedy="check its permissions") from None
        except UnicodeDecodeError:
            raise InputError(f"{path} is no text", remedy=_REMEDY) from None
        return Measurements([_parse(line, path, number) for number, line in enumerate(lines, start=1)])

    def add(self, part: str, measured: Sequence[Measurement]) -> Measurements:
        """Add the measurements of a part to those that are there, in one replacement of the file; return them all.

        Raises:
            InputError: see `measurements`.
            OSError: the file cannot be written.
        """
        assert measured, f"the part {part} measured nothing"
        order = {name: place for place, name in enumerate(self.record().parts)}
        every = [*self.measurements(), *(dataclasses.replace(each, part=part) for each in measured)]
        every.sort(key=lambda each: order.get(each.part, len(order)))  # keeps the order within a part
        write_text(self.path / MEASUREMENTS_NAME, "".join(map(_line, every)))
        return Measurements(every)


def create_experiment(path: Path, record: Record) -> ExperimentFolder:
    """Write down a new experiment in its folder, which is held meanwhile."""
    folder = ExperimentFolder(path)
    folder.write(record)  # before all else: a process that is killed now leaves what can be resumed, or nothing
    return folder


def open_experiment(path: Path) -> ExperimentFolder:
    """Return the experiment in a folder.

    Raises:
        InputError: there is none.
    """
    if not os.path.isfile(path / EXPERIMENT_NAME):
        raise InputError(
            "there is no experiment here",
            received=str(path),
            remedy="name a folder that `up experiment run --out` has written",
        )
    return ExperimentFolder(path)


def describe_worker(device: torch.device, setting: Setting) -> Process:
    """Return what the results of this process depend on, and when it started; nothing that names the machine.

    Raises:
        InputError: real data that the setting names cannot be read.

    """
    described, real = describe_process(device), {name_and_part(name)[0] for name in setting.real_data}
    return Process(
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores",
        device=described["device_description"],
        threads=described["threads"],
        python=described["python"],
        versions={**described["versions"], "up": up.__version__},
        commit=described["commit"],
        real_texts={name: load_corpus(name).source for name in sorted(real)},
    )


def _line(measurement: Measurement) -> str:
    return json.dumps(to_dict(measurement), allow_nan=False) + "\n"


def _parse(line: str, path: Path, number: int) -> Measurement:
    try:
        values: Any = json.loads(line)
        if not isinstance(values, dict):
            raise TypeError
        measurement = from_dict(Measurement, values)
        if not all(math.isfinite(value) for value in (measurement.value, measurement.stderr or 0.0)):
            raise ValueError
        return measurement
    except (ValueError, TypeError, RecursionError):  # InputError is a ValueError
        raise InputError(f"line {number} of {path} is no measurement", remedy=_REMEDY) from None
