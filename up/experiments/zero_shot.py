"""What experiments have in common that train models in several ways and measure them zero-shot on the same slices.

Such an experiment says which trainings there are and which label tells them apart; this file measures each when it is
complete, beside the same model untrained, and makes the tables: validation sets, test sets, real data, adapting.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch

from up.data.parts import name_and_part
from up.experiments.bits import (
    ADAPTING,
    BITS,
    CHOSEN_BY,
    GAIN,
    TEST,
    TRAINED,
    UNTRAINED,
    VALIDATION,
    SharedSlices,
    Slices,
    bar_rows,
    beginning_of,
    measure_adapting,
    once_a_seed,
    table_of,
    untrained_model,
)
from up.experiments.experiment import LENGTHS, Experiment, Part, Progress, Setting, Table
from up.experiments.measurement import Label, Measurement, Measurements
from up.model.mixing.predictor import MixingPredictor
from up.recipes.config import RunConfig
from up.runs.folder import load_model, open_run

_LONGEST = 512


class ZeroShotExperiment(Experiment):
    """Trainings that differ in one thing, measured alike.

    Attributes:
        samples: slices of each data set, by scale.
        adapting_bytes: of the piece that a mixing predictor reads adapting, by scale.

    """

    lengths = LENGTHS
    samples: ClassVar[Mapping[str, int]] = {"smoke": 6, "laptop": 40, "paper": 10_000}
    adapting_bytes: ClassVar[Mapping[str, int]] = {"smoke": 1_024, "laptop": 8_192, "paper": 100_000}

    def __init__(self) -> None:
        self._shared = SharedSlices()
        self._untrained_adapting: tuple[object, list[Measurement]] | None = None

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:
        """Return what the trained and the untrained model charge, and what they do adapting."""
        device = torch.device(setting.device)
        run = open_run(folder)
        config, model = run.config(), load_model(folder, device)
        length = min(_LONGEST, config.model.context_length)
        slices = Slices(
            data=(*VALIDATION, *TEST, *setting.real_data),
            samples=setting.samples or self.samples[setting.scale],
            length=length,
            tail=length // 8,
        )
        found = self._shared.measure(
            model,
            slices,
            config=config,
            labels=part.labels,
            instances=run.instances_of_model(),
            device=device,
            progress=progress,
        )
        if isinstance(model, MixingPredictor):
            found += self._adapting(model, config, part, setting, run.instances_of_model(), progress)
        return found

    def _adapting(
        self,
        model: MixingPredictor,
        config: RunConfig,
        part: Part,
        setting: Setting,
        instances: int,
        progress: Progress,
    ) -> list[Measurement]:
        """Return what the trained and the untrained predictor do adapting; the latter is measured once for a seed."""

        def measured(of: str, predictor: MixingPredictor, after: int) -> list[Measurement]:
            size = self.adapting_bytes[setting.scale]
            return measure_adapting(
                predictor, data=CHOSEN_BY, size=size, labels={"of": of}, instances=after, progress=progress
            )

        begins = beginning_of(config)
        if self._untrained_adapting is None or self._untrained_adapting[0] != begins:
            untrained = untrained_model(config)
            assert isinstance(untrained, MixingPredictor)
            self._untrained_adapting = begins, measured(UNTRAINED, untrained, 0)
        every = [*measured(TRAINED, model, instances), *self._untrained_adapting[1]]
        return [dataclasses.replace(each, labels={**part.labels, **each.labels}) for each in every]


def zero_shot_tables(measurements: Measurements, rows: Mapping[str, Mapping[str, Label]]) -> list[Table]:
    """Return the tables of an experiment, those without any rows left out.

    Args:
        measurements: of one architecture.
        rows: names of the rows of trained models, each with the labels of their measurements.
    """
    bits, adapting = measurements.where(BITS), measurements.where(ADAPTING)
    trained = {name: bits.where(of=TRAINED, **labels) for name, labels in rows.items()}
    every = {**bar_rows(measurements), **trained}
    of_adapting = {"the architecture untrained, adapting": once_a_seed(adapting.where(of=UNTRAINED))}
    of_adapting |= {f"{name}, adapting": adapting.where(of=TRAINED, **labels) for name, labels in rows.items()}
    real = [str(name) for name in bits.each("data") if str(name) not in (*VALIDATION, *TEST)]
    tables = [
        table_of("Validation sets, bits per character zero-shot", every, VALIDATION),
        table_of("Test sets, bits per character zero-shot", every, TEST),
        table_of("Real data, validation parts", every, [name for name in real if name_and_part(name)[1] != "test"]),
        table_of("Real data, test parts", every, [name for name in real if name_and_part(name)[1] == "test"]),
        table_of("Adapting while it reads one piece, bits per byte", of_adapting, CHOSEN_BY, quantity=ADAPTING),
    ]
    return [table for table in tables if len(table.columns) > 1]


def taught(measurements: Measurements, *data: str, **labels: Label) -> Measurements:
    """Return how many bits per character training took off the untrained model, for each seed, mean over data sets.

    Its errors are paired, so that a difference of two of these says more than one of two models' bits.
    """
    names = data or CHOSEN_BY
    found = measurements.where(GAIN, of=UNTRAINED, **labels)
    return Measurements([each for each in found if each.labels["data"] in names]).averaged()
