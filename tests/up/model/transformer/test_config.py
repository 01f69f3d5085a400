import dataclasses
import inspect
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.config import from_dict, to_dict
from up.errors import InputError
from up.model.transformer.config import (
    ARCHITECTURES,
    PARAMETRISATIONS,
    TransformerConfig,
    depth_for_width,
    heads_for_width,
)


@pytest.mark.parametrize(("width", "depth", "heads"), [(384, 16, 3), (512, 22, 4), (640, 26, 5), (1024, 34, 8)])
def test_rules_give_the_table_of_the_paper(width: int, depth: int, heads: int) -> None:
    config = TransformerConfig(width=width)
    assert (config.num_layers, config.num_heads, config.head_size) == (depth, heads, 128)


def test_depth_formula_as_printed_in_the_paper_is_a_misprint() -> None:
    printed = [math.floor((math.log(width) - 5.039) / 0.555) for width in (384, 512, 640, 1024)]
    assert printed == [1, 2, 2, 3]


@given(st.integers(1, 16_384))
def test_depth_and_heads_have_floors_and_never_fall_with_width(width: int) -> None:
    assert 4 <= depth_for_width(width) <= depth_for_width(width + 1)
    assert 1 <= heads_for_width(width) <= heads_for_width(width + 1)


def test_resolve_writes_every_rule_out_and_changes_nothing_else() -> None:
    config = TransformerConfig(arch="modern", width=256, vocabulary_size=17)
    resolved = config.resolve()
    written = {"depth": 9, "heads": 2, "base_heads": 5, "dropout": 0.0, "progressive_group": 0}
    written |= {"copy_head_size": 64}
    assert {name: getattr(resolved, name) for name in written} == written
    assert dataclasses.replace(resolved, **dict.fromkeys(written)) == config
    assert resolved.resolve() == resolved
    assert from_dict(TransformerConfig, to_dict(resolved)) == resolved


def test_given_values_win_over_the_rules() -> None:
    config = TransformerConfig(
        width=256, depth=5, heads=8, base_heads=2, dropout=0.0, progressive_group=3, copy_head_size=9
    )
    assert (config.num_layers, config.num_heads, config.num_base_heads, config.dropout_probability) == (5, 8, 2, 0.0)
    assert (config.blocks_per_group, config.num_progressive_blocks) == (3, 2)
    assert config.resolve() == config


def test_dropout_defaults_by_architecture() -> None:
    assert TransformerConfig(width=128).dropout_probability == 0.1
    assert TransformerConfig(arch="modern", width=128).dropout_probability == 0.0


@pytest.mark.parametrize(
    ("settings", "group", "progressive"),
    [
        ({"width": 384}, 8, 8),
        ({"width": 512}, 8, 14),
        ({"width": 512, "depth": 8}, 8, 0),
        ({"width": 512, "depth": 3}, 8, 0),
        ({"width": 512, "progressive_group": 0}, 0, 0),
        ({"arch": "modern", "width": 512}, 0, 0),
        ({"arch": "modern", "width": 512, "progressive_group": 4}, 4, 18),
    ],
)
def test_blocks_beyond_the_first_group_are_progressive_by_default_in_the_paper(
    settings: dict, group: int, progressive: int
) -> None:
    for config in (TransformerConfig(**settings), TransformerConfig(**settings).resolve()):
        assert (config.blocks_per_group, config.num_progressive_blocks) == (group, progressive)


@pytest.mark.parametrize("parametrisation", ["mup", "standard"])
@pytest.mark.parametrize("width", [384, 512, 640, 1024])
def test_heads_of_128_are_scaled_alike_in_both_parametrisations(parametrisation: str, width: int) -> None:
    assert TransformerConfig(width=width, parametrisation=parametrisation).attention_scale == 1 / 128
    assert TransformerConfig(arch="modern", width=width, parametrisation=parametrisation).attention_scale == 128**-0.5


def test_attention_scale_falls_with_the_head_size_itself_in_mup_and_with_its_root_in_standard_modern() -> None:
    def ratio(**settings: object) -> float:
        one, other = (TransformerConfig(**settings, width=width, heads=2).attention_scale for width in (256, 1024))
        return one / other

    assert ratio(arch="paper") == ratio(arch="paper", parametrisation="standard") == 4
    assert ratio(arch="modern") == pytest.approx(4)
    assert ratio(arch="modern", parametrisation="standard") == 2


@st.composite
def models_with_heads(draw: st.DrawFn) -> TransformerConfig:
    """Models of either form and parametrisation, with and without a given number of heads here and at the base."""
    heads = draw(st.none() | st.integers(1, 12))
    unit = 128 if heads is None else 2 * heads
    width, base_width = (unit * draw(st.integers(1, 1024 // unit)) for _ in range(2))
    return TransformerConfig(
        arch=draw(st.sampled_from(ARCHITECTURES)),
        parametrisation=draw(st.sampled_from(PARAMETRISATIONS)),
        width=width,
        heads=heads,
        base_width=base_width,
        base_heads=draw(st.none() | st.integers(1, 12)) if width != base_width else None,
    )


@given(models_with_heads())
def test_a_resolved_configuration_is_the_same_model(config: TransformerConfig) -> None:
    resolved = config.resolve()
    for name, value in inspect.getmembers(TransformerConfig, lambda member: isinstance(member, property)):
        assert value.fget(resolved) == value.fget(config), name
    assert resolved.resolve() == resolved
    assert None not in to_dict(resolved).values()


@given(models_with_heads())
def test_at_the_base_width_attention_is_scaled_alike_in_both_parametrisations_with_any_number_of_heads(
    config: TransformerConfig,
) -> None:
    shape = dataclasses.replace(config, width=config.base_width, base_heads=None)
    mup, standard = (dataclasses.replace(shape, parametrisation=name) for name in PARAMETRISATIONS)
    assert mup.attention_scale == mup.resolve().attention_scale == standard.attention_scale


def test_worked_example_of_four_heads_of_32_at_the_base_width_and_of_64_above_it() -> None:
    at_the_base, twice = (
        TransformerConfig(arch="modern", width=width, base_width=128, heads=4) for width in (128, 256)
    )
    assert at_the_base.attention_scale == 32**-0.5  # 0.177
    assert twice.attention_scale == pytest.approx(32**-0.5 / 2)


@pytest.mark.parametrize("heads", [None, 1, 4])
def test_with_heads_fixed_the_scale_is_inverse_to_the_head_size_and_with_the_rule_it_is_that_of_128(
    heads: int | None,
) -> None:
    base = TransformerConfig(arch="modern", width=256, base_width=256, heads=heads)
    for width in (128, 384, 512, 1024):
        config = dataclasses.replace(base, width=width)
        expected = base.attention_scale * base.head_size / config.head_size
        assert config.attention_scale == pytest.approx(expected)
        if heads is None:
            assert config.attention_scale == 128**-0.5


@given(st.integers(1, 128))
def test_swiglu_holds_about_as_many_weights_as_the_two_matrices_of_the_paper(units: int) -> None:
    width = 128 * units
    two = 2 * width * TransformerConfig(width=width).feedforward_size
    three = 3 * width * TransformerConfig(arch="modern", width=width).feedforward_size
    assert TransformerConfig(arch="modern", width=width).feedforward_size % 64 == 0
    assert abs(three - two) <= 3 * width * 32


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"arch": "gpt"}, "arch"),
        ({"width": 0}, "width"),
        ({"width": -512}, "width"),
        ({"width": 16_512}, "width"),
        ({"width": 1000}, "divisible"),
        ({"width": 100, "heads": 3}, "divisible"),
        ({"arch": "modern", "width": 6, "heads": 2}, "rotary"),
        ({"depth": 0}, "depth"),
        ({"depth": 10**9}, "depth"),
        ({"heads": -1}, "heads"),
        ({"context_length": 0}, "context_length"),
        ({"context_length": 10**8}, "context_length"),
        ({"vocabulary_size": 0}, "vocabulary_size"),
        ({"feedforward_multiplier": 0}, "feedforward_multiplier"),
        ({"parametrisation": "ntk"}, "parametrisation"),
        ({"base_width": 0}, "base_width"),
        ({"base_width": 16_512}, "base_width"),
        ({"base_heads": 0}, "base_heads"),
        ({"base_heads": 10**4}, "base_heads"),
        ({"base_width": 128, "heads": 4, "base_heads": 2}, "base_heads"),
        ({"progressive_group": -1}, "progressive_group"),
        ({"dropout": -0.1}, "dropout"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": math.nan}, "dropout"),
    ],
)
def test_nonsense_is_refused_in_one_line_that_names_the_setting(wrong: dict, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        TransformerConfig(**{"width": 128, **wrong})
    assert "\n" not in str(caught.value)


def test_an_odd_head_size_is_fine_without_rotary_positions() -> None:
    assert TransformerConfig(width=6, heads=2).head_size == 3
