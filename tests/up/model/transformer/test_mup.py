import math

import pytest
import torch
from torch.nn import functional

from up.model.transformer.model import Transformer, TransformerConfig
from up.model.transformer.mup import output_scale, parameter_groups

ARCHITECTURES = ["paper", "modern"]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shaped(arch: str, **changes: object) -> TransformerConfig:
    settings = {"width": 128, "depth": 3, "context_length": 12, "vocabulary_size": 19, "dropout": 0.0}
    return TransformerConfig(arch=arch, **{**settings, **changes})


def optimizer_of(model: Transformer, *, rate: float, decay: float) -> torch.optim.AdamW:
    groups = parameter_groups(model, model.config)
    for group in groups:
        group["lr"], group["weight_decay"] = rate * group["lr_scale"], decay * group["weight_decay_scale"]
    return torch.optim.AdamW(groups)


def scales_by_name(model: Transformer) -> dict[str, float]:
    scale = {p: group["lr_scale"] for group in parameter_groups(model, model.config) for p in group["params"]}
    return {name: scale[parameter] for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(("width", "heads"), [(64, None), (128, None), (128, 4), (256, None), (256, 1)])
def test_at_the_base_width_it_is_standard_parametrisation_bit_for_bit(arch: str, width: int, heads: int | None) -> None:
    settings = {"width": width, "base_width": width, "heads": heads, "progressive_group": 2}
    models = [Transformer(shaped(arch, parametrisation=name, **settings), generator()) for name in ("mup", "standard")]
    tokens_BT = torch.randint(19, (2, 12), generator=generator(2))
    for model in models:
        optimizer = optimizer_of(model, rate=1e-2, decay=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(model(tokens_BT).flatten(0, 1), tokens_BT.flatten()).backward()
            optimizer.step()
    mup, standard = (model.state_dict() for model in models)
    initial = Transformer(shaped(arch, **settings), generator()).state_dict()
    assert mup.keys() == standard.keys()
    for name in mup:
        assert torch.equal(mup[name], standard[name]), name
        assert not torch.equal(mup[name], initial[name]), name
    assert torch.equal(*(model(tokens_BT) for model in models))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_away_from_the_base_width_the_parametrisations_differ(arch: str) -> None:
    tokens_BT = torch.randint(19, (2, 12), generator=generator(2))
    mup, standard = (Transformer(shaped(arch, parametrisation=name), generator()) for name in ("mup", "standard"))
    assert not torch.allclose(mup(tokens_BT), standard(tokens_BT), rtol=0.1)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("parametrisation", ["mup", "standard"])
@pytest.mark.parametrize("group", [0, 1])
def test_groups_hold_every_parameter_once_in_a_stable_order(arch: str, parametrisation: str, group: int) -> None:
    orders = []
    for _ in range(2):
        model = Transformer(shaped(arch, parametrisation=parametrisation, progressive_group=group))
        names = {parameter: name for name, parameter in model.named_parameters()}
        groups = parameter_groups(model, model.config)
        listed = [names[parameter] for entry in groups for parameter in entry["params"]]
        assert sorted(listed) == sorted(names.values())
        assert all(entry.keys() == {"params", "lr_scale", "weight_decay_scale"} for entry in groups)
        assert len({entry["lr_scale"] for entry in groups}) == len(groups)
        orders.append(listed)
    assert orders[0] == orders[1]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_standard_parametrisation_is_one_group_without_scaling(arch: str) -> None:
    model = Transformer(shaped(arch, parametrisation="standard"))
    (group,) = parameter_groups(model, model.config)
    assert (group["lr_scale"], group["weight_decay_scale"]) == (1.0, 1.0)
    assert group["params"] == list(model.parameters())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_only_the_matrices_inside_the_blocks_learn_slower_in_a_wider_model(arch: str) -> None:
    model = Transformer(shaped(arch, width=256, base_width=64, progressive_group=2))
    down = {"paper": 64 * 4 / (256 * 4), "modern": 192 / 704}[arch]  # SwiGLU's hidden size is rounded
    for name, scale in scales_by_name(model).items():
        inside = name.startswith("blocks.") and name.endswith(
            ("qkv.weight", "output.weight", "gate.weight", "up.weight", "down.weight")
        )
        expected = (down if "down" in name else 64 / 256) if inside else 1.0
        assert scale == expected, name


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("width", [64, 128, 256])
def test_a_step_of_adamw_decays_all_weights_by_the_same_factor_at_every_width(arch: str, width: int) -> None:
    model = Transformer(shaped(arch, width=width, progressive_group=2), generator())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = optimizer_of(model, rate=0.01, decay=0.1)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, before[name] * (1 - 0.01 * 0.1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("width", [128, 512])
def test_paper_draws_head_and_biases_as_at_the_base_width(width: int) -> None:
    model = Transformer(shaped("paper", width=width, depth=1, base_width=256), generator())
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding):
            assert module.weight.std().item() == pytest.approx(1.0, rel=0.05)
        elif isinstance(module, torch.nn.Linear):
            base_fan_in = 4 * 256 if name.endswith("down") else 256
            bound = 2.56 * math.sqrt(3) / 256 if name == "head" else module.in_features**-0.5
            assert 0.97 * bound < module.weight.abs().max() <= bound, name
            assert module.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03), name
            if module.bias is not None:
                assert (0.8 if name == "head" else 0.95) < module.bias.abs().max() * base_fan_in**0.5 <= 1, name


@pytest.mark.parametrize("width", [128, 512])
def test_modern_scales_the_deviation_inside_the_blocks_by_the_root_of_the_fan_in(width: int) -> None:
    model = Transformer(shaped("modern", width=width, depth=8, base_width=256, vocabulary_size=256), generator())
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            continue
        deviation = 2.56 / 256 if name == "head.weight" else 0.02
        if name.startswith("blocks."):
            down = name.endswith("down.weight")
            base_fan_in, fan_in = (704, {128: 320, 512: 1344}[width]) if down else (256, width)
            deviation *= math.sqrt(base_fan_in / fan_in)
            if down or name.endswith("output.weight"):
                deviation /= math.sqrt(2 * 8)
        assert parameter.std().item() == pytest.approx(deviation, rel=0.03), name


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("parametrisation", ["mup", "standard"])
@pytest.mark.parametrize("base_width", [64, 128, 640, 1024])
@pytest.mark.parametrize("width", [64, 128, 384, 640, 1024])
def test_the_first_loss_is_that_of_a_uniform_code_at_every_width_and_falls_to_it_as_one_over_the_width(
    arch: str, parametrisation: str, base_width: int, width: int
) -> None:
    settings = {"width": width, "base_width": base_width, "depth": 1, "context_length": 64, "vocabulary_size": 256}
    model = Transformer(shaped(arch, parametrisation=parametrisation, **settings), generator())
    tokens_BT = torch.randint(256, (16, 64), generator=generator(2))
    with torch.no_grad():
        logits_BTV = model(tokens_BT[:, :-1])
    loss_bits = functional.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT[:, 1:].flatten()).item() / math.log(2)
    assert abs(loss_bits - 8) <= 0.1
    # What they cost on average over targets: half their variance in nats.
    biases = 1 / (3 * (base_width if parametrisation == "mup" else width)) if arch == "paper" else 0.0
    assert logits_BTV.var(dim=-1).mean().item() <= 1.1 * (2.56**2 / width + biases)


@pytest.mark.parametrize(
    ("width", "base_width", "parametrisation"), [(64, 64, "mup"), (128, 128, "standard"), (256, 128, "mup")]
)
def test_modern_heads_of_a_base_width_up_to_128_keep_the_deviation_of_every_other_matrix(
    width: int, base_width: int, parametrisation: str
) -> None:
    settings = {"width": width, "base_width": base_width, "vocabulary_size": 256}
    model = Transformer(shaped("modern", parametrisation=parametrisation, **settings), generator())
    # The head is drawn last: the same numbers come again where everything before it has been drawn.
    drawn = generator()
    matrices = [parameter for parameter in model.parameters() if parameter.ndim == 2]
    expected = [torch.empty_like(matrix).normal_(0.0, 0.02, generator=drawn) for matrix in matrices]
    assert matrices[-1] is model.head.weight
    assert torch.equal(matrices[-1], expected[-1])


def test_the_output_is_divided_by_the_width_and_its_bias_is_not() -> None:
    assert output_scale(TransformerConfig(width=1024)) == 640 / 1024
    assert output_scale(TransformerConfig(width=1024, parametrisation="standard")) == 1.0
    wide = Transformer(shaped("paper", base_width=64), generator())
    twice = Transformer(shaped("paper", base_width=128), generator())
    twice.load_state_dict(wide.state_dict())
    tokens_BT = torch.randint(19, (2, 12), generator=generator(2))
    halved_BTV, whole_BTV = (model(tokens_BT) - wide.head.bias for model in (wide, twice))
    torch.testing.assert_close(2 * halved_BTV, whole_BTV)
