"""Training, loading and evaluating in one call each: what `up.train`, `up.load` and `up.evaluate` are."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from up.config import override
from up.device import resolve_device
from up.errors import InputError
from up.evaluation.bits import EvaluationConfig, prepare
from up.evaluation.rows import EvaluationRow
from up.model.base import TargetModel
from up.recipes.config import RunConfig
from up.runs.builtin import refuse_builtin
from up.runs.events import Event
from up.runs.folder import KEPT_CHECKPOINTS, RunFolder, load_model, open_run
from up.runs.place import require_free, require_writable
from up.runs.run import run


def train(
    config: RunConfig | None,
    out: str | PathLike[str],
    *,
    device: str = "auto",
    resume: bool = False,
    keep: int = KEPT_CHECKPOINTS,
    data_at: Mapping[str, str | PathLike[str]] | None = None,
    changed_data: bool = False,
    on_event: Callable[[Event], None] | None = None,
) -> RunFolder:
    """Train a configuration in a folder until it is complete, and return the run.

    Ctrl-C ends it at once, with what was saved last; the program `up train` saves first.

    Args:
        config: what to run; it is resolved for the device. None for a run that is resumed.
        out: folder of the run.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.
        resume: whether the run is there and goes on.
        keep: checkpoints to keep, the latest ones.
        data_at: for a run that is resumed, where texts that it is evaluated on are now, by the names that it has for
            them, as in `{"notes.txt": "/data/notes.txt"}`.
        changed_data: whether a run that is resumed goes on though such a text has changed; its curve then breaks.
        on_event: called with everything that the run tells (`up.runs.events`).

    Raises:
        InputError: data, source or folder cannot be used, such as a run that ships with up; a text of a run that is
            resumed has changed; or a configuration for a run that is resumed, or none for a new one.
        RunError: the run failed.
    """
    path, torch_device = Path(out), resolve_device(device)
    refuse_builtin(path)
    if resume != (config is None):
        raise InputError(
            "a run that is resumed has its own configuration" if resume else "a new run needs a configuration",
            received=type(config).__name__,
            remedy="up.train(None, out, resume=True)" if resume else 'give one, such as up.configure("tiny")',
        )
    if (data_at or changed_data) and not resume:
        raise InputError(
            "data_at and changed_data are about the texts of a run that is resumed", remedy="leave them out here"
        )
    if config is None:
        config = open_run(path).config()
    else:
        require_writable(path)
        require_free(path)
    events = run(
        config.resolve(torch_device),
        path,
        device=torch_device,
        resume=resume,
        keep=keep,
        data_at={name: Path(place) for name, place in (data_at or {}).items()},
        changed_data=changed_data,
    )
    for event in events:
        if on_event is not None:
            on_event(event)
    return open_run(path, keep=keep)


def load(path: str | PathLike[str], *, device: str = "auto") -> TargetModel[Any]:
    """Return the model of a run's latest checkpoint, in evaluation mode.

    Args:
        path: folder of the run, or `builtin:NAME`.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Raises:
        InputError: no run, no checkpoint, or one that is truncated, edited or of another model.
    """
    return load_model(path, resolve_device(device))


def evaluate(
    model: nn.Module,
    assignments: Sequence[str] = (),
    *,
    context_length: int | None = None,
    untrained: nn.Module | None = None,
) -> tuple[EvaluationRow, ...]:
    """Predict real bytes with any model, and return one row for each data set, in bits per character, with the bars.

    >>> from up.model.base import build_model
    >>> from up.model.transformer.config import TransformerConfig
    >>> model = build_model(TransformerConfig(arch="modern", width=16, depth=1, context_length=80))
    >>> [row.data for row in evaluate(model, ["samples=2"])]
    ['stdlib', 'pydoc']

    Args:
        model: maps tokens (B, T) to logits (B, T, 256), or to an object that has them as `logits`.
        assignments: settings of `EvaluationConfig`, such as `samples=100` or `data=["notes.txt"]`.
        context_length: tokens that the model can read; None: that of the model's configuration. Slices are as long,
            unless the assignments have another `context_length`.
        untrained: the same model before training, to be measured on the same slices.

    Raises:
        InputError: settings or data that cannot be used, or a model that does not say how long its context is.
        RunError: the model's predictions are not finite.
    """
    config = override(EvaluationConfig(), assignments)
    if isinstance(model, TargetModel) and context_length is None:
        context_length = model.config.readable(config.context_length)
    length = context_length or getattr(getattr(model, "config", None), "context_length", None)
    if length is None:
        raise InputError("the model does not say how long its context is", remedy="give context_length")
    parameter = next(model.parameters(), None)
    device = resolve_device("cpu") if parameter is None else parameter.device
    prepared = prepare(config, context_length=length, device=device)
    if untrained is not None:
        prepared = prepared.with_untrained(untrained)
    return prepared.evaluate(model)
