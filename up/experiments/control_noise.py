"""Trained on noise, trained on random computation, untrained: is it the structure that teaches, or the training?

Claim: "The first string is fully random, and nothing useful may be learned from it. The second string contains
structure" (Bloem 2025, section 1, figure 1); what helps is that noise has passed through computation.

The same model, with the same initial weights and the same number of instances, is trained on uniform noise and on the
source of its preset. Beside both stands the model as it was initialised, for the architecture alone may predict well:
the mixing predictor and a transformer with copy heads do. Mixing predictors also read a piece adapting.

The default is the mixing predictor, which learns in a minute; `--arch modern` and `--arch paper` are the transformers,
and the paper scale takes the paper's own.

Limits: one length of training and one preset; that noise teaches nothing is expected, that it may harm is what the
control shows.
"""

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
    TEST,
    TRAINED,
    UNTRAINED,
    VALIDATION,
    SharedSlices,
    Slices,
    bar_rows,
    measure_adapting,
    table_of,
)
from up.experiments.experiment import (
    FAILS,
    HOLDS,
    UNKNOWN,
    Experiment,
    Finding,
    Part,
    Progress,
    Setting,
    SubRun,
    Table,
)
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Measurement, Measurements
from up.experiments.training import training_config
from up.model.base import build_model
from up.model.mixing.predictor import MixingPredictor
from up.runs.folder import load_model, open_run

NOISE, HOUSE = "noise", "random computation"
_SAMPLES = {"smoke": 6, "laptop": 60, "paper": 10_000}
_ADAPTING_BYTES = {"smoke": 1_024, "laptop": 16_384, "paper": 100_000}


class ControlNoise(Experiment):
    """See the module."""

    name = "control-noise"
    title = "Noise as the control"
    question = "Is it the structure of random computation that a model learns from, or would noise do as well?"
    arch: ClassVar[Mapping[str, str]] = {"smoke": "mixing", "laptop": "mixing", "paper": "paper"}

    def __init__(self) -> None:
        self._shared = SharedSlices()

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return two trainings for each seed."""
        arch = self.arch_of(setting)
        return [
            SubRun(
                name=f"{name}-seed-{seed}",
                labels={"source": label, "seed": seed, "arch": arch},
                config=training_config(setting, arch=arch, seed=seed, source=source),
            )
            for seed in setting.seeds
            for name, label, source in (("noise", NOISE, "noise"), ("computation", HOUSE, None))
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:
        """Return what the trained and the untrained model charge, and what they do adapting."""
        device = torch.device(setting.device)
        run = open_run(folder)
        config, model = run.config(), load_model(folder, device)
        untrained = build_model(config.model, config.generator("model")).to(device).eval()
        length = min(512, config.model.context_length)
        slices = Slices(samples=_SAMPLES[setting.scale], length=length, tail=length // 8)
        instances = run.instances_of_model()
        found = self._shared.measure(
            model,
            slices,
            untrained=untrained,
            labels=part.labels,
            instances=instances,
            device=device,
            progress=progress,
        )
        if isinstance(model, MixingPredictor) and isinstance(untrained, MixingPredictor):
            found += measure_adapting(
                {TRAINED: model, UNTRAINED: untrained},
                data=CHOSEN_BY,
                size=_ADAPTING_BYTES[setting.scale],
                labels=part.labels,
                instances=instances,
                progress=progress,
            )
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return the bits of all three, by data set."""
        bits = measurements.where(BITS)
        data = tuple(str(each) for each in bits.each("data"))
        if not data:
            return ()
        rows = {**bar_rows(measurements, MARKOV, PPM, UNTRAINED), **_trained(bits)}
        series = []
        for name, found in rows.items():
            means = [(data.index(each), found.where(data=each).mean()) for each in data if found.where(data=each)]
            if means:
                spread = tuple(mean.spread or 0.0 for _, mean in means)
                x, y = tuple(float(place) for place, _ in means), tuple(mean.value for _, mean in means)
                series.append(Series(name=name, x=x, y=y, spread=spread if any(spread) else ()))
        return (
            Figure(
                name="control-noise",
                title="Trained on noise, trained on random computation, untrained",
                x_label="data",
                y_label="bits per character",
                panels=(Panel(title="Zero-shot", series=tuple(series)),),
                categories=data,
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the bits on validation and test sets, and adapting."""
        bits = measurements.where(BITS)
        rows = {**bar_rows(measurements), **_trained(bits)}
        adapting = measurements.where(ADAPTING)
        adapting_rows = {"the architecture untrained, adapting": _once_a_seed(adapting.where(of=UNTRAINED))}
        adapting_rows |= {f"{name}, adapting": found for name, found in _trained(adapting).items()}
        tables = [
            table_of("Validation sets, bits per character zero-shot", rows, VALIDATION),
            table_of("Test sets, bits per character zero-shot", rows, TEST),
            table_of("Adapting while it reads one piece, bits per byte", adapting_rows, VALIDATION, quantity=ADAPTING),
        ]
        return [table for table in tables if table.rows]

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether computation teaches more than noise, and whether noise teaches anything, on text and code."""
        found = []
        for data in CHOSEN_BY:
            of_data = measurements.where(data=data)
            noise, house = (of_data.where(source=source) for source in (NOISE, HOUSE))
            if not (noise.where(BITS) and house.where(BITS)):
                continue
            gained = house.where(GAIN, of=UNTRAINED).less(noise.where(GAIN, of=UNTRAINED))
            after_noise, after_house = (side.where(BITS, of=TRAINED).mean() for side in (noise, house))
            found.append(
                Finding(
                    claim=f"Random computation teaches what noise does not ({data})",
                    section="1",
                    measured=f"after noise {after_noise} bits per character, after random computation {after_house}; "
                    f"the difference is {gained.with_error}",
                    verdict={True: HOLDS, False: FAILS, None: UNKNOWN}[gained.is_above()],
                )
            )
            taught = noise.where(GAIN, of=UNTRAINED).mean()
            found.append(
                Finding(
                    claim=f"Nothing useful is learned from noise ({data})",
                    section="1",
                    measured=f"untrained {noise.where(BITS, of=UNTRAINED).mean()} bits per character, after noise "
                    f"{after_noise}; noise took off {taught.with_error}",
                    verdict=FAILS if taught.is_above() else HOLDS,
                )
            )
        return found


def _trained(found: Measurements) -> dict[str, Measurements]:
    return {f"trained on {source}": found.where(of=TRAINED, source=source) for source in (NOISE, HOUSE)}


def _once_a_seed(found: Measurements) -> Measurements:
    """Return what does not depend on the training once for each seed."""
    once: dict[object, Measurement] = {}
    for each in found:
        once.setdefault((each.labels["data"], each.labels.get("seed")), each)
    return Measurements(list(once.values()))
