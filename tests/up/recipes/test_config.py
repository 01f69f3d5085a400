"""Presets carry the paper's numbers, and the rules that tie settings together hold unless a setting is given."""

import dataclasses
import json
import types

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.up.runs.cases import CPU, small_config
from up.config import flatten, from_dict, to_dict
from up.errors import InputError
from up.model.transformer.cost import activation_bytes
from up.recipes import config as config_module
from up.recipes.config import RunConfig, TrainingConfig
from up.recipes.presets import PRESETS, configure, differing_settings, load_preset, preset_for_width

LENGTHS = (
    "warmup_instances",
    "halving_instances",
    "batch_warmup_from",
    "batch_warmup_to",
    "enable_every",
    "evaluate_every",
    "checkpoint_every",
)


@pytest.mark.parametrize(
    ("width", "depth", "heads", "hidden_size", "batch_start"),
    [(384, 16, 3, 38, 69), (512, 22, 4, 51, 48), (640, 26, 5, 64, 36), (1024, 34, 8, 102, 16)],
)
def test_the_papers_presets_carry_the_numbers_of_its_appendix(width, depth, heads, hidden_size, batch_start):
    """Bloem 2025, A.1: models, source, buffer and optimisation."""
    config = load_preset(f"paper-{width}").resolve(CPU)
    model, training = config.model, config.training
    assert (model.arch, model.width, model.depth, model.heads) == ("paper", width, depth, heads)
    assert (model.context_length, model.vocabulary_size, model.dropout) == (512, 256, 0.1)
    assert (config.source.kind, config.source.hidden_size, config.source.seed_length) == ("lstm", hidden_size, 8)
    assert (config.source.temperature, config.source.max_weight_multiplier) == (1e-4, 1.1)
    assert (config.buffer.source_batch, config.buffer.capacity_multiple) == (138, 20)
    assert (config.buffer.reset_constant, config.buffer.reset_noise) == (20, 20)
    assert (config.cadence.source_rows_per_instance, config.cadence.burn_in_batches) == (2.0, 0)
    assert (training.learning_rate, training.weight_decay, training.gradient_clip) == (3e-4, 0.01, 1.0)
    assert (training.warmup_instances, training.halving_instances) == (1_600_000, 10_000_000)
    assert (training.batch_start, training.batch) == (batch_start, 500)
    assert (training.batch_warmup_from, training.batch_warmup_to) == (500_000, 1_000_000)
    assert (training.enable_every, training.evaluate_every, training.instances) == (10_000, 100_000, 20_000_000)
    assert (model.parametrisation, model.base_width, model.progressive_group) == ("mup", 640, 8)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_resolves_so_that_no_device_settles_anything_more_and_resolving_again_changes_nothing(name):
    config = load_preset(name).resolve(CPU)
    assert config.resolve(CPU) == config
    assert config.training.precision in ("fp32", "bf16")
    open_settings = [name for name, value in flatten(to_dict(config)).items() if value is None]
    assert set(open_settings) <= {"evaluation.context_length", "initial_weights"}  # the model's, and random ones
    assert from_dict(RunConfig, json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_the_presets_for_small_machines_are_modern(name):
    assert load_preset(name).model.arch == "modern"


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown preset.*'huge'.*tiny, small, mixing, mixing-small") as caught:
        configure("huge")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("width", "preset"),
    [(-5, "paper-384"), (16, "paper-384"), (448, "paper-384"), (449, "paper-512"), (9999, "paper-1024")],
)
def test_the_preset_of_a_width_is_the_nearest_of_the_papers_and_the_smaller_of_two(width, preset):
    assert preset_for_width(width) == preset


@given(st.integers(1, 16_384).filter(lambda width: width % max(1, width // 128) == 0))
def test_the_source_has_a_tenth_of_the_models_width(width):
    assert configure("paper-512", [f"model.width={width}"]).source.hidden_size == max(2, width // 10)


def test_a_given_hidden_size_stands():
    config = configure("paper-512", ["source.hidden_size=7", "model.width=256"])
    assert config.source.hidden_size == 7


@given(st.integers(1, 10**10))
def test_schedules_stretch_with_the_length_of_the_run(instances):
    base, training = (
        load_preset("paper-512").training,
        configure("paper-512", [f"training.instances={instances}"]).training,
    )
    assert training.instances == instances
    for name in LENGTHS:
        exact = getattr(base, name) * instances / base.instances
        assert abs(getattr(training, name) - exact) <= 1 / 2 or (exact < 1 and getattr(training, name) == 1)
    unchanged = {name: getattr(base, name) for name in vars(base) if name not in (*LENGTHS, "instances")}
    assert unchanged.items() <= vars(training).items()


@pytest.mark.parametrize("name", LENGTHS)
def test_a_given_length_stands_while_the_others_stretch(name):
    """Also where it lies far below what the schedule was before it was stretched."""
    training = configure("paper-512", ["training.instances=200000", f"training.{name}=6001"]).training
    stretched = configure("paper-512", ["training.instances=200000"]).training
    assert training == dataclasses.replace(stretched, **{name: 6001})


def test_a_schedule_without_warm_up_stays_without_one():
    training = configure("tiny", ["training.instances=999"]).training
    assert (training.batch_warmup_from, training.batch_warmup_to) == (0, 0)
    without = configure("tiny", ["training.instances=999", "training.warmup_instances=0"]).training
    assert without.warmup_instances == 0


@pytest.mark.parametrize(
    ("evaluate_every", "samples"), [(100_000, 4_000), (20_000, 2_000), (3_000, 300), (1, 8)], ids=str
)
def test_evaluations_on_the_way_take_a_tenth_of_their_interval(evaluate_every, samples):
    """The paper's ratio: 10,000 slices every 100,000 instances; never above what a lone evaluation takes."""
    config = configure("paper-512", [f"training.evaluate_every={evaluate_every}"]).resolve(CPU)
    assert config.evaluation.samples == samples


def test_given_samples_stand():
    assert configure("tiny", ["evaluation.samples=33"]).resolve(CPU).evaluation.samples == 33


@given(width=st.sampled_from([64, 128, 512, 1024, 2048]), batch=st.integers(1, 600), depth=st.integers(1, 40))
def test_the_microbatch_fits_the_budget_and_the_batch(width, batch, depth):
    settings = [f"model.width={width}", f"model.depth={depth}", f"training.batch={batch}", "training.batch_start=1"]
    config = configure("paper-512", settings).resolve(CPU)
    microbatch = config.training.microbatch
    assert 1 <= microbatch <= min(8, batch)
    assert microbatch == 1 or activation_bytes(config.model, microbatch) <= 2**30


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_card_takes_bfloat16_where_it_has_it_and_a_microbatch_for_its_memory(monkeypatch, bf16, precision):
    card = types.SimpleNamespace(bf16=bf16, memory_bytes=8 * 2**30)
    monkeypatch.setattr(config_module, "describe_device", lambda _: card)
    config = load_preset("paper-512").resolve(torch.device("cuda"))
    assert config.training.precision == precision
    assert config.source.sequences_per_model == 1
    assert config.evaluation.samples == 10_000
    microbatch = config.training.microbatch
    assert activation_bytes(config.model, microbatch) <= 4 * 2**30 < activation_bytes(config.model, 2 * microbatch)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("seed=-1", ("seed", "-1")),
        ("training.instances=0", ("training.instances", "0")),
        ("training.instances=-3", ("training.instances", "-3")),
        ("training.instances=10000000001", ("training.instances", "too large", "10000000001")),
        ("training.instances=1.5", ("training.instances", "1.5")),
        ("training.learning_rate=0", ("training.learning_rate", "0")),
        ("training.learning_rate=NaN", ("training.learning_rate", "nan")),
        ("training.learning_rate=3", ("training.learning_rate", "3", "3e-4")),
        ("training.beta2=1", ("training.beta2", "1")),
        ("training.beta2=NaN", ("training.beta2", "nan")),
        ("training.weight_decay=-1", ("training.weight_decay", "-1")),
        ("training.warmup_instances=-1", ("training.warmup_instances", "-1")),
        ("training.halving_instances=0", ("training.halving_instances", "0")),
        ("training.gradient_clip=0", ("training.gradient_clip", "0")),
        ("training.batch_start=501", ("training.batch_start", "501")),
        ("training.batch_warmup_to=499999", ("batch_warmup_to", "499999", "500000")),
        ("training.batch_warmup_from=-1", ("batch_warmup_from", "-1")),
        ("training.microbatch=0", ("training.microbatch", "0")),
        ("training.batch=2761", ("training.batch", "2761", "2760")),
        ("training.precision=fp8", ("training.precision", "'fp8'", "bf16")),
        ("training.enable_every=-1", ("training.enable_every", "-1")),
        ("training.patience=-1", ("training.patience", "-1")),
        ('training.best_by=["nowhere"]', ("training.best_by", "nowhere", "name one of stdlib, pydoc")),
        ("training.stop_after_skipped=0", ("training.stop_after_skipped", "0")),
        ("training.evaluate_every=0", ("training.evaluate_every", "0")),
        ("training.checkpoint_every=-2", ("training.checkpoint_every", "-2")),
        ("model.context_length=8", ("context_length", "8")),
        ("model.context_length=64", ("tail_positions", "64", "63")),
        ("evaluation.tail_positions=512", ("tail_positions", "512", "511")),
        ("source.vocabulary_size=128", ("vocabulary", "128", "256")),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_in_one_line_that_names_it(assignment, said):
    with pytest.raises(InputError) as caught:
        configure("paper-512", [assignment])
    line = str(caught.value)
    assert "\n" not in line
    for each in said:
        assert each in line


def test_a_vocabulary_that_is_not_bytes_is_refused_even_if_shared():
    with pytest.raises(InputError, match="256 bytes"):
        configure("tiny", ["source.vocabulary_size=128", "model.vocabulary_size=128"])


def test_two_runs_differ_in_their_settings_but_not_in_what_a_machine_settles():
    one = small_config()
    other = small_config("seed=1", "model.dropout=0.2", "training.microbatch=4", "evaluation.samples=6")
    assert differing_settings(one, one) == []
    assert differing_settings(one, other) == ["seed", "model.dropout"]
    assert differing_settings(one, other, assignments=["training.microbatch=4"]) == [
        "seed",
        "model.dropout",
        "training.microbatch",
    ]


def test_every_component_has_a_generator_of_its_own_that_depends_on_the_seed():
    seeds = {
        small_config(f"seed={seed}").generator(component).initial_seed()
        for seed in (0, 1, 2**70)
        for component in ("model", "source", "buffer", "dropout")
    }
    assert len(seeds) == 12
    assert small_config().generator("source").initial_seed() == small_config().generator("source").initial_seed()


def test_the_seeds_that_provenance_names_are_those_of_the_generators():
    config = small_config("seed=7")
    seeds = config.component_seeds()
    assert seeds == {name: config.generator(name).initial_seed() for name in ("model", "source", "buffer", "dropout")}


def test_training_settings_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig(instances=3).instances = 4
