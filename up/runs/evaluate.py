"""Evaluating the model of a run: on real bytes, and on rows of a source that it was not trained on.

Rows of a source are drawn with random numbers of their own, so that they are none of those that the run was trained on.
A source behind a buffer enriches a fresh one first, until hardly a row is as it began.

Shape suffixes: N slices, T tokens in a slice.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from up.data.corpora import Corpus
from up.evaluation.bits import EvaluationConfig, PreparedCorpus, PreparedEvaluation, prepare, prepare_slices
from up.recipes.config import RunConfig
from up.sources.base import Source, make_source

_TURNS = 3  # of the whole buffer; 5 % of its rows are then as they began

_DRAWN_AT_ONCE = 64


def prepare_evaluation(
    run: RunConfig, config: EvaluationConfig, *, device: torch.device, corpora: Sequence[Corpus] | None = None
) -> PreparedEvaluation:
    """Return slices and baselines for the model of a run.

    Args:
        run: configuration of the run; a source of the kind that it was trained on has the settings that it has there.
        config: what to evaluate on, such as that of the run itself.
        device: where the model is, and where the sources work.
        corpora: those of `config.data`, loaded already (`up.runs.texts`); None: each lies where its name says.

    Raises:
        InputError: data or a source that cannot be used, or a tail longer than the context.
    """
    prepared = prepare(config, context_length=run.model.context_length, device=device, corpora=corpora)
    drawn = [_rows_of(_source(run, kind, device), run, config, device) for kind in config.sources]
    return dataclasses.replace(prepared, corpora=(*prepared.corpora, *drawn))


def _source(run: RunConfig, kind: str, device: torch.device) -> Source:
    given = make_source(kind).resolve(device)
    if given.kind == run.source.kind:
        return run.source
    return given.with_rules(target_width=run.model.width, given=())


def _rows_of(source: Source, run: RunConfig, config: EvaluationConfig, device: torch.device) -> PreparedCorpus:
    turns = _TURNS * run.buffer.capacity_multiple
    cadence = dataclasses.replace(run.cadence, burn_in_batches=max(run.cadence.burn_in_batches, turns))
    training = dataclasses.replace(run.training, batch=1, batch_start=1)  # what is drawn here are no batches of it
    held_out = dataclasses.replace(run, source=source, cadence=cadence, training=training, seed=config.seed)
    stream = held_out.stream(device, held_out=True)
    at_once = min(_DRAWN_AT_ONCE, run.buffer.capacity)
    left, drawn = config.resolve_samples(device), []
    while left:
        drawn.append(stream.draw(min(left, at_once)).cpu())
        left -= len(drawn[-1])
    slices_NT = np.ascontiguousarray(torch.cat(drawn).numpy())
    said = f"rows of the source {source.description}"
    return prepare_slices(source.label, said, slices_NT, np.unique(slices_NT), config)
