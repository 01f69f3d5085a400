"""What experiments have in common that train models of several sizes and evaluate each of them as it learns.

The size of a transformer is its width, that of a mixing predictor the width of its gate's first hidden layer. Sizes of
a scale differ in nothing else: depth, heads, source and number of instances are the same, and muP carries the learning
rate over (docs: widths); at the paper scale they are the paper's presets, whose depth grows with the width (A.1).

    quantity      labels
    bits, gain    size, seed, data, of, after so many instances (`up.experiments.bits`)
    parameters    size, seed: trainable numbers of the model
    adapting bits size, seed, data, of: of mixing predictors, when they are complete and untrained

A model is evaluated at equal intervals by its run, on the same slices each time; the bars stand with the last one only.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch

from up.experiments.bits import (
    ADAPTING,
    BITS,
    CHOSEN_BY,
    GAIN,
    MARKOV,
    PPM,
    TRAINED,
    UNIFORM,
    UNTRAINED,
    measure_adapting,
    measurements_of,
    table_of,
    untrained_model,
)
from up.experiments.experiment import LENGTHS, Experiment, Part, Progress, Setting, SubRun, Table
from up.experiments.measurement import Estimate, Measurement, Measurements
from up.experiments.training import training_config
from up.model.base import count_parameters
from up.model.mixing.predictor import MixingPredictor
from up.runs.folder import load_model, open_run

PARAMETERS = "parameters"

_ADAPTING_BYTES = {"smoke": 512, "laptop": 8_192, "paper": 100_000}
_WIDTHS = {"smoke": (8, 16), "laptop": (32, 64, 128), "paper": (384, 512, 640, 1024)}
_POINTS_AT_LEAST = 6
_GATES = {"smoke": (6, 24), "laptop": (6, 12, 24, 48, 96), "paper": (6, 12, 24, 48, 96)}


class SizesExperiment(Experiment):
    """Trainings of several sizes.

    Attributes:
        samples: slices of each data set, by scale; None: the paper's 10,000.
        points: evaluations of each training, by scale; None: one every 100,000 instances, as in section 6.2, and of a
            length that the setting gives, six at least.
        instances: of each training at the laptop scale, by architecture.

    """

    lengths = LENGTHS
    samples: ClassVar[Mapping[str, int | None]]
    points: ClassVar[Mapping[str, int | None]] = {"smoke": 2, "laptop": 6, "paper": None}
    instances: ClassVar[Mapping[str, int]]

    def data(self, setting: Setting) -> tuple[str, ...]:
        """Return the data sets on which models are evaluated as they learn."""
        raise NotImplementedError

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return a training for each size and seed."""
        arch = self.arch_of(setting)
        sizes = (_GATES if arch == "mixing" else _WIDTHS)[setting.scale]
        return [
            SubRun(
                name=f"size-{size}-seed-{seed}",
                labels={"size": size, "seed": seed, "arch": arch},
                config=training_config(
                    setting,
                    arch=arch,
                    seed=seed,
                    preset=f"paper-{size}" if setting.scale == "paper" and arch != "mixing" else None,
                    assignments=self._assignments(setting, arch, size),
                ),
            )
            for seed in setting.seeds
            for size in sizes
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:
        """Return what the model charged each time that it was evaluated, the bars once, and what adapting gives."""
        run = open_run(folder)
        labels, config = part.labels, run.config()
        parameters = float(count_parameters(config.model))
        found = [Measurement(labels=dict(labels), quantity=PARAMETERS, unit="", value=parameters)]
        evaluations = run.metrics.history().evaluations
        for number, evaluation in enumerate(evaluations, start=1):
            measured = measurements_of(evaluation.rows, labels=labels, instances=evaluation.instances)
            is_last = number == len(evaluations)
            found += [each for each in measured if is_last or _is_of_training(each)]
            progress(number, len(evaluations))
        model = load_model(folder, torch.device("cpu")) if config.model.arch == "mixing" else None
        if isinstance(model, MixingPredictor):
            untrained = untrained_model(config)
            assert isinstance(untrained, MixingPredictor)
            for of, predictor in ((TRAINED, model), (UNTRAINED, untrained)):
                found += measure_adapting(
                    predictor,
                    data=CHOSEN_BY,
                    size=_ADAPTING_BYTES[setting.scale],
                    labels={**labels, "of": of},
                    instances=run.instances_of_model() if of == TRAINED else 0,
                    progress=progress,
                )
        return found

    def _assignments(self, setting: Setting, arch: str, size: int) -> list[str]:
        words = [f"evaluation.data={json.dumps(self.data(setting))}"]
        if arch == "mixing":
            words += [f"model.hidden={json.dumps([size, max(2, size * 2 // 3)])}"]
        elif setting.scale != "paper":
            words += [f"model.width={size}"]
        samples, points = setting.samples or self.samples[setting.scale], self.points[setting.scale]
        words += [f"evaluation.samples={samples or 10_000}"]
        instances = self.instances[arch] if setting.scale == "laptop" else None
        if instances is not None:
            words += [f"training.instances={instances}"]
        if points is None and setting.instances is not None:
            points = max(_POINTS_AT_LEAST, setting.instances // 100_000)
        if points is not None:
            total = training_config(setting, arch=arch, seed=0, assignments=words).training.instances
            words += [f"training.evaluate_every={max(1, total // points)}"]
        else:
            words += ["training.evaluate_every=100000"]  # section 6.2
        return words


def trained_at_end(measurements: Measurements) -> Measurements:
    """Return the bits of each model when it is done."""
    return measurements.where(BITS, of=TRAINED).last()


def adapting_table(measurements: Measurements) -> list[Table]:
    """Return what mixing predictors of each size do adapting, untrained and trained; no table of other models."""
    adapting = measurements.where(ADAPTING)
    rows = {
        f"size {size} {of}, adapting": adapting.where(size=size, of=of)
        for size in adapting.each("size")
        for of in (UNTRAINED, TRAINED)
    }
    title = "Adapting while it reads one piece, bits per byte"
    return [table_of(title, rows, CHOSEN_BY, quantity=ADAPTING)] if rows else []


def gain_over(measurements: Measurements, of: str) -> Measurements:
    """Return how much more something charges than each model when it is done."""
    return measurements.where(GAIN, of=of).last()


def gained_by_size(measurements: Measurements, data: str) -> Estimate | None:
    """Return by how much the largest size is better than the smallest at the end; None where there is one size only.

    Both are compared through what charges both alike on the same slices, whichever makes the smallest error, so that
    this is not that of the slices.
    """
    sizes = [int(size) for size in measurements.each("size")]
    if len(sizes) < 2:
        return None
    found = []
    for bar in (UNIFORM, MARKOV, PPM):
        gains = gain_over(measurements, bar).where(data=data)
        largest, smallest = gains.where(size=max(sizes)), gains.where(size=min(sizes))
        if largest and smallest:
            found.append(largest.less(smallest))
    return min(found, key=lambda each: each.stderr or 0.0, default=None)


def _is_of_training(measurement: Measurement) -> bool:
    return measurement.labels["of"] == TRAINED and measurement.quantity == BITS
