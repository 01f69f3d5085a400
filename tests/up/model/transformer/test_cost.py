import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from up.model.transformer.cost import (
    activation_bytes,
    count_parameters,
    estimate_training_memory,
    parameter_breakdown,
    training_flops_per_token,
)
from up.model.transformer.model import Transformer, TransformerConfig

SHAPES = [
    {"width": 24, "depth": 3, "heads": 2, "context_length": 7, "vocabulary_size": 19},
    {"width": 128},
    {"width": 256, "depth": 1, "feedforward_multiplier": 3},
    {"width": 24, "depth": 5, "progressive_group": 2},
]


@pytest.mark.parametrize("arch", ["paper", "modern"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_part_is_counted_exactly(arch: str, shape: dict) -> None:
    config = TransformerConfig(arch=arch, **shape)
    counted = {"embedding": 0, "attention.": 0, "feedforward.": 0, "norm": 0, "head": 0, "alpha": 0}
    for name, parameter in Transformer(config).named_parameters():
        (part,) = [part for part in counted if part in name]
        counted[part] += parameter.numel()
    parts = parameter_breakdown(config)
    expected = (parts.embeddings, parts.attention, parts.feedforward, parts.norms, parts.head, parts.progressive)
    assert tuple(counted.values()) == expected
    assert count_parameters(config) == sum(counted.values())


def test_width_512_has_22_blocks_and_about_70_million_parameters() -> None:
    config = TransformerConfig(width=512)
    assert config.num_layers == 22
    assert count_parameters(config) == 69_843_214  # 14 of them scalars of progressive blocks
    assert count_parameters(TransformerConfig(arch="modern", width=512)) == pytest.approx(70e6, rel=0.02)


@pytest.mark.parametrize("arch", ["paper", "modern"])
def test_flops_agree_with_pytorchs_own_counter(arch: str) -> None:
    config = TransformerConfig(arch=arch, width=128, depth=2, context_length=64)
    model = Transformer(config)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 64, dtype=torch.long)).sum().backward()
    counts = counter.get_flop_counts()["Global"]
    in_matrices = sum(flops for operation, flops in counts.items() if "mm" in str(operation))
    without_attention = training_flops_per_token(config) - 6 * 2 * 128 * 64
    assert in_matrices / (2 * 64) == pytest.approx(without_attention, rel=0.01)  # the counter leaves biases out


def saved_for_backward(config: TransformerConfig, microbatch: int) -> int:
    """Bytes of distinct storages that autograd keeps, parameters and tokens aside, and the logits."""
    model = Transformer(config)
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.is_floating_point() and tensor.untyped_storage().data_ptr() not in parameters:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    tokens_BT = torch.zeros(microbatch, config.context_length, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits_BTV = model(tokens_BT)
        functional.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT.flatten())
    kept[logits_BTV.untyped_storage().data_ptr()] = logits_BTV
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("arch", ["paper", "modern"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("group", [0, 1])
def test_activations_are_those_that_autograd_keeps(arch: str, dropout: float, group: int) -> None:
    shape = {"width": 128, "depth": 3, "heads": 2, "context_length": 64, "progressive_group": group}
    config = TransformerConfig(arch=arch, dropout=dropout, **shape)
    assert activation_bytes(config, 4) == pytest.approx(saved_for_backward(config, 4), rel=0.02)


@pytest.mark.parametrize("arch", ["paper", "modern"])
def test_memory_holds_the_state_of_adamw_and_grows_with_the_microbatch(arch: str) -> None:
    config = TransformerConfig(arch=arch, width=512)
    one, two, three = (estimate_training_memory(config, microbatch) for microbatch in (1, 2, 3))
    assert one > 16 * count_parameters(config)
    assert abs((three - two) - (two - one)) <= 1
    assert two - one >= activation_bytes(config, 1)


COPYING = {"arch": "modern", "width": 128, "depth": 2, "heads": 2, "convolution_taps": 3, "copy_heads": 5}


def test_convolutions_and_copy_heads_are_counted_exactly() -> None:
    config = TransformerConfig(**COPYING)
    named = {name: parameter.numel() for name, parameter in Transformer(config).named_parameters()}
    parts = parameter_breakdown(config)
    copying = {name: count for name, count in named.items() if name.startswith("copying.")}
    filters = sum(count for name, count in named.items() if "convolution" in name and name not in copying)
    assert parts.convolutions == filters > 0
    assert parts.copying + parts.copying_vectors == sum(copying.values())
    matrices = ("query.", "key.", "gate_hidden.weight", "gate_evidence.", "gate_output.")
    assert parts.copying == sum(
        count for name, count in copying.items() if name[len("copying.") :].startswith(matrices)
    )
    assert parts.total == sum(named.values())


@pytest.mark.parametrize("pool", ["logarithmic", "linear"])
@pytest.mark.parametrize("length", [64, 128])
def test_what_convolutions_and_copy_heads_keep_is_counted_too(pool: str, length: int) -> None:
    config = TransformerConfig(**COPYING, copy_pool=pool, context_length=length)
    assert activation_bytes(config, 4) == pytest.approx(saved_for_backward(config, 4), rel=0.02)
