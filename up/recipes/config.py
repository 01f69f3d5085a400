"""The configuration of a run: one tree of settings, and what of it a device settles."""

import dataclasses

import torch

from up.config import require_not_negative, require_one_of, require_positive
from up.device import describe_device, keyed_generator
from up.errors import InputError
from up.evaluation.bits import EvaluationConfig
from up.model.base import ModelConfig, activation_bytes
from up.sources.base import Source
from up.sources.buffer import BufferConfig
from up.sources.recurrent import RecurrentSource
from up.sources.registry import is_of_a_file
from up.sources.stream import CadenceConfig, Stream

_MOST_INSTANCES = 10**10  # 500 times the paper's; a slip of the keyboard is caught before the plan counts its steps
_TRAINED = ("model", "source", "buffer", "dropout")
_COMPONENTS = (*_TRAINED, "held-out source", "held-out buffer")
_CPU_ACTIVATION_BYTES = 2**30
_GPU_ACTIVATION_SHARE = 0.5
_LARGEST_MICROBATCH = {"cpu": 8, "cuda": 256, "mps": 32}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Optimisation (A.1). Lengths and intervals are counted in instances, that is, in sequences trained on.

    Attributes:
        instances: length of the run.
        learning_rate: peak rate of AdamW, at the model's base width; muP derives that of every other width from it.
        warmup_instances: the rate rises linearly from 0 over these.
        halving_instances: from then on the rate halves every so many.
        weight_decay: of AdamW, on all parameters.
        beta2: second-moment decay of AdamW.
        gradient_clip: gradients of larger norm are scaled down to it.
        batch: instances per optimiser step, after the warm-up of the batch.
        batch_start: instances per step at first.
        batch_warmup_from: the batch grows linearly from here,
        batch_warmup_to: to here.
        enable_every: instances after which the next group of progressive blocks is enabled. 0: all take part at once.
        microbatch: instances in one forward and backward pass; does not change the result but for rounding and dropout.
            None: as many as fit.
        precision: `fp32`, `bf16` (autocast), or `auto`: bf16 on a GPU that has it.
        stop_after_skipped: a step whose loss or gradient is not finite is skipped; so many in a row end the run.
        evaluate_every: instances between evaluations.
        checkpoint_every: instances between checkpoints.
        evaluate_at_start: whether there is an evaluation before the first step, too.
        keep: which checkpoint is the model of the run, `latest` or `best`: the one whose evaluation has the fewest bits
            per character over the tails, mean over the data sets; it is saved when it is found, and stays.
        best_by: the data sets that this mean is over; none: all.
        patience: the run ends early once so many evaluations in a row were not better than the best before them. 0:
            never.
    """

    instances: int
    learning_rate: float = 3e-4
    warmup_instances: int = 1_600_000
    halving_instances: int = 10_000_000
    weight_decay: float = 0.01
    beta2: float = 0.999
    gradient_clip: float = 1.0
    batch: int = 500
    batch_start: int = 69
    batch_warmup_from: int = 500_000
    batch_warmup_to: int = 1_000_000
    enable_every: int = 10_000
    microbatch: int | None = None
    precision: str = "auto"
    stop_after_skipped: int = 10
    evaluate_every: int = 100_000
    checkpoint_every: int = 100_000
    evaluate_at_start: bool = False
    keep: str = "latest"
    best_by: tuple[str, ...] = ()
    patience: int = 0

    def __post_init__(self) -> None:
        positive = ("instances", "learning_rate", "halving_instances", "gradient_clip", "batch", "batch_start")
        positive += ("stop_after_skipped", "evaluate_every", "checkpoint_every")
        require_positive("training", **{name: getattr(self, name) for name in positive})
        not_negative = ("warmup_instances", "weight_decay", "batch_warmup_from", "enable_every", "patience")
        require_not_negative("training", **{name: getattr(self, name) for name in not_negative})
        if self.microbatch is not None:
            require_positive("training", microbatch=self.microbatch)
        require_one_of("training", "precision", self.precision, ("auto", "fp32", "bf16"))
        require_one_of("training", "keep", self.keep, ("latest", "best"))
        if not 0 < self.beta2 < 1:
            raise InputError("training.beta2 must lie between 0 and 1", received=self.beta2, remedy="give e.g. 0.999")
        if self.instances > _MOST_INSTANCES:
            raise InputError(
                "training.instances is too large", received=self.instances, remedy=f"give at most {_MOST_INSTANCES}"
            )
        if self.learning_rate > 1:
            raise InputError("training.learning_rate is absurd", received=self.learning_rate, remedy="try 3e-4")
        if self.batch_start > self.batch:
            raise InputError(
                "training.batch_start exceeds training.batch", received=self.batch_start, remedy="start smaller"
            )
        if self.batch_warmup_to < self.batch_warmup_from:
            raise InputError(
                "training.batch_warmup_to lies before training.batch_warmup_from",
                received=self.batch_warmup_to,
                remedy=f"give at least {self.batch_warmup_from}",
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class InitialWeights:
    """Weights that a run begins with in place of random ones: those of the model of another run.

    Attributes:
        run: `builtin:NAME`, or the absolute path of the other run's folder.
        instances: behind the checkpoint that they are from.
        bytes: length of its `model.safetensors`.
        sha256: of that file, in hexadecimal.
    """

    run: str
    instances: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that a run depends on, beside the machine.

    Attributes:
        seed: every component's generator is derived from it.
        model: the target model, of any architecture.
        initial_weights: what the model begins with; None: random weights.
        source: of random computation, of any kind.
        buffer: Algorithm 1, for sources that have one.
        cadence: how often the source runs, likewise.
        training: optimisation.
        evaluation: what is evaluated during training; open samples become a tenth of `training.evaluate_every`, at
            least 8 and at most what a lone evaluation takes, so that evaluating stays a small share of the time.
    """

    seed: int = 0
    model: ModelConfig
    initial_weights: InitialWeights | None = None
    source: Source = dataclasses.field(default_factory=RecurrentSource)
    buffer: BufferConfig = dataclasses.field(default_factory=BufferConfig)
    cadence: CadenceConfig = dataclasses.field(default_factory=CadenceConfig)
    training: TrainingConfig
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)

    def __post_init__(self) -> None:
        require_not_negative("run", seed=self.seed)
        if not self.model.vocabulary_size == self.source.vocabulary_size == 256:
            raise InputError(
                "the source and the model must share the vocabulary of the 256 bytes, on which runs are evaluated",
                received=(self.source.vocabulary_size, self.model.vocabulary_size),
                remedy="leave both vocabulary sizes at 256",
            )
        self.source.require_fit(context_length=self.model.context_length, batch=self.training.batch, buffer=self.buffer)
        unknown = set(self.training.best_by) - {*self.evaluation.data, *self.evaluation.sources}
        if unknown:
            raise InputError(
                "training.best_by names data that the run is not evaluated on",
                received=min(unknown),
                remedy=f"name one of {', '.join((*self.evaluation.data, *self.evaluation.sources))}",
            )
        for kind in self.evaluation.sources:
            if is_of_a_file(kind):
                raise InputError(
                    "a run is evaluated on sources of the house only, so that reading it runs no file",
                    received=kind,
                    remedy=f"evaluate the run afterwards, with up eval --source {kind}",
                )
        if self.evaluation.tail_positions >= self.model.context_length:
            raise InputError(
                "evaluation.tail_positions must be below model.context_length",
                received=self.evaluation.tail_positions,
                remedy=f"give at most {self.model.context_length - 1}",
            )

    def resolve(self, device: torch.device | str = "cpu") -> "RunConfig":
        """Return the configuration with every open setting written out for a device, as a run stores it."""
        device = torch.device(device)
        training = self.training
        if training.precision == "auto":
            bf16 = device.type == "cuda" and describe_device(device).bf16
            training = dataclasses.replace(training, precision="bf16" if bf16 else "fp32")
        if training.microbatch is None:
            fitting = min(_fitting_microbatch(self.model, device), training.batch)
            training = dataclasses.replace(training, microbatch=fitting)
        evaluation = self.evaluation
        if evaluation.samples is None:  # the paper's ratio: 10,000 slices every 100,000 instances
            samples = min(evaluation.resolve_samples(device), max(8, training.evaluate_every // 10))
            evaluation = dataclasses.replace(evaluation, samples=samples)
        evaluation = dataclasses.replace(evaluation, bf16=evaluation.bf16 or training.precision == "bf16")
        return dataclasses.replace(
            self,
            model=self.model.resolve(),
            source=self.source.resolve(device),
            training=training,
            evaluation=evaluation,
        )

    def require_resolved(self) -> None:
        """Raise `InputError` if a setting is still open that `resolve` settles for a device."""
        opened = {
            "the rules of the model": self.model.resolve() != self.model,
            "training.microbatch": self.training.microbatch is None,
            "training.precision": self.training.precision == "auto",
            "evaluation.samples": self.evaluation.samples is None,
        }
        names = ", ".join(name for name, is_open in opened.items() if is_open)
        if names:
            raise InputError(
                f"the configuration leaves open what a device settles: {names}",
                remedy='resolve it first, as in config.resolve("cpu")',
            )

    def stream(self, device: torch.device, *, held_out: bool = False) -> Stream:
        """Return the fresh stream of the run's instances.

        Args:
            device: where the source works.
            held_out: draw other instances than the run is trained on.

        Raises:
            InputError: the source cannot be used or does not fit the run.
        """
        source = self.source.opened()
        source.require_fit(context_length=self.model.context_length, batch=self.training.batch, buffer=self.buffer)
        prefix = "held-out " if held_out else ""
        return source.stream(
            context_length=self.model.context_length,
            buffer=self.buffer,
            cadence=self.cadence,
            source_generator=self.generator(f"{prefix}source", device),
            buffer_generator=self.generator(f"{prefix}buffer", device),
        )

    def component_seeds(self) -> dict[str, int]:
        """Return the seed of the generator of each component that takes part in training."""
        return {component: self.generator(component).initial_seed() for component in _TRAINED}

    def generator(self, component: str, device: torch.device | str = "cpu") -> torch.Generator:
        """Return the fresh generator of one component, such as `model`, `source`, `buffer` or `dropout`."""
        return keyed_generator(self.seed, _COMPONENTS.index(component), device=device)


def _fitting_microbatch(model: ModelConfig, device: torch.device) -> int:
    """Return the largest power of two whose activations fit the device's budget, at least 1."""
    budget = _CPU_ACTIVATION_BYTES
    if device.type == "cuda":
        budget = int(describe_device(device).memory_bytes * _GPU_ACTIVATION_SHARE)
    microbatch = _LARGEST_MICROBATCH[device.type]
    while microbatch > 1 and activation_bytes(model, microbatch) > budget:
        microbatch //= 2
    return microbatch
