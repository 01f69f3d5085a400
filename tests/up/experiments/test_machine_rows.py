"""machine_rows: rows are strings of the measure as often as it says, and divergences are what the definitions say."""

import math
from fractions import Fraction

import pytest
import torch
from torch import nn

from tests.reference.chi_squared import limit, statistic
from theory.measures.measure import Measure
from theory.measures.mixture import next_symbol
from up.experiments.experiment import SCALES, Setting
from up.experiments.known_class import CLASS_A, CLASS_B, UNIVERSAL, KnownClass, known_class
from up.experiments.machine_rows import (
    charges,
    divergence_bits,
    divergence_by_position,
    exact_charges,
    machine_config,
    string_rows,
    while_trained,
)
from up.model.base import ROOMS

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
ALONE = {"": Measure({"": HALF, "01": QUARTER, "1": QUARTER})}
KERNEL = {"": Measure({"0": HALF, "": HALF}), "1": Measure({"1": HALF + QUARTER, "01": QUARTER})}
EMPTY, CONDITIONS = {"": Fraction(1)}, {"": QUARTER, "1": HALF + QUARTER}


def known(kernel, conditions):
    return KnownClass(
        name="small", conditions=conditions, mixture=kernel, members={}, prior={}, noise=kernel, other=kernel
    )


class Exact(nn.Module):
    """A model that predicts as a kernel does, from the tokens of a row alone, and leaves the rest to other tokens."""

    def __init__(self, kernel, *, given_away=0.0):
        super().__init__()
        self.kernel, self.kept = kernel, 1 - given_away

    def forward(self, tokens_BT):
        logits_BTV = torch.full((*tokens_BT.shape, 256), -math.inf)
        for row, tokens in enumerate(tokens_BT.tolist()):
            for place in range(len(tokens)):
                logits_BTV[row, place, :3] = self._predict(tokens[: place + 1])
                logits_BTV[row, place, 255] = 0 if self.kept == 0 else math.log(max(1 - self.kept, 1e-300))
        return logits_BTV

    def _predict(self, tokens):
        words = "".join(map(str, tokens)).split("2")[-1]  # after the last end
        if len(self.kernel) > 1 and "3" not in words:
            return torch.zeros(3)  # within a condition, which is not charged
        z, _, x = words.rpartition("3")
        if not any(y.startswith(x) for y in self.kernel[z].mass):
            return torch.zeros(3)
        found = next_symbol(self.kernel[z].mass, x)
        return torch.tensor([math.log(p * self.kept) if p else -math.inf for p in found.values()])


def test_rows_are_strings_of_the_measure_one_after_another_as_often_as_it_says():
    rows_RT = string_rows(ALONE, EMPTY)(400, 50, torch.Generator().manual_seed(0))
    assert rows_RT.shape == (400, 50)
    found = []
    for row in rows_RT.tolist():
        words = "".join(map(str, row)).split("2")
        assert words[0] == ""
        found += words[1:-1][:8]  # the first ones, whatever their lengths
    mass = ALONE[""].mass
    assert set(found) == set(mass)
    assert statistic([found.count(x) for x in mass], [p * len(found) for p in mass.values()]) < limit(2)


@pytest.mark.parametrize("name", [CLASS_B, "small"])
def test_every_string_stands_behind_its_condition_as_often_as_the_kernel_says(name):
    kernel, conditions = KERNEL, CONDITIONS
    if name == CLASS_B:
        kernel, conditions = known_class(CLASS_B, "smoke").mixture, known_class(CLASS_B, "smoke").conditions
    rows_RT = string_rows(kernel, conditions)(1_000, 60, torch.Generator().manual_seed(1))
    found = []
    for row in rows_RT.tolist():
        found += [tuple(word.split("3")) for word in "".join(map(str, row)).split("2")[1:-1][:6]]
    joint = {(z, x): conditions[z] * p for z, measure in kernel.items() for x, p in measure.mass.items() if p}
    assert set(found) <= set(joint)
    often = {pair: p for pair, p in joint.items() if p * len(found) >= 5}
    counts = [found.count(pair) for pair in often]
    assert statistic(counts, [p * len(found) for p in often.values()]) < limit(len(often))


@pytest.mark.parametrize(("kernel", "conditions"), [(ALONE, EMPTY), (KERNEL, CONDITIONS)])
def test_a_model_that_is_the_mixture_has_no_divergence_and_one_that_gives_half_away_has_a_bit_each_symbol(
    kernel, conditions
):
    charged = charges(Exact(kernel), known(kernel, conditions))
    assert divergence_bits(kernel, conditions, charged) == pytest.approx(0, abs=1e-6)
    halved = charges(Exact(kernel, given_away=0.5), known(kernel, conditions))
    symbols = sum(w * p * (len(x) + 1) for z, w in conditions.items() for x, p in kernel[z].mass.items())
    assert divergence_bits(kernel, conditions, halved) == pytest.approx(float(symbols), abs=1e-6)
    longest = max(len(x) for measure in kernel.values() for x in measure.mass)
    reached = [
        sum(w * p for z, w in conditions.items() for x, p in kernel[z].mass.items() if len(x) >= n)
        for n in range(longest + 1)
    ]
    assert divergence_by_position(kernel, conditions, halved) == pytest.approx([*map(float, reached)], abs=1e-6)


def test_a_string_is_charged_with_its_end_and_without_its_condition():
    class Uniform(nn.Module):
        def forward(self, tokens_BT):
            return torch.zeros(*tokens_BT.shape, 256)

    found = charges(Uniform(), known(KERNEL, CONDITIONS))
    assert {pair: sum(bits) for pair, bits in found.items()} == pytest.approx(
        {("", "0"): 16, ("", ""): 8, ("1", "1"): 16, ("1", "01"): 24}
    )


def test_divergences_are_what_the_definition_says_and_their_terms_are_those_of_theorem_4_2():
    q = {"": Measure({"": QUARTER, "01": HALF, "1": QUARTER})}
    charged = exact_charges(q)
    assert divergence_bits(ALONE, EMPTY, exact_charges(ALONE)) == pytest.approx(0)
    assert divergence_bits(ALONE, EMPTY, charged) == pytest.approx(0.5 * 1 + 0.25 * -1 + 0.25 * 0)
    first = sum(
        float(p) * math.log2(p / r)
        for p, r in zip(next_symbol(ALONE[""].mass, "").values(), next_symbol(q[""].mass, "").values(), strict=True)
    )
    assert divergence_by_position(ALONE, EMPTY, charged) == pytest.approx([first, 0, 0])


@pytest.mark.parametrize("name", [CLASS_A, CLASS_B, UNIVERSAL])
def test_the_terms_of_all_positions_are_not_negative_and_sum_to_the_divergence(name):
    found = known_class(name, "smoke")
    charged = exact_charges(found.noise)
    terms = divergence_by_position(found.mixture, found.conditions, charged)
    assert min(terms) >= -1e-12
    assert sum(terms) == pytest.approx(divergence_bits(found.mixture, found.conditions, charged))
    assert sum(terms) > 0.1


@pytest.mark.parametrize("arch", ROOMS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_a_configuration_that_can_be_trained(scale, arch):
    config = machine_config(Setting(scale=scale), arch=arch, seed=3)
    config.require_resolved()
    assert (config.model.arch, config.seed) == (arch, 3)


@pytest.mark.parametrize("arch", ROOMS)
def test_a_short_training_brings_every_architecture_nearer_to_what_it_is_trained_on(arch):
    config = machine_config(Setting(scale="smoke", seeds=(0,)), arch=arch, seed=0)
    small, far = known(KERNEL, CONDITIONS), {}
    for instances, model in while_trained(string_rows(KERNEL, CONDITIONS), config, "cpu", lambda *_: None):
        assert instances not in far
        far[instances] = divergence_bits(KERNEL, CONDITIONS, charges(model, small))
    assert list(far) == sorted(far)
    assert next(iter(far)) == 0
    assert max(far) >= config.training.instances
    assert far[0] > 1.03 * far[max(far)] > 0
