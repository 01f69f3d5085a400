"""What is made of the measurements of the experiment `bayes-machines`: figures and tables.

All are pure functions of the measurements, whose names and labels stand here. A class with many members is shown by
some of them, from the one to which m_C loses least to the one to which it loses most; the last column is about all. A
number that a logarithmic axis cannot show stands in a table alone.
"""

from collections.abc import Iterable, Sequence

from up.experiments.bayes_results import PER_SYMBOL, TRAINED, UNTRAINED
from up.experiments.experiment import Table
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Label, Measurements

OWN, NOISE, OTHER = "its strings", "uniform strings", "another class"
"""What a model is trained on."""

EXACT, MIXTURE = "exact", "m_C"
KL, BY_POSITION, LOST, BOUND = "divergence", "divergence by position", "lost to member", "log 1/p(c)"
FIRST, LEAST, UNDER_BOUND, MOST = "divergence of first symbols", "least", "under the bound", "most"
OPEN = "open mass"
PER_STRING = "bits per string"

_MOST_SHOWN, _SOME = 10, 8
_AT_LEAST = "m, at least"
_TRAINED_ON = {source: f"trained on {source}" for source in (NOISE, OTHER, OWN)}


def figures(measurements: Measurements) -> Sequence[Figure]:
    """Return the divergence while training and by position, and what is lost to each member."""
    drawn = [
        _curves(measurements, KL, "Divergence from m_C while training", "instances"),
        _curves(measurements, BY_POSITION, "Divergence from m_C by position", "symbols read before"),
    ]
    return [*filter(None, drawn), *_member_figures(measurements)]


def tables(measurements: Measurements) -> Sequence[Table]:
    """Return the divergence from the mixture and from members, and the intervals of the universal machine."""
    found = [_member_table(measurements.where(**{"class": name}), name) for name in measurements.each("class")]
    return [table for table in (*found, _interval_table(measurements.where(FIRST))) if table.rows]


def bounds(measurements: Measurements) -> dict[str, float]:
    """Return log 1/p(c) of each member of the one class that was measured."""
    return {str(each.labels["member"]): each.value for each in measurements.where(BOUND)}


def models(measurements: Measurements, arch: Label) -> dict[str, Measurements]:
    """Return what was last measured of each model of an architecture, by what it is called, controls first."""
    of_arch = measurements.where(arch=arch)
    rows = {"untrained": of_arch.where(of=UNTRAINED)}
    rows |= {name: of_arch.where(of=TRAINED, source=source).last() for source, name in _TRAINED_ON.items()}
    return {name: found for name, found in rows.items() if found}


def _rows(measurements: Measurements) -> dict[str, Measurements]:
    """Return the rows of a table of one class: what is exact, then the models."""
    rows = {
        BOUND: measurements.where(of=BOUND),
        MIXTURE: measurements.where(of=EXACT),
        _AT_LEAST: measurements.where(of=LEAST),
        "m, at most": measurements.where(of=MOST),
    }
    for arch in measurements.each("arch"):
        rows |= {f"{arch}, {name}": found for name, found in models(measurements, arch).items()}
    return {name: found for name, found in rows.items() if found}


def _member_table(measurements: Measurements, name: Label) -> Table:
    limits, shown, rows = bounds(measurements), _shown(measurements), []
    for row, found in _rows(measurements).items():
        lost = {
            each.labels["member"]: found.where(member=each.labels["member"]).mean().value
            for each in found
            if each.quantity in (KL, LOST, BOUND) and "member" in each.labels
        }
        above = [lost[member] - limits[member] for member in limits if member in lost]
        cells = [_cell(lost[member]) if member in lost else "" for member in (MIXTURE, *shown)]
        rows.append((row, *cells, f"{max(above):+.3f}" if above and row != BOUND else ""))
    return Table(
        title=f"Of {name}: divergence of the columns' strings from what predicts them, bits per string, and the most"
        f" that is above log 1/p(c), of {len(limits)} members",
        columns=("", MIXTURE, *shown, "most above"),
        rows=tuple(rows) if limits else (),
    )


def _interval_table(first: Measurements) -> Table:
    rows = []
    for arch in first.each("arch"):
        for name, found in models(first, arch).items():
            cells = [
                _cell(found.where(symbols=symbols, end=end).mean().value)
                for symbols in first.each("symbols")
                for end in (LEAST, UNDER_BOUND, MOST)
            ]
            rows.append((f"{arch}, {name}", *cells))
    columns = [f"{symbols}: {end}" for symbols in first.each("symbols") for end in (LEAST, UNDER_BOUND, MOST)]
    return Table(
        title="Divergence from the universal machine, bits, by the symbols of the string that are looked at: the least"
        " and the most that it can be without a bound, and what it is under the bound",
        columns=("", *columns),
        rows=tuple(rows),
    )


def _cell(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"  # the sum makes 0 of -0


def _shown(measurements: Measurements) -> tuple[str, ...]:
    """Return all members if they are few; otherwise some, in the order of what m_C loses to them."""
    names = tuple(bounds(measurements))
    if len(names) <= _MOST_SHOWN:
        return names
    ranked = _ranked(measurements)
    return tuple(ranked[round(place * (len(ranked) - 1) / (_SOME - 1))] for place in range(_SOME))


def _ranked(measurements: Measurements) -> list[str]:
    """Return the members in the order of what m_C loses to them."""
    exact = {str(each.labels["member"]): each.value for each in measurements.where(LOST, of=EXACT)}
    return sorted(exact, key=lambda name: (exact[name], name))


def _member_figures(measurements: Measurements) -> Iterable[Figure]:
    for of_class in measurements.each("class"):
        found = measurements.where(**{"class": of_class})
        names = _ranked(found)
        rows = {name: row for name, row in _rows(found).items() if name != _AT_LEAST and not row.where(of=UNTRAINED)}
        panels = []
        for arch in found.each("arch"):
            kept = {name: row for name, row in rows.items() if not row.each("arch") or row.each("arch") == (arch,)}
            series = [_of_members(name.removeprefix(f"{arch}, "), row, names) for name, row in kept.items()]
            panels.append(Panel(title=str(arch), series=tuple(filter(None, series))))
        if panels and names:
            few = len(names) <= 2 * _MOST_SHOWN
            yield Figure(
                name=f"bayes-machines-members-{str(of_class).replace(' ', '-').lower()}",
                title=f"What is lost to each member of {of_class}",
                x_label="member, by what m_C loses to it",
                y_label=PER_STRING,
                panels=tuple(panels),
                log_y=True,
                categories=tuple(names) if few else (),
            )


def _of_members(name: str, row: Measurements, names: Sequence[str]) -> Series | None:
    lost = [row.where(member=member) for member in names]
    return _series(name, [(float(place), each.mean().value) for place, each in enumerate(lost) if each])


def _series(name: str, points: Sequence[tuple[float, float]]) -> Series | None:
    """Return the points that a logarithmic axis can show."""
    shown = [(x, y) for x, y in points if y > 0]
    return Series(name=name, x=tuple(x for x, _ in shown), y=tuple(y for _, y in shown)) if shown else None


def _curves(measurements: Measurements, quantity: str, title: str, x_label: str) -> Figure | None:
    """Return a panel for each class and architecture, with what was trained on its strings and the controls."""
    trained, panels = measurements.where(quantity, of=TRAINED), []
    for of_class in trained.each("class"):
        for arch in trained.each("arch"):
            found = trained.where(arch=arch, **{"class": of_class})
            lines = [_series(name, _points(found.where(source=source))) for source, name in _TRAINED_ON.items()]
            if any(lines):
                panels.append(Panel(title=f"{of_class}, {arch}", series=tuple(filter(None, lines))))
    if not panels:
        return None
    while_training = quantity == KL
    return Figure(
        name=f"bayes-machines-{'training' if while_training else 'positions'}",
        title=title,
        x_label=x_label,
        y_label=PER_STRING if while_training else PER_SYMBOL,
        panels=tuple(panels),
        log_x=while_training,
        log_y=True,
    )


def _points(found: Measurements) -> list[tuple[float, float]]:
    """Return the means by position or, where there is none, by instances."""
    if found.each("position"):
        last = found.last()
        return [(float(n), last.where(position=n).mean().value) for n in last.each("position")]
    return [(float(n), found.after(n).mean().value) for n in found.instances()]
