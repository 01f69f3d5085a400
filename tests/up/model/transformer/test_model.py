import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.transformer import reference_logits
from up.errors import InputError
from up.model.transformer.attention import Rotary, SelfAttention
from up.model.transformer.model import Transformer, TransformerConfig

ARCHITECTURES = ["paper", "modern"]
COPYING = {"arch": "modern", "convolution_taps": 3, "copy_heads": 3}
FORMS = {
    "paper": {"arch": "paper"},
    "modern": {"arch": "modern"},
    "copying": COPYING,
    "copying-linear": {**COPYING, "copy_pool": "linear"},
}


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(form: str, **changes: object) -> TransformerConfig:
    settings = {"width": 24, "depth": 2, "heads": 3, "context_length": 11, "vocabulary_size": 19, "base_width": 48}
    return TransformerConfig(**{**settings, **FORMS[form], **changes})


def perturbed(config: TransformerConfig) -> Transformer:
    """A float64 model in evaluation mode whose every parameter is random, also those that start at 0, 1 or small."""
    model = Transformer(config, generator()).double().eval()
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator(2))
    return model


def random_tokens(rows: int, length: int, vocabulary: int = 19) -> Tensor:
    return torch.randint(vocabulary, (rows, length), generator=generator(3))


def reference(model: Transformer, tokens_BT: Tensor) -> Tensor:
    config = model.config
    return torch.stack(
        [
            reference_logits(
                model.state_dict(),
                row.tolist(),
                arch=config.arch,
                heads=config.num_heads,
                depth=config.num_layers,
                base_width=config.base_width if config.parametrisation == "mup" else None,
                base_heads=config.num_base_heads,
                copy_pool=config.copy_pool,
            )
            for row in tokens_BT
        ]
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("length", "settings"),
    [
        (1, {}),
        (7, {}),
        (11, {}),
        (11, {"parametrisation": "standard"}),
        (11, {"base_width": 24}),
        (11, {"base_heads": 2}),
        (7, {"depth": 5, "progressive_group": 2}),
    ],
)
def test_equals_the_slow_reference_at_float64(form: str, length: int, settings: dict) -> None:
    model = perturbed(small(form, **settings))
    tokens_BT = random_tokens(2, length)
    expected_BTV = reference(model, tokens_BT)
    assert length == 1 or expected_BTV.std() > 0.5  # logits that differ, so that agreement says something
    tolerance = 1e-10 if form == "paper" else 1e-5  # rotary tables are kept in float32
    torch.testing.assert_close(model(tokens_BT), expected_BTV, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("form", "power"), [("paper", -1.0), ("modern", -0.5)])
def test_attention_scale_is_that_of_the_architecture_and_matters(form: str, power: float) -> None:
    model = perturbed(small(form, parametrisation="standard"))
    tokens_BT = random_tokens(2, 11)
    expected_BTV = reference(model, tokens_BT)
    for exponent in (-1.0, -0.5):
        for module in model.modules():
            if isinstance(module, SelfAttention):
                module.scale = 8.0**exponent
        same = torch.allclose(model(tokens_BT), expected_BTV, rtol=1e-4, atol=1e-4)
        assert same == (exponent == power)


@pytest.mark.parametrize("form", FORMS)
def test_no_logit_sees_the_future(form: str) -> None:
    model = perturbed(small(form))
    tokens_BT = random_tokens(3, 11)
    before_BTV = model(tokens_BT)
    for t in range(11):
        changed_BT = tokens_BT.clone()
        changed_BT[:, t] = (changed_BT[:, t] + 1) % 19
        after_BTV = model(changed_BT)
        torch.testing.assert_close(after_BTV[:, :t], before_BTV[:, :t], rtol=0, atol=1e-12)
        assert ((after_BTV[:, t:] - before_BTV[:, t:]).abs().amax(dim=-1) > 1e-6).all()


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_earlier_tokens_matters(form: str) -> None:
    model = perturbed(small(form, depth=1))  # one block without positions would see its past as a set
    one, other = torch.tensor([[1, 2, 3]]), torch.tensor([[2, 1, 3]])
    assert (model(one)[0, 2] - model(other)[0, 2]).abs().max() > 1e-3


def test_rotary_attention_depends_on_distance_only() -> None:
    (rotary,) = [m for m in Transformer(small("modern", context_length=64)).double().modules() if isinstance(m, Rotary)]
    q_K, k_K = torch.randn(2, 8, dtype=torch.float64, generator=generator())
    turned_q_TK = rotary(q_K.expand(1, 64, 1, 8))[0, :, 0]
    turned_k_TK = rotary(k_K.expand(1, 64, 1, 8))[0, :, 0]
    score_TT = turned_q_TK @ turned_k_TK.T
    torch.testing.assert_close(turned_q_TK[0], q_K)
    for distance in (0, 1, 5, 40):
        along = score_TT.diagonal(-distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=0, atol=1e-5)
    assert (score_TT[0, 0] - score_TT[5, 0]).abs() > 1e-2


@pytest.mark.parametrize("form", FORMS)
def test_dropout_acts_in_training_only(form: str) -> None:
    tokens_BT = random_tokens(2, 11)
    model = Transformer(small(form, dropout=0.5), generator())
    without = Transformer(small(form, dropout=0.0), generator())
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert not torch.equal(model(tokens_BT), model(tokens_BT))
    torch.testing.assert_close(without(tokens_BT), model.eval()(tokens_BT))


def test_paper_drops_after_each_layer_norm() -> None:
    model = Transformer(small("paper", dropout=0.5), generator())
    x_BTD = torch.ones(1, 11, 24)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        output_BTD = model.blocks[0](x_BTD)
    zeros = int((output_BTD == 0).sum())
    assert 0.3 < zeros / output_BTD.numel() < 0.7  # the last thing in a block is the dropout


@pytest.mark.parametrize("form", FORMS)
def test_a_seed_decides_every_weight_and_the_global_generator_is_left_alone(form: str) -> None:
    state = torch.random.get_rng_state()
    one, same, other, default = (
        Transformer(small(form), *given).state_dict() for given in ([generator()], [generator()], [generator(2)], [])
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(one[name], same[name]) for name in one)
    matrices = [name for name in one if one[name].ndim == 2 and one[name].any()]
    assert all(not torch.equal(one[name], other[name]) for name in matrices)
    assert all(torch.equal(default[name], tensor) for name, tensor in Transformer(small(form)).state_dict().items())


def test_paper_is_initialised_as_pytorch_initialises_by_default_but_for_the_weights_of_its_head() -> None:
    model = Transformer(TransformerConfig(width=256, depth=1, parametrisation="standard"), generator())
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            bound = module.in_features**-0.5
            for parameter in module.parameters():
                smaller = 2.56 * 3**0.5 / 16 if parameter is model.head.weight else 1
                assert 0.97 * bound * smaller < parameter.abs().max() <= bound * smaller
                if parameter is module.weight:
                    assert parameter.std().item() == pytest.approx(bound * smaller / 3**0.5, rel=0.02)
        elif isinstance(module, torch.nn.Embedding):
            assert module.weight.std().item() == pytest.approx(1.0, rel=0.02)
        elif isinstance(module, torch.nn.LayerNorm):
            assert bool((module.weight == 1).all())
            assert bool((module.bias == 0).all())


def test_modern_shrinks_the_projections_into_the_residual_stream() -> None:
    model = Transformer(TransformerConfig(arch="modern", width=128, depth=8, parametrisation="standard"), generator())
    for name, parameter in model.named_parameters():
        if name.endswith("norm.weight"):
            assert bool((parameter == 1).all())
        else:
            residual = name.endswith(("output.weight", "down.weight"))
            assert parameter.std().item() == pytest.approx(0.02 / (4 if residual else 1), rel=0.03)


def test_modern_has_no_biases_and_an_untied_head() -> None:
    state = Transformer(small("modern")).state_dict()
    assert not [name for name in state if "bias" in name or "rotary" in name]
    assert not torch.equal(state["head.weight"], state["token_embedding.weight"])


@pytest.mark.parametrize("form", FORMS)
def test_a_gradient_reaches_every_parameter(form: str) -> None:
    model = perturbed(small(form))
    tokens_BT = random_tokens(2, 11)
    logits_BTV = model(tokens_BT)
    functional.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT.flatten()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        parts = parameter.grad.chunk(3) if "qkv" in name else [parameter.grad]
        assert all(bool(part.any()) for part in parts), name


@pytest.mark.parametrize("form", FORMS)
def test_22_blocks_give_finite_gradients_at_initialisation(form: str) -> None:
    config = TransformerConfig(**FORMS[form], width=64, depth=22, context_length=32, progressive_group=0)
    model = Transformer(config, generator())
    tokens_BT = random_tokens(2, 32, 256)
    functional.cross_entropy(model(tokens_BT).flatten(0, 1), tokens_BT.flatten()).backward()
    closed = "copying.gate_"  # the gate of copy heads starts with an output of zero, behind which nothing moves yet
    parameters = [p for name, p in model.named_parameters() if not name.startswith(closed) or "output" in name]
    norms = torch.stack([p.grad.norm() for p in parameters if p.grad is not None])
    assert len(norms) == len(parameters)
    assert bool(norms.isfinite().all())
    assert bool((norms > 0).all())


@pytest.mark.parametrize("form", FORMS)
def test_bytes_and_integers_give_the_same_logits(form: str) -> None:
    model = Transformer(small(form)).eval()
    tokens_BT = random_tokens(2, 11)
    assert torch.equal(model(tokens_BT), model(tokens_BT.to(torch.uint8)))


@pytest.mark.parametrize("form", FORMS)
def test_sequences_longer_than_the_context_are_refused(form: str) -> None:
    model = Transformer(small(form))
    with pytest.raises(InputError, match="context of 11"):
        model(random_tokens(1, 12))


@pytest.mark.parametrize("form", FORMS)
def test_logits_are_float32_under_autocast_and_near_the_exact_ones(form: str) -> None:
    model = Transformer(small(form), generator()).eval()
    tokens_BT = random_tokens(2, 11)
    exact_BTV = model(tokens_BT)
    with torch.autocast("cpu", torch.bfloat16):
        rounded_BTV = model(tokens_BT)
    assert rounded_BTV.dtype == torch.float32
    assert not torch.equal(rounded_BTV, exact_BTV)
    assert (rounded_BTV - exact_BTV).abs().max() < 0.05 * exact_BTV.abs().max()


@pytest.mark.parametrize("form", FORMS)
def test_a_model_learns_a_sequence(form: str) -> None:
    model = Transformer(small(form), generator())
    tokens_BT = random_tokens(4, 11)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for _ in range(20):
            loss = functional.cross_entropy(model(tokens_BT[:, :-1]).flatten(0, 1), tokens_BT[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("form", FORMS)
def test_the_forward_pass_is_one_graph(form: str) -> None:
    model = Transformer(small(form), generator()).eval()
    tokens_BT = random_tokens(2, 11).to(torch.uint8)
    torch._dynamo.reset()  # models of the other forms count towards a limit of recompilations
    compiled = torch.compile(model, fullgraph=True, backend="eager")  # a graph break would raise
    torch.testing.assert_close(compiled(tokens_BT), model(tokens_BT))


@pytest.mark.parametrize("form", ARCHITECTURES)
def test_attention_runs_in_the_fused_kernel_and_builds_no_square_of_scores(form: str) -> None:
    model = Transformer(small(form, context_length=64))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.FLASH_ATTENTION):  # any other choice raises
        model(random_tokens(2, 64)).sum().backward()
