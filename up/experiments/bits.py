"""What the models of an experiment charge for data that they never saw, and what everything beside them does.

Every table of an experiment has the same rows: a uniform code, the in-context Markov model of the paper, PPM, the
architecture untrained, and what was trained. So it can be seen of each figure what the architecture gives, and what
training adds. All are measured on the same slices, over the last characters of each (the tail, `up.evaluation.bits`).
For the mixing predictor there is one more pair: the trained and the untrained predictor *adapting*, each learning from
the bytes of one piece while it reads it (`up.model.mixing.stream`).

    quantity          unit                  labels
    bits              bits per character    data, text, of: trained, untrained, uniform, Markov, PPM
    gain              bits per character    likewise; what `of` charges more than the trained model, its error paired
    adapting bits     bits per byte         data, of: trained, untrained

`text` begins the SHA-256 of the data, so that figures on other bytes are not taken for figures on these.

Limits: errors over slices speak of this data. Nothing may be chosen by the test sets.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from up.data.corpora import load_corpus
from up.evaluation.bits import EvaluationConfig, PreparedEvaluation, prepare
from up.evaluation.rows import EvaluationRow
from up.experiments.experiment import Progress, Table
from up.experiments.measurement import Label, Measurement, Measurements
from up.model.base import ModelConfig, TargetModel, build_model
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.recipes.config import RunConfig

CHOSEN_BY = ("stdlib", "pydoc")
"""Real data that every machine has; findings are about these."""

VALIDATION = (*CHOSEN_BY, "champ", "dyck", "ndfa", "toy")
"""Data on which a choice may be made."""

TEST = ("aut", "toy2", "bits", "bitsflip")
"""Data that is measured and never chosen by."""

BITS, GAIN, ADAPTING = "bits", "gain", "adapting bits"
PER_CHARACTER, PER_BYTE = "bits per character", "bits per byte"
TRAINED, UNTRAINED, UNIFORM, MARKOV, PPM = "trained", "untrained", "uniform", "Markov", "PPM"

BARS = {UNIFORM: "uniform", MARKOV: "markov", PPM: "ppm_exclusion", UNTRAINED: "untrained"}
"""What stands beside a model, and the field of a row that says what it charges."""

_ADAPTING_FROM = 100_000
_CHUNK_BYTES = 1_024
_TEXT_DIGITS = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slices:
    """Where and how finely to measure.

    Attributes:
        data: names of data sets.
        samples: slices of each.
        length: characters in a slice.
        tail: characters at the end of each that count.

    """

    data: tuple[str, ...] = (*VALIDATION, *TEST)
    samples: int
    length: int = 512
    tail: int = 64


class SharedSlices:
    """Slices and bars, cut and measured once for all models of an experiment that are measured on the same ones."""

    def __init__(self) -> None:
        self._slices: Slices | None = None
        self._prepared: PreparedEvaluation | None = None
        self._beginning: tuple[object, Slices] | None = None
        self._with_untrained: PreparedEvaluation | None = None

    def measure(
        self,
        model: TargetModel[Any],
        slices: Slices,
        *,
        config: RunConfig,
        labels: Mapping[str, Label],
        instances: int,
        device: torch.device,
        progress: Progress,
    ) -> list[Measurement]:
        """Return what a model charges, and what everything beside it does.

        Args:
            model: to be measured, on the device and in evaluation mode.
            slices: where.
            config: of its run, with which the weights began.
            labels: of all measurements.
            instances: that the model was trained on.
            device: where the models are.
            progress: called as slices are done.

        Raises:
            InputError: data that cannot be loaded.
            RunError: predictions that are not finite.
        """
        prepared = self._beside_untrained(slices, config, device, progress)
        return measurements_of(prepared.evaluate(model, progress=progress), labels=labels, instances=instances)

    def _beside_untrained(
        self, slices: Slices, config: RunConfig, device: torch.device, progress: Progress
    ) -> PreparedEvaluation:
        """Return the slices with what the model charges before training, measured once for runs that begin alike."""
        beginning = beginning_of(config), slices
        if self._with_untrained is None or self._beginning != beginning:
            prepared = self._prepare(slices, config.model.readable(slices.length), device, progress)
            self._with_untrained = prepared.with_untrained(untrained_model(config).to(device), progress=progress)
            self._beginning = beginning
        return self._with_untrained

    def _prepare(self, slices: Slices, readable: int, device: torch.device, progress: Progress) -> PreparedEvaluation:
        if self._prepared is None or self._slices != slices:
            config = EvaluationConfig(
                data=slices.data,
                samples=slices.samples,
                context_length=slices.length,
                tail_positions=slices.tail,
                seed=1,
            )
            self._prepared = prepare(config, context_length=readable, device=device, progress=progress)
            self._slices = slices
        return self._prepared.for_context(readable)


def beginning_of(config: RunConfig) -> tuple[ModelConfig, int]:
    """Return what the initial weights of a run depend on."""
    return config.model, config.seed


def untrained_model(config: RunConfig) -> TargetModel[Any]:
    """Return the model that a run begins with, on the CPU."""
    return build_model(config.model, config.generator("model")).eval()


def measurements_of(rows: Sequence[EvaluationRow], *, labels: Mapping[str, Label], instances: int) -> list[Measurement]:
    """Return the rows of an evaluation as measurements, those of the model first."""
    found = []
    for row in rows:
        own = {**labels, "data": row.data, "text": row.identity[:_TEXT_DIGITS]}

        def measured(quantity: str, of: str, value: float, stderr: float | None, own: dict[str, Label] = own) -> None:
            found.append(
                Measurement(
                    labels={**own, "of": of},
                    quantity=quantity,
                    unit=PER_CHARACTER,
                    value=value,
                    stderr=stderr,
                    instances=instances,
                )
            )

        measured(BITS, TRAINED, row.tail_bits, row.tail_stderr)
        for of, field in BARS.items():
            bits = row.uniform_bits if of == UNIFORM else getattr(row, f"{field}_tail_bits")
            if bits is not None:
                error = row.tail_stderr if of == UNIFORM else getattr(row, f"{field}_tail_difference_stderr")
                measured(BITS, of, bits, None)
                measured(GAIN, of, bits - row.tail_bits, error)
    return found


def measure_adapting(
    predictor: MixingPredictor,
    *,
    data: Sequence[str],
    size: int,
    labels: Mapping[str, Label],
    instances: int,
    progress: Progress,
) -> list[Measurement]:
    """Return the bits per byte of a predictor that adapts while it reads a piece of each data set.

    Args:
        predictor: to be measured.
        data: names of data sets.
        size: bytes of the piece; it begins after 100,000 bytes, or ends with the data.
        labels: of all measurements, such as `of`.
        instances: that it was trained on.
        progress: called as bytes are read.
    """
    found, done, total = [], 0, len(data) * size
    for name in data:
        corpus = load_corpus(name)
        start = max(0, min(_ADAPTING_FROM, corpus.size_bytes - size))
        piece = corpus.data[start : start + size]
        stream, bits = Stream(predictor), 0.0
        for chunk in range(0, len(piece), _CHUNK_BYTES):
            bits += float(stream.score(piece[chunk : chunk + _CHUNK_BYTES]).sum())
            done += min(_CHUNK_BYTES, len(piece) - chunk)
            progress(done, total)
        found.append(
            Measurement(
                labels={**labels, "data": name, "text": corpus.sha256[:_TEXT_DIGITS], "bytes": size},
                quantity=ADAPTING,
                unit=PER_BYTE,
                value=bits / len(piece),
                instances=instances,
            )
        )
    return found


def table_of(title: str, rows: Mapping[str, Measurements], data: Sequence[str], *, quantity: str = BITS) -> Table:
    """Return a table with a column for each data set: means over seeds, with the spread.

    Args:
        title: of the table.
        rows: names of rows to what was measured of them, on all data; rows without any are left out.
        data: names of data sets, of which those that were measured become columns.
        quantity: that is shown.
    """
    shown = [name for name in data if any(found.where(quantity, data=name) for found in rows.values())]
    cells = []
    for name, found in rows.items():
        picked = [found.where(quantity, data=each) for each in shown]
        if any(picked):
            cells.append((name, *(str(each.mean()) if each else "" for each in picked)))
    return Table(title=title, columns=("", *shown), rows=tuple(cells))


def once_a_seed(measurements: Measurements) -> Measurements:
    """Return the first of each data set and seed: what does not depend on the training is measured after each."""
    once: dict[object, Measurement] = {}
    for each in measurements:
        once.setdefault((each.labels["data"], each.labels.get("seed")), each)
    return Measurements(list(once.values()))


def bar_rows(measurements: Measurements, *names: str) -> dict[str, Measurements]:
    """Return the rows of a table for what stands beside the models: each bar once, from the first part that has it.

    Bars do not depend on what was trained; the untrained model depends on the seed, so all seeds count.
    """
    rows = {}
    for name in names or (UNIFORM, MARKOV, PPM, UNTRAINED):
        found = measurements.where(BITS, of=name)
        once: dict[object, Measurement] = {}
        for each in found:
            once.setdefault((each.labels["data"], each.labels.get("seed") if name == UNTRAINED else None), each)
        rows[_SHOWN.get(name, name)] = Measurements(list(once.values()))
    return rows


_SHOWN = {MARKOV: "Markov, in context", PPM: "PPM-D with update exclusion", UNTRAINED: "the architecture untrained"}
