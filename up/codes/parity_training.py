"""Training of the transformer of table 1: for the data alone, or for the data and the weights.

    likelihood    nats of a minibatch
    variational   nats of a minibatch, the mean over draws of all weights  +  coefficient KL[posterior || prior]

from random weights or from the compiled solution, by Adam with a rate that rises linearly and then falls exponentially.

The noise of every step depends on the seed and the step alone. So a training that was stopped goes on from the last
state that it saved, and ends in the same weights.

Source: Shaw et al. 2025 (arXiv 2509.22445), section 6 and C.1.
Limits: on CUDA all is float32 as on a processor, but sums go in another order: trainings agree within a device only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from up.codes.estimate import Estimate
from up.codes.network import parameter_bits
from up.codes.parity_examples import draw_examples, nats, score
from up.codes.parity_state import ParityConfig, ParityState, begin
from up.device import keyed_generator

_EXAMPLES_KEY, _TEST_KEY, _STEP_KEY, _MEASURE_KEY = range(41, 45)
_SAVES = 20
"""How often the state is saved in a whole training."""


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
    by_length: dict[int, float]


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

    Raises:
        InputError: the state in the folder is damaged.
        RunError: the state cannot be written.

    """
    device = torch.device(device)

    def beat() -> None:
        progress(state.step, config.steps)

    state = begin(config, device)
    untrained = _measure(state, draws, beat)
    state.load(folder)
    drawn = draw_examples(config.task, config.task.train_lengths, config.examples, keyed_generator(_EXAMPLES_KEY))
    examples = drawn.to(device)
    # Each example is as often in the training set as it was drawn.
    place_X = torch.repeat_interleave(torch.arange(len(drawn.count_X)), drawn.count_X).to(device)
    save_every = max(1, config.steps // _SAVES)
    while state.step < config.steps:
        generator = keyed_generator(_STEP_KEY, config.seed, state.step, device=device)
        chosen_B = torch.randint(len(place_X), (config.batch,), generator=generator, device=device)
        batch = examples.pick(place_X[chosen_B])
        weights_SN = state.draw(config.weight_samples, generator)
        loss = nats(batch.logits(config.task, weights_SN), batch).sum(1).mean()
        if config.is_variational and config.coefficient:
            divergence = state.code.divergence_nats(config.divergence_samples, generator)
            loss = loss + config.coefficient * divergence
        state.adam.param_groups[0]["lr"] = config.rate(state.step)
        state.adam.zero_grad()
        loss.backward()
        state.adam.step()
        state.step += 1
        try:
            beat()
        except BaseException:
            state.save(folder)
            raise
        if state.step % save_every == 0 or state.step == config.steps:
            state.save(folder)
    return untrained, _measure(state, draws, beat)


@torch.no_grad()
def _measure(state: ParityState, draws: int, beat: Callable[[], None]) -> ParityResult:
    """Return what a network is worth, with draws that its training has not seen."""
    config, task = state.config, state.config.task
    first = next(iter(state.tensors.values()))
    weights_SN = state.draw(draws, keyed_generator(_MEASURE_KEY, config.seed, device=first.device))
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
        steps=state.step,
        weights=state.code.bits(draws, keyed_generator(_MEASURE_KEY, config.seed)) if coded else None,
        prior_bits=parameter_bits(state.code.prior) if coded else None,
        data=Estimate.of(trained.bits_S) if coded else Estimate(*trained.bits_S),
        train_accuracy=Estimate.of(trained.accuracy_S) if coded else Estimate(*trained.accuracy_S),
        test_accuracy=Estimate.of(tested.accuracy_S) if coded else Estimate(*tested.accuracy_S),
        by_length=by_length,
    )
