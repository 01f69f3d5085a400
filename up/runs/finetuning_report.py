"""What came of a finetuning: four models on data that none was chosen by, and when each loss was reached.

The test part of the data, and the data beside it, are measured once, when both runs are complete: the model before any
training, as it was pre-trained (zero-shot), finetuned, and from scratch, on the same slices. What remains between the
first two is pre-training's, between the last two what pre-training adds to training on the data.

PPM and the other bars learn from the slice alone, as the zero-shot model does. xz reads the whole test part; *after the
training part* it has read that, too, as have the finetuned model and the one from scratch, and only what it adds for
the test part is counted.

Of a mixing predictor, which learns while it predicts (`up.model.mixing.stream`), the beginning of the test part is read
in one piece, too: frozen, its gate stays as it was trained; adapting, it goes on learning.

Limits: xz has read the last 16 MiB of the training part at most.
"""

import dataclasses
import json
import lzma
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from up.config import from_dict, to_dict
from up.data.corpora import Corpus, load_corpus
from up.data.parts import PARTS
from up.errors import InputError
from up.evaluation.compressors import xz_filters
from up.evaluation.rows import EvaluationRow
from up.model.base import TargetModel, build_model
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.runs.evaluate import prepare_evaluation
from up.runs.files import read_json, write_text
from up.runs.finetune import FINETUNED, SCRATCH, Finetuning, has_ended, places_of_texts, with_places
from up.runs.folder import RunFolder, load_model
from up.runs.place import unwritable
from up.runs.speedup import Reached, compare_speed
from up.runs.texts import load_texts, recorded_texts
from up.sources.text import TextSource

REPORT_NAME = "report.json"
CPU_SAMPLES, GPU_SAMPLES = 500, 10_000
PRETRAINED = "zero-shot"
_FORMAT = 1
_XZ_BYTES = 16 << 20
_READ_BYTES = 16_384

Progress = Callable[[str, int, int], None]
"""Called with what is measured, and with slices or bytes done and in all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelRows:
    """One model on all data sets: the test part first, then those beside it.

    Attributes:
        model: `zero-shot`, `finetuned` or `scratch`.
        instances: of the data that it was trained on; 0 for the pre-trained one.
        ended_early: whether its run ended because it no longer improved.
        rows: one for each data set.
    """

    model: str
    instances: int
    ended_early: bool
    rows: tuple[EvaluationRow, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadBits:
    """A mixing predictor that reads the beginning of the test part in one piece, bits per byte.

    Attributes:
        model: `untrained`, `zero-shot`, `finetuned` or `scratch`.
        bytes: that were read.
        frozen_bits: its gate and second stage do not learn.
        adapting_bits: they do.
    """

    model: str
    bytes: int
    frozen_bits: float
    adapting_bits: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuningReport:
    """What came of a finetuning.

    Attributes:
        run: what was finetuned.
        data: on what.
        test: name of the test part.
        models: the pre-trained one, the finetuned one, and the one from scratch where there is a baseline.
        reached: when both runs reached some losses on the validation part.
        xz_bits: bits per byte of the test part under xz.
        xz_after_training_bits: what xz adds for it after the training part, bits per byte.
        read: of a mixing predictor; none of any other model.
    """

    run: str
    data: str
    test: str
    models: tuple[ModelRows, ...]
    reached: tuple[Reached, ...]
    xz_bits: float
    xz_after_training_bits: float
    read: tuple[ReadBits, ...]


def nothing(_what: str, _done: int, _total: int) -> None:
    """Listen to the progress and do nothing."""


def report_finetuning(
    finetuning: Finetuning,
    out: Path,
    *,
    device: torch.device,
    samples: int | None = None,
    losses: Sequence[float] = (),
    data_at: Mapping[str, Path] | None = None,
    progress: Progress = nothing,
) -> FinetuningReport:
    """Measure the models of a finetuning whose runs are complete, and write `report.json`.

    Args:
        finetuning: the one in the folder.
        out: the folder.
        device: where the models are measured.
        samples: slices of each data set; None: 500 on a CPU, 10,000 on a GPU.
        losses: at which speed is compared, bits per character; none: along the way of the run from scratch.
        data_at: where data is now that was moved.
        progress: told how far it is.

    Raises:
        InputError: data that is gone or has changed, or a run that is incomplete or damaged.
    """
    folders = {name: RunFolder(out / name) for name in finetuning.configs}
    for folder in folders.values():
        if not has_ended(folder):
            raise InputError("the finetuning is not complete", received=str(folder.path), remedy="continue it first")
    config = finetuning.config
    training, test, others = _corpora(finetuning, folders[FINETUNED], data_at or {})
    samples = samples or (CPU_SAMPLES if device.type == "cpu" else GPU_SAMPLES)
    names = (test.name, *(corpus.name for corpus in others))
    prepared = prepare_evaluation(
        config,
        dataclasses.replace(config.evaluation, data=names, samples=samples),
        device=device,
        corpora=(test, *others),
        progress=lambda done, total: progress("slices measured by the bars and the untrained model", done, total),
    )
    models = _models(folders, device)
    measured, histories = [], {name: folder.metrics.history() for name, folder in folders.items()}
    for name, model in models.items():
        rows = prepared.evaluate(model, progress=lambda done, total: progress("slices predicted", done, total))
        folder = folders.get(name)
        measured.append(
            ModelRows(
                model=name,
                instances=0 if folder is None else folder.instances_of_model(),
                ended_early=folder is not None and folder.has_lost_patience(),
                rows=rows,
            )
        )
    alone, after = _xz(training, test)
    (validation,) = config.training.best_by
    report = FinetuningReport(
        run=config.initial_weights.run if config.initial_weights is not None else "",
        data=finetuning.data,
        test=test.name,
        models=tuple(measured),
        reached=compare_speed(histories[FINETUNED], histories.get(SCRATCH), validation, losses),
        xz_bits=alone,
        xz_after_training_bits=after,
        read=_read(finetuning, models, test, progress),
    )
    try:
        write_text(out / REPORT_NAME, json.dumps({"format": _FORMAT, **to_dict(report)}, indent=2) + "\n")
    except OSError as error:
        raise unwritable(error, out) from None
    return report


def read_report(out: Path) -> FinetuningReport | None:
    """Return what came of a finetuning; None if that was not written yet.

    Raises:
        InputError: the file cannot be read.
    """
    path, remedy = out / REPORT_NAME, "remove it, and up finetune --resume measures again"
    if not path.exists():
        return None
    values = read_json(path, dict, remedy=remedy)
    if values.pop("format", None) != _FORMAT:
        raise InputError(f"{path} is not of format {_FORMAT}", remedy=remedy)
    try:
        return from_dict(FinetuningReport, values)
    except InputError as error:
        raise InputError(f"cannot read {path} ({error})", remedy=remedy) from None


def _corpora(
    finetuning: Finetuning, folder: RunFolder, data_at: Mapping[str, Path]
) -> tuple[Corpus, Corpus, tuple[Corpus, ...]]:
    """Return the training part, the test part, and the data beside them."""
    config = with_places(finetuning, finetuning.config, data_at)
    assert isinstance(config.source, TextSource)
    training = config.source.loaded()
    test = load_corpus(f"{finetuning.data}:{PARTS[2]}", place=training.place)
    names = [name for name in config.evaluation.data if name not in config.training.best_by]
    places = {name: place for name, place in places_of_texts(finetuning, data_at).items() if name in names}
    return training, test, load_texts(names, recorded_texts(folder.provenance()), places=places)


def _models(folders: Mapping[str, RunFolder], device: torch.device) -> dict[str, TargetModel[Any]]:
    """Return the models by their names; the pre-trained one first."""
    pretrained = build_model(folders[FINETUNED].config().model)
    folders[FINETUNED].begin(pretrained)
    return {
        PRETRAINED: pretrained.to(device).eval(),
        **{name: load_model(folder.path, device) for name, folder in folders.items()},
    }


def _xz(training: Corpus, test: Corpus) -> tuple[float, float]:
    """Return bits per byte of the test part: alone, and what it adds after the training part."""
    before, data = training.data[-_XZ_BYTES:].tobytes(), test.data.tobytes()
    sizes = [_xz_bytes(each) for each in (data, before, before + data)]
    return 8 * sizes[0] / len(data), 8 * (sizes[2] - sizes[1]) / len(data)


def _xz_bytes(data: bytes) -> int:
    return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=xz_filters(len(data))))


def _read(
    finetuning: Finetuning, models: Mapping[str, TargetModel[Any]], test: Corpus, progress: Progress
) -> tuple[ReadBits, ...]:
    config, data = finetuning.config, test.data[:_READ_BYTES].tobytes()
    untrained = build_model(config.model, config.generator("model"))
    predictors = {name: each for name, each in {"untrained": untrained, **models}.items() if _is_mixing(each)}
    found: list[ReadBits] = []
    for name, predictor in predictors.items():
        assert isinstance(predictor, MixingPredictor)
        frozen, adapting = (
            float(np.mean(Stream(predictor, adapting=adapting).score(data))) for adapting in (False, True)
        )
        found.append(ReadBits(model=name, bytes=len(data), frozen_bits=frozen, adapting_bits=adapting))
        progress("predictors that read the test part in one piece", len(found), len(predictors))
    return tuple(found)


def _is_mixing(model: TargetModel[Any]) -> bool:
    return isinstance(model, MixingPredictor)
