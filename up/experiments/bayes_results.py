"""What is made of the measurements of the experiment `bayes`: figures, tables, and what they say about each claim.

All are pure functions of the measurements, whose names and labels stand here. Models of one architecture are shown
together, controls first; numbers that a logarithmic axis cannot show, which are divergences within their error of zero,
are left out of figures and stand in tables.
"""

import math
from collections.abc import Mapping, Sequence

from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding, Table
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Estimate, Label, Measurements

PRIOR, OTHER, NOISE = "trees", "chains", "noise"
"""What a model is trained on: samples of the mixture, another class, uniform bits."""

TRAINED, UNTRAINED, ADAPTING = "trained", "untrained", "untrained, adapting"
MIXTURE, BOUND = "exact mixture", "bound"

KL, BY_POSITION, WHILE_TRAINING, OUTSIDE, LOSS_TO_WRITER = (
    "divergence",
    "divergence by position",
    "divergence while training",
    "mass outside",
    "cumulated divergence",
)
HALF, WHOLE = "last half", "all positions"
PER_SYMBOL = "bits per symbol"

NEAR_BITS, TIMES_NEARER = 0.01, 5

_TRAINED_ON = {PRIOR: "trained on the mixture", OTHER: "trained on chains", NOISE: "trained on noise"}


def _models(measurements: Measurements, arch: Label) -> dict[str, Measurements]:
    """Return what was measured of each model of an architecture, by what it is called, controls first."""
    of_arch = measurements.where(arch=arch)
    rows = {"untrained": of_arch.where(of=UNTRAINED), "untrained, adapting": of_arch.where(of=ADAPTING)}
    rows |= {_TRAINED_ON[source]: of_arch.where(of=TRAINED, source=source) for source in (NOISE, OTHER, PRIOR)}
    return {name: found for name, found in rows.items() if found}


def figures(measurements: Measurements) -> Sequence[Figure]:
    """Return the divergence by position and while training, and what is lost to each member."""
    return [*_position_figure(measurements), *_curve_figure(measurements), *_member_figure(measurements)]


def tables(measurements: Measurements) -> Sequence[Table]:
    """Return the divergence of all models, and what they lose to each member."""
    return [table for table in (_gap_table(measurements), _member_table(measurements)) if table.rows]


def findings(measurements: Measurements) -> Sequence[Finding]:
    """Return for each architecture whether it comes near the mixture, nearer than its controls, and goes on."""
    found: list[Finding] = []
    for arch in measurements.where(KL).each("arch"):
        of_arch = measurements.where(arch=arch)
        found += [*_nearness(str(arch), of_arch), *_going_on(str(arch), of_arch)]
        found += _within_bound(str(arch), of_arch, measurements)
    return found


def _gap_table(measurements: Measurements) -> Table:
    rows = []
    shallow = measurements.where(KL, of=MIXTURE)
    for depth in shallow.each("depth"):
        cells = [_with_error(shallow.where(depth=depth, part=part).mean()) for part in (HALF, WHOLE)]
        rows.append((f"exact mixture of depth up to {depth}", *cells, "0"))
    for arch in measurements.where(KL).each("arch"):
        for name, found in _models(measurements, arch).items():
            outside = found.where(OUTSIDE)
            cells = [_with_error(found.where(KL, part=part).mean()) for part in (HALF, WHOLE)]
            rows.append((f"{arch}, {name}", *cells, f"{outside.mean().value:.1e}" if outside else ""))
    return Table(
        title="Divergence from the exact mixture on fresh rows of the prior, bits per symbol",
        columns=("", HALF, WHOLE, "probability of other tokens"),
        rows=tuple(rows),
    )


def _member_table(measurements: Measurements) -> Table:
    lost = measurements.where(LOSS_TO_WRITER)
    names = lost.each("member")
    rows = {BOUND: lost.where(of=BOUND), "the exact mixture": lost.where(of=MIXTURE)}
    for arch in lost.each("arch"):
        rows |= {f"{arch}, {name}": found for name, found in _models(lost, arch).items()}
    return Table(
        title="What is lost to who knows tree and coins, over a row, bits; trees by their leaves",
        columns=("", *map(str, names)),
        rows=tuple(
            (name, *(_with_error(found.where(member=each).mean(), digits=1) for each in names))
            for name, found in rows.items()
        ),
    )


def _with_error(estimate: Estimate, *, digits: int = 4) -> str:
    """Return a mean and its standard error, with digits enough for what is near."""
    error = "" if estimate.stderr is None else f" ± {estimate.stderr:.{digits}f}"
    return f"{estimate.value:.{digits}f}{error}"


def _series(name: str, points: Sequence[tuple[float, Estimate]]) -> Series | None:
    """Return the points that a logarithmic axis can show."""
    shown = [(x, each) for x, each in points if each.value > 0]
    if not shown:
        return None
    return Series(
        name=name,
        x=tuple(x for x, _ in shown),
        y=tuple(each.value for _, each in shown),
        spread=tuple(min(each.stderr or 0.0, 0.99 * each.value) for _, each in shown),
    )


def _panels(series: Mapping[Label, Sequence[Series | None]]) -> tuple[Panel, ...]:
    drawn = {title: tuple(filter(None, each)) for title, each in series.items()}
    return tuple(Panel(title=str(title), series=each) for title, each in drawn.items() if each)


def _position_figure(measurements: Measurements) -> Sequence[Figure]:
    by_position = measurements.where(BY_POSITION)
    series = {}
    for arch in by_position.each("arch"):
        series[arch] = [
            _series(name, [(_middle(found, last), found.where(last=last).mean()) for last in found.each("last")])
            for name, found in _models(by_position, arch).items()
        ]
    return _figure("bayes-positions", "Divergence from the exact mixture by position", "bits read before", series)


def _middle(found: Measurements, last: Label) -> float:
    first = found.where(last=last)[0].labels["first"]
    return math.sqrt(float(first) * float(last))


def _curve_figure(measurements: Measurements) -> Sequence[Figure]:
    curves = measurements.where(WHILE_TRAINING)
    series = {
        arch: [
            _series(
                _TRAINED_ON[PRIOR],
                [(float(n), curves.where(arch=arch).after(n).mean()) for n in curves.where(arch=arch).instances()],
            )
        ]
        for arch in curves.each("arch")
    }
    return _figure("bayes-training", "Divergence from the exact mixture while training", "instances", series)


def _figure(name: str, title: str, x_label: str, series: Mapping[Label, Sequence[Series | None]]) -> Sequence[Figure]:
    panels = _panels(series)
    if not panels:
        return ()
    return (Figure(name=name, title=title, x_label=x_label, y_label=PER_SYMBOL, panels=panels, log_x=True, log_y=True),)


def _member_figure(measurements: Measurements) -> Sequence[Figure]:
    lost = measurements.where(LOSS_TO_WRITER)
    names = lost.each("member")
    exact = {BOUND: lost.where(of=BOUND), MIXTURE: lost.where(of=MIXTURE)}
    series: dict[Label, list[Series | None]] = {}
    for arch in lost.each("arch"):
        rows = {**exact, **{name: found for name, found in _models(lost, arch).items() if name != "untrained"}}
        series[arch] = [
            _series(name, [(float(place), found.where(member=each).mean()) for place, each in enumerate(names)])
            for name, found in rows.items()
        ]
    panels = _panels(series)
    if not panels:
        return ()
    return (
        Figure(
            name="bayes-members",
            title="What is lost to who knows the tree and its coins",
            x_label="leaves of the tree that wrote the rows",
            y_label="bits over a row",
            panels=panels,
            log_y=True,
            categories=tuple(map(str, names)),
        ),
    )


def _nearness(arch: str, of_arch: Measurements) -> Sequence[Finding]:
    """Return whether the model is near the mixture, and much nearer than its controls."""
    half = of_arch.where(KL, part=HALF)
    mine = half.where(of=TRAINED, source=PRIOR)
    controls = {_TRAINED_ON[name]: half.where(of=TRAINED, source=name) for name in (OTHER, NOISE)}
    controls |= {"untrained": half.where(of=UNTRAINED)}
    controls = {name: found.mean() for name, found in controls.items() if found}
    if not (mine and controls):
        return ()
    gap = mine.mean()
    falling = _falling(of_arch)
    near = {True: False, False: True, None: None}[gap.is_above(NEAR_BITS)]
    nearest = min(controls, key=lambda name: controls[name].value)
    times = controls[nearest].value / gap.value if gap.value > 0 else math.inf
    others = ", ".join(f"{_with_error(each)} when {name}" for name, each in controls.items())
    if near is False and falling:
        near = None
    return (
        Finding(
            claim=f"Trained on samples of the mixture, {arch} predicts as it does, to {NEAR_BITS} bits a symbol",
            section="5",
            measured=f"over the last half of a row the divergence, in bits a symbol, is {_with_error(gap)}",
            verdict={True: HOLDS, False: FAILS, None: UNKNOWN}[near],
        ),
        Finding(
            claim=f"Untrained, or trained on something else, {arch} is at least {TIMES_NEARER} times as far away",
            section="",
            measured=f"{others}: the nearest is {times:.1f} times as far",
            verdict=HOLDS if times >= TIMES_NEARER else UNKNOWN if falling else FAILS,
        ),
    )


def _last_points(of_arch: Measurements) -> tuple[Estimate, Estimate] | None:
    """Return the divergence after about four tenths of the training, and at its end."""
    curve = of_arch.where(WHILE_TRAINING)
    places = curve.instances()
    if len(places) < 4:
        return None
    early, late = places[-4], places[-1]
    return curve.after(early).mean(), curve.after(late).mean()


def _falling(of_arch: Measurements) -> bool:
    """Whether the divergence was still falling, beyond its errors, as the training ended."""
    points = _last_points(of_arch)
    if points is None:
        return False
    early, late = points
    return early.value - late.value > 2 * math.hypot(early.stderr or 0.0, late.stderr or 0.0)


def _going_on(arch: str, of_arch: Measurements) -> Sequence[Finding]:
    points = _last_points(of_arch)
    if points is None:
        return ()
    early, late = points
    measured = (
        f"in bits a symbol, over all positions of the batches, it was {_with_error(early)} after four tenths of the"
        f" training and {_with_error(late)} at its end"
    )
    falls = _falling(of_arch)
    claim = f"The gap that remains keeps falling with training ({arch})"
    return (Finding(claim=claim, section="5", measured=measured, verdict=HOLDS if falls else UNKNOWN),)


def _within_bound(arch: str, of_arch: Measurements, measurements: Measurements) -> Sequence[Finding]:
    """Return whether the model loses no more to any member than the bound of the mixture allows."""
    lost = of_arch.where(LOSS_TO_WRITER, of=TRAINED, source=PRIOR)
    if not lost:
        return ()
    bounds = measurements.where(LOSS_TO_WRITER, of=BOUND)
    mixture = measurements.where(LOSS_TO_WRITER, of=MIXTURE)
    above = {
        name: lost.where(member=name).mean().is_above(bounds.where(member=name).mean().value)
        for name in lost.each("member")
    }
    worst = max(
        lost.each("member"),
        key=lambda name: lost.where(member=name).mean().value - bounds.where(member=name).mean().value,
    )
    mine, exact, bound = (found.where(member=worst).mean() for found in (lost, mixture, bounds))
    verdict = FAILS if any(each is True for each in above.values()) else HOLDS
    if verdict == HOLDS and any(each is None for each in above.values()):
        verdict = UNKNOWN
    return (
        Finding(
            claim=f"To no member does {arch} lose more than Gamma(S) and log2(n)/2 + 1 bits a leaf",
            section="4.2",
            measured=f"nearest to it, or farthest above, is the tree '{worst}' by its leaves: in bits a row"
            f" {_with_error(mine, digits=1)}, where the mixture loses {_with_error(exact, digits=1)} and the bound is"
            f" {_with_error(bound, digits=1)}",
            verdict=verdict,
        ),
    )
