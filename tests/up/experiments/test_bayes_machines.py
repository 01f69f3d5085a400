"""bayes-machines: rows are strings of the measure, divergences are exact, and verdicts follow from the numbers."""

import math
from fractions import Fraction

import pytest
import torch
from torch import nn

from theory.measures.measure import Measure
from up.experiments.bayes_machines import BayesMachines, exact_measures
from up.experiments.bayes_machines_results import BOUND, CLASS, EXACT, KL, LOST, MIXTURE, UNIFORM
from up.experiments.bayes_results import TRAINED, UNTRAINED
from up.experiments.experiment import FAILS, HOLDS, SCALES, UNKNOWN, Setting
from up.experiments.machine_rows import charges, divergence_bits, machine_config, string_rows, while_trained
from up.experiments.measurement import Measurement, Measurements
from up.experiments.runner import run_experiment
from up.model.base import ROOMS

SMOKE = Setting(scale="smoke", seeds=(0,))
SMALL = Measure({"": Fraction(1, 2), "01": Fraction(1, 4), "1": Fraction(1, 4)})


class Uniform(nn.Module):
    def forward(self, tokens_BT):
        return torch.zeros(*tokens_BT.shape, 256)


def strings_in(row):
    """The strings of a row that are whole, by their ends."""
    words = "".join(map(str, row)).split("2")
    assert words[0] == ""
    return words[1:-1]


def test_rows_are_strings_of_the_measure_one_after_another_as_often_as_it_says():
    rows_RT = string_rows(SMALL)(400, 50, torch.Generator().manual_seed(0))
    assert rows_RT.shape == (400, 50)
    found = [x for row in rows_RT.tolist() for x in strings_in(row)[:8]]  # the first ones, whatever their lengths
    assert set(found) == set(SMALL.mass)
    for x, p in SMALL.mass.items():
        spread = math.sqrt(p * (1 - p) * len(found))
        assert abs(found.count(x) - p * len(found)) < 4 * spread


def test_a_string_is_charged_with_its_end():
    charged = charges(Uniform(), SMALL)
    assert charged == pytest.approx({"": 8, "01": 24, "1": 16})


def test_the_divergence_of_a_measure_from_itself_is_nothing_and_from_another_what_the_definition_says():
    own = {x: -math.log2(p) for x, p in SMALL.mass.items()}
    assert divergence_bits(SMALL, own) == pytest.approx(0)
    assert divergence_bits(SMALL, dict.fromkeys(own, 2.0)) == pytest.approx(2 - 1.5)


def test_the_exact_part_obeys_theorem_4_2_and_has_no_divergence_from_the_mixture(tmp_path):
    measured = Measurements(BayesMachines().measure(BayesMachines().runs(SMOKE)[0], tmp_path, SMOKE, lambda *_: None))
    assert measured.where(KL).mean().value == pytest.approx(0, abs=1e-12)
    for name in exact_measures():
        if name != MIXTURE:
            assert (
                0 <= measured.where(LOST, member=name).mean().value <= measured.where(BOUND, member=name).mean().value
            )


@pytest.mark.parametrize("arch", ROOMS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_a_configuration_that_can_be_trained(scale, arch):
    config = machine_config(Setting(scale=scale), arch=arch, seed=3)
    config.require_resolved()
    assert (config.model.arch, config.seed) == (arch, 3)


@pytest.mark.parametrize("arch", ROOMS)
def test_a_short_training_brings_every_architecture_nearer_to_what_it_is_trained_on(arch):
    config = machine_config(SMOKE, arch=arch, seed=0)
    far = [
        divergence_bits(SMALL, charges(model, SMALL))
        for _, model in while_trained(SMALL, config, "cpu", lambda *_: None)
    ]
    assert far[0] > far[1] > far[2] > 0


def measured(labels, quantity, value, instances=None):
    return Measurement(labels=labels, quantity=quantity, unit="bits per string", value=value, instances=instances)


def some(*, half=0.3, end=0.05, lost=1.5):
    own = {"arch": "modern", "seed": 0}
    trained = {**own, "of": TRAINED, "source": CLASS}
    return Measurements(
        [
            measured({"of": EXACT, "member": MIXTURE}, KL, 0.0),
            measured({"of": EXACT, "member": "dup"}, LOST, 1.0),
            measured({"of": BOUND, "member": "dup"}, BOUND, 2.0),
            *(measured({**trained, "member": MIXTURE}, KL, value, n) for n, value in ((50, half), (100, end))),
            *(measured({**trained, "member": "dup"}, LOST, value, n) for n, value in ((50, 9.0), (100, lost))),
            measured({**own, "of": UNTRAINED, "source": CLASS, "member": MIXTURE}, KL, 30.0, 0),
            measured({**own, "of": TRAINED, "source": UNIFORM, "member": MIXTURE}, KL, 4.0, 100),
        ]
    )


@pytest.mark.parametrize(
    ("changed", "verdicts"),
    [
        ({}, [HOLDS, HOLDS]),
        ({"end": 0.2, "half": 0.21}, [FAILS, HOLDS]),
        ({"end": 0.2}, [UNKNOWN, HOLDS]),
        ({"lost": 2.5, "half": 0.05}, [HOLDS, FAILS]),
        ({"lost": 2.5}, [HOLDS, UNKNOWN]),
    ],
)
def test_verdicts_follow_from_the_end_of_the_training_and_are_left_open_while_it_falls(changed, verdicts):
    assert [finding.verdict for finding in BayesMachines().findings(some(**changed))] == verdicts


def test_the_table_has_bound_mixture_and_controls_and_the_figure_has_the_members():
    (table,) = BayesMachines().tables(some())
    assert [row[0] for row in table.rows] == [
        BOUND,
        MIXTURE,
        "modern, untrained",
        "modern, trained on uniform strings",
        "modern, trained on class A",
    ]
    assert table.rows[-1] == ("modern, trained on class A", "0.050", "1.500")
    (figure,) = BayesMachines().figures(some())
    assert figure.categories == ("dup",)


@pytest.mark.slow
def test_the_smoke_scale_runs_and_writes_its_report(tmp_path):
    list(run_experiment(BayesMachines(), SMOKE, tmp_path / "out"))
    report = (tmp_path / "out" / "report.md").read_text()
    assert all(f"Trained on strings of class A, {arch}" in report for arch in ROOMS)
