"""Training of the transformer of table 1: for the data alone, or for the data and the weights.

    likelihood    nats of a minibatch
    variational   nats of a minibatch, the mean over draws of all weights  +  coefficient KL[posterior || prior]

from random weights or from the compiled solution, by Adam with a rate that rises linearly and then falls exponentially.

The noise of every step depends on the seed and the step alone. So a training that was stopped goes on from the last
state that it saved, and ends in the same weights.

Source: Shaw et al. 2025 (arXiv 2509.22445), section 6 and C.1: 50,000 steps of 128 examples and 2 draws, coefficient
1e-3 for a minibatch of 1e-3 of the 100,000 examples, 100 draws of each weight for the divergence.
Limits: how far the rate falls is not said; here to a tenth. On CUDA all is float32 as on a processor, but sums in
another order: trainings agree within a device only.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from up.codes.estimate import Estimate
from up.codes.network import parameter_bits
from up.codes.parity import ParityTask, draw_examples, logits, manual_weights, nats, random_weights, score
from up.codes.weight_code import WeightCode, best_prior, unknown_prior
from up.config import require_not_negative, require_one_of, require_positive
from up.device import keyed_generator

OBJECTIVES, STARTS = ("likelihood", "variational"), ("random", "manual")
COMPONENTS = 10
"""Of the prior of a random start: as many as the compiled solution has values."""
_EXAMPLES_KEY, _TEST_KEY, _START_KEY, _STEP_KEY, _MEASURE_KEY = range(40, 45)
_FALL = 0.1
_SAVES = 20
"""How often the state is saved in a whole training."""
STATE_NAME = "parity.safetensors"


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


@dataclass(frozen=True, kw_only=True)
class ParityResult:
    """What a network is worth.

    Attributes:
        steps: that it was trained for.
        weights: KL[posterior || prior] in bits; None where the weights are not coded.
        prior_bits: of the prior's own parameters, which the paper's table leaves out.
        data: code length of the answers of the training set, in bits.
        train_accuracy: share of right answers in the training set.
        test_accuracy: likewise in the test set.
        by_length: likewise for the strings of each length of both.

    """

    steps: int
    weights: Estimate | None
    prior_bits: int | None
    data: Estimate
    train_accuracy: Estimate
    test_accuracy: Estimate
    by_length: dict[int, float] = field(default_factory=dict)


@dataclass(eq=False)
class _Network:
    """The weights, or their code, and how Adam moves them."""

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
        """Write everything that the next step depends on, in one replacement."""
        folder.mkdir(parents=True, exist_ok=True)
        moments = {
            f"{name}.{moment}": value
            for name, tensor in self.tensors.items()
            for moment, value in self.adam.state.get(tensor, {}).items()
        }
        partial = folder / f"{STATE_NAME}.partial"
        written = {name: each.detach().cpu().contiguous() for name, each in {**self.tensors, **moments}.items()}
        save_file(written, partial, {"step": str(self.step), "config": json.dumps(asdict(self.config))})
        partial.replace(folder / STATE_NAME)

    def load(self, folder: Path) -> None:
        """Take up what was saved of the same training, if anything was."""
        path = folder / STATE_NAME
        if not path.is_file():
            return
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


def _begin(config: ParityConfig, device: torch.device) -> _Network:
    """Return the network before its first step."""
    generator = keyed_generator(_START_KEY, config.seed)
    first_N, second_N = (random_weights(config.task, generator) for _ in range(2))
    prior = unknown_prior(first_N, COMPONENTS, generator)
    if config.start == "manual":
        first_N = second_N = manual_weights(config.task)
        prior = best_prior(first_N)
    if not config.is_variational:
        return _Network(config, {"weights_N": first_N.to(device)})
    code = WeightCode.around(first_N, second_N, config.task.prompt_weights, prior)
    return _Network(config, {name: each.to(device) for name, each in code.tensors().items()})


def train_parity(
    config: ParityConfig,
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    draws: int = 8,
) -> tuple[ParityResult, ParityResult]:
    """Train a network; return what it is worth before the first step and after the last.

    Args:
        config: what to train.
        folder: where its state is saved now and then, and when it is stopped; with one in it the training goes on.
        device: where to train.
        progress: called with steps done and steps in all, before each measurement as well; it may raise to stop.
        draws: of all weights, for the measurements.

    """
    device = torch.device(device)

    def beat() -> None:
        progress(network.step, config.steps)

    network = _begin(config, device)
    untrained = _measure(network, draws, beat)
    network.load(folder)
    drawn = draw_examples(config.task, config.task.train_lengths, config.examples, keyed_generator(_EXAMPLES_KEY))
    examples = drawn.to(device)
    # Each example is as often in the training set as it was drawn.
    place_X = torch.repeat_interleave(torch.arange(len(drawn.count_X)), drawn.count_X).to(device)
    save_every = max(1, config.steps // _SAVES)
    while network.step < config.steps:
        generator = keyed_generator(_STEP_KEY, config.seed, network.step, device=device)
        chosen_B = torch.randint(len(place_X), (config.batch,), generator=generator, device=device)
        batch = examples.pick(place_X[chosen_B])
        weights_SN = network.draw(config.weight_samples, generator)
        loss = nats(logits(config.task, weights_SN, batch), batch).sum(1).mean()
        if config.is_variational and config.coefficient:
            divergence = network.code.divergence_nats(config.divergence_samples, generator)
            loss = loss + config.coefficient * divergence
        network.adam.param_groups[0]["lr"] = config.rate(network.step)
        network.adam.zero_grad()
        loss.backward()
        network.adam.step()
        network.step += 1
        try:
            beat()
        except BaseException:
            network.save(folder)
            raise
        if network.step % save_every == 0 or network.step == config.steps:
            network.save(folder)
    return untrained, _measure(network, draws, beat)


@torch.no_grad()
def _measure(network: _Network, draws: int, beat: Callable[[], None]) -> ParityResult:
    """Return what a network is worth, with draws that its training has not seen."""
    config, task = network.config, network.config.task
    first = next(iter(network.tensors.values()))
    weights_SN = network.draw(draws, keyed_generator(_MEASURE_KEY, config.seed, device=first.device))
    train = draw_examples(task, task.train_lengths, config.examples, keyed_generator(_EXAMPLES_KEY))
    test = draw_examples(task, task.test_lengths, config.test_examples, keyed_generator(_TEST_KEY))
    trained, tested = (score(task, weights_SN, each.to(first.device), beat) for each in (train, test))
    by_length = {
        length: sum(right) / len(right)
        for found in (trained, tested)
        for length, right in zip(found.lengths, zip(*found.right_SL, strict=True), strict=True)
    }
    coded = config.is_variational
    return ParityResult(
        steps=network.step,
        weights=network.code.bits(draws, keyed_generator(_MEASURE_KEY, config.seed)) if coded else None,
        prior_bits=parameter_bits(network.code.prior) if coded else None,
        data=_estimate(trained.bits_S),
        train_accuracy=_estimate(trained.accuracy_S),
        test_accuracy=_estimate(tested.accuracy_S),
        by_length=by_length,
    )


def _estimate(values: tuple[float, ...]) -> Estimate:
    return Estimate.of(values) if len(values) > 1 else Estimate(values[0])
