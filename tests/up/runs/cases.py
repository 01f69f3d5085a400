"""A run so small that a step takes milliseconds, and what several test files do with it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from up.errors import InputError
from up.recipes.config import RunConfig
from up.recipes.presets import configure
from up.runs.folder import RunFolder
from up.runs.run import run
from up.sources.base import make_source
from up.sources.stream import Stream
from up.training.state import TrainingState

CPU = torch.device("cpu")
TRANSFORMERS = ("paper", "modern")
ARCHITECTURES = (*TRANSFORMERS, "mixing")

_SMALL_TRANSFORMER = (
    "model.width=16",
    "model.depth=1",
    "model.base_width=16",  # there muP is standard parametrisation
)
_SMALL_MIXING = ('model.families=["orders"]', "model.hidden=[6,4]", "model.learned_bytes=16")

SMALL = (
    "model.context_length=32",
    "source.kind=lstm",
    "source.hidden_size=4",
    "buffer.source_batch=8",
    "buffer.reset_constant=1",
    "buffer.reset_noise=1",
    "cadence.burn_in_batches=2",
    "training.batch=8",
    "training.batch_start=8",
    "training.microbatch=8",
    "training.keep=latest",
    "evaluation.tail_positions=8",
    "evaluation.samples=4",
)


def small_config(
    *assignments: str, arch: str = "modern", instances: int = 64, dropout: float | None = None
) -> RunConfig:
    """A resolved configuration of steps of eight instances on the CPU; `mixing` has no dropout, but draws bytes."""
    settings = (f"training.instances={instances}", *SMALL)
    if dropout is not None and arch != "mixing":
        settings += (f"model.dropout={dropout}",)
    if arch == "mixing":
        return configure("mixing", (*_SMALL_MIXING, *settings, *assignments)).resolve(CPU)
    return configure("tiny", (f"model.arch={arch}", *_SMALL_TRANSFORMER, *settings, *assignments)).resolve(CPU)


def small_state(
    *assignments: str,
    arch: str = "modern",
    instances: int = 64,
    dropout: float | None = None,
    stream: Stream | None = None,
) -> TrainingState:
    return TrainingState(small_config(*assignments, arch=arch, instances=instances, dropout=dropout), CPU, stream)


def poison_loss(state: TrainingState, value: float, steps) -> None:
    """Make loss and gradient of the steps with these numbers, from 1, not finite; evaluations are spared."""

    def change(model, _inputs, logits_BTV):
        return logits_BTV * value if model.training and state.step + 1 in steps else logits_BTV

    state.model.register_forward_hook(change)


def weights(state: TrainingState) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in state.model.state_dict().items()}


def same_tensors(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two states are the same, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def outcome(run: RunFolder) -> dict[str, bytes]:
    """All that must be the same however often a run was interrupted: configuration, metrics, latest checkpoint."""
    files = [run.path / "config.json", run.metrics.metrics_path, *run.checkpoints()[-1].iterdir()]
    return {path.relative_to(run.path).as_posix(): path.read_bytes() for path in files}


def files_of(run: RunFolder) -> dict[str, bytes]:
    """Every file of a run."""
    files = (path for path in run.path.rglob("*") if path.is_file())
    return {path.relative_to(run.path).as_posix(): path.read_bytes() for path in files}


def refusal(call, *arguments) -> str:
    """Return the one line with which a call refuses its input."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 800
    return line


def finished_run(
    path: Path, *assignments: str, source: str | None = None, command: Sequence[str] = ("up", "train")
) -> RunFolder:
    """A run of 64 instances in steps of eight, trained to its end and evaluated on `toy` after every 16."""
    settings = ('evaluation.data=["toy"]', "training.evaluate_every=16", "training.checkpoint_every=32", *assignments)
    config = small_config(*settings)
    if source is not None:
        config = dataclasses.replace(config, source=make_source(source)).resolve(CPU)
    for _ in run(config, path, device=CPU, command=command):
        pass
    return RunFolder(path)
