"""The trainings that experiments are made of: a configuration for an architecture and a scale.

What an experiment does not ask for is as in a preset, so that nothing is chosen here but lengths and sizes:

    scale    mixing                        modern                             paper
    smoke    mixing-small, 24 instances    tiny, width 16, 40 instances       the same in the paper's form
    laptop   mixing                        tiny, 2,000 of its instances       the same in the paper's form, without copy
                                                                              heads, learning from the paper's LSTMs
    paper    mixing                        paper-384 in the modern form       paper-384

The source is the preset's own unless an experiment names one. A run is evaluated in passing only, as often as an
experiment asks; what counts is measured when it is complete (`up.experiments.bits`), so its model is the last one
(`training.keep=latest`).
"""

from collections.abc import Sequence

from up.experiments.experiment import Setting
from up.recipes.config import RunConfig
from up.recipes.presets import configure

_FORM_OF_THE_PAPER = ("model.arch=paper", "source.kind=lstm", "source.hidden_size=102")
_SMALL_BUFFER = (
    "buffer.source_batch=16",
    "buffer.reset_constant=2",
    "buffer.reset_noise=2",
    "cadence.burn_in_batches=2",
)
_TINY = (
    "model.width=16",
    "model.base_width=16",
    "model.depth=1",
    "model.context_length=128",
    "training.instances=40",
    *_SMALL_BUFFER,
)
_PLANS = {
    ("mixing", "smoke"): ("mixing-small", ("model.context_length=512", "training.instances=24", *_SMALL_BUFFER)),
    ("mixing", "laptop"): ("mixing", ()),
    ("mixing", "paper"): ("mixing", ()),
    ("modern", "smoke"): ("tiny", (*_TINY, "model.heads=1", "model.copy_heads=2")),
    ("modern", "laptop"): ("tiny", ("training.instances=2000",)),
    ("modern", "paper"): ("paper-384", ("model.arch=modern",)),
    ("paper", "smoke"): ("tiny", (*_FORM_OF_THE_PAPER, *_TINY, "model.heads=1")),
    ("paper", "laptop"): ("tiny", (*_FORM_OF_THE_PAPER, "training.instances=2000")),
    ("paper", "paper"): ("paper-384", ()),
}


def training_config(
    setting: Setting,
    *,
    arch: str,
    seed: int,
    source: str | None = None,
    preset: str | None = None,
    assignments: Sequence[str] = (),
) -> RunConfig:
    """Return the configuration of a training.

    Args:
        setting: of the experiment.
        arch: of the model.
        seed: of everything random.
        source: a kind with its default settings; None: that of the preset.
        preset: instead of that of the table above, whose settings are kept.
        assignments: further `a.b=c`, which win over the preset, but not over the setting.

    Raises:
        InputError: an assignment that does not fit.
    """
    planned, of_scale = _PLANS[arch, setting.scale]
    preset = preset or planned
    chosen = [f"seed={seed}", "training.keep=latest", 'evaluation.data=["pydoc"]', "evaluation.samples=2"]
    chosen += ["evaluation.tail_positions=32"] if setting.is_smoke else []
    of_source = [] if source is None else [f"source.kind={source}"]
    given = [*of_scale, *chosen]
    if source is not None:
        given = [each for each in given if not each.startswith("source.")]
    of_setting = [] if setting.instances is None else [f"training.instances={setting.instances}"]
    words = [*given, *of_source, *assignments, *of_setting]
    config = configure(preset, words)
    named = {word.partition("=")[0] for word in words}
    if "training.evaluate_every" not in named:
        config = configure(preset, [*words, f"training.evaluate_every={config.training.instances}"])
    return config
