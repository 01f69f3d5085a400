"""The schedule of a finetuning: the paper's where the run is the paper's, and in proportion to any other."""

import dataclasses
import re

import pytest
import torch

from up.config import flatten, from_dict, to_dict
from up.errors import InputError
from up.recipes.config import InitialWeights, RunConfig
from up.recipes.finetuning import baseline_config, finetuning_config
from up.recipes.presets import configure
from up.runs.folder import open_run

CPU = torch.device("cpu")
WEIGHTS = InitialWeights(run="builtin:tiny", instances=8_000, bytes=1, sha256="ab")


def finetuned(preset: str = "paper-512", data: str = "stdlib", assignments=(), **options) -> RunConfig:
    return finetuning_config(configure(preset).resolve(CPU), WEIGHTS, data, assignments=assignments, **options)


def test_a_run_of_the_paper_is_finetuned_as_in_the_paper():
    training = finetuned().training
    assert training.learning_rate == pytest.approx(1e-4)
    assert (training.warmup_instances, training.batch_warmup_from, training.batch_warmup_to) == (
        10_000,
        50_000,
        150_000,
    )
    assert (training.batch_start, training.batch, training.instances) == (48, 500, 5_000_000)
    assert training.halving_instances == 10_000_000
    assert training.enable_every == 0


@pytest.mark.parametrize("given", [{"instances": 500_000}, {"assignments": ["training.instances=500000"]}])
def test_another_length_stretches_every_schedule_in_proportion(given):
    training = finetuned(**given).training
    lengths = (training.warmup_instances, training.batch_warmup_from, training.batch_warmup_to)
    assert lengths == (1_000, 5_000, 15_000)
    assert (training.halving_instances, training.evaluate_every) == (1_000_000, 25_000)
    assert training.instances == 500_000
    assert training.learning_rate == pytest.approx(1e-4)


def test_another_run_is_finetuned_for_a_quarter_of_its_length_at_a_third_of_its_rate():
    for name in ("builtin:tiny", "builtin:mixing"):
        before = open_run(name).config()
        after = finetuning_config(before, WEIGHTS, "pydoc")
        assert after.training.instances == before.training.instances // 4
        assert after.training.learning_rate == pytest.approx(before.training.learning_rate / 3)
        assert after.model == before.model
        assert after.seed == before.seed


def test_the_training_part_is_trained_on_and_the_validation_part_decides():
    config = finetuned(data="german")
    assert config.source.data == "german:training"
    assert config.evaluation.data == ("german:validation", "stdlib", "pydoc")
    assert config.training.best_by == ("german:validation",)
    assert (config.training.keep, config.training.evaluate_at_start) == ("best", True)
    assert config.training.patience > 0


def test_other_data_is_the_embedded_corpora_but_for_the_data_itself_or_what_is_named():
    assert finetuned(data="pydoc").evaluation.data == ("pydoc:validation", "stdlib")
    assert finetuned(others=["champ", "toy"]).evaluation.data == ("stdlib:validation", "champ", "toy")


def test_the_baseline_differs_in_its_initial_weights_and_in_nothing_else():
    config = finetuned("tiny").resolve(CPU)
    one, other = flatten(to_dict(config)), flatten(to_dict(baseline_config(config)))
    differing = {name for name in one | other if one.get(name) != other.get(name)}
    assert {name.partition(".")[0] for name in differing} == {"initial_weights"}
    drawn = [each.stream(CPU).draw(64) for each in (config, baseline_config(config))]
    assert torch.equal(*drawn)


def test_a_configuration_with_initial_weights_is_read_as_it_was_written():
    config = finetuned("tiny").resolve(CPU)
    assert from_dict(RunConfig, to_dict(config)) == config


def test_settings_are_set_last():
    config = finetuned(assignments=["training.learning_rate=0.5", "seed=7", "training.patience=2", "model.dropout=0.3"])
    assert (config.training.learning_rate, config.seed, config.training.patience) == (0.5, 7, 2)
    assert config.model.dropout == 0.3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"data": "german:test"},
            "takes the parts of the data by itself (received 'german:test'): name the whole, german",
        ),
        ({"assignments": ["model.width=64"]}, "the model is that of the run, where model.width is 512 (received 64)"),
        ({"assignments": ["training.nothing=1"]}, "unknown setting training.nothing"),
        ({"instances": 0}, "training.instances must be positive"),
        ({"assignments": ["training.instances=-3"]}, "training.instances must be positive"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(options, said):
    with pytest.raises(InputError, match=re.escape(said)):
        finetuned(**options)


def test_a_progressive_model_has_all_of_its_blocks_from_the_first_step_on():
    from up.training.schedule import enabled_blocks

    config = finetuned()
    assert config.model.blocks_per_group == 8
    assert enabled_blocks(config.model, config.training, 0) == config.model.num_layers
    gradual = dataclasses.replace(config.training, enable_every=10)
    assert enabled_blocks(config.model, gradual, 0) == 8
