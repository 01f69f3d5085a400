"""Progressive blocks in training (A.1): frozen until enabled, enabled without changing an output, resumed at any stage.

Five blocks in groups of two, another group every 16 instances: 2, 2, 4, 4, 5, 5, ... of them take part in the steps.
"""

import pytest
import torch

from tests.up.runs.cases import CPU, TRANSFORMERS, same_tensors, small_config, weights
from up.runs.folder import create_run, load_model
from up.runs.loop import train
from up.training.state import TrainingState
from up.training.step import Step

SETTINGS = ("model.depth=5", "model.progressive_group=2", "training.enable_every=16", "training.learning_rate=0.01")
STAGES = [2, 2, 4, 4, 5, 5, 5, 5]


@pytest.fixture(params=TRANSFORMERS)
def arch(request):
    return request.param


def progressive(arch, *assignments: str) -> TrainingState:
    return TrainingState(small_config(*SETTINGS, "model.dropout=0", *assignments, arch=arch), CPU)


def block_weights(state, index):
    return {name: tensor.clone() for name, tensor in state.model.blocks[index].state_dict().items()}


def test_groups_join_as_the_schedule_says_and_the_metrics_tell(begin, arch):
    run, state, prepared = begin(*SETTINGS, arch=arch)
    blocks = [event.enabled_blocks for event in train(run, state, prepared) if isinstance(event, Step)]
    assert blocks == STAGES
    assert [record.enabled_blocks for record in run.metrics.history().steps] == STAGES


@pytest.mark.parametrize("mode", ["evaluation", "training"])
def test_enabling_a_group_changes_no_output_bit(arch, mode):
    state = progressive(arch)
    tokens_BT = torch.randint(256, (4, 32), generator=torch.Generator().manual_seed(2))
    seen = []
    for _ in range(8):
        before = state.model.enabled_blocks
        state.train_step()
        after = state.model.enabled_blocks
        if after > before:
            seen.append((state.instances, before, after))
            state.model.train(mode == "training")
            with torch.no_grad():
                logits_BTV = state.model(tokens_BT)
                state.model.enabled_blocks = before
                assert torch.equal(state.model(tokens_BT), logits_BTV)
            state.model.enabled_blocks = after
    assert seen == [(16, 2, 4), (32, 4, 5)]


def test_a_block_that_is_not_enabled_keeps_every_bit_and_has_no_moments(arch):
    """Not even weight decay touches it, though it is strong here."""
    state = progressive(arch, "training.weight_decay=0.5")
    initial = [block_weights(state, index) for index in range(5)]
    for _ in range(8):
        taking_part = state.model.enabled_blocks
        state.train_step()
        for index, block in enumerate(state.model.blocks):
            moments = [parameter in state.optimizer.state for parameter in block.parameters()]
            if index < taking_part:
                assert all(moments)
                assert not same_tensors(block_weights(state, index), initial[index])
            else:
                assert not any(moments)
                assert same_tensors(block_weights(state, index), initial[index])
                assert not any(f"blocks.{index}." in name for name in state.tensors())


def test_the_scalar_of_a_group_is_zero_until_its_first_step_and_then_moves(arch):
    state = progressive(arch)
    for _ in range(8):
        taking_part = state.model.enabled_blocks
        state.train_step()
        for index, block in enumerate(state.model.blocks[2:], start=2):
            assert (block.alpha.item() != 0) == (index < taking_part)


def test_a_checkpoint_from_every_stage_resumes_bit_for_bit(arch, tmp_path):
    config = small_config(*SETTINGS, "model.dropout=0.2", arch=arch)
    run, whole = create_run(tmp_path / "run", config, keep=9), TrainingState(config, CPU)
    run.save(whole)
    results = []
    for _ in STAGES:
        results.append(whole.train_step())
        run.save(whole)
    folders = run.checkpoints()
    assert len(folders) == 9
    for stage in reversed(range(9)):
        restored = TrainingState(config, CPU)
        run.restore(restored)
        assert (restored.step, restored.model.enabled_blocks) == (stage, [*STAGES, 5][stage])
        assert [restored.train_step() for _ in range(8 - stage)] == results[stage:]
        assert same_tensors(weights(restored), weights(whole))
        assert same_tensors(restored.tensors(), whole.tensors())
        folders[stage].rename(folders[stage].with_name(f"{stage}.aside"))  # so that the one before is the latest


def test_the_model_of_an_early_checkpoint_predicts_what_its_enabled_blocks_do(arch, tmp_path):
    """Loaded with all its blocks, those that were never enabled pass their input on."""
    state = progressive(arch)
    state.train_step()
    run = create_run(tmp_path / "run", state.config)
    run.save(state)
    tokens_BT = torch.arange(64).view(2, 32)
    model = load_model(run.path, CPU)
    assert (model.enabled_blocks, state.model.enabled_blocks) == (5, 2)
    state.model.eval()
    with torch.no_grad():
        assert torch.equal(model(tokens_BT), state.model(tokens_BT))
