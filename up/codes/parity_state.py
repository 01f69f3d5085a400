"""A training of the transformer of table 1 between two steps: the weights or their code, Adam's moments, the step.

Source: Shaw et al. 2025 (arXiv 2509.22445), C.1: 50,000 steps of 128 examples and 2 draws of all weights, coefficient
1e-3 for a minibatch of 1e-3 of the 100,000 examples, 100 draws of each weight for the divergence.
Limits: how far the rate falls is not said; here to a tenth.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from up.codes.parity import ParityTask, manual_weights, random_weights
from up.codes.weight_code import WeightCode, best_prior, unknown_prior
from up.config import require_not_negative, require_one_of, require_positive
from up.device import keyed_generator
from up.errors import InputError, RunError

OBJECTIVES, STARTS = ("likelihood", "variational"), ("random", "manual")
COMPONENTS = 10
"""Of the prior of a random start: as many as the compiled solution has values."""
STATE_NAME = "parity.safetensors"
_START_KEY = 40
_FALL = 0.1


@dataclass(frozen=True, kw_only=True)
class ParityConfig:
    """One training of table 1.

    Attributes:
        task: sizes and lengths.
        objective: one of `OBJECTIVES`.
        start: one of `STARTS`.
        seed: of the initial weights, the minibatches and the noise; the examples are the same for all.
        steps: of Adam.
        learning_rate: at its highest.
        warmup: steps until then.
        coefficient: of the divergence of all weights, beside the nats of a whole minibatch.
        batch: examples of a step.
        weight_samples: draws of all weights a step, for the data.
        divergence_samples: draws of each weight a step, for the divergence.
        examples: of the training set.
        test_examples: of the test set.

    """

    task: ParityTask
    objective: str
    start: str = "random"
    seed: int = 0
    steps: int = 50_000
    learning_rate: float = 1e-3
    warmup: int = 1_000
    coefficient: float = 1e-3
    batch: int = 128
    weight_samples: int = 2
    divergence_samples: int = 100
    examples: int = 100_000
    test_examples: int = 10_000

    def __post_init__(self) -> None:
        require_one_of("parity", "objective", self.objective, OBJECTIVES)
        require_one_of("parity", "start", self.start, STARTS)
        require_not_negative("parity", seed=self.seed, steps=self.steps, warmup=self.warmup)
        require_not_negative("parity", coefficient=self.coefficient)
        require_positive(
            "parity",
            learning_rate=self.learning_rate,
            batch=self.batch,
            weight_samples=self.weight_samples,
            divergence_samples=self.divergence_samples,
            examples=self.examples,
            test_examples=self.test_examples,
        )

    @property
    def is_variational(self) -> bool:
        """Whether the weights are coded."""
        return self.objective == "variational"

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        return self.learning_rate * _FALL ** ((step - self.warmup) / max(1, self.steps - self.warmup))


@dataclass(eq=False)
class ParityState:
    """The weights, or their code, and how Adam moves them.

    Attributes:
        config: of the training.
        tensors: what is trained, by name.
        step: steps done.
        adam: the optimiser.

    """

    config: ParityConfig
    tensors: dict[str, Tensor]
    step: int = 0

    def __post_init__(self) -> None:
        for each in self.tensors.values():
            each.requires_grad_()
        self.adam = torch.optim.Adam(self.tensors.values())

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return draws of all weights, (S, N); without a code the weights themselves, once."""
        if not self.config.is_variational:
            return self.tensors["weights_N"][None]
        code = self.code
        return code.whole(code.draw(count, generator), self.config.task.prompt_weights.start)

    @property
    def code(self) -> WeightCode:
        """The code of the weights."""
        return WeightCode(**self.tensors)

    def save(self, folder: Path) -> None:
        """Write everything that the next step depends on, in one replacement.

        Raises:
            RunError: it cannot be written.

        """
        moments = {
            f"{name}.{moment}": value
            for name, tensor in self.tensors.items()
            for moment, value in self.adam.state.get(tensor, {}).items()
        }
        partial = folder / f"{STATE_NAME}.partial"
        written = {name: each.detach().cpu().contiguous() for name, each in {**self.tensors, **moments}.items()}
        about = {"step": str(self.step), "config": json.dumps(asdict(self.config))}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(save(written, about))
            partial.replace(folder / STATE_NAME)
        except OSError as error:
            raise RunError(
                f"cannot write the state of a training in {folder} ({error.strerror}): make room, then --resume"
            ) from None

    def load(self, folder: Path) -> None:
        """Take up what was saved of the same training, if anything was.

        Raises:
            InputError: what was saved is damaged.

        """
        path = folder / STATE_NAME
        if not path.is_file():
            return
        try:
            self._take_up(path)
        except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(
                "the state of a training is damaged or cannot be read",
                received=str(path),
                remedy="remove it to begin that training again",
            ) from error

    def _take_up(self, path: Path) -> None:
        with safe_open(path, "pt") as stored:
            about = stored.metadata()
            if json.loads(about["config"]) != json.loads(json.dumps(asdict(self.config))):
                return
            self.step = int(about["step"])
            for name, tensor in self.tensors.items():
                with torch.no_grad():
                    tensor.copy_(stored.get_tensor(name))
                own = [key for key in stored.keys() if key.startswith(f"{name}.")]  # noqa: SIM118 (is no mapping)
                # Adam counts its steps on the CPU, and keeps its moments where the tensor is.
                moments = {key.removeprefix(f"{name}."): stored.get_tensor(key) for key in own}
                if moments:
                    self.adam.state[tensor] = {
                        key: value if key == "step" else value.to(tensor.device) for key, value in moments.items()
                    }


def begin(config: ParityConfig, device: torch.device) -> ParityState:
    """Return the state before the first step."""
    generator = keyed_generator(_START_KEY, config.seed)
    weights_N = random_weights(config.task, generator)
    prior = unknown_prior(weights_N, COMPONENTS, generator)
    if config.start == "manual":
        weights_N = manual_weights(config.task)
        prior = best_prior(weights_N)
    if not config.is_variational:
        return ParityState(config, {"weights_N": weights_N.to(device)})
    code = WeightCode.around(weights_N, config.task.prompt_weights, prior)
    return ParityState(config, {name: each.to(device) for name, each in code.tensors().items()})
