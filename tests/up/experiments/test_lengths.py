"""Lengths that a user gives in place of what a scale has."""

import dataclasses

import pytest

from up.errors import InputError
from up.experiments import runner
from up.experiments.experiment import SCALES, Setting, SubRun
from up.experiments.folder import Record
from up.experiments.registry import EXPERIMENTS, make_experiment
from up.experiments.runner import settle
from up.runs.folder import create_run
from up.training.state import TrainingState

REAL = ("german:training", "german:validation", "german:test", "wp:training", "wp:validation", "wp:test")
HEEDING = [name for name in EXPERIMENTS if "instances" in make_experiment(name).lengths and name != "table-1"]
"""Whose parts are runs; table-1 counts its own steps."""


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", HEEDING)
def test_every_training_but_a_finetuning_is_as_long_as_asked_and_evaluated_within_it(name, scale):
    experiment = make_experiment(name)
    setting = Setting(scale=scale, real_data=REAL, instances=24)
    parts = [part for part in experiment.runs(setting) if isinstance(part, SubRun)]
    configs = [part.config for part in parts if not callable(part.config)]
    assert configs
    assert {config.training.instances for config in configs} == {24}
    assert all(config.training.evaluate_every <= 24 for config in configs)
    names = [part.name for part in experiment.runs(setting)]
    assert names == [part.name for part in experiment.runs(dataclasses.replace(setting, instances=None))]


@pytest.mark.parametrize(("scale", "share"), [("smoke", 1 / 2), ("laptop", 1 / 2), ("paper", 1 / 4)])
def test_a_finetuning_and_its_baseline_last_a_share_of_the_pretraining_that_is_asked_for(tmp_path, scale, share):
    setting = Setting(scale=scale, arch="mixing", real_data=REAL, instances=24)
    pretrained, *others = make_experiment("figure-5").runs(setting)
    config = pretrained.config.resolve("cpu")
    create_run(tmp_path / pretrained.name, config).save(TrainingState(config, "cpu"))
    assert config.training.instances == 24
    assert {part.config(tmp_path).training.instances for part in others} == {24 * share}


def test_models_are_measured_on_as_many_slices_as_asked():
    setting = Setting(scale="paper", samples=3)
    assert {part.config.evaluation.samples for part in make_experiment("figure-2-4").runs(setting)} == {3}


def test_the_command_names_them(tmp_path):
    _, setting = settle("scaling", tmp_path / "out", scale="paper", instances=600, samples=5)
    command = Record(experiment="scaling", setting=setting, parts=()).command
    assert command == "up experiment run scaling --scale paper --seeds 0 --device cpu --instances 600 --samples 5"


@pytest.mark.parametrize(("name", "given"), [("table-2", {"instances": 5}), ("bayes", {"samples": 5})])
def test_a_length_that_would_change_nothing_is_refused(tmp_path, name, given):
    with pytest.raises(InputError, match=f"{name} has no {next(iter(given))} to set .received 5."):
        settle(name, tmp_path / "out", scale="smoke", **given)


@pytest.mark.parametrize("length", ["instances", "samples"])
def test_none_is_too_short(tmp_path, length):
    with pytest.raises(InputError, match=f"experiment.{length} must be positive"):
        settle("scaling", tmp_path / "out", **{length: 0})


@pytest.mark.parametrize("given", [{"samples": 10**30}, {"seeds": [0, 2**64]}])
def test_more_than_can_be_is_refused_before_anything_is_trained(tmp_path, given):
    with pytest.raises(InputError, match=f"experiment.{next(iter(given))} is too large"):
        settle("control-noise", tmp_path / "out", scale="smoke", **given)


def test_the_largest_seed_can_be_used(tmp_path):
    experiment, setting = settle("figure-7", tmp_path / "out", scale="smoke", seeds=[2**63 - 1])
    (part, _) = experiment.runs(setting)
    assert experiment.measure(part, tmp_path, setting, lambda _done, _total: None)


def test_one_slice_has_no_standard_error(tmp_path):
    with pytest.raises(InputError, match=r"experiment\.samples must be at least 2"):
        settle("control-noise", tmp_path / "out", samples=1)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("figure-1", {"arch": "mixing"}),
        ("table-1", {"arch": "paper"}),
        ("table-2", {"arch": "modern"}),
        ("figure-8", {"seeds": (1,)}),
    ],
)
def test_a_setting_that_would_change_nothing_is_refused(tmp_path, name, given):
    with pytest.raises(InputError, match=f"{name} has no {next(iter(given))} to set .received .*would change nothing"):
        settle(name, tmp_path / "out", scale="smoke", **given)


def test_a_device_that_would_not_be_used_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "resolve_device", lambda _name: "cuda")
    with pytest.raises(InputError, match="figure-7 has no device to set"):
        settle("figure-7", tmp_path / "out", device="cuda")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_command_that_a_report_names_is_accepted(tmp_path, name, monkeypatch):
    monkeypatch.setattr(runner, "every_corpus", lambda: (REAL, {}))
    _, setting = settle(name, tmp_path / "out")
    again = {"scale": setting.scale, "seeds": setting.seeds, "device": setting.device, "arch": setting.arch}
    assert settle(name, tmp_path / "out", **again)[1] == setting
