"""A finished run as a model that ships with up: what of it is copied, and what is said of it.

Configuration, provenance and the weights of the run's model are those of the run. Left out are the state of the
optimiser, other checkpoints, timings, most of the steps in the metrics, and places of a machine in command lines. The
copy is then loaded and evaluated in full, as a user would, and that evaluation is written on its card.

A run ships only if its statement can be made without having seen it: it is complete, every source of its sequences is
one of the house, and it was evaluated on data that everybody has.
"""

import dataclasses
import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from theory.words import number_of
from up.config import to_dict
from up.data.corpora import EMBEDDED_CORPORA
from up.data.parts import name_and_part
from up.data.synthetic import SYNTHETIC_SETS, VARIANTS
from up.errors import InputError
from up.evaluation.bits import Progress
from up.evaluation.rows import EvaluationRow
from up.model.base import count_parameters
from up.recipes.config import RunConfig
from up.runs import builtin
from up.runs.card import CARD_NAME, ModelCard
from up.runs.checkpoint import MODEL_NAME, read_manifest, write_manifest
from up.runs.evaluate import prepare_evaluation
from up.runs.files import write_text
from up.runs.folder import PROVENANCE_NAME, RunFolder, load_model, open_run
from up.runs.metrics import MetricsLog
from up.runs.overview import COMPLETE, summarise_run
from up.runs.place import CONFIG_NAME
from up.runs.texts import recorded_texts
from up.sources.nesting import all_sources, reads_real_data
from up.sources.registry import is_of_a_file

KEPT_STEPS = 200
"""Steps in the metrics that ship, at most and about evenly spaced, the last one among them."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def pack(
    path: Path,
    name: str,
    *,
    device: torch.device,
    samples: int | None = None,
    on_bars: Progress | None = None,
    on_model: Progress | None = None,
) -> ModelCard:
    """Make `builtin:NAME` of a finished run, and return its card.

    Args:
        path: folder of the run.
        name: of the model, small letters and digits with hyphens between them.
        device: where it is evaluated.
        samples: slices of each data set in the evaluation on its card; None: as in a lone evaluation.
        on_bars: called with slices measured by the bars and the untrained model, and in all.
        on_model: called with slices predicted, and in all.

    Raises:
        InputError: no run, one that cannot ship, or a name that cannot be given or is taken.
    """
    run = open_run(path)
    config, provenance = run.config(), run.provenance()
    if not _NAME.fullmatch(name):
        raise InputError("a model cannot have this name", received=name, remedy="use small letters, digits and hyphens")
    if name in builtin.builtin_names():
        raise InputError("a model of this name ships already", received=name, remedy=f"remove {builtin.FOLDER / name}")
    _require_shippable(run, config, provenance)
    builtin.FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=builtin.FOLDER) as staging:
        folder = Path(staging) / name
        _copy(run, folder, provenance)
        evaluation = dataclasses.replace(config.evaluation, samples=samples)
        model = load_model(folder, device)
        prepared = prepare_evaluation(config, evaluation, device=device, progress=on_bars)
        card = _card(name, folder, config, provenance, prepared.evaluate(model, progress=on_model))
        write_text(folder / CARD_NAME, json.dumps(to_dict(card), indent=2) + "\n")
        write_text(folder / builtin.SUMS_NAME, builtin.sums_of(folder))
        folder.rename(builtin.FOLDER / name)
    return card


def _require_shippable(run: RunFolder, config: RunConfig, provenance: Sequence[Mapping[str, Any]]) -> None:
    overview, total = summarise_run(run), config.training.instances
    if overview.state != COMPLETE:
        raise InputError(
            f"the run is {overview.state} after {overview.instances or 0:,} of {number_of(total, 'instance')}",
            received=str(run.path),
            remedy="let it train to its end",
        )
    if reads_real_data(config.source) or config.initial_weights is not None:
        raise InputError(
            "no model ships that was trained on data, or began with the weights of another",
            received=config.source.description,
            remedy="pack a run that saw nothing but random computation",
        )
    for source in (*all_sources(config.source), *config.evaluation.sources):
        kind = source if isinstance(source, str) else source.kind
        if is_of_a_file(kind):
            raise InputError(
                "nobody can say what a source of one's own reads", received=kind, remedy="pack a run on other sources"
            )
    places = [text.place for entry in provenance for text in recorded_texts([entry]).values() if text.place is not None]
    always_there = (*EMBEDDED_CORPORA, *SYNTHETIC_SETS, *VARIANTS)
    texts = [name for name in config.evaluation.data if name_and_part(name)[0] not in always_there]
    if texts or places:
        raise InputError(
            "the run was evaluated on a text that not everybody has",
            received=[*texts, *places][0],
            remedy=f"pack a run on {', '.join(EMBEDDED_CORPORA)} or synthetic sets",
        )
    if not provenance or not provenance[0].get("command"):
        raise InputError(
            "the run does not know the command line that began it",
            received=str(run.path),
            remedy="pack a run that up train has begun",
        )


def _copy(run: RunFolder, folder: Path, provenance: Sequence[Mapping[str, Any]]) -> None:
    """Copy what ships of a run, but for the card and the sums."""
    checkpoint = run.best() or run.checkpoints()[-1]
    copied = folder / "checkpoints" / checkpoint.name
    copied.mkdir(parents=True)
    shutil.copyfile(run.path / CONFIG_NAME, folder / CONFIG_NAME)
    shutil.copyfile(checkpoint / MODEL_NAME, copied / MODEL_NAME)
    entries = [{**entry, "command": _without_places(entry.get("command", ()))} for entry in provenance]
    write_text(folder / PROVENANCE_NAME, json.dumps(entries, indent=2) + "\n")
    metrics, history = MetricsLog(folder), run.metrics.history()
    last, apart = len(history.steps) - 1, -(-len(history.steps) // KEPT_STEPS)
    steps = [step for place, step in enumerate(history.steps) if (last - place) % apart == 0]
    for record in sorted((*steps, *history.evaluations), key=lambda record: record.instances):  # a step comes first
        metrics.append(record)
    write_manifest(copied, dataclasses.replace(read_manifest(checkpoint), state=None, metrics=metrics.mark()))


def _without_places(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with absolute paths cut to their last part; the first is the program, `up`.

    >>> _without_places(["/home/me/cli/main.py", "train", "--preset", "tiny", "--out=/tmp/runs/tiny"])
    ['up', 'train', '--preset', 'tiny', '--out=tiny']
    """
    found = [word.rpartition("=") for word in words[1:]]
    cut = [before + equals + (Path(last).name if Path(last).is_absolute() else last) for before, equals, last in found]
    return [*(["up"] if words else []), *cut]


def _card(
    name: str,
    folder: Path,
    config: RunConfig,
    provenance: Sequence[Mapping[str, Any]],
    rows: tuple[EvaluationRow, ...],
) -> ModelCard:
    (checkpoint,) = RunFolder(folder).checkpoints()
    manifest = read_manifest(checkpoint)
    return ModelCard(
        name=name,
        statement=_statement(config, manifest.instances),
        command=tuple(_without_places(provenance[0]["command"])),
        commit=provenance[-1].get("commit"),
        commit_dirty=provenance[-1].get("commit_dirty"),
        source=config.source.description,
        seed=config.seed,
        instances=manifest.instances,
        total_instances=config.training.instances,
        context_length=config.model.context_length,
        parameters=count_parameters(config.model),
        weights_bytes=manifest.model.bytes,
        weights_sha256=manifest.model.sha256,
        licence="MIT",
        rows=rows,
    )


def _statement(config: RunConfig, instances: int) -> str:
    seen = " and ".join((*config.evaluation.data, *config.evaluation.sources))
    chose = config.training.keep == "best"
    role = "decided which of its checkpoints this is, and nothing else" if chose else "decided nothing"
    return (
        f"No data was used to train this model. It saw {number_of(instances, 'sequence')} of random computation, drawn "
        f"with seed {config.seed} from the source {config.source.description}, and nothing else. While it trained, it "
        f"was evaluated on {seen}, which {role}."
    )
