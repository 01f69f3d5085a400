import dataclasses
import json
from collections.abc import Callable

import pytest
import torch

import up.experiments.coordinate_check as module
import up.model.transformer.model
from up.errors import InputError
from up.experiments.coordinate_check import CoordinateCheckConfig, attention_logits, check_coordinates, fit_slope
from up.model.transformer.config import TransformerConfig
from up.model.transformer.model import Transformer

ARCHITECTURES = ["paper", "modern"]

# In the exponent of the width. Three pairs of seeds passed with 0.18 at most, and with 0.23 over the narrow widths;
# each part of muP that was left out missed by 0.48 at least, standard parametrisation by 0.96.
TOLERANCE = 0.25
NARROW = (64, 128, 256)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_with_mup_sizes_stay_flat_over_widths_64_to_512_through_ten_steps(arch: str) -> None:
    check = check_coordinates(CoordinateCheckConfig(arch=arch))
    assert check.config.widths == (64, 128, 256, 512)
    assert check.violations(TOLERANCE) == ()
    for coordinate in check.coordinates:
        assert len(coordinate.size_slopes) == 11
        if coordinate.quantity in ("attention", "feed-forward"):
            assert max(map(abs, coordinate.size_slopes + coordinate.change_slopes)) < TOLERANCE


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_with_standard_parametrisation_the_same_check_fails(arch: str) -> None:
    check = check_coordinates(CoordinateCheckConfig(arch=arch, parametrisation="standard"))
    assert check.worst_excess() > 3 * TOLERANCE
    failed = " ".join(check.violations(2 * TOLERANCE))
    for quantity in ("logits", "attention logits of block 0", "attention of block 0", "feed-forward of block 0"):
        assert f"change of {quantity}:" in failed


# The step after which alpha first points somewhere is nearly a coin toss at every width, so slopes scatter more.
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_progressive_blocks_follow_the_same_law(arch: str) -> None:
    settings = {"arch": arch, "depth": 4, "progressive_group": 2}
    assert check_coordinates(CoordinateCheckConfig(**settings)).violations(0.4) == ()


COPYING = {"arch": "modern", "convolution_taps": 3, "copy_heads": 3}


def test_convolutions_and_copy_heads_follow_the_same_law() -> None:
    check = check_coordinates(CoordinateCheckConfig(**COPYING))
    assert {"copy scores", "pooled logits"} <= {coordinate.quantity for coordinate in check.coordinates}
    assert check.violations(TOLERANCE) == ()


def test_copy_heads_with_the_standard_rates_fail_it(monkeypatch: pytest.MonkeyPatch) -> None:
    unscaled_rates(monkeypatch)
    assert "copy scores" in " ".join(check_coordinates(CoordinateCheckConfig(**COPYING)).violations(TOLERANCE))


def unscaled_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_group(model: Transformer, _: TransformerConfig) -> list[dict]:
        return [{"params": list(model.parameters()), "lr_scale": 1.0}]

    monkeypatch.setattr(module, "parameter_groups", one_group)


def unscaled_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up.model.transformer.model, "output_scale", lambda _: 1.0)


def root_attention_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransformerConfig, "attention_scale", property(lambda config: config.head_size**-0.5))


def standard_initial_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    initialise = up.model.transformer.model.initialise

    def standard(model: Transformer, config: TransformerConfig, generator: torch.Generator) -> None:
        initialise(model, dataclasses.replace(config, parametrisation="standard"), generator)

    monkeypatch.setattr(up.model.transformer.model, "initialise", standard)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(
    ("break_it", "shows_in"),
    [
        (unscaled_rates, "change of feed-forward"),
        (unscaled_output, "logits"),
        (root_attention_scale, "initial attention logits"),
        (standard_initial_weights, "initial logits"),
    ],
)
def test_no_part_of_mup_can_be_left_out(
    arch: str, break_it: Callable[[pytest.MonkeyPatch], None], shows_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CoordinateCheckConfig(arch=arch, widths=NARROW)
    assert check_coordinates(config).violations(TOLERANCE) == ()
    break_it(monkeypatch)
    found = check_coordinates(config).violations(TOLERANCE)
    if arch == "modern" and break_it is standard_initial_weights:
        shows_in = "initial feed-forward"  # its head is drawn alike in both up to width 128
    assert any(line.startswith(shows_in) for line in found), found


@pytest.mark.parametrize("heads", [1, 4])
def test_both_parametrisations_agree_at_the_base_width_and_only_there(heads: int) -> None:
    small = CoordinateCheckConfig(arch="modern", widths=NARROW, steps=3, seeds=(0,), heads=heads)
    mup, standard = (
        check_coordinates(dataclasses.replace(small, parametrisation=name)) for name in ("mup", "standard")
    )
    for one, other in zip(mup.coordinates, standard.coordinates, strict=True):
        agree = [
            [a == b for a, b in zip(mine, theirs, strict=True)]
            for mine, theirs in zip(one.sizes, other.sizes, strict=True)
        ]
        assert agree == [[False, True, False]] * 4


def test_the_result_is_plain_json_and_the_same_again() -> None:
    config = CoordinateCheckConfig(arch="modern", widths=(16, 32), steps=2, base_width=16, seeds=(1,))
    check = check_coordinates(config)
    assert check_coordinates(config) == check
    assert check_coordinates(dataclasses.replace(config, seeds=(2,))).coordinates != check.coordinates
    fields = json.loads(json.dumps(dataclasses.asdict(check)))
    names = [(entry["quantity"], entry["block"]) for entry in fields["coordinates"]]
    sublayers = ("attention logits", "attention", "feed-forward")
    assert names == [(quantity, block) for block in (0, 1) for quantity in sublayers] + [("logits", None)]
    for coordinate in check.coordinates:
        assert coordinate.changes[0] == (0.0, 0.0)
        assert all(change > 0 for row in coordinate.changes[1:] for change in row)


def test_squares_are_averaged_over_the_seeds() -> None:
    config = CoordinateCheckConfig(widths=(16, 32), steps=1, base_width=16)
    both, *single = (check_coordinates(dataclasses.replace(config, seeds=seeds)) for seeds in ((3, 4), (3,), (4,)))
    for mean, one, other in zip(both.coordinates, *(check.coordinates for check in single), strict=True):
        expected = ((one.sizes[1][0] ** 2 + other.sizes[1][0] ** 2) / 2) ** 0.5
        assert mean.sizes[1][0] == pytest.approx(expected)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_attention_logits_are_those_that_the_fused_kernel_softens(arch: str) -> None:
    model = Transformer(TransformerConfig(arch=arch, width=24, depth=1, heads=3, context_length=5), None).double()
    attention = model.blocks[0].attention
    x_BTD = torch.randn(2, 5, 24, generator=torch.Generator().manual_seed(0)).double()
    logits_BNP = attention_logits(attention, x_BTD)
    score_BNTT = torch.full((2, 3, 5, 5), -torch.inf, dtype=torch.float64)
    pairs = [(t, u) for t in range(5) for u in range(t + 1)]
    for place, (t, u) in enumerate(pairs):
        score_BNTT[:, :, t, u] = logits_BNP[:, :, place]
    v_BNTK = attention.project(x_BTD)[2].transpose(1, 2)
    gathered_BTD = (score_BNTT.softmax(dim=-1) @ v_BNTK).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention.output(gathered_BTD), attention(x_BTD))


@pytest.mark.parametrize("power", [-0.5, 0.0, 1.0])
def test_the_slope_of_a_power_law_is_its_exponent(power: float) -> None:
    widths = (64, 128, 192, 512)
    assert fit_slope(widths, [3 * width**power for width in widths]) == pytest.approx(power)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"widths": (64,)}, "widths"),
        ({"widths": (128, 64)}, "widths"),
        ({"seeds": ()}, "seeds"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"sequences": 0}, "sequences"),
        ({"heads": 3}, "divisible"),
        ({"arch": "gpt"}, "arch"),
    ],
)
def test_bad_settings_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CoordinateCheckConfig(**fields)
