import pytest
import torch
from torch import Tensor
from torch.nn import functional

from up.model.transformer.blocks import ProgressiveBlock
from up.model.transformer.model import Transformer, TransformerConfig
from up.model.transformer.mup import parameter_groups

ARCHITECTURES = ["paper", "modern"]
TOKENS_BT = torch.randint(19, (2, 11), generator=torch.Generator().manual_seed(3))


def progressive(arch: str, enabled: int | None = None) -> Transformer:
    """Five blocks of which the first two are normal."""
    config = TransformerConfig(
        arch=arch,
        width=24,
        depth=5,
        heads=3,
        context_length=11,
        vocabulary_size=19,
        dropout=0.0,
        base_width=48,
        progressive_group=2,
    )
    model = Transformer(config, torch.Generator().manual_seed(1))
    model.enabled_blocks = model.enabled_blocks if enabled is None else enabled
    return model


def loss_of(model: Transformer) -> Tensor:
    return functional.cross_entropy(model(TOKENS_BT).flatten(0, 1), TOKENS_BT.flatten())


def adamw(model: Transformer) -> torch.optim.AdamW:
    groups = parameter_groups(model, model.config)
    for group in groups:
        group["lr"] = 1e-3 * group["lr_scale"]
    return torch.optim.AdamW(groups, weight_decay=0.1)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_blocks_after_the_first_group_start_with_a_scalar_of_zero(arch: str) -> None:
    model = progressive(arch)
    assert [isinstance(block, ProgressiveBlock) for block in model.blocks] == [False, False, True, True, True]
    scalars = {name: tensor for name, tensor in model.state_dict().items() if name.endswith("alpha")}
    assert list(scalars) == ["blocks.2.alpha", "blocks.3.alpha", "blocks.4.alpha"]
    assert all(tensor.shape == () and tensor == 0 for tensor in scalars.values())
    assert model.enabled_blocks == 5


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("training", [False, True])
def test_enabling_a_group_changes_no_logit(arch: str, training: bool) -> None:
    model = progressive(arch).train(training)
    logits = []
    for enabled in (2, 3, 4, 5):
        model.enabled_blocks = enabled
        logits.append(model(TOKENS_BT))
    assert all(torch.equal(logits[0], other_BTV) for other_BTV in logits[1:])
    model.enabled_blocks = 1
    assert not torch.allclose(logits[0], model(TOKENS_BT))  # a normal block does something


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_enabling_a_group_in_the_middle_of_a_run_changes_no_logit(arch: str) -> None:
    model = progressive(arch, enabled=2)
    optimizer = adamw(model)
    for enabled in (2, 4, 5):
        before_BTV = model(TOKENS_BT)
        model.enabled_blocks = enabled
        assert torch.equal(model(TOKENS_BT), before_BTV)
        for _ in range(5):
            optimizer.zero_grad(set_to_none=True)
            loss_of(model).backward()
            optimizer.step()
        assert not torch.allclose(model(TOKENS_BT), before_BTV)
    assert all(bool(block.alpha != 0) for block in model.blocks[2:])


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_blocks_that_are_not_enabled_do_not_run_and_are_left_alone_by_the_optimiser(arch: str) -> None:
    model = progressive(arch, enabled=2)
    ran = []
    for index, block in enumerate(model.blocks):
        block.register_forward_pre_hook(lambda *_, index=index: ran.append(index))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = adamw(model)
    loss_of(model).backward()
    optimizer.step()
    assert ran == [0, 1]
    for name, parameter in model.named_parameters():
        disabled = name.startswith(("blocks.2", "blocks.3", "blocks.4"))
        assert (parameter.grad is None) == disabled, name
        assert (parameter not in optimizer.state) == disabled, name
        assert torch.equal(parameter, before[name]) == disabled, name


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_scalar_moves_first_and_lets_the_gradient_into_its_block(arch: str) -> None:
    model = progressive(arch, enabled=3)
    optimizer = adamw(model)
    gradients = []
    for _ in range(2):
        optimizer.zero_grad(set_to_none=True)
        loss_of(model).backward()
        gradients.append(model.blocks[2].block.attention.qkv.weight.grad.clone())
        optimizer.step()
        if len(gradients) == 1:
            assert abs(float(model.blocks[2].alpha.detach())) == pytest.approx(1e-3, rel=1e-3)  # the rate, unscaled
    assert not gradients[0].any()
    assert gradients[1].any()


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_saved_weights_do_not_depend_on_how_many_blocks_are_enabled(arch: str) -> None:
    early, late = progressive(arch, enabled=2), progressive(arch)
    late.load_state_dict(early.state_dict())
    assert early.state_dict().keys() == late.state_dict().keys()
    assert torch.equal(early(TOKENS_BT), late(TOKENS_BT))


@pytest.mark.parametrize("enabled", [0, 6])
def test_enabling_more_or_fewer_blocks_than_there_are_is_a_mistake(enabled: int) -> None:
    model = progressive("paper", enabled=enabled)
    with pytest.raises(AssertionError):
        model(TOKENS_BT)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_compiled_model_follows_what_is_enabled_without_a_graph_break(arch: str) -> None:
    model = progressive(arch, enabled=2).eval()
    for block in model.blocks[2:]:
        block.alpha.data.fill_(0.5)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    for enabled in (2, 4, 5):
        model.enabled_blocks = enabled
        torch.testing.assert_close(compiled(TOKENS_BT), model(TOKENS_BT))
