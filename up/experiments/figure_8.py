"""Figure 8 of the description-length paper: bits against how surely one bit arrives, under two priors.

Claims (Shaw et al. 2025, arXiv 2509.22445, B.9.2): with one Gaussian as prior, "reaching a probability of correct
decoding close to 1 requires a KL of >> 1 bits"; with two components "we can optimally encode the bit", for 1 bit.

The frontier of one Gaussian has a closed form, 1/2 log2(1 + z^2) with z = Phi^-1(p) (`unimodal_frontier`): the capacity
of a Gaussian channel whose ratio of signal to noise is z^2. It is checked by a search over mean and spread that knows
only equation 91 and the normal distribution. With two components at -1 and 1 the divergence is integrated, for spreads
from wide to narrow; that curve is the capacity of the same channel with a sign as its input. Control: a posterior that
is the prior, 0 bits for a probability of one half.

Nothing is random and nothing is trained, so seeds and `--arch` change nothing; scales differ in the number of points.

Limits: the figure ends at an error of 10^-6, and the table at 10^-12. "Much more" has no number in the paper; here it
is ten times.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch

from up.codes.mixture import GaussianMixture, gaussian_divergence, unimodal_frontier
from up.codes.shape import divergence_by_quadrature
from up.experiments.experiment import FAILS, HOLDS, Experiment, Finding, Part, Progress, Setting, Step, Table
from up.experiments.figure import Figure, Line, Panel, Series
from up.experiments.measurement import Measurement, Measurements

TABLED = (0.5, 0.042, 1e-2, 1e-4, 1e-6, 1e-9, 1e-12)
"""Probabilities of a wrong bit."""
CLOSE = 1e-6
MUCH = 10.0
_POINTS = {"smoke": 8, "laptop": 60, "paper": 200}
_CLOSED, _FOUND, _KL = "KL by the closed form", "KL by search", "KL"
_MEAN, _SIGMA = "mean", "sigma"
_TOLERANCE = 1e-6  # bits between the closed form and the search
_PAPER = "Shaw et al. 2025"


class Figure8(Experiment):
    """See the module."""

    name = "figure-8"
    title = "Figure 8 of Shaw et al. 2025: bits against certainty"
    question = "How many bits does one bit take the surer it shall arrive, under a prior with one mode, and with two?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 1}
    ignores = ("arch", "device", "seeds")

    def runs(self, setting: Setting) -> Sequence[Part]:  # noqa: ARG002
        """Return a step for each prior."""
        return [Step(name=prior, labels={"prior": prior}) for prior in ("unimodal", "multimodal")]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:  # noqa: ARG002
        """Return the frontier at errors from one half to 10^-6, and at those of the table."""
        points = _POINTS[setting.scale]
        furthest = _distance(CLOSE)
        drawn = [math.erfc(furthest * place / points / math.sqrt(2)) / 2 for place in range(points)]
        errors = sorted({*drawn, *TABLED}, reverse=True)
        found = []
        for done, wrong in enumerate(errors):
            labels = {**part.labels, "wrong": wrong, "tabled": int(wrong in TABLED)}
            values = _unimodal(wrong) if part.name == "unimodal" else _multimodal(wrong)
            found += [
                Measurement(labels=labels, quantity=quantity, unit=unit, value=value)
                for quantity, (unit, value) in values.items()
            ]
            progress(done + 1, len(errors))
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return bits against the probability of a right bit, and against that of a wrong one."""
        curves = {
            "one Gaussian": measurements.where(_CLOSED),
            "one Gaussian, by search": measurements.where(_FOUND),
            "two components": measurements.where(_KL),
        }
        curves = {name: Measurements([each for each in of if _drawn(each)]) for name, of in curves.items() if of}
        if not curves:
            return ()
        lines = (Line(name="the bit itself", value=1.0),)
        title = "Bits to send one bit, by how surely it arrives"
        figures = []
        for name, x_label, right in (
            ("figure-8", "probability that the bit is read rightly", True),
            ("figure-8-errors", "probability that the bit is read wrongly", False),
        ):
            series = []
            for curve, of in curves.items():
                places = [float(each.labels["wrong"]) for each in of]
                points = sorted(zip([1 - w if right else w for w in places], [e.value for e in of], strict=True))
                x, y = zip(*points, strict=True)
                series.append(Series(name=curve, x=x, y=y, marked=False))
            figures.append(
                Figure(
                    name=name,
                    title=title,
                    x_label=x_label,
                    y_label="KL, bits",
                    panels=(Panel(title="One bit as the sign of a weight", series=tuple(series), lines=lines),),
                    log_x=not right,
                )
            )
        return figures

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the bits of both priors at some probabilities; the first row is the control."""
        tabled = measurements.where(tabled=1)
        rows = []
        for wrong in tabled.where(_CLOSED).each("wrong"):
            own = tabled.where(wrong=wrong)
            if not own.where(_KL):
                continue
            closed, found, mean, sigma, two = (
                own.where(quantity).mean().value for quantity in (_CLOSED, _FOUND, _MEAN, _SIGMA, _KL)
            )
            rows.append(
                (
                    f"1 - {wrong:g}" if float(wrong) < 0.01 else f"{1 - float(wrong):g}",
                    f"{closed:.4f}",
                    f"{found:.4f}",
                    f"{mean:.3f}, {sigma:.3f}",
                    f"{two:.4f}",
                )
            )
        columns = ("right with probability", "one Gaussian", "by search", "its mean, spread", "two components")
        title = "Bits to send one bit; in the first row the posterior is the prior, and says nothing"
        return [Table(title=title, columns=columns, rows=tuple(rows))] if rows else []

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return what near certainty takes under each prior, and whether the closed form holds."""
        found: list[Finding] = []
        closed = {float(each.labels["wrong"]): each.value for each in measurements.where(_CLOSED)}
        searched = {float(each.labels["wrong"]): each.value for each in measurements.where(_FOUND)}
        if closed:
            found += _unimodal_findings(closed, searched)
        two = {float(each.labels["wrong"]): each.value for each in measurements.where(_KL)}
        if two:
            at, most = two[CLOSE], max(two.values())
            found.append(
                Finding(
                    claim="With a multimodal prior the bit is encoded optimally, for 1 bit at near certainty",
                    section="B.9.2",
                    paper=_PAPER,
                    measured=f"{at:.6f} bits at a probability of 1 - {CLOSE:g}, never more than {most:.6f}",
                    verdict=HOLDS if abs(at - 1) < 1e-3 and most <= 1 + 1e-9 else FAILS,
                )
            )
        return found


def _unimodal_findings(closed: Mapping[float, float], searched: Mapping[float, float]) -> list[Finding]:
    close = closed[CLOSE]
    said = ", ".join(f"{closed[wrong]:.2f} at 1 - {wrong:g}" for wrong in TABLED[1:])
    # An error of e has z^2 near 2 ln(1/e), so 1/2 log2(1 + z^2) bits has log10(1/e) near (4^bits - 1) / (2 ln 10).
    digits = (4**MUCH - 1) / (2 * math.log(10))
    apart = max(abs(closed[wrong] - searched[wrong]) for wrong in closed)
    return [
        Finding(
            claim="With a unimodal prior, near certainty takes more than the one bit that is sent",
            section="B.9.2",
            paper=_PAPER,
            measured=f"bits at each probability: {said}",
            verdict=HOLDS if close > 1 else FAILS,
        ),
        Finding(
            claim="With a unimodal prior, near certainty takes a KL of >> 1 bits",
            section="B.9.2",
            paper=_PAPER,
            measured=f"{close:.2f} bits where one in {1 / CLOSE:,.0f} is wrong: more than one, and not much more. "
            f"There is no bound, but the bits grow as half the logarithm of the logarithm of the error: "
            f"{MUCH:g} bits are reached at an error of some 10^-{round(digits, -3):,.0f}",
            verdict=HOLDS if close >= MUCH else FAILS,
        ),
        Finding(
            claim="The frontier of one Gaussian is 1/2 log2(1 + z^2) with z = Phi^-1(p)",
            section="",
            measured=f"a search over mean and spread comes within {apart:.0e} bits at {len(closed)} probabilities",
            verdict=HOLDS if apart < _TOLERANCE else FAILS,
        ),
    ]


def cheapest_gaussian(wrong: float) -> tuple[float, float, float]:
    """Return mean, spread and bits of the Gaussian nearest to N(0, 1) that is below 0 at most so often, by search.

    For each spread the least mean is found by bisection of its probability, as the bits rise with the mean; the best
    spread by a scan, and golden sections around its best place.
    """

    def least_mean(sigma: float) -> float:
        low, high = 0.0, 60.0 * sigma
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erfc(middle / sigma / math.sqrt(2)) / 2 > wrong else (low, middle)
        return high

    def bits(log_sigma: float) -> float:
        sigma = math.exp(log_sigma)
        return gaussian_divergence(least_mean(sigma), sigma)

    scan = [place / 4 for place in range(-24, 9)]
    best = min(scan, key=bits)
    sigma = math.exp(_lowest(bits, best - 0.25, best + 0.25))
    return least_mean(sigma), sigma, gaussian_divergence(least_mean(sigma), sigma)


def _lowest(function: Callable[[float], float], low: float, high: float, *, steps: int = 60) -> float:
    """Return where a function that falls and then rises is lowest, by golden sections."""
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(steps):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = function(right)
    return (low + high) / 2


def _unimodal(wrong: float) -> dict[str, tuple[str, float]]:
    mean, sigma, bits = cheapest_gaussian(wrong)
    # The frontier is the same for a probability and for its complement, and the complement is the exact number.
    closed = unimodal_frontier(wrong)
    return {_CLOSED: ("bits", closed), _FOUND: ("bits", bits), _MEAN: ("", mean), _SIGMA: ("", sigma)}


def _multimodal(wrong: float) -> dict[str, tuple[str, float]]:
    """Return the divergence of one of two components at -1 and 1 whose spread lets the sign err so often."""
    z = _distance(wrong)
    if z <= 0:
        return {_KL: ("bits", 0.0)}
    mean_K = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    sigma_K = torch.full_like(mean_K, 1 / z)
    prior = GaussianMixture.of(torch.full_like(mean_K, 0.5), mean_K, sigma_K)
    posterior = GaussianMixture.of(torch.ones(1, dtype=torch.float64), mean_K[1:], sigma_K[1:])
    return {_KL: ("bits", divergence_by_quadrature(posterior, prior))}


def _distance(wrong: float) -> float:
    """Return how many spreads above 0 a mean lies whose sign errs so often."""
    return -float(torch.special.ndtri(torch.tensor(wrong, dtype=torch.float64)))


def _drawn(measured: Measurement) -> bool:
    return float(measured.labels["wrong"]) >= CLOSE * (1 - 1e-9)
