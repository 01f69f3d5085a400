"""Gaussian mixtures as priors and posteriors of weights (B.9): parameters, samples, divergences, and exact optima.

    logit_K      mixture weights, by a softmax (eq. 89)
    mean_K
    nu_K         variances sigma^2 = softplus(nu) (eq. 90): to -infinity for a point

The prior that is best for weights which are points is a component for each distinct value, weighted by how often it
occurs (B.9.3). The divergence then is the entropy of the values, N H(p), exactly if each component has the posterior's
own spread.

Deviation: B.10 of Shaw et al. 2025 says that "a single mixture component is formally sufficient" for the weights that
are not the prompt's.
A point against a component of fixed spread has an infinite divergence (`gaussian_divergence` as sigma goes to 0): there
has to be a component at each distinct value, with the spread of the posterior.

Source: Shaw et al. 2025 (arXiv 2509.22445), section 5.1, B.9 and B.10. Limits: divergences of mixtures are estimated
from samples. Spreads below about 1e-19 are 0 in float32; take float64.

Shape suffixes: K components, N weights, S samples, ... any shape of mixtures.
"""

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from theory.words import number_of
from up.codes.estimate import Estimate
from up.errors import InputError

LOG2E = math.log2(math.e)


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Mixtures of K Gaussians, of any shape: each field is (..., K)."""

    logit_K: Tensor
    mean_K: Tensor
    nu_K: Tensor

    @classmethod
    def of(cls, weight_K: Tensor, mean_K: Tensor, sigma_K: Tensor) -> "GaussianMixture":
        """Return the mixtures with these weights (in sum 1), means and standard deviations.

        Raises:
            InputError: a standard deviation that is not positive, or weights that do not sum to 1.

        """
        if not bool((sigma_K > 0).all()) or not torch.allclose(weight_K.sum(-1), torch.ones_like(weight_K.sum(-1))):
            remedy = "give standard deviations above 0, and weights in sum 1"
            raise InputError("these are no mixtures of Gaussians", remedy=remedy)
        variance_K = sigma_K**2
        # The inverse of softplus; for small ones log(e^v - 1) is log v.
        nu_K = variance_K + torch.log(-torch.expm1(-variance_K))
        return cls(weight_K.log(), mean_K, nu_K)

    @property
    def log_weights(self) -> Tensor:
        """Logarithms of the mixture weights (eq. 89), in nats."""
        return self.logit_K.log_softmax(-1)

    @property
    def sigmas(self) -> Tensor:
        """Standard deviations (eq. 90)."""
        return torch.nn.functional.softplus(self.nu_K).sqrt()

    def log_density(self, x: Tensor) -> Tensor:
        """Return the logarithm of the density (eq. 88) in nats, at x of a shape that broadcasts with the mixtures'."""
        sigma_K = self.sigmas
        z_K = (x.unsqueeze(-1) - self.mean_K) / sigma_K
        each_K = self.log_weights - z_K.square() / 2 - sigma_K.log() - math.log(2 * math.pi) / 2
        return each_K.logsumexp(-1)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return samples of shape (S, ...): a component is drawn first, and then a value of it."""
        shape = self.mean_K.shape
        probability_K = self.log_weights.exp().expand(shape).reshape(-1, shape[-1])
        place = torch.multinomial(probability_K, count, replacement=True, generator=generator).T
        place = place.reshape(count, *shape[:-1], 1)
        mean, sigma = (each.expand(count, *shape).gather(-1, place).squeeze(-1) for each in (self.mean_K, self.sigmas))
        return mean + sigma * torch.randn(mean.shape, generator=generator, dtype=mean.dtype)

    def log_mass(self, x: Tensor, width: float) -> Tensor:
        """Return the logarithm of the probability of the bin of this width around x, in nats."""
        sigma_K, half = self.sigmas, width / 2
        distance_K = (x.unsqueeze(-1) - self.mean_K).abs()
        upper_K = torch.special.log_ndtr((half - distance_K) / sigma_K)
        lower_K = torch.special.log_ndtr((-half - distance_K) / sigma_K)
        gap_K = (lower_K - upper_K).clamp(max=-1e-12)
        each_K = self.log_weights + upper_K + torch.log(-torch.expm1(gap_K))
        return each_K.logsumexp(-1)


def divergence(
    posterior: GaussianMixture, prior: GaussianMixture, *, samples: int, generator: torch.Generator
) -> Estimate:
    """Estimate KL[posterior || prior] in bits, the sum over all weights (eq. 100), with its standard error.

    Args:
        posterior: a mixture for each weight.
        prior: mixtures that broadcast with them: one for all, or one for each.
        samples: S, at least 2 for an error.
        generator: of the samples, on the CPU.

    """
    drawn_SN = posterior.sample(samples, generator)
    ratio_SN = posterior.log_density(drawn_SN) - prior.log_density(drawn_SN)
    return Estimate.of((ratio_SN.reshape(samples, -1).sum(-1) * LOG2E).tolist())


def gaussian_divergence(mean: float, sigma: float, prior_sigma: float = 1.0) -> float:
    """Return KL[N(mean, sigma^2) || N(0, prior_sigma^2)] in bits (eq. 91).

    >>> gaussian_divergence(0.0, 1.0), round(gaussian_divergence(1.0, 1e-30), 1)
    (0.0, 99.7)
    """
    ratio = (sigma / prior_sigma) ** 2
    return LOG2E * (ratio + (mean / prior_sigma) ** 2 - 1 - 2 * math.log(sigma / prior_sigma)) / 2


def unimodal_frontier(probability: float) -> float:
    """Return the least KL from N(0, 1) of a Gaussian whose sign is right with this probability, in bits (figure 8).

    With mu = z sigma, z = Phi^-1(p), the best spread is sigma^2 = 1 / (1 + z^2), and the KL 1/2 log2(1 + z^2). A
    mixture of two components takes 1 bit for certainty.

    >>> [round(unimodal_frontier(p), 2) for p in (0.958, 0.99, 0.9999, 0.999999)]
    [1.0, 1.34, 1.95, 2.28]
    """
    z = float(torch.special.ndtri(torch.tensor(probability, dtype=torch.float64)))
    return math.log2(1 + z * z) / 2


def optimal_prior(values: Tensor, sigma: float) -> GaussianMixture:
    """Return the best prior for weights that are points of spread sigma: a component per distinct value (B.9.3).

    >>> prior = optimal_prior(torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64), 0.01)
    >>> [round(weight, 3) for weight in prior.log_weights.exp().tolist()], prior.mean_K.tolist()
    ([0.75, 0.25], [0.0, 1.0])
    """
    mean_K, count_K = torch.unique(values, return_counts=True)
    weight_K = count_K.to(values.dtype) / values.numel()
    return GaussianMixture.of(weight_K, mean_K, torch.full_like(mean_K, sigma))


def optimal_bits(values: Tensor) -> float:
    """Return what the best prior charges for points, N H(p) in bits; its own parameters are not counted."""
    counts = torch.unique(values, return_counts=True)[1].double()
    return float((counts * (counts.sum() / counts).log2()).sum())


def points(values: Tensor, sigma: float) -> GaussianMixture:
    """Return a posterior of one component for each weight, at its value."""
    mean_K = values.unsqueeze(-1)
    return GaussianMixture.of(torch.ones_like(mean_K), mean_K, torch.full_like(mean_K, sigma))


@dataclasses.dataclass(frozen=True, eq=False)
class TapeCode:
    """The code of a tape of prompt tokens (B.10): mixtures for its R_s registers.

    Attributes:
        posterior: points for the bits of the program, a fair sign for the registers after them.
        prior: a fair sign, the same for all registers (Rademacher).

    """

    posterior: GaussianMixture
    prior: GaussianMixture


def tape_code(program: Sequence[int], registers: int, *, sigma: float = 1e-3) -> TapeCode:
    """Return the mixtures that send a program in exactly |z| bits, whatever the length of the tape.

    Args:
        program: bits, 0 or 1, which are -1 and +1 on the tape.
        registers: R_s, of the tape.
        sigma: spread of each component; the smaller, the nearer to points.

    Raises:
        InputError: something else than bits, or more of them than registers.

    """
    if not set(program) <= {0, 1}:
        raise InputError("a program has the bits 0 and 1", received=list(program), remedy="give e.g. [0, 1, 1]")
    if len(program) > registers:
        raise InputError(
            "the program is longer than the tape",
            received=len(program),
            remedy=f"give at most {number_of(registers, 'bit')}",
        )
    mean_K = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    share_NK = torch.full((registers, 2), 0.5, dtype=torch.float64)
    for register, bit in enumerate(program):
        share_NK[register] = torch.tensor([1.0 - bit, float(bit)])
    sigma_K = torch.full_like(mean_K, sigma)
    posterior = GaussianMixture.of(share_NK, mean_K.expand(registers, 2), sigma_K.expand(registers, 2))
    return TapeCode(posterior, GaussianMixture.of(torch.full_like(mean_K, 0.5), mean_K, sigma_K))


def fit(values: Tensor, components: int, *, floor: float, steps: int = 40) -> GaussianMixture:
    """Return a mixture that makes values likely, by expectation and maximisation from their quantiles.

    Args:
        values: at least one.
        components: K.
        floor: least standard deviation, above 0: a component that settles on one value goes no further.
        steps: of the algorithm.

    """
    x_N = values.flatten().double()
    quantiles = (torch.arange(components, dtype=torch.float64) + 0.5) / components
    mean_K = x_N.sort().values[(quantiles * x_N.numel()).long().clamp(max=x_N.numel() - 1)]
    spread = max(float(x_N.std(unbiased=False)), floor)
    sigma_K = spread * 2.0 ** torch.linspace(-1, 1, components, dtype=torch.float64)
    if components == 1:
        return GaussianMixture.of(torch.ones(1).double(), x_N.mean()[None], torch.tensor([spread]).double())
    mean_K = mean_K * 0.5 + x_N.mean() * 0.5
    weight_K = torch.full((components,), 1 / components, dtype=torch.float64)
    for _ in range(steps):
        z_NK = (x_N[:, None] - mean_K) / sigma_K
        share_NK = (weight_K.log() - z_NK.square() / 2 - sigma_K.log()).softmax(-1)
        count_K = share_NK.sum(0) + 1e-9
        mean_K = (share_NK * x_N[:, None]).sum(0) / count_K
        variance_K = (share_NK * (x_N[:, None] - mean_K).square()).sum(0) / count_K
        sigma_K = variance_K.sqrt().clamp(min=floor)
        weight_K = count_K / count_K.sum()
    return GaussianMixture.of(weight_K, mean_K, sigma_K)
