"""Named configurations of runs, and how a user changes them.

    config = configure("paper-512", ["model.width=256", "training.instances=100000"])

Three rules connect settings, each only where no assignment gives the setting. A source may follow the width of the
model where the preset leaves that open: recurrent ones have a tenth of it as hidden units, floor(width / 10), which is
38, 51, 64, 102 for widths 384, 512, 640, 1024 (A.1). A new number of instances stretches every schedule in proportion.
Another architecture than the preset's has no convolutions and no copy heads.

Deviation: the presets `tiny`, `small`, `mixing` and `mixing-small` are not the paper's. The first two train the
`modern` architecture for a short time, the others the mixing predictor (`up.model.mixing`), with all of its contexts
or with the plain ones.
`tiny` has copy heads and learns from random restaurants (`up.sources.restaurant`). `small` fills the buffer with some
source batches before the first instance, and draws LSTMs of 102 units, the paper's widest.
"""

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Collection, Sequence
from typing import Any

from up.config import flatten, from_dict, override, to_dict
from up.errors import InputError
from up.model.transformer.config import TransformerConfig
from up.recipes.config import RunConfig

PRESETS = ("tiny", "small", "mixing", "mixing-small", "paper-384", "paper-512", "paper-640", "paper-1024")

_OF_THE_PAPER = tuple(name for name in PRESETS if name.startswith("paper-"))

# Settings that are counted in instances and stretch with the length of the run.
_SCHEDULE_LENGTHS = (
    "warmup_instances",
    "halving_instances",
    "batch_warmup_from",
    "batch_warmup_to",
    "enable_every",
    "evaluate_every",
    "checkpoint_every",
)
# What the machine settles where it is left open, so that it does not tell two runs apart.
_SETTLED_BY_DEVICE = {
    "training.microbatch",
    "training.precision",
    "source.sequences_per_model",
    "evaluation.samples",
}


def load_preset(name: str) -> RunConfig:
    """Return a preset by name.

    Raises:
        InputError: an unknown name.
    """
    values = _read_preset(name)
    return _with_source_rules(from_dict(RunConfig, values), values.get("source", {}))


def preset_for_width(width: int) -> str:
    """Return the preset of the paper whose width is nearest, the smaller one of two."""
    return min(_OF_THE_PAPER, key=lambda name: abs(load_preset(name).model.sizes["width"] - width))


def configure(preset: str, assignments: Sequence[str] = ()) -> RunConfig:
    """Return a preset with settings changed by `a.b=c` assignments, and the rules above applied to the rest.

    Raises:
        InputError: an unknown preset or setting, or a value that does not fit.
    """
    lengths = [assignment for assignment in assignments if _name(assignment) == "training.instances"]
    config = override(_in_form(_stretch(load_preset(preset), lengths), assignments), assignments)
    given = {_name(assignment).removeprefix("source.") for assignment in assignments}
    return _with_source_rules(config, given | set(_read_preset(preset).get("source", {})))


def differing_settings(one: RunConfig, other: RunConfig, *, assignments: Sequence[str] = ()) -> list[str]:
    """Return the dotted names of the settings in which two configurations differ.

    Microbatch, precision, sequences per model and samples may be left to the device: they count only where one of the
    `a.b=c` assignments sets them.
    """
    left, right = flatten(to_dict(one)), flatten(to_dict(other))
    ignored = _SETTLED_BY_DEVICE - {_name(assignment) for assignment in assignments}
    names = dict.fromkeys([*left, *right])
    return [name for name in names if name not in ignored and left.get(name) != right.get(name)]


def _name(assignment: str) -> str:
    return assignment.partition("=")[0].strip()


def _stretch(preset: RunConfig, lengths: Sequence[str]) -> RunConfig:
    """Return a preset with another number of instances and its schedules in proportion; a length of 0 stays 0."""
    training = override(preset, lengths).training
    stretch = training.instances / preset.training.instances
    stretched = {
        name: max(1, round(length * stretch)) for name in _SCHEDULE_LENGTHS if (length := getattr(training, name))
    }
    return dataclasses.replace(preset, training=dataclasses.replace(training, **stretched))


def _in_form(preset: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """Return a preset without what only its own architecture has, where another transformer is asked for."""
    if not isinstance(preset.model, TransformerConfig):
        return preset
    asked = [assignment for assignment in assignments if _name(assignment) == "model.arch"]
    plain = dataclasses.replace(preset, model=dataclasses.replace(preset.model, convolution_taps=0, copy_heads=0))
    return preset if override(plain, asked).model.arch == preset.model.arch else plain


def _read_preset(name: str) -> dict[str, Any]:
    """Return what the file of a preset says, without defaults and rules."""
    if name not in PRESETS:
        raise InputError("unknown preset", received=name, remedy=f"use one of {', '.join(PRESETS)}")
    text = importlib.resources.files("up.recipes.named").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _with_source_rules(config: RunConfig, given: Collection[str]) -> RunConfig:
    source = config.source.with_rules(target_width=config.model.source_width, given=given)
    return dataclasses.replace(config, source=source)
