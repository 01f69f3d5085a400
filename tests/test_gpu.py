"""What must hold on a GPU: the same function as on the CPU, a training run, and its exact continuation there."""

import pytest
import torch
from torch import nn

import up
from up.evaluation.bits import EvaluationConfig, prepare
from up.recipes.presets import configure
from up.runs.folder import create_run
from up.runs.loop import train
from up.sources.capture import captured
from up.sources.recurrent import RecurrentSource, RecurrentWeights, draw_weights
from up.sources.recurrent_kernel import generate_sequences
from up.training.state import TrainingState

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU, and this machine has none"),
]


@pytest.mark.parametrize("temperature", [1e-4, 1.0])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_sampler_gives_the_same_tokens_as_on_the_cpu(cell, temperature):
    for seed in range(6):  # three batches of a shape are run, the others replay the record that the fourth one makes
        generator = torch.Generator().manual_seed(seed)
        source = RecurrentSource(kind=cell, hidden_size=24)
        weights = draw_weights(source, 8, generator=generator, dtype=torch.float64)
        arguments = {
            "seeds_RS": torch.randint(256, (16, 8), generator=generator),
            "conditions_RT": torch.randint(256, (16, 96), generator=generator),
            "uniforms_TR": torch.rand(88, 16, generator=generator, dtype=torch.float64),
        }
        on_cpu = generate_sequences(weights, cell=cell, temperature=temperature, **arguments)
        on_gpu = generate_sequences(
            RecurrentWeights(**{name: tensor.cuda() for name, tensor in vars(weights).items()}),
            cell=cell,
            temperature=temperature,
            **{name: tensor.cuda() for name, tensor in arguments.items()},
        )
        assert torch.equal(on_cpu, on_gpu.cpu())


def test_records_of_many_shapes_do_not_mix():
    generator = torch.Generator().manual_seed(0)
    # Three in turn, each recorded at its fourth call; two more, for which the oldest go; and the first ones again.
    for rows in (*(2, 4, 6) * 5, *(8,) * 5, *(10,) * 5, *(2, 4, 6) * 5):
        weights = draw_weights(RecurrentSource(hidden_size=10), 2, generator=generator, dtype=torch.float64)
        arguments = {
            "seeds_RS": torch.randint(256, (rows, 8), generator=generator),
            "conditions_RT": torch.randint(256, (rows, 24), generator=generator),
            "uniforms_TR": torch.rand(16, rows, generator=generator, dtype=torch.float64),
        }
        settings = {"cell": "lstm", "temperature": 1.0}
        on_cpu = generate_sequences(weights, **settings, **arguments)
        on_card = RecurrentWeights(**{name: tensor.cuda() for name, tensor in vars(weights).items()})
        on_gpu = generate_sequences(on_card, **settings, **{name: each.cuda() for name, each in arguments.items()})
        assert torch.equal(on_cpu, on_gpu.cpu())


def test_from_the_fifth_call_on_only_the_record_runs_and_earlier_results_stay_as_they_were():
    calls = []

    def doubled(x_N):
        calls.append(x_N)
        return 2 * x_N

    with torch.inference_mode():
        inputs = [torch.full((3,), float(n), device="cuda") for n in range(7)]
        results = [captured("doubled", doubled, [x_N]) for x_N in inputs]
    assert len(calls) == 3 + 2  # three are run; at the fourth it is run aside and recorded
    assert [each.tolist() for each in results] == [[2.0 * n] * 3 for n in range(7)]


def test_the_same_seed_gives_the_same_sequences():
    seeds_RS = torch.randint(256, (138, 8), device="cuda")
    conditions_RT = torch.randint(256, (138, 512), device="cuda")
    one, two = (
        RecurrentSource().generate(seeds_RS, conditions_RT, torch.Generator("cuda").manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(one, two)


def small_config(arch):
    assignments = [f"model.arch={arch}", "model.width=128", "model.depth=2", "training.instances=128"]
    return configure("tiny", [*assignments, "training.batch=32", "training.batch_start=32"]).resolve(
        torch.device("cuda")
    )


@pytest.mark.parametrize("arch", ["paper", "modern"])
def test_a_run_trains_in_bf16_and_continues_exactly(arch, tmp_path):
    config = small_config(arch)
    assert config.training.precision == "bf16"
    device = torch.device("cuda")
    prepared = prepare(EvaluationConfig(samples=8), context_length=512, device=device)
    whole = create_run(tmp_path / "whole", config)
    assert list(train(whole, TrainingState(config, device), prepared))[-1].complete

    steps = iter([False, True])
    halves = create_run(tmp_path / "halves", config)
    list(train(halves, TrainingState(config, device), prepared, should_stop=lambda: next(steps, True)))
    continued = TrainingState(config, device)
    halves.restore(continued)
    assert 0 < continued.instances < 128
    assert list(train(halves, continued, prepared))[-1].complete

    one, other = (run.metrics.history().steps for run in (whole, halves))
    assert [record.instances for record in one] == [record.instances for record in other] == [32, 64, 96, 128]
    assert [record.loss_bits for record in one] == pytest.approx([record.loss_bits for record in other], abs=1e-3)
    assert all(record.loss_bits < 9 and record.skipped_steps == 0 for record in one)


def test_blocks_that_are_enabled_on_the_way_train_on_a_card(tmp_path):
    device = torch.device("cuda")
    settings = ["model.width=128", "model.depth=4", "model.progressive_group=2", "training.enable_every=64"]
    settings += ["training.instances=128", "training.batch=32", "training.batch_start=32", "model.arch=paper"]
    config = configure("tiny", settings).resolve(device)
    run, state = create_run(tmp_path / "run", config), TrainingState(config, device)
    results = [state.train_step() for _ in range(2)]
    run.save(state)
    results += [state.train_step() for _ in range(2)]
    assert not any(result.skipped for result in results)
    assert all(block.alpha.item() != 0 for block in state.model.blocks[2:])
    restored = TrainingState(config, device)
    run.restore(restored)
    assert restored.model.enabled_blocks == 4
    assert [restored.train_step().loss_bits for _ in range(2)] == pytest.approx(
        [result.loss_bits for result in results[2:]], abs=1e-3
    )


@pytest.mark.parametrize("buffer_device", ["cpu", "cuda"])
def test_a_wrapped_model_learns_from_a_buffer_on_either_device(buffer_device):
    model = nn.Sequential(nn.Embedding(256, 16), nn.Linear(16, 256)).cuda()
    pretraining = up.wrap(model, length=64, buffer_device=buffer_device)
    assert pretraining.stream.buffer.rows_CT.device.type == buffer_device
    losses = pretraining.fit(30, batch_size=16, learning_rate=0.03)
    assert losses[-1] < losses[0]
    assert sum(pretraining.observations()["depth"][1:]) > 0
    state = pretraining.state_dict()
    expected = pretraining.loss(4).detach()
    pretraining.load_state_dict(state)
    assert torch.equal(pretraining.loss(4).detach(), expected)
