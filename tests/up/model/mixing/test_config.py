"""Settings of a mixing predictor, and what it costs."""

import pytest

from up.config import from_dict, override, to_dict
from up.errors import InputError
from up.model.base import activation_bytes, build_model, count_parameters, estimate_training_memory
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import FAMILIES
from up.model.transformer.config import TransformerConfig
from up.recipes.config import RunConfig
from up.recipes.presets import configure


def test_the_architecture_says_which_settings_are_meant():
    config = configure("mixing", ["model.hidden=[8,4]"])
    assert config.model == MixingConfig(hidden=(8, 4))
    assert from_dict(RunConfig, to_dict(config)) == config
    values = {**to_dict(config), "model": {"width": 16}, "source": "lstm"}
    assert from_dict(RunConfig, values).model == TransformerConfig(arch="paper", width=16)
    assert configure("tiny", ["model.arch=mixing", "model.learned_bytes=9"]).model == MixingConfig(learned_bytes=9)
    with pytest.raises(InputError, match=r"setting model\.width is missing"):
        configure("mixing", ["model.arch=modern"])
    with pytest.raises(InputError, match=r"unknown model\.arch.*'rnn'.*paper, modern, mixing"):
        configure("mixing", ["model.arch=rnn"])


def test_every_context_is_of_one_family_and_families_may_be_left_out():
    everything = MixingConfig().contexts
    assert len(set(everything)) == len(everything) == sum(map(len, FAMILIES.values())) == 48
    assert MixingConfig(families=("orders", "skips")).contexts == FAMILIES["orders"] + FAMILIES["skips"]


def test_where_tokens_are_no_bytes_all_contexts_see_whole_tokens():
    kept = MixingConfig(vocabulary_size=300).contexts
    assert kept == MixingConfig(families=tuple(name for name in FAMILIES if name != "masks")).contexts


@pytest.mark.parametrize(
    "settings",
    [[], ["model.hidden=[7,5]", 'model.families=["matches"]'], *([f"model.vocabulary_size={v}"] for v in (2, 300))],
)
def test_parameters_are_counted_without_building_it(settings):
    config = override(MixingConfig(), [setting.removeprefix("model.") for setting in settings])
    assert count_parameters(config) == sum(parameter.numel() for parameter in build_model(config).parameters())
    assert 0 < activation_bytes(config, 1) < activation_bytes(config, 2) < estimate_training_memory(config, 2)


def test_it_reads_slices_of_any_length_and_instances_shorter_than_what_it_learns_from():
    assert MixingConfig().readable(None) == 2_048
    assert MixingConfig().readable(5_000) == 5_000
    assert TransformerConfig(width=16).readable(5_000) == 512
    short, all_of_it = (MixingConfig(context_length=64, learned_bytes=learned) for learned in (256, 64))
    assert activation_bytes(short, 1) == activation_bytes(all_of_it, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"families": ()}, "one family at least"),
        ({"families": ("orders", "orders")}, "none twice"),
        ({"families": ("words",)}, "'words'"),
        ({"hidden": (8,)}, "two widths"),
        ({"hidden": (8, 0)}, "two widths"),
        ({"vocabulary_size": 1}, "vocabulary_size is out of range"),
        ({"vocabulary_size": 65_537}, "vocabulary_size is out of range"),
        ({"vocabulary_size": 300, "families": ("masks",)}, "see parts of bytes"),
        ({"context_length": 0}, "context_length must be positive"),
        ({"context_length": 70_000}, "context_length is too large"),
        ({"learned_bytes": 0}, "learned_bytes must be positive"),
    ],
)
def test_bad_settings_are_refused(changes, said):
    with pytest.raises(InputError, match=said) as caught:
        MixingConfig(**changes)
    assert "\n" not in str(caught.value)
