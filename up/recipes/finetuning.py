"""What finetuning trains: the configuration of a run that goes on from another one's weights, and of its baseline.

Source: Bloem 2025, sections 6.3 and A.1. The paper pre-trains on 20M instances at a peak rate of 3e-4, and finetunes
at 1e-4 with a warm-up of 10K instances, while the macrobatch grows between 50K and 150K; the same for the baseline,
which is the same model with random weights. Here all of that follows the run that is finetuned:

    rate             a third of the run's own
    length           a quarter of the run's own, unless it is given
    warm-up, batch   10K, 50K and 150K instances of 5M, stretched in proportion to the length
    cool-down        as fast as the run's own; where the length is given, stretched likewise

so that a run of the paper's is finetuned as in the paper. An evaluation follows every twentieth of the length, and one
stands before the first step. Early stopping: the best checkpoint by the validation part of the data is the model, and
the run ends once five evaluations in a row were not better than the best.

Deviation: the paper does not say how long it finetunes, nor when it stops; length and early stopping are ours. All
blocks of a model with progressive ones take part from the first step on, in the baseline, too.
"""

import dataclasses
from collections.abc import Sequence

from up.config import flatten, override, require_positive, to_dict
from up.data.corpora import EMBEDDED_CORPORA
from up.data.parts import PARTS, name_and_part
from up.errors import InputError
from up.evaluation.bits import GPU_SAMPLES
from up.recipes.config import InitialWeights, RunConfig, TrainingConfig
from up.sources.text import TextSource

_RATE = 1 / 3
_LENGTH = 1 / 4  # of the pre-training
_PAPER_LENGTH = 5_000_000
_PAPER_LENGTHS = {"warmup_instances": 10_000, "batch_warmup_from": 50_000, "batch_warmup_to": 150_000}
_EVALUATIONS = 20
_PATIENCE = 5
_FEWEST_SAMPLES = 64
_SAMPLES_PER_INSTANCE = 1 / 4
_FREE = ("model.dropout", "model.learned_bytes")  # settings of a model that do not decide its weights


def finetuning_config(
    pretrained: RunConfig,
    weights: InitialWeights,
    data: str,
    *,
    others: Sequence[str] | None = None,
    instances: int | None = None,
    assignments: Sequence[str] = (),
) -> RunConfig:
    """Return the configuration of a run that finetunes another on the training part of some data.

    Args:
        pretrained: of the other run.
        weights: its model's.
        data: a corpus by its name, or a path, without a part.
        others: data that the run is evaluated on beside the validation part; None: `stdlib` and `pydoc`, but for
            `data` itself.
        instances: length of the run; None: by the rule above.
        assignments: `a.b=c`, any other setting.

    Raises:
        InputError: data with a part, a setting that is unknown or does not fit, or another model than that of the run.
    """
    if name_and_part(data)[1] is not None:
        raise InputError(
            "finetuning takes the parts of the data by itself",
            received=data,
            remedy=f"name the whole, {name_and_part(data)[0]}",
        )
    training_part, validation_part, _ = (f"{data}:{part}" for part in PARTS)
    if others is None:
        others = [name for name in EMBEDDED_CORPORA if name != data]
    training = _schedule(pretrained.training, _length(pretrained.training, instances, assignments), validation_part)
    samples = min(GPU_SAMPLES, max(_FEWEST_SAMPLES, round(training.evaluate_every * _SAMPLES_PER_INSTANCE)))
    config = dataclasses.replace(
        pretrained,
        initial_weights=weights,
        source=TextSource(data=training_part),
        training=training,
        evaluation=dataclasses.replace(
            pretrained.evaluation,
            data=tuple(dict.fromkeys([validation_part, *others])),
            sources=(),
            samples=samples,
        ),
    )
    config = override(config, assignments)
    _require_same_model(pretrained, config)
    return config


def baseline_config(finetuned: RunConfig) -> RunConfig:
    """Return the same configuration from scratch: it differs in the initial weights, and in nothing else."""
    return dataclasses.replace(finetuned, initial_weights=None)


def _length(pretrained: TrainingConfig, instances: int | None, assignments: Sequence[str]) -> int:
    given = [each for each in assignments if each.partition("=")[0].strip() == "training.instances"]
    if given:
        names = [each.strip().removeprefix("training.") for each in given]
        return override(pretrained, names).instances
    length = max(1, round(pretrained.instances * _LENGTH)) if instances is None else instances
    require_positive("training", instances=length)
    return length


def _schedule(pretrained: TrainingConfig, instances: int, validation: str) -> TrainingConfig:
    stretch = instances / _PAPER_LENGTH
    lengths = {name: round(length * stretch) for name, length in _PAPER_LENGTHS.items()}
    usual = pretrained.instances * _LENGTH
    every = max(1, round(instances / _EVALUATIONS))
    return dataclasses.replace(
        pretrained,
        **{**lengths, "warmup_instances": max(1, lengths["warmup_instances"])},
        instances=instances,
        learning_rate=pretrained.learning_rate * _RATE,
        halving_instances=max(1, round(pretrained.halving_instances * instances / usual)),
        enable_every=0,
        microbatch=None,
        precision="auto",
        evaluate_every=every,
        checkpoint_every=every,
        evaluate_at_start=True,
        keep="best",
        best_by=(validation,),
        patience=_PATIENCE,
    )


def _require_same_model(pretrained: RunConfig, config: RunConfig) -> None:
    before, after = (flatten(to_dict(each.model), "model.") for each in (pretrained, config))
    for name, value in after.items():
        if name not in _FREE and value != before.get(name):
            raise InputError(
                f"the model is that of the run, where {name} is {before.get(name)}",
                received=value,
                remedy="leave the setting out, or train a model of your own with up train",
            )
