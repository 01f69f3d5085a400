"""The shape of one mixture on the line: its density, its modes, and its divergence from another, by quadrature.

    places(mixture)                         points that are close wherever the density changes
    modes(mixture)                          where its peaks are, and how much mass each has
    divergence_by_quadrature(one, other)    KL in bits, with no samples

Modes are counted, and components are not: two components close to each other have one peak, and so has a narrow one on
top of a wide one. A peak is where the slope of the density turns from up to down; its mass is what lies between the
valleys on both sides. A peak lies within one standard deviation of a mean, for elsewhere all components are convex.

Source: Shaw et al. 2025 (arXiv 2509.22445), B.9 and figures 7 to 9. Limits: one dimension and float64; two peaks closer
than a twentieth of a component's spread count as one, which happens only where they merge.

Shape suffixes: K components, P places.
"""

import dataclasses
import math

import torch
from torch import Tensor

from up.codes.mixture import LOG2E, GaussianMixture

_SPREADS = 12.0
_NEAR, _PER_SPREAD = 4.0, 20


@dataclasses.dataclass(frozen=True)
class Mode:
    """A peak of a density.

    Attributes:
        place: where it is.
        mass: probability between the valleys on both sides of it.

    """

    place: float
    mass: float


def places(mixture: GaussianMixture, *, per_spread: int = _PER_SPREAD, spreads: float = _NEAR) -> Tensor:
    """Return rising places around each component, float64 of shape (P,).

    Args:
        mixture: of K components, one mixture.
        per_spread: places for each standard deviation of a component.
        spreads: standard deviations on both sides of each mean.

    """
    steps = torch.linspace(-spreads, spreads, round(2 * spreads * per_spread) + 1, dtype=torch.float64)
    return (mixture.mean_K.double()[:, None] + mixture.sigmas.double()[:, None] * steps).flatten().unique()


def modes(mixture: GaussianMixture, *, least_mass: float = 0.01) -> tuple[Mode, ...]:
    """Return the peaks of a mixture from left to right, without those that have less than this mass.

    >>> two = lambda distance: GaussianMixture.of(*torch.tensor([[0.5, 0.5], [0, distance], [1, 1]]).double())
    >>> [len(modes(two(distance))) for distance in (1.9, 2.1)]
    [1, 2]
    """
    x_P = places(mixture)
    up_P = _slope(mixture, x_P) > 0
    # From up to down there is a peak between two places, from down to up a valley.
    middle_P = (x_P[1:] + x_P[:-1]) / 2
    peaks = middle_P[up_P[:-1] & ~up_P[1:]]
    valleys = middle_P[~up_P[:-1] & up_P[1:]]
    below = torch.cat([torch.zeros(1).double(), _masses_below(mixture, valleys), torch.ones(1).double()])
    found = zip(peaks.tolist(), below.diff().tolist(), strict=True)
    return tuple(Mode(place, mass) for place, mass in found if mass >= least_mass)


def divergence_by_quadrature(posterior: GaussianMixture, prior: GaussianMixture, *, per_spread: int = 16) -> float:
    """Return KL[posterior || prior] in bits of two mixtures on the line, by the trapezoidal rule.

    Each component of the posterior is averaged over by itself, at places as far apart as its own narrowest structure
    and that of the prior ask for.

    Args:
        posterior: what is averaged over.
        prior: what it is compared with.
        per_spread: places for the narrowest standard deviation of all; the error falls faster than any power of it.

    """
    narrowest = float(torch.cat([posterior.sigmas, prior.sigmas]).min())
    total = 0.0
    for weight, mean, sigma in zip(posterior.log_weights.exp(), posterior.mean_K, posterior.sigmas, strict=True):
        count = math.ceil(2 * _SPREADS * per_spread * float(sigma) / narrowest) + 1
        z_P = torch.linspace(-_SPREADS, _SPREADS, count, dtype=torch.float64)
        x_P = mean + sigma * z_P
        ratio_P = posterior.log_density(x_P) - prior.log_density(x_P)
        share_P = (-z_P.square() / 2).exp()
        total += float(weight * (share_P * ratio_P).sum() / share_P.sum())
    return total * LOG2E


def mass_below(mixture: GaussianMixture, place: float = 0.0) -> float:
    """Return the probability of a value below a place: of a negative one, where the sign is a bit."""
    return float(_masses_below(mixture, torch.tensor([place], dtype=torch.float64)))


def mass_above(mixture: GaussianMixture, place: float = 0.0) -> float:
    """Return the probability of a value above a place, exact also where it is next to nothing."""
    return mass_below(GaussianMixture(mixture.logit_K, -mixture.mean_K, mixture.nu_K), -place)


def _slope(mixture: GaussianMixture, x_P: Tensor) -> Tensor:
    """Return the slope of the logarithm of the density, whose sign is that of the density's, (P,)."""
    z_PK = (x_P[:, None] - mixture.mean_K) / mixture.sigmas
    share_PK = (mixture.log_weights - z_PK.square() / 2 - mixture.sigmas.log() - math.log(2 * math.pi) / 2).softmax(-1)
    return -(share_PK * z_PK / mixture.sigmas).sum(-1)


def _masses_below(mixture: GaussianMixture, x_P: Tensor) -> Tensor:
    z_PK = (x_P[:, None] - mixture.mean_K) / mixture.sigmas
    return (mixture.log_weights.exp() * torch.special.log_ndtr(z_PK).exp()).sum(-1)
