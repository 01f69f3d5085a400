"""A variational code of a vector of weights, to be trained: posteriors of each weight, a mixture that all share.

    most weights                     one Gaussian each
    a slice of them (the prompt's)   a mixture of two Gaussians each
    the prior                        one mixture of K Gaussians for all, trained along (adaptive)

A draw of a Gaussian is mean + sigma noise. Which component of a mixture is drawn is decided by Gumbel noise; the
gradient takes the decision for a softmax of temperature 0.1 (straight through), so that what is drawn is always a
draw of the posterior itself, and a divergence that is estimated from draws is not below 0 for want of it. For a
function that is linear in the weight the gradient is right but for terms of the square of the temperature; for others
it is biased.

Source: Shaw et al. 2025 (arXiv 2509.22445), section 5.1, B.9.1 and C.1; Jang et al. 2017.
Limits: the paper does not say how many components its transformer's prior has, nor whether groups of weights have
priors of their own; here one is for all. Nor does it say whether the two components of a weight begin at one random
value or at two. Here it is one: with two, every draw has another prompt, and a small network that began so was still
at chance after 1,200 steps. The gradient goes to the component that was drawn, so that the two part.

Shape suffixes: N all weights, R those of one Gaussian, M those of a mixture, S draws, K components of the prior.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from up.codes.estimate import Estimate
from up.codes.mixture import GaussianMixture, divergence, optimal_prior

TEMPERATURE = 0.1
POSTERIOR_NU, PRIOR_NU = -10.0, 1.0
"""Where variances begin, before the softplus: small ones for the weights, a large one for a prior that is not known."""


def straight_through(logit_MK: Tensor, gumbel_MK: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return the component that is drawn, one-hot, with the gradient of a softmax.

    Args:
        logit_MK: of the components; any shape that broadcasts with the noise.
        gumbel_MK: noise, -log(-log uniform).
        temperature: of the softmax.

    """
    soft = ((logit_MK.log_softmax(-1) + gumbel_MK) / temperature).softmax(-1)
    hard = torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft)
    return hard + soft - soft.detach()


@dataclass(frozen=True, eq=False)
class WeightCode:
    """What is trained.

    Attributes:
        mean_R: of the Gaussians.
        nu_R: their variances, softplus(nu).
        mixture_logit_M2: of the weights that have a mixture.
        mixture_mean_M2: likewise.
        mixture_nu_M2: likewise.
        prior_logit_K: of the prior.
        prior_mean_K: likewise.
        prior_nu_K: likewise.

    """

    mean_R: Tensor
    nu_R: Tensor
    mixture_logit_M2: Tensor
    mixture_mean_M2: Tensor
    mixture_nu_M2: Tensor
    prior_logit_K: Tensor
    prior_mean_K: Tensor
    prior_nu_K: Tensor

    @classmethod
    def around(cls, weights_N: Tensor, mixed: slice, prior: GaussianMixture) -> "WeightCode":
        """Return narrow posteriors around weights; both components of a mixture begin at the weight.

        Args:
            weights_N: means of all.
            mixed: which of them have two.
            prior: where it begins.

        """
        rest_R = torch.cat([weights_N[: mixed.start], weights_N[mixed.stop :]])
        mean_M2 = torch.stack([weights_N[mixed]] * 2, -1)
        return cls(
            rest_R.clone(),
            torch.full_like(rest_R, POSTERIOR_NU),
            torch.zeros_like(mean_M2),
            mean_M2,
            torch.full_like(mean_M2, POSTERIOR_NU),
            *(each.to(weights_N) for each in (prior.logit_K, prior.mean_K, prior.nu_K)),
        )

    def tensors(self) -> dict[str, Tensor]:
        """Return what is trained, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def prior(self) -> GaussianMixture:
        """The prior of all weights."""
        return GaussianMixture(self.prior_logit_K, self.prior_mean_K, self.prior_nu_K)

    @property
    def posteriors(self) -> tuple[GaussianMixture, GaussianMixture]:
        """Of the weights that have one Gaussian, and of those that have a mixture."""
        single = GaussianMixture(torch.zeros_like(self.mean_R)[:, None], self.mean_R[:, None], self.nu_R[:, None])
        return single, GaussianMixture(self.mixture_logit_M2, self.mixture_mean_M2, self.mixture_nu_M2)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return draws that gradients pass through, (S, R) and (S, M).

        Args:
            count: S.
            generator: of the noise, on the device of the tensors.

        """
        single, mixed = self.posteriors
        where = {"generator": generator, "device": self.mean_R.device, "dtype": self.mean_R.dtype}
        noise_SR = torch.randn(count, len(self.mean_R), **where)
        drawn_SR = self.mean_R + single.sigmas[:, 0] * noise_SR
        noise_SM1 = torch.randn(count, len(self.mixture_mean_M2), 1, **where)
        uniform_SM2 = torch.rand(count, *self.mixture_mean_M2.shape, **where).clamp(1e-20, 1 - 1e-7)
        chosen_SM2 = straight_through(self.mixture_logit_M2, -(-uniform_SM2.log()).log())
        return drawn_SR, (chosen_SM2 * (mixed.mean_K + mixed.sigmas * noise_SM1)).sum(-1)

    def whole(self, drawn: tuple[Tensor, Tensor], start: int) -> Tensor:
        """Return draws as vectors of all weights, (S, N), those of mixtures from a place on."""
        single_SR, mixed_SM = drawn
        return torch.cat([single_SR[:, :start], mixed_SM, single_SR[:, start:]], -1)

    def divergence_nats(self, count: int, generator: torch.Generator) -> Tensor:
        """Estimate KL[posterior || prior] over all weights from so many draws of each, with gradients; a number."""
        ratios = [
            (posterior.log_density(drawn) - self.prior.log_density(drawn)).sum(-1)
            for posterior, drawn in zip(self.posteriors, self.draw(count, generator), strict=True)
        ]
        return (ratios[0] + ratios[1]).mean()

    @torch.no_grad()
    def bits(self, count: int, generator: torch.Generator) -> Estimate:
        """Estimate the same in bits, with its standard error; in float64, by a generator on the CPU."""
        code = WeightCode(*(each.detach().cpu().double() for each in self.tensors().values()))
        # Mixtures are drawn by themselves here, without the straight-through estimator.
        return sum(
            (divergence(each, code.prior, samples=count, generator=generator) for each in code.posteriors),
            start=Estimate(0.0),
        )


def best_prior(weights_N: Tensor) -> GaussianMixture:
    """Return the prior of fewest bits for narrow posteriors around weights of few values (B.9.3)."""
    spread = torch.nn.functional.softplus(torch.tensor(POSTERIOR_NU, dtype=torch.float64)).sqrt()
    return optimal_prior(weights_N.double(), float(spread))


def unknown_prior(weights_N: Tensor, components: int, generator: torch.Generator) -> GaussianMixture:
    """Return a wide prior whose means are some of the weights, as for random starts."""
    mean_K = weights_N[torch.randint(len(weights_N), (components,), generator=generator)]
    return GaussianMixture(torch.zeros(components), mean_K.clone(), torch.full((components,), PRIOR_NU))
