"""One training step: it learns, it is the mean over the batch however it is cut, and it touches nothing else."""

import math

import pytest
import torch

from tests.up.runs.cases import ARCHITECTURES, CPU, TRANSFORMERS, same_tensors, small_config, small_state, weights
from tests.up.streams import StreamOf, one_by_one
from up.errors import InputError, RunError
from up.training.state import TrainingState


def step_from(tokens_BT: torch.Tensor, *assignments: str, **options):
    """Take one step on the given instances and return the state and what it reports."""
    settings = (f"training.batch={len(tokens_BT)}", f"training.batch_start={len(tokens_BT)}", *assignments)
    state = small_state(*settings, stream=one_by_one(tokens_BT), **options)
    return state, state.train_step()


def random_tokens(rows: int = 12) -> torch.Tensor:
    return torch.randint(256, (rows, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_fresh_model_charges_eight_bits_for_noise(arch):
    """log2 of 256 symbols: the loss is in bits, not nats (5.5)."""
    _, result = step_from(random_tokens(), arch=arch)
    assert result.loss_bits == pytest.approx(8, abs=0.5)


@pytest.mark.parametrize("arch", TRANSFORMERS)
def test_the_loss_is_what_the_model_charges_for_every_token_but_the_first(arch):
    tokens_BT = random_tokens()
    state = small_state("model.dropout=0", arch=arch)
    with torch.no_grad():
        probability_BTV = state.model(tokens_BT).softmax(-1)
    charged = [
        -math.log2(probability_BTV[row, t - 1, tokens_BT[row, t].long()]) for row in range(12) for t in range(1, 32)
    ]
    _, result = step_from(tokens_BT, "model.dropout=0", arch=arch)
    assert result.loss_bits == pytest.approx(sum(charged) / len(charged), rel=1e-5)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_loss_falls_on_a_stream_that_is_easy_to_learn(arch):
    stream = StreamOf(lambda count: (torch.arange(32) + torch.arange(count)[:, None]).to(torch.uint8))
    settings = ("training.learning_rate=0.02", "training.warmup_instances=0")
    state = small_state(*settings, arch=arch, instances=400, stream=stream)
    losses = [state.train_step().loss_bits for _ in range(40)]
    assert losses[-1] < losses[0] - 1.5


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("microbatch", [1, 5, 7])
def test_the_microbatch_changes_neither_the_gradient_nor_the_loss(arch, microbatch):
    tokens_BT = random_tokens()
    (whole, one), (cut, other) = (
        step_from(tokens_BT, f"training.microbatch={size}", arch=arch, dropout=0) for size in (12, microbatch)
    )
    assert other.loss_bits == pytest.approx(one.loss_bits, rel=1e-5)
    assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-4)
    for (name, parameter), same in zip(whole.model.named_parameters(), cut.model.parameters(), strict=True):
        assert torch.allclose(parameter.grad, same.grad, rtol=1e-3, atol=1e-6), name


def test_the_gradient_is_clipped_to_its_norm_and_reported_as_it_was():
    state, result = step_from(random_tokens(), "training.gradient_clip=0.01")
    clipped = math.sqrt(sum(float(p.grad.square().sum()) for p in state.model.parameters()))
    assert clipped == pytest.approx(0.01, rel=1e-3)
    assert result.gradient_norm > 0.1


def test_paper_never_trains_its_last_position_which_is_only_predicted():
    state, _ = step_from(random_tokens(), arch="paper")
    gradient_TD = state.model.position_embedding.weight.grad
    assert gradient_TD.shape == (32, 16)
    assert bool(gradient_TD[:-1].any(dim=1).all())
    assert not gradient_TD[-1].any()


def test_every_group_of_parameters_moves_at_its_own_share_of_the_rate():
    """muP at width 16 with base width 64: matrices inside the blocks move at four times the rate."""
    settings = ("model.base_width=64", "training.weight_decay=0", "training.gradient_clip=1000000.0")
    state = small_state(*settings)
    before = weights(state)
    rate = state.train_step().learning_rate
    moved = {name: float((tensor - before[name]).abs().max()) for name, tensor in weights(state).items()}
    assert moved["blocks.0.attention.output.weight"] == pytest.approx(4 * rate, rel=1e-2)
    for name in ("head.weight", "token_embedding.weight", "blocks.0.attention_norm.weight"):
        assert moved[name] == pytest.approx(rate, rel=1e-2)


@pytest.mark.parametrize("base_width", [16, 64])
def test_the_decay_of_a_step_is_the_same_share_of_every_weight_whatever_the_width(base_width):
    """AdamW multiplies by 1 - rate x decay; without a gradient nothing else moves a weight."""
    settings = (f"model.base_width={base_width}", "training.weight_decay=0.5")
    state = small_state(*settings, stream=StreamOf(random_tokens))
    before = weights(state)
    state.model.register_forward_hook(lambda _model, _inputs, logits_BTV: 0 * logits_BTV)
    rate = state.train_step().learning_rate
    for name, tensor in weights(state).items():
        assert torch.allclose(tensor, before[name] * (1 - 0.5 * rate), rtol=1e-6), name


def test_a_small_gradient_is_left_alone():
    state, result = step_from(random_tokens(), "training.gradient_clip=1000.0")
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in state.model.parameters()))
    assert norm == pytest.approx(result.gradient_norm, rel=1e-5)


def test_a_step_moves_the_weights_at_the_rate_that_it_reports():
    """The first step of Adam moves a parameter by the rate times the sign of its gradient; decay is set to 0."""
    before = weights(small_state())
    state, result = step_from(random_tokens(), "training.weight_decay=0", "training.gradient_clip=1000.0")
    assert result.learning_rate == state.optimizer.param_groups[0]["lr"]
    moved = torch.cat([(tensor - before[name]).abs().flatten() for name, tensor in weights(state).items()])
    assert float(moved.max()) == pytest.approx(result.learning_rate, rel=1e-2)


def test_the_counters_follow_the_batches_and_the_last_one_takes_what_is_left():
    state = small_state(instances=20)
    seen = []
    while state.instances < 20:
        state.train_step()
        seen.append((state.step, state.instances, state.stream.instances))
    assert seen == [(1, 8, 8), (2, 16, 16), (3, 20, 20)]


def test_the_global_random_numbers_are_as_before_a_step_with_dropout():
    state = small_state("model.dropout=0.5", arch="paper")
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    state.train_step()
    assert torch.equal(torch.rand(4), expected)


def test_dropout_draws_from_the_runs_own_randomness_anew_in_every_step():
    def losses(seed):
        torch.manual_seed(seed)
        stream = StreamOf(lambda _: random_tokens(8))
        state = small_state("model.dropout=0.5", "training.learning_rate=1e-30", arch="paper", stream=stream)
        return [state.train_step().loss_bits for _ in range(3)]

    assert losses(1) == losses(2)
    assert len(set(losses(1))) == 3


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_seed_decides_everything(arch):
    def trained(seed):
        state = small_state(f"seed={seed}", arch=arch)
        return [state.train_step() for _ in range(3)], weights(state)

    (results, one), (again, same), (_, other) = trained(4), trained(4), trained(5)
    assert results == again
    assert same_tensors(one, same)
    assert not any(torch.equal(one[name], other[name]) for name in one if "weight" in name and "norm" not in name)


def test_bfloat16_trains_like_float32_within_its_precision():
    tokens_BT = random_tokens()
    losses = {
        precision: step_from(tokens_BT, "model.dropout=0", f"training.precision={precision}")[1].loss_bits
        for precision in ("fp32", "bf16")
    }
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=1e-2)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_restored_state_continues_bit_for_bit(arch):
    """With dropout or drawn bytes, whose random numbers must continue too."""
    config = small_config(arch=arch, dropout=0.3)
    whole = TrainingState(config, CPU)
    for _ in range(2):
        whole.train_step()
    model, tensors = weights(whole), {name: tensor.clone() for name, tensor in whole.tensors().items()}
    expected = [whole.train_step() for _ in range(3)]

    restored = TrainingState(config, CPU)
    restored.train_step()
    restored.restore(model, tensors)
    assert [restored.train_step() for _ in range(3)] == expected
    assert same_tensors(weights(restored), weights(whole))
    assert same_tensors(restored.tensors(), whole.tensors())


def test_a_state_saved_before_its_first_step_restores_as_well():
    state, other = small_state(), small_state("seed=9")
    other.restore(weights(state), state.tensors())
    assert other.train_step() == state.train_step()


def without(name):
    return lambda tensors: {key: tensor for key, tensor in tensors.items() if key != name}


def with_tensor(name, tensor):
    return lambda tensors: {**tensors, name: tensor}


@pytest.mark.parametrize(
    "change",
    [
        without("counters"),
        without("dropout_generator"),
        without("stream.rows"),
        without("optimizer.head.weight.exp_avg"),
        with_tensor("counters", torch.tensor([1, 2, 3])),
        with_tensor("counters", torch.tensor([1, 2, 3, 4, 5])),
        with_tensor("counters", torch.tensor(1)),
        with_tensor("stream.rows", torch.zeros(3, 32, dtype=torch.uint8)),
        with_tensor("stream.source_generator", torch.zeros(4)),
        with_tensor("optimizer.head.weight.exp_avg", torch.zeros(256, 32)),
    ],
)
def test_a_foreign_state_is_refused_in_one_line(change):
    state = small_state()
    state.train_step()
    with pytest.raises(InputError, match="does not fit its configuration") as caught:
        small_state().restore(weights(state), change(state.tensors()))
    assert "\n" not in str(caught.value)


def test_the_weights_of_another_model_are_refused_in_one_line():
    state, wider = small_state(), small_state("model.width=32")
    with pytest.raises(InputError, match="does not fit its configuration") as caught:
        state.restore(weights(wider), state.tensors())
    assert "\n" not in str(caught.value)


def test_the_microbatch_changes_neither_the_instances_nor_the_losses():
    """Each step draws its batch at once, so only rounding tells the microbatches apart."""
    losses = []
    for microbatch in (8, 4, 3, 1):
        state = small_state(f"training.microbatch={microbatch}", "model.dropout=0")
        losses.append([state.train_step().loss_bits for _ in range(3)])
    for other in losses[1:]:
        assert other == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize(
    "raised",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8796093022208 bytes"),
        MemoryError(),
    ],
)
def test_a_device_that_runs_out_of_memory_is_a_failed_run_that_names_the_setting(raised):
    def run_out(*_):
        raise raised

    state = small_state()
    state.model.register_forward_hook(run_out)
    with pytest.raises(RunError, match=r"cpu ran out of memory .* lower training\.microbatch"):
        state.train_step()


def test_any_other_error_of_a_step_stays_what_it_is():
    def fail(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    state = small_state()
    state.model.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2"):
        state.train_step()


def test_a_lack_of_memory_is_not_told_as_a_checkpoint_that_does_not_fit(monkeypatch):
    def run_out(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    state = small_state()
    monkeypatch.setattr(state.model, "load_state_dict", run_out)
    with pytest.raises(RuntimeError, match=r"^DefaultCPUAllocator"):
        state.restore(weights(state), state.tensors())
