"""table-1: its parts, what they measure, and verdicts that follow the measurements."""

import dataclasses

import pytest

from up.experiments import table_1
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Setting
from up.experiments.folder import open_experiment
from up.experiments.measurement import Measurement, Measurements
from up.experiments.runner import run_experiment, settle
from up.experiments.table_1 import PAPER_TASK, STEPS, Table1, parity_config

SEEDS = (0, 1, 2)
PAPER_INSTANCES = 50_000 * 128


def trainings(manual=(1.0, 1_000.0), likelihood=(1.0, 0.5), variational=(1.0, 0.6, 40_000.0), instances=1_000):
    """What three trainings end at, seed by seed: accuracies in and beyond the training's lengths, and bits."""
    found = []
    for seed in SEEDS:
        off = 0.001 * (seed - 1)
        for start, objective, train, test, total in (
            ("random", "likelihood", likelihood[0], likelihood[1], None),
            ("random", "variational", *variational),
            ("manual", "variational", 1.0, *manual),
        ):
            amounts = {"train accuracy": train, "OOD accuracy": test + off, "NLL": 1.0 + off}
            if total:
                amounts |= {"total": total + off, "KL": total - 1, "prior": 466.0}
            labels = {"start": start, "objective": objective, "seed": seed}
            found += [
                Measurement(labels={**labels, "of": of}, quantity=name, unit="", value=value, instances=instances)
                for name, value in amounts.items()
                for of in ("untrained", "trained")
            ]
    return Measurements(found)


def verdicts(measurements):
    return [finding.verdict for finding in Table1().findings(measurements)]


def exact(of="this scale"):
    return table_1._exact(of, PAPER_TASK)


def test_a_run_has_three_trainings_for_each_seed_and_what_is_exact():
    parts = Table1().runs(Setting(seeds=(0, 1)))
    names = ("random-likelihood", "random-variational", "manual-variational")
    assert [part.name for part in parts] == ["exact", *(f"{name}-seed-{seed}" for seed in (0, 1) for name in names)]


def test_the_papers_scale_has_the_papers_sizes_and_instances_shorten_it():
    setting = Setting(scale="paper")
    config = parity_config(setting, start="random", objective="variational", seed=0)
    task = config.task
    assert (task.layers, task.width, task.hidden, task.prompt) == (42, 128, 512, 20)
    assert (task.train_lengths, task.test_lengths) == ((1, 20), (21, 40))
    assert (config.steps, config.warmup, config.learning_rate, config.batch) == (50_000, 1_000, 1e-3, 128)
    assert (config.weight_samples, config.divergence_samples, config.coefficient) == (2, 100, 1e-3)
    assert config.examples == 100_000
    shorter = dataclasses.replace(setting, instances=192_000)
    fewer = parity_config(shorter, start="random", objective="variational", seed=0)
    assert fewer == dataclasses.replace(config, steps=1_500, warmup=150)


def test_a_smoke_run_goes_on_where_it_was_stopped_and_everything_is_tabled_and_drawn(tmp_path):
    asked = 0

    def stop_soon():
        nonlocal asked
        asked += 1
        return asked > 12  # within the first training

    experiment, setting = settle("table-1", tmp_path / "out", scale="smoke")
    *_, ended = run_experiment(experiment, setting, tmp_path / "out", should_stop=stop_soon)
    assert not ended.complete
    *_, ended = run_experiment(experiment, setting, tmp_path / "out", resume=True)
    assert ended.complete
    *_, whole = run_experiment(experiment, setting, tmp_path / "whole")
    assert whole.complete
    measured = open_experiment(tmp_path / "out").measurements()
    assert list(measured) == list(open_experiment(tmp_path / "whole").measurements())
    for start, objective in (("random", "variational"), ("manual", "variational")):
        for of in ("untrained", "trained"):
            own = measured.where(start=start, objective=objective, of=of)
            kl, nll, total = (own.where(quantity).mean().value for quantity in ("KL", "NLL", "total"))
            assert total == pytest.approx(kl + nll)
            assert own.instances() == ((0,) if of == "untrained" else (STEPS["smoke"] * 8,))
    assert not measured.where("KL", objective="likelihood")
    trained, exact_table = experiment.tables(measured)
    assert len(trained.rows) == 6
    assert exact_table.rows[1] == ("the paper's size", "200,710", "10", "1,214", "466")
    (figure,) = experiment.figures(measured)
    assert [series.name for series in figure.panels[0].series] == [
        "random, likelihood",
        "random, variational",
        "manual, variational",
        "random, likelihood, untrained",
        "random, variational, untrained",
    ]
    assert figure.panels[0].series[2].y == (1.0, 1.0, 1.0)
    assert (tmp_path / "out" / "figures" / "table-1.svg").is_file()


def test_what_the_paper_reports_bears_its_claims_out():
    assert verdicts(trainings()) == [HOLDS] * 5


def test_random_starts_that_generalise_or_end_short_contradict_it():
    as_short = trainings(manual=(1.0, 1_000.0), likelihood=(1.0, 1.0), variational=(1.0, 1.0, 900.0))
    assert verdicts(as_short) == [HOLDS, UNKNOWN, HOLDS, UNKNOWN, FAILS]
    worse = trainings(manual=(0.4, 1_000.0))
    assert [verdicts(worse)[place] for place in (1, 3)] == [FAILS, FAILS]


def test_a_random_start_that_does_not_fit_says_so_and_contradicts_only_after_the_papers_steps():
    assert verdicts(trainings(variational=(0.8, 0.5, 40_000.0)))[2] == UNKNOWN
    assert verdicts(trainings(variational=(0.8, 0.5, 40_000.0), instances=PAPER_INSTANCES))[2] == FAILS


def test_what_is_exact_contradicts_two_thousand_bits_and_what_was_measured_for_each_weight_the_millions():
    (of_manual,) = Table1().findings(Measurements(exact("the paper's size")))
    assert of_manual.verdict == FAILS
    assert "1,214 bits" in of_manual.measured
    assert "466 more" in of_manual.measured
    both = Measurements([*exact(), *exact("the paper's size"), *trainings(variational=(1.0, 0.6, 1_000_001.0))])
    of_random = Table1().findings(both)[-1]
    assert of_random.verdict == FAILS
    assert "32 bits for each of the 200,710 weights" in of_random.measured
    assert "5.0 after the last" in of_random.measured
    small = [dataclasses.replace(each, value=8_646.0) if each.quantity == "weights" else each for each in exact()]
    at_other_size = Measurements([*small, *exact("the paper's size"), *trainings()])
    assert Table1().findings(at_other_size)[-1].verdict == UNKNOWN
