"""What is made of the measurements of the experiment `bayes-machines`: figures, tables, and what they say.

All are pure functions of the measurements, whose names and labels stand here.
"""

from collections.abc import Sequence

from up.experiments.bayes_results import TRAINED, UNTRAINED
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding, Table
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Measurements

CLASS, UNIFORM, EXACT = "class A", "uniform strings", "exact"
KL, LOST, BOUND = "divergence", "lost to member", "log 1/p(c)"
PER_STRING = "bits per string"
MIXTURE = "m_C"
MARGIN_BITS = 0.1


def figures(measurements: Measurements) -> Sequence[Figure]:
    """Return what is lost to each member."""
    names, series = _member_names(measurements), []
    for name, found in _rows(measurements).items():
        points = [(float(place), found.where(member=each)) for place, each in enumerate(names)]
        shown = [(x, each.mean().value) for x, each in points if each and each.mean().value > 0]
        if shown:
            series.append(Series(name=name, x=tuple(x for x, _ in shown), y=tuple(y for _, y in shown)))
    if not series:
        return ()
    return (
        Figure(
            name="bayes-machines",
            title="What is lost to each member of class A",
            x_label="member that wrote the string",
            y_label=PER_STRING,
            panels=(Panel(title="Class A, strings of up to six bits", series=tuple(series)),),
            log_y=True,
            categories=names,
        ),
    )


def tables(measurements: Measurements) -> Sequence[Table]:
    """Return the divergence from the mixture and from each member."""
    names = (MIXTURE, *_member_names(measurements))
    rows = [
        (
            name,
            *(f"{found.where(member=each).mean().value:.3f}" if found.where(member=each) else "" for each in names),
        )
        for name, found in _rows(measurements).items()
    ]
    title = "Divergence of the columns' strings from what predicts them, bits per string, over all strings"
    return [Table(title=title, columns=("", *names), rows=tuple(rows))] if rows else []


def findings(measurements: Measurements) -> Sequence[Finding]:
    """Return for each architecture how far it is from the mixture, and whether Theorem 4.2 holds of it."""
    found: list[Finding] = []
    for arch in measurements.where(KL).each("arch"):
        own = measurements.where(arch=arch, of=TRAINED, source=CLASS)
        control = measurements.where(KL, arch=arch, of=TRAINED, source=UNIFORM).last()
        if own and control and measurements.where(BOUND):
            found += [_near(str(arch), own.where(KL), control), _within(str(arch), own, measurements)]
    return found


def _member_names(measurements: Measurements) -> tuple[str, ...]:
    return tuple(map(str, measurements.where(BOUND).each("member")))


def _rows(measurements: Measurements) -> dict[str, Measurements]:
    """Return the rows of the table, controls before what was trained on the class."""
    rows = {BOUND: measurements.where(of=BOUND), MIXTURE: measurements.where(of=EXACT)}
    for arch in measurements.where(KL).each("arch"):
        own = measurements.where(arch=arch)
        rows[f"{arch}, untrained"] = own.where(of=UNTRAINED)
        rows[f"{arch}, trained on {UNIFORM}"] = own.where(of=TRAINED, source=UNIFORM).last()
        rows[f"{arch}, trained on {CLASS}"] = own.where(of=TRAINED, source=CLASS).last()
    return {name: found for name, found in rows.items() if found}


def _near(arch: str, own: Measurements, control: Measurements) -> Finding:
    mine, other, before = own.last().mean(), control.mean(), _half_way(own).mean()
    near = mine.is_above(MARGIN_BITS)
    far = UNKNOWN if _is_falling(own) else FAILS
    return Finding(
        claim=f"Trained on strings of class A, {arch} predicts as m_C does, to {MARGIN_BITS} bits a string",
        section="5",
        measured=f"in bits a string the divergence from m_C is {mine}, and was {before} half-way; trained on {UNIFORM}"
        f" it is {other}",
        verdict={True: far, False: HOLDS, None: UNKNOWN}[near],
    )


def _half_way(own: Measurements) -> Measurements:
    return own.after(own.instances()[0])


def _is_falling(own: Measurements) -> bool:
    """Whether the divergence was a tenth higher half-way through the training, so that more of it would help."""
    divergence = own.where(KL)
    return _half_way(divergence).mean().value > 1.1 * divergence.last().mean().value


def _within(arch: str, own: Measurements, measurements: Measurements) -> Finding:
    """Return whether the model loses no more to any member than log 1/p(c)."""
    bounds = {name: measurements.where(BOUND, member=name).mean().value for name in _member_names(measurements)}
    lost = {name: own.where(LOST, member=name).last().mean() for name in bounds}
    exact = {name: measurements.where(LOST, of=EXACT, member=name).mean().value for name in bounds}
    worst = max(bounds, key=lambda name: lost[name].value - bounds[name])
    above = lost[worst].is_above(bounds[worst])
    return Finding(
        claim=f"To no member of class A does {arch} lose more than log 1/p(c) bits a string",
        section="4.2",
        measured=f"nearest to the bound, or farthest above it, is {worst}: in bits a string {lost[worst]}, where m_C"
        f" loses {exact[worst]:.3f} and the bound is {bounds[worst]:.3f}",
        verdict={True: UNKNOWN if _is_falling(own) else FAILS, False: HOLDS, None: UNKNOWN}[above],
    )
