"""Models of transformers: what they return is understood, and 300 steps show on real bytes, but not on noise."""

import statistics

import pytest
import torch

import up
from up.evaluation.bits import prepare

transformers = pytest.importorskip("transformers", reason="needs the extra transformers")


def llama(seed, width=64):
    config = transformers.LlamaConfig(
        vocab_size=256, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, num_attention_heads=4
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(config)


def test_its_logits_are_taken_and_the_gradient_reaches_every_parameter():
    model = llama(0, width=16)
    up.wrap(model, length=32).loss(4).backward()
    assert all(float(parameter.grad.abs().max()) > 0 for parameter in model.parameters())


def test_another_vocabulary_than_that_of_its_configuration_is_refused():
    with pytest.raises(up.InputError, match=r"another shape .*\(2, 31, 256\).*return \(2, 31, 1000\)"):
        up.wrap(llama(0, width=16), vocabulary_size=1000, length=32)


class Renamed(torch.nn.Module):
    """A model that takes every byte for another one."""

    def __init__(self, model, name_V):
        super().__init__()
        self.model, self.name_V = model, name_V

    def forward(self, tokens_BT):
        return self.model(self.name_V[tokens_BT]).logits[..., self.name_V]


def bits_on_stdlib(source):
    """Bits per character after 300 steps of 8 instances of 128 tokens: on the text, and over names; standard errors.

    Which byte is which token is chance, as is the choice of slices: one model on noise lies 0.02 bits to either side of
    8, since the rates of its bytes follow the last batches, and one on LSTMs by 0.4 to either side of its mean. Neither
    knows names, so that the same model is asked again with the bytes renamed at random, and the mean taken.
    """
    model, generator = llama(0), torch.Generator().manual_seed(0)
    cadence = up.CadenceConfig(burn_in_batches=20)
    up.wrap(model, length=128, source=source, cadence=cadence).fit(300, batch_size=8, learning_rate=3e-3)
    config = up.EvaluationConfig(data=("stdlib",), samples=1000)
    prepared = prepare(config, context_length=128, device=torch.device("cpu"))
    (row,) = prepared.evaluate(model)
    renamed = [Renamed(model, torch.randperm(256, generator=generator)) for _ in range(12)]
    bits = [prepared.evaluate(each)[0].bits for each in renamed]
    return row, statistics.mean(bits), (row.stderr**2 + statistics.variance(bits) / len(bits)) ** 0.5


@pytest.mark.slow
def test_300_steps_of_random_lstms_lower_the_bits_on_stdlib_below_8_and_of_noise_do_not(record_property):
    results = {source: bits_on_stdlib(source) for source in ("lstm", "noise")}
    for source, (row, mean, stderr) in results.items():
        line = f"after 300 steps of {source}: {row.bits:.3f} +- {row.stderr:.3f} bits on stdlib"
        record_property("summary", f"{line}, {mean:.3f} +- {stderr:.3f} with bytes renamed")
    row, mean, stderr = results["lstm"]
    assert row.bits + 2 * row.stderr < 8
    assert mean + 2 * stderr < 8
    row, mean, stderr = results["noise"]
    assert mean + 2 * stderr >= 8
    assert abs(mean - 8) < 0.05
    assert abs(row.bits - 8) < 0.1
