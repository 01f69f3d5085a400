"""The plan says what a run will be: exact counts, and a time that was measured."""

import dataclasses

import pytest
from hypothesis import given

from tests.up.runs.cases import CPU, TRANSFORMERS, small_config
from tests.up.streams import StreamOf
from tests.up.training.test_schedule import schedules, steps
from up.device import DeviceInfo
from up.errors import InputError
from up.model.base import build_model
from up.model.transformer.model import Transformer
from up.recipes.presets import configure
from up.runs import plan as plan_module
from up.runs.plan import estimate_seconds, plan_run
from up.sources.recurrent import RecurrentSource


def a_second(_config, _device) -> float:
    """In place of the measurement, which takes seconds at real sizes."""
    return 1.0


@pytest.mark.parametrize("arch", TRANSFORMERS)
def test_a_plan_counts_what_a_run_has(arch):
    config = small_config("model.depth=3", "training.batch_start=3", "training.batch_warmup_to=40", arch=arch)
    plan = plan_run(config, CPU, estimate=a_second)
    model = Transformer(config.model)
    assert plan.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert (plan.arch, plan.width, plan.depth, plan.heads) == (arch, 16, len(model.blocks), 4)
    assert (plan.instances, plan.tokens) == (64, 64 * 32)
    assert plan.steps == len(steps(config.training))
    assert plan.source == "lstm, 4 units"
    assert (plan.microbatch, plan.precision, plan.device) == (8, "fp32", "cpu")


def test_a_plan_of_a_mixing_predictor_has_neither_width_nor_blocks():
    config = small_config(arch="mixing")
    plan = plan_run(config, CPU)
    assert plan.parameters == sum(parameter.numel() for parameter in build_model(config.model).parameters())
    assert (plan.shape, plan.width, plan.depth, plan.heads) == ("mixing, 11 contexts, gate 6 x 4", None, None, None)
    assert plan.tokens == 64 * 32
    assert plan.seconds > 0
    assert plan.memory_bytes > 2**19  # a row's slots


def test_width_512_has_22_blocks_and_about_70_million_parameters():
    config = configure("paper-512", ["model.width=512", "training.instances=32"]).resolve(CPU)
    plan = plan_run(config, CPU, estimate=a_second)
    assert (plan.depth, plan.heads, plan.parameters) == (22, 4, 69_843_214)  # 14 of them scalars of progressive blocks
    assert (plan.instances, plan.tokens, plan.steps) == (32, 16_384, 1)
    assert plan.source == "lstm, 51 units"
    assert 2**30 < plan.memory_bytes < 4 * 2**30


def test_the_time_of_a_resumed_run_is_that_of_the_rest_and_a_complete_one_is_not_measured():
    config = small_config()
    assert plan_run(config, CPU, trained=48, estimate=a_second).seconds == pytest.approx(0.25)
    assert plan_run(config, CPU, trained=64, estimate=pytest.fail).seconds == 0


@given(schedules())
def test_steps_are_counted_as_the_loop_would_take_them(schedule):
    config = dataclasses.replace(small_config(), training=schedule)
    assert plan_module._count_steps(config) == len(steps(schedule))


def test_the_steps_of_the_longest_run_are_counted_at_once():
    """Ten thousand million instances: hundreds of millions of steps, far too many to walk through."""
    config = configure("tiny", [f"training.instances={10**10}"])
    assert plan_module._count_steps(config) == 10**10 // config.training.batch


@dataclasses.dataclass(frozen=True, kw_only=True)
class SevenSecondsABatch(RecurrentSource):
    """A source whose stream says that a batch of it takes seven seconds."""

    def open_stream(self, parts):
        batches = parts.cadence.source_batches
        return StreamOf(pytest.fail, lambda instances: 7.0 * batches(instances, parts.buffer.source_batch))


def test_the_time_is_that_of_instances_evaluations_and_source_batches():
    """With 10 s for one block, 4 s for each further one and 7 s for a source batch."""
    config = small_config("model.depth=5", "training.evaluate_every=30", 'evaluation.data=["a", "b"]')
    config = dataclasses.replace(config, source=SevenSecondsABatch(hidden_size=4))
    per_instance = 10 + 4 * 4
    source_batches = 2 + 64 * 2 // 8  # burn-in; two rows an instance in batches of eight
    evaluated = 3 * 2 * 4  # after 30, 60 and 64 instances; two corpora; four slices
    seconds = estimate_seconds(config, CPU, seconds_per_instance=lambda model: 6.0 + 4 * model.num_layers)
    assert seconds == pytest.approx((64 + evaluated / 3) * per_instance + source_batches * 7)


def test_the_forecast_of_a_stream_counts_the_batches_that_are_due():
    """The same source, thousand times the instances: the burn-in hardly counts."""
    few, many = (small_config().stream(CPU).forecast_seconds(instances) for instances in (1_000, 1_000_000))
    assert 0 < few < many
    assert 100 < many / few < 10_000


def test_the_measured_time_is_positive_and_grows_with_the_run():
    """Hundred times the instances at the same intervals; an order of magnitude is left for a busy machine."""
    settings = ("training.evaluate_every=100000", "evaluation.samples=2", "cadence.burn_in_batches=0")
    short, long = (estimate_seconds(small_config(*settings, instances=n), CPU) for n in (1_000, 100_000))
    assert short > 0
    assert 10 < long / short < 1_000


def test_measuring_leaves_the_configuration_and_the_global_random_numbers_alone():
    config = small_config()
    before = dataclasses.asdict(config)
    plan_run(config, CPU)
    assert dataclasses.asdict(config) == before


def test_a_model_of_which_not_even_two_blocks_fit_is_refused_before_it_is_measured():
    small = DeviceInfo(name="cpu", description="", memory_bytes=8 * 2**30, cores=1, bf16=False)
    config = configure("paper-1024", ["model.width=16384"]).resolve(CPU)
    with pytest.raises(InputError, match=r"GiB and cpu has 8\.0 GiB.*width 16384") as caught:
        plan_run(config, CPU, info=small, estimate=pytest.fail)
    assert "\n" not in str(caught.value)
