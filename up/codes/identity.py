"""The MLP of table 2: the identity of four bits, its manual solutions, and a variational code trained by Adam (C.2).

    x in {0, 1}^4 -> W1, b1 -> ReLU, 16 units -> W2, b2 -> four logits        148 weights

Each weight has a Gaussian posterior, all share a prior of K Gaussians that is trained along. What is minimised is

    expected code length of the 16 vectors, in nats a vector  +  coefficient KL[posterior || prior] in nats

Many configurations are trained at once, each with its own coefficient, rate, initialisation and seed; none sees
another.

What the paper leaves open is an option of `IdentityConfig`.

Deviation: minibatches of 128 that "over-sample" 16 vectors hold each of them 8 times; here each counts once.

Source: Shaw et al. 2025 (arXiv 2509.22445), section 6, C.1 and C.2.
Limits: the prior's parameters are not in the total, as in the paper's tables; `parameter_bits` of
`up.codes.network` says what 16 bits each would take.

Shape suffixes: C configurations, W weights, K components, S samples, X vectors, H hidden units, O outputs.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from theory.measures.description import Description
from up.codes.estimate import Estimate, NetworkDescription
from up.codes.mixture import LOG2E, GaussianMixture, divergence
from up.config import require_not_negative, require_one_of, require_positive
from up.errors import InputError

BITS, HIDDEN = 4, 16
_SHAPES = {"W1": (HIDDEN, BITS), "b1": (HIDDEN,), "W2": (BITS, HIDDEN), "b2": (BITS,)}
WEIGHTS = sum(math.prod(shape) for shape in _SHAPES.values())
PAPER_VECTORS = 1600
"""Vectors whose code length the paper's "Train NLL" seems to be: chance is 4 bits a vector."""
MANUAL = ("paper", "unused bias 0", "no hidden bias")


def manual_weights(variant: str = "paper", *, scale: float = 20.0) -> Tensor:
    """Return the weights of a solution by hand, float64 of shape (W,).

    Args:
        variant: `paper`; `unused bias 0`, where the 12 hidden units that do nothing have no bias; or `no hidden bias`.
        scale: lambda.

    >>> from up.codes.mixture import optimal_bits
    >>> [round(optimal_bits(manual_weights(variant)), 1) for variant in MANUAL]
    [127.7, 89.1, 71.1]

    Raises:
        InputError: an unknown variant.

    """
    require_one_of("identity", "variant", variant, MANUAL)
    first = torch.zeros(HIDDEN, BITS, dtype=torch.float64)
    first[range(BITS), range(BITS)] = scale
    bias = torch.full((HIDDEN,), -scale / 2, dtype=torch.float64)
    bias[{"paper": HIDDEN, "unused bias 0": BITS, "no hidden bias": 0}[variant] :] = 0.0
    second = torch.full((BITS,), -scale / 2, dtype=torch.float64)
    return torch.cat([first.flatten(), bias, first.T.flatten(), second])


def all_vectors() -> Tensor:
    """Return the 16 vectors of four bits, (X, 4)."""
    return torch.tensor([[place >> bit & 1 for bit in range(BITS)] for place in range(1 << BITS)], dtype=torch.float64)


def logits(weights_W: Tensor, x_XI: Tensor) -> Tensor:
    """Return the logits of the four outputs, (..., X, 4), for weights of shape (..., W)."""
    parts, start = {}, 0
    for name, shape in _SHAPES.items():
        size = math.prod(shape)
        parts[name] = weights_W[..., start : start + size].unflatten(-1, shape)
        start += size
    hidden_XH = (x_XI.to(weights_W) @ parts["W1"].mT + parts["b1"].unsqueeze(-2)).relu()
    return hidden_XH @ parts["W2"].mT + parts["b2"].unsqueeze(-2)


def nats_per_vector(weights_W: Tensor) -> Tensor:
    """Return the code length of the four bits of a vector in nats (eq. 105), the mean over all 16; shape (...)."""
    x_XI = all_vectors().to(weights_W)
    losses = torch.nn.functional.softplus(logits(weights_W, x_XI) * (1 - 2 * x_XI))
    return losses.sum(-1).mean(-1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class IdentityConfig:
    """One configuration of table 2.

    Attributes:
        coefficient: of the divergence in the loss; 0 trains for the data alone, with the spread that it begins with.
        learning_rate: of Adam.
        initialisation: `random` (He, biases 0), or one of `MANUAL`.
        seed: of initial weights and samples.
        reduction: `vector`: the code length of a vector, summed over its bits; `bit`: of one bit, the mean over both.
        prior_means: `spread` over [-1, 1], `random` as the weights are, or `clusters`: the distinct manual values.
        components: K.
        decay: whether the rate falls exponentially to a hundredth.

    """

    coefficient: float
    learning_rate: float
    initialisation: str = "random"
    seed: int = 0
    reduction: str = "vector"
    prior_means: str = "spread"
    components: int = 3
    decay: bool = False

    def __post_init__(self) -> None:
        require_one_of("identity", "initialisation", self.initialisation, ("random", *MANUAL))
        require_one_of("identity", "reduction", self.reduction, ("vector", "bit"))
        require_one_of("identity", "prior_means", self.prior_means, ("spread", "random", "clusters"))
        require_positive("identity", components=self.components, learning_rate=self.learning_rate)
        require_not_negative("identity", coefficient=self.coefficient)


@dataclasses.dataclass(frozen=True, kw_only=True)
class IdentityResult:
    """What came of one configuration.

    Attributes:
        config: what was trained.
        description: KL and expected code length of `PAPER_VECTORS` vectors, in bits.
        bit_accuracy: share of bits that come back right, over weights drawn from the posterior.
        vector_accuracy: share of vectors that do.
        prior: as it was trained.
        posterior: a Gaussian for each weight, as it was trained.

    """

    config: IdentityConfig
    description: NetworkDescription
    bit_accuracy: float
    vector_accuracy: float
    prior: GaussianMixture
    posterior: GaussianMixture


def train_identity(
    configs: Sequence[IdentityConfig],
    *,
    steps: int = 1000,
    weight_samples: int = 2,
    divergence_samples: int = 100,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[IdentityResult, ...]:
    """Train configurations side by side; 20 of them take about a minute for 1,000 steps on one core.

    Args:
        configs: all with the same number of components.
        steps: of Adam; 0: what it begins with is measured.
        weight_samples: draws of all weights a step, for the data.
        divergence_samples: draws of each weight a step, for the divergence.
        progress: called with steps done and steps in all.

    Raises:
        InputError: configurations with different numbers of components, or none.

    """
    if len({each.components for each in configs}) != 1:
        raise InputError(
            "configurations side by side have one number of components",
            received=sorted({each.components for each in configs}),
            remedy="train those of each number by themselves",
        )
    generators = [torch.Generator().manual_seed(each.seed) for each in configs]
    state = [torch.stack(parts) for parts in zip(*map(_initial, configs, generators), strict=True)]
    for each in state:
        each.requires_grad_()
    coefficient_C = torch.tensor([each.coefficient for each in configs])
    scale_C = torch.tensor([1.0 if each.reduction == "vector" else 1 / BITS for each in configs])
    rate_C = torch.tensor([each.learning_rate for each in configs])
    falls_C = torch.tensor([0.01 if each.decay else 1.0 for each in configs])
    adam = _Adam(state)
    for step in range(steps):
        posterior, prior = _mixtures(state)
        noise = [_noise(generator, weight_samples, divergence_samples) for generator in generators]
        data_noise, kl_noise = (torch.stack(each, 1) for each in zip(*noise, strict=True))  # (S, C, W)
        mean_CW, sigma_CW = posterior.mean_K.squeeze(-1), posterior.sigmas.squeeze(-1)
        nats_C = nats_per_vector(mean_CW + sigma_CW * data_noise).mean(0)
        drawn_SCW = mean_CW + sigma_CW * kl_noise
        kl_C = (posterior.log_density(drawn_SCW) - prior.log_density(drawn_SCW)).mean(0).sum(-1)
        loss = (scale_C * nats_C + coefficient_C * kl_C).sum()
        gradients = torch.autograd.grad(loss, state)
        adam.step(gradients, rate_C * falls_C ** (step / steps))
        progress(step + 1, steps)
    with torch.no_grad():
        return tuple(_result(config, place, state) for place, config in enumerate(configs))


def _initial(config: IdentityConfig, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Return means and nu of the posterior, then logits, means and nu of the prior (C.1: nu -10 and 1)."""
    first = torch.randn(HIDDEN, BITS, generator=generator) * math.sqrt(2 / BITS)
    second = torch.randn(BITS, HIDDEN, generator=generator) * math.sqrt(2 / HIDDEN)
    random_W = torch.cat([first.flatten(), torch.zeros(HIDDEN), second.flatten(), torch.zeros(BITS)])
    manual = config.initialisation != "random"
    mean_W = manual_weights(config.initialisation).float() if manual else random_W
    mean_K = torch.linspace(-1, 1, config.components) if config.components > 1 else torch.zeros(1)
    logit_K, nu_K = torch.zeros(config.components), torch.ones(config.components)
    if config.prior_means == "random":
        mean_K = random_W[torch.randperm(first.numel(), generator=generator)[: config.components]].clone()
    elif config.prior_means == "clusters":
        values, counts = torch.unique(mean_W, return_counts=True)
        chosen = counts.argsort(descending=True)[: config.components]
        mean_K = torch.nn.functional.pad(values[chosen], (0, config.components - len(chosen)))
        if manual:
            missing = config.components - len(chosen)
            logit_K = torch.nn.functional.pad(counts[chosen].float().log(), (0, missing), value=-20.0)
            nu_K = torch.full((config.components,), -10.0)
    return mean_W, torch.full((WEIGHTS,), -10.0), logit_K, mean_K, nu_K


def _mixtures(state: Sequence[Tensor]) -> tuple[GaussianMixture, GaussianMixture]:
    """Return the posterior of each weight, (C, W) mixtures of one, and the prior that broadcasts with it."""
    mean_CW, nu_CW, logit_CK, mean_CK, nu_CK = state
    posterior = GaussianMixture(torch.zeros_like(mean_CW).unsqueeze(-1), mean_CW.unsqueeze(-1), nu_CW.unsqueeze(-1))
    return posterior, GaussianMixture(*(each.unsqueeze(1) for each in (logit_CK, mean_CK, nu_CK)))


def _noise(generator: torch.Generator, weight_samples: int, divergence_samples: int) -> tuple[Tensor, Tensor]:
    return (
        torch.randn(weight_samples, WEIGHTS, generator=generator),
        torch.randn(divergence_samples, WEIGHTS, generator=generator),
    )


class _Adam:
    """Adam (Kingma and Ba 2014), with a rate for each configuration, the first axis of every parameter."""

    def __init__(self, state: Sequence[Tensor], betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self._state, self._betas, self._count = state, betas, 0
        self._moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in state]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate_C: Tensor) -> None:
        self._count += 1
        one, two = self._betas
        for parameter, gradient, (first, second) in zip(self._state, gradients, self._moments, strict=True):
            first.mul_(one).add_(gradient, alpha=1 - one)
            second.mul_(two).addcmul_(gradient, gradient, value=1 - two)
            moved = (first / (1 - one**self._count)) / ((second / (1 - two**self._count)).sqrt() + 1e-8)
            parameter.sub_(rate_C[:, None] * moved)


def _result(config: IdentityConfig, place: int, state: Sequence[Tensor], *, samples: int = 256) -> IdentityResult:
    generator = torch.Generator().manual_seed(config.seed)
    posterior, prior = _mixtures([each[place : place + 1].double() for each in state])
    single = GaussianMixture(*(each.squeeze(0) for each in (posterior.logit_K, posterior.mean_K, posterior.nu_K)))
    shared = GaussianMixture(*(each[0, 0] for each in (prior.logit_K, prior.mean_K, prior.nu_K)))
    drawn_SW = single.sample(samples, generator)
    right_SXO = (logits(drawn_SW, all_vectors()) > 0) == (all_vectors() > 0)
    data = Estimate.of((nats_per_vector(drawn_SW) * LOG2E * PAPER_VECTORS).tolist())
    hypothesis = divergence(single, shared, samples=samples, generator=generator)
    return IdentityResult(
        config=config,
        description=Description(hypothesis=hypothesis, data=data),
        bit_accuracy=float(right_SXO.double().mean()),
        vector_accuracy=float(right_SXO.all(-1).double().mean()),
        prior=shared,
        posterior=single,
    )
