"""Weights and data together: what is summed, what goes on at a rate, and when weights pay for themselves."""

import dataclasses

import numpy as np
import pytest
import torch

from up.codes.estimate import Estimate
from up.codes.network import Weights
from up.data.corpora import Corpus
from up.errors import InputError
from up.model.base import build_model
from up.model.transformer.config import TransformerConfig
from up.recipes.config import RunConfig, TrainingConfig
from up.use.description import CodedNetwork, Measured, Reading, Rival, _sizes, measure_network

SMALL = RunConfig(
    model=TransformerConfig(arch="modern", width=16, depth=1, context_length=96), training=TrainingConfig(instances=1)
)


def corpus(data):
    return Corpus(name="text", source="a test", data=np.frombuffer(data, np.uint8))


def reading(rate, read=1000):
    return Reading.of(np.full(read, rate))


def coded(code, weight_bits, rate, fineness=None):
    return CodedNetwork(
        code=code, fineness=fineness, weights=(Estimate(weight_bits),), prior=None, reading=reading(rate)
    )


@pytest.fixture(scope="module")
def measured():
    data = b"the rain in spain stays mainly in the plain. " * 100
    told = []
    found = measure_network(
        build_model(SMALL.model),
        SMALL,
        corpus(data),
        measured=600,
        longest=4096,
        progress=lambda *each: told.append(each),
    )
    return found, told


def test_a_file_beyond_what_was_read_goes_on_at_the_rate_of_the_second_half():
    bits_N = np.concatenate([np.full(512, 8.0), np.full(512, 2.0)])
    found = Reading.of(bits_N)
    assert found.rate == Estimate(2.0, 0.0)
    assert found.bits(512).value == 8 * 512
    assert found.bits(1024 + 100).value == 10 * 512 + 200


def test_weights_pay_from_the_first_size_on_at_which_both_together_are_shorter():
    found = Measured(
        corpus="text",
        measured=1000,
        sizes=(1000, 2000, 4000),
        tensors=(Weights("head.weight", torch.zeros(10)),),
        codes={"coarse": (coded("coarse", 100.0, 6.0),), "fine": (coded("fine", 4000.0, 4.0),)},
        rivals=(Rival(name="plain", bits=(8000.0, 16000.0, 32000.0)), Rival(name="best", bits=(1.0, 2.0, 3.0))),
    )
    assert found.totals == (6100.0, 12000.0, 20000.0)
    assert [found.pays_from(rival) for rival in found.rivals] == [1000, None]
    late = Rival(name="late", bits=(6000.0, 12001.0, 20001.0))
    assert found.pays_from(late) == 2000


def test_a_code_takes_the_grids_that_are_best_for_the_size_of_the_file():
    both = (coded("grid", 100.0, 6.0, fineness=1), coded("grid", 4000.0, 4.0, fineness=2))
    found = Measured(corpus="", measured=1000, sizes=(1000,), tensors=(), codes={"grid": both}, rivals=())
    assert [found.best("grid", size).fineness for size in (1000, 1949, 1951, 9000)] == [1, 1, 2, 2]


def test_every_code_is_measured_and_its_parts_add_up(measured):
    found, told = measured
    count = sum(each.value.numel() for each in found.tensors)
    assert list(found.codes) == [
        "float32",
        "uniform grid",
        "entropy-coded grid",
        "Gaussian mixture",
        "variational",
        "prequential",
    ]
    for code in found.codes:
        amounts = found.best(code, 4096).describe(4096)
        prior = 0.0 if amounts.prior is None else amounts.prior.value
        assert amounts.total.value == pytest.approx(amounts.hypothesis.value + prior + amounts.data.value)
    assert found.best("float32", 4096).describe(600).hypothesis.value == 32 * count
    assert found.best("prequential", 600).describe(600).hypothesis.value == 0
    assert sum(group.count for group in found.groups(4096)) == count
    assert sum(group.bits["float32"] for group in found.groups(4096)) == 32 * count
    assert told[-1][0] <= told[-1][1]
    assert told[-1][0] > 0.9 * told[-1][1]


def test_rounding_costs_data_bits_which_the_page_says(measured):
    found, _ = measured
    rates = {each.fineness: each.reading.rate.value for each in found.codes["entropy-coded grid"]}
    whole = found.codes["float32"][0].reading.rate.value
    assert abs(rates[max(rates)] - whole) < abs(rates[min(rates)] - whole)
    assert len(set(rates.values())) > 1


def test_rivals_are_measured_on_the_same_bytes(measured):
    found, _ = measured
    plain = next(each for each in found.rivals if each.name == "8 bits a byte")
    assert plain.bits == tuple(8.0 * size for size in found.sizes)
    assert all(rival.bits[-1] < 8 * 4096 for rival in found.rivals if rival is not plain)


def test_sizes_double_up_to_the_longest():
    assert _sizes(4500) == (1125, 2250, 4500)
    assert _sizes(600) == (600,)


def test_one_byte_is_no_file_and_a_network_of_other_tokens_is_refused():
    model = build_model(SMALL.model)
    with pytest.raises(InputError, match="two bytes"):
        measure_network(model, SMALL, corpus(b"a"), measured=512, longest=1024)
    other = dataclasses.replace(SMALL.model, vocabulary_size=300)
    with pytest.raises(InputError, match="does not read bytes"):
        measure_network(build_model(other), SMALL, corpus(b"abc"), measured=512, longest=1024)
