"""Evaluating the model of a run: on real bytes, and on rows of a source that it was not trained on.

Beside it stands the same model with the weights that the run began with: what remains of its lead is what training
added to the architecture. Models of other runs are measured on the same slices, beside the same bars; each reads what
it can of a slice.

Rows of a source are drawn with random numbers of their own, so that they are none of those that the run was trained on.
A source behind a buffer enriches a fresh one first, until hardly a row is as it began.

Shape suffixes: N slices, T tokens in a slice.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from up.data.corpora import Corpus
from up.evaluation.bars import BARS_WITH_PROGRESS
from up.evaluation.bits import EvaluationConfig, PreparedEvaluation, Progress, Slices, prepare, require_tail
from up.model.base import build_model
from up.recipes.config import RunConfig
from up.sources.base import Source, make_source

_TURNS = 3  # of the whole buffer; 5 % of its rows are then as they began

_DRAWN_AT_ONCE = 64


def prepare_evaluation(
    run: RunConfig,
    config: EvaluationConfig,
    *,
    device: torch.device,
    corpora: Sequence[Corpus] | None = None,
    progress: Progress | None = None,
) -> PreparedEvaluation:
    """Return slices for the model of a run, with what the bars charge for them, and the model before its training.

    Args:
        run: configuration of the run; a source of the kind that it was trained on has the settings that it has there.
        config: what to evaluate on, such as that of the run itself.
        device: where the model is, and where the sources work.
        corpora: those of `config.data`, loaded already (`up.runs.texts`); None: each lies where its name says.
        progress: called with passes over slices done, and in all; not before everything was checked.

    Raises:
        InputError: data or a source that cannot be used, or a tail longer than the context.
    """
    return prepare_evaluations(run, {}, config, device=device, corpora=corpora, progress=progress)[0]


def prepare_evaluations(
    run: RunConfig,
    beside: Mapping[str, RunConfig],
    config: EvaluationConfig,
    *,
    device: torch.device,
    corpora: Sequence[Corpus] | None = None,
    progress: Progress | None = None,
) -> tuple[PreparedEvaluation, ...]:
    """Return the slices for the model of a run as `prepare_evaluation` does, then the same ones for others beside it.

    The bars are measured once. Each has the untrained model of its own run.

    Args:
        run: see `prepare_evaluation`, as for all that is not said here.
        beside: configurations of the other runs, by what these are called.
        config: what to evaluate on; where it leaves the length of slices open, they are as long as the model of `run`
            can read.
        device: where all models are.
        corpora: see there.
        progress: see there.

    Raises:
        InputError: see there; also a tail longer than the context of another run.
    """
    readable = run.model.readable(config.context_length)
    length = config.context_length or readable
    for name, other in beside.items():
        require_tail(config, min(length, other.model.readable(length)), name)
    drawn = [_rows_of(_source(run, kind, device), run, config, device) for kind in config.sources]
    passes = BARS_WITH_PROGRESS + 1 + len(beside)

    def of_bars(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total // BARS_WITH_PROGRESS * passes)

    def with_untrained(prepared: PreparedEvaluation, of: RunConfig, passes_done: int) -> PreparedEvaluation:
        def of_untrained(done: int, total: int) -> None:
            if progress is not None:
                progress(passes_done * total + done, passes * total)

        untrained = build_model(of.model, of.generator("model")).to(device)
        return prepared.with_untrained(untrained, progress=of_untrained)

    prepared = prepare(config, context_length=readable, device=device, corpora=corpora, drawn=drawn, progress=of_bars)
    others = [(prepared.for_context(other.model.readable(length)), other) for other in beside.values()]
    every = enumerate([(prepared, run), *others], start=BARS_WITH_PROGRESS)
    return tuple(with_untrained(each, of, passes_done) for passes_done, (each, of) in every)


def _source(run: RunConfig, kind: str, device: torch.device) -> Source:
    given = make_source(kind).resolve(device)
    if given.kind == run.source.kind:
        return run.source
    return given.with_rules(target_width=run.model.source_width, given=())


def _rows_of(source: Source, run: RunConfig, config: EvaluationConfig, device: torch.device) -> Slices:
    turns = _TURNS * run.buffer.capacity_multiple
    cadence = dataclasses.replace(run.cadence, burn_in_batches=max(run.cadence.burn_in_batches, turns))
    training = dataclasses.replace(run.training, batch=1, batch_start=1)  # what is drawn here are no batches of it
    model = dataclasses.replace(run.model, context_length=config.context_length or run.model.context_length)
    held_out = dataclasses.replace(
        run,
        model=model,
        source=source,
        cadence=cadence,
        training=training,
        evaluation=EvaluationConfig(tail_positions=config.tail_positions),
        seed=config.seed,
    )
    stream = held_out.stream(device, held_out=True)
    at_once = min(_DRAWN_AT_ONCE, run.buffer.capacity)
    left, drawn = config.resolve_samples(device), []
    while left:
        drawn.append(stream.draw(min(left, at_once)).cpu())
        left -= len(drawn[-1])
    slices_NT = np.ascontiguousarray(torch.cat(drawn).numpy())
    said = f"rows of the source {source.description}"
    return Slices(name=source.label, source=said, slices_NT=slices_NT, symbols=np.unique(slices_NT))
