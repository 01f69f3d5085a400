"""What experiments that finetune have in common: a pre-training, then a training from its weights and from scratch.

Finetuned and from scratch, runs see the same sequences in the same order, on the schedule of `up.recipes.finetuning`
but without early stopping, so that curves have the same length; the best checkpoint by the validation part is the
model. When a run is complete, it is measured on test parts and on other data, beside the bars and the model untrained.

    quantity          labels
    curve bits        phase, on, data, of: along a run, at rising `instances`, on the validation part and on other data
    bits, gain        of the run's model, as in `up.experiments.bits`
    adapting bits     of a mixing predictor, on the test parts

`phase` is `pre-trained`, `finetuned` or `scratch`; `on` is the data that was trained on. `from` is what the run began
with, and what a pre-training learns from.

What is trained on are the paper's real data sets that are here; at the smoke scale, the training parts of the corpora
that every Python has stand for them, under their own names.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch

from up.data.parts import PARTS, name_and_part
from up.errors import InputError
from up.experiments.bits import (
    ADAPTING,
    BITS,
    PER_CHARACTER,
    TRAINED,
    UNTRAINED,
    SharedSlices,
    Slices,
    bar_rows,
    measure_adapting,
    once_a_seed,
    table_of,
    untrained_model,
)
from up.experiments.experiment import LENGTHS, Experiment, Part, Progress, Setting, SubRun, Table
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Measurement, Measurements
from up.experiments.training import training_config
from up.model.mixing.predictor import MixingPredictor
from up.recipes.config import RunConfig
from up.recipes.finetuning import baseline_config, finetuning_config
from up.runs.finetune import weights_of
from up.runs.folder import load_model, open_run
from up.runs.speedup import curve_of, instances_to_reach, losses_to_compare

CURVE, PRETRAINED, FINETUNED, SCRATCH = "curve bits", "pre-trained", "finetuned", "scratch"
NOTHING, COMPUTATION = "nothing", "random computation"
_SHARE = 2  # of the losses compared: 90 % of the way of the run from scratch
_LONGEST = 512
_EVALUATIONS = 12


class FinetuningExperiment(Experiment):
    """Pre-trainings and finetunings, measured alike.

    Attributes:
        samples: slices of each data set that the models are measured on, by scale.
        watched: likewise, along the way.
        adapting_bytes: of the piece that a mixing predictor reads adapting.
        length: of a finetuning as a share of the pre-training; None: by the rule of `up.recipes.finetuning`.

    """

    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 1}
    arch: ClassVar[Mapping[str, str]] = {"smoke": "mixing", "laptop": "modern", "paper": "paper"}
    lengths = LENGTHS
    samples: ClassVar[Mapping[str, int]] = {"smoke": 4, "laptop": 60, "paper": 10_000}
    watched: ClassVar[Mapping[str, int]] = {"smoke": 4, "laptop": 24, "paper": 1_000}
    adapting_bytes: ClassVar[Mapping[str, int]] = {"smoke": 512, "laptop": 4_096, "paper": 100_000}
    length: ClassVar[Mapping[str, float | None]] = {"smoke": 0.5, "laptop": 0.5, "paper": None}

    def __init__(self) -> None:
        self._shared = SharedSlices()

    def data_of(self, setting: Setting) -> tuple[str, ...]:
        """Return what the models are measured on: none of it was trained on."""
        raise NotImplementedError

    def pretraining(self, setting: Setting, seed: int, *, learns: str, text: str | None = None) -> SubRun:
        """Return a pre-training on the source of the preset, or on the training part of a text."""
        arch = self.arch_of(setting)
        words = [] if text is None else [f"source.data={text}:{PARTS[0]}"]
        source = None if text is None else "text"
        return SubRun(
            name=f"pretrained-{_folder_word(learns)}-seed-{seed}",
            labels={"phase": PRETRAINED, "from": learns, "on": learns, "seed": seed, "arch": arch},
            config=training_config(setting, arch=arch, seed=seed, source=source, assignments=words),
        )

    def finetunings(self, setting: Setting, seed: int, on: str, begins: Sequence[SubRun]) -> list[SubRun]:
        """Return a finetuning from each of some pre-trainings, and the same from scratch."""
        arch, parts = self.arch_of(setting), []
        for pretrained in begins:

            def config(runs: Path, pretrained: SubRun = pretrained) -> RunConfig:
                run = open_run(runs / pretrained.name)
                return self._finetuned(setting, run.config(), on, runs / pretrained.name)

            learned = str(pretrained.labels["from"])
            labels = {"phase": FINETUNED, "from": learned, "on": on, "seed": seed, "arch": arch}
            name = f"finetuned-{_folder_word(on)}-after-{_folder_word(learned)}-seed-{seed}"
            parts.append(SubRun(name=name, labels=labels, config=config))

        def scratch(runs: Path) -> RunConfig:
            run = open_run(runs / begins[0].name)
            return baseline_config(self._finetuned(setting, run.config(), on, runs / begins[0].name))

        labels = {"phase": SCRATCH, "from": NOTHING, "on": on, "seed": seed, "arch": arch}
        return [*parts, SubRun(name=f"scratch-{_folder_word(on)}-seed-{seed}", labels=labels, config=scratch)]

    def _finetuned(self, setting: Setting, pretrained: RunConfig, on: str, folder: Path) -> RunConfig:
        share = self.length[setting.scale]
        instances = None if share is None else max(1, round(pretrained.training.instances * share))
        others = [_watched(name) for name in self.data_of(setting) if name_and_part(name)[0] != on]
        samples, tail = self.watched[setting.scale], min(_LONGEST, pretrained.model.context_length) // 8
        words = [f"evaluation.samples={samples}", f"evaluation.tail_positions={tail}", "training.patience=0"]
        weights = weights_of(open_run(folder))
        plain = finetuning_config(pretrained, weights, on, others=others, instances=instances, assignments=words)
        every = max(1, plain.training.instances // _EVALUATIONS)
        training = dataclasses.replace(plain.training, evaluate_every=every, checkpoint_every=every)
        evaluation = dataclasses.replace(plain.evaluation, context_length=min(_LONGEST, plain.model.context_length))
        return dataclasses.replace(plain, training=training, evaluation=evaluation)

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:
        """Return the curves of a finetuning, and what the model of any run charges for data that it never saw."""
        device, run = torch.device(setting.device), open_run(folder)
        config, model, instances = run.config(), load_model(folder, device), run.instances_of_model()
        length = min(_LONGEST, config.model.context_length)
        samples = setting.samples or self.samples[setting.scale]
        slices = Slices(data=self.data_of(setting), samples=samples, length=length, tail=length // 8)
        found = [] if part.labels["phase"] == PRETRAINED else _curves(folder, part)
        found += self._shared.measure(
            model,
            slices,
            config=config,
            labels=part.labels,
            instances=instances,
            device=device,
            progress=progress,
        )
        if isinstance(model, MixingPredictor):
            data = [name for name in slices.data if name_and_part(name)[1] is not None]
            untrained = untrained_model(config) if part.labels["phase"] == PRETRAINED else None
            for of, predictor in ((TRAINED, model), (UNTRAINED, untrained)):
                if isinstance(predictor, MixingPredictor):
                    found += measure_adapting(
                        predictor,
                        data=data,
                        size=self.adapting_bytes[setting.scale],
                        labels={**part.labels, "of": of},
                        instances=instances if of == TRAINED else 0,
                        progress=progress,
                    )
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return the curves, a panel for each data set."""
        curves = measurements.where(CURVE)
        panels = []
        for data in curves.each("data"):
            series = []
            for name, labels in rows_of(measurements).items():
                found = curves.where(data=data, **labels)
                after = found.instances()
                means = [found.after(instances).mean() for instances in after]
                if means:
                    spread = tuple(mean.spread for mean in means if mean.spread is not None)
                    y = tuple(mean.value for mean in means)
                    series.append(Series(name=name, x=tuple(map(float, after)), y=y, spread=spread))
            panels.append(Panel(title=str(data), series=tuple(series)))
        if not panels:
            return ()
        figure = Figure(
            name=self.name,
            title="Finetuned, and the same from scratch; what stands at 0 is the pre-trained and the untrained model",
            x_label="instances of the data that is trained on",
            y_label="bits per character",
            panels=tuple(panels),
        )
        return (figure,)

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return bits on data that was not trained on, what adapting gives, and when a loss was reached."""
        bits, adapting = measurements.where(BITS), measurements.where(ADAPTING)
        data = tuple(str(each) for each in bits.each("data"))
        phases = _phases(measurements)
        trained = {name: bits.where(of=TRAINED, **labels) for name, labels in phases.items()}
        streams = {"the architecture untrained, adapting": once_a_seed(adapting.where(of=UNTRAINED))}
        streams |= {f"{name}, adapting": adapting.where(of=TRAINED, **labels) for name, labels in phases.items()}
        tables = [
            table_of("Bits per character on data that was not trained on", {**bar_rows(measurements), **trained}, data),
            table_of("Adapting while it reads one piece, bits per byte", streams, data, quantity=ADAPTING),
            _speed_table(measurements),
        ]
        return [table for table in tables if len(table.columns) > 1 and table.rows]


def rows_of(measurements: Measurements) -> dict[str, dict[str, str]]:
    """Return the finetunings and the runs from scratch by what they are called, each with its labels."""
    rows = {}
    for on in measurements.where(phase=SCRATCH).each("on"):
        origins = measurements.where(phase=FINETUNED, on=on).each("from")
        for origin in origins:
            after = f" after {origin}" if len(origins) > 1 else ""
            rows[f"finetuned on {on}{after}"] = {"phase": FINETUNED, "on": str(on), "from": str(origin)}
        rows[f"from scratch on {on}"] = {"phase": SCRATCH, "on": str(on), "from": NOTHING}
    return rows


def sooner(measurements: Measurements, on: str, origin: str, seed: int) -> tuple[float | None, float | None, float]:
    """Return when the finetuned run and that from scratch first came down to 90 % of the latter's way, in instances.

    None stands for never; the third is the loss, bits per character on the validation part.
    """
    curves = measurements.where(CURVE, data=f"{on}:{PARTS[1]}", on=on, seed=seed)
    finetuned, scratch = (_points(curves.where(**{"from": each})) for each in (origin, NOTHING))
    loss = losses_to_compare(scratch)[_SHARE]
    return instances_to_reach(finetuned, loss), instances_to_reach(scratch, loss), loss


def require_sets(setting: Setting, wanted: Sequence[str], stand_ins: Sequence[str], *, least: int) -> tuple[str, ...]:
    """Return which of the paper's real data sets are here; at the smoke scale, what stands for them.

    Raises:
        InputError: too few are here.
    """
    if setting.is_smoke:
        return tuple(stand_ins)
    here = {name_and_part(name)[0] for name in setting.real_data}
    found = tuple(name for name in wanted if name in here)
    if len(found) < least:
        raise InputError(
            f"this experiment needs {'one' if least == 1 else least} of {', '.join(wanted)}, and has "
            f"{', '.join(found) or 'none'}",
            remedy="put them in a folder that UP_DATA_DIR names (up data list says which files), or give --scale smoke",
        )
    return found


def _points(found: Measurements) -> list[tuple[int, float]]:
    return sorted((each.instances or 0, each.value) for each in found)


def _curves(folder: Path, part: Part) -> list[Measurement]:
    evaluations = open_run(folder).metrics.history().evaluations
    found = []
    for row in evaluations[0].rows:
        errors = {each.instances: r.tail_stderr for each in evaluations for r in each.rows if r.data == row.data}
        for instances, bits in curve_of(evaluations, row.data):
            found.append(
                Measurement(
                    labels={**part.labels, "data": row.data, "of": TRAINED},
                    quantity=CURVE,
                    unit=PER_CHARACTER,
                    value=bits,
                    stderr=errors[instances],
                    instances=instances,
                )
            )
    return found


def _phases(measurements: Measurements) -> dict[str, dict[str, str]]:
    pretrained = {
        f"pre-trained on {origin}, zero-shot": {"phase": PRETRAINED, "from": str(origin)}
        for origin in measurements.where(phase=PRETRAINED).each("from")
    }
    return {**pretrained, **rows_of(measurements)}


def _speed_table(measurements: Measurements) -> Table:
    rows = []
    for name, labels in rows_of(measurements).items():
        if labels["phase"] != FINETUNED:
            continue
        for seed in measurements.where(**labels).each("seed"):
            own, other, loss = sooner(measurements, labels["on"], labels["from"], int(seed))
            ratio = "" if not own or other is None else f"{other / own:.2f}"
            cells = ("never" if each is None else f"{each:,.0f}" for each in (own, other))
            rows.append((f"{name}, seed {seed}", f"{loss:.3f}", *cells, ratio))
    columns = ("", "loss, bits", "finetuned, instances", "from scratch, instances", "ratio")
    return Table(
        title="When the validation part came down to 90 % of the way of the run from scratch",
        columns=columns,
        rows=tuple(rows),
    )


def _watched(name: str) -> str:
    """Return what is watched along the way in place of a test part, which is measured once at the end."""
    whole, part = name_and_part(name)
    return name if part is None else f"{whole}:{PARTS[1]}"


def _folder_word(text: str) -> str:
    return text.replace(" ", "-").replace(":", "-")
