"""One number that an experiment has measured, what it is of, and how many of them become one figure with an error.

    found = Measurements(...).where(of="trained", data="stdlib")
    found.each("depth")                    (0, 1, 2, 4, 8)
    found.where(depth=4).mean()            mean over seeds, their standard deviation, its standard error

Limits: seeds are taken as independent. A standard error over few seeds is itself uncertain, by a third for five; with
one seed the error is that of the slices that were measured, and says nothing about other seeds.
"""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

Label = str | int | float
"""What a measurement is of, under one name: `depth` may be 4, `data` may be `stdlib`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number.

    Attributes:
        part: of the experiment that gave it; the runner fills it in.
        labels: what it is of, those of its part among them; `seed` wherever there is one.
        quantity: what was measured, such as `bits`.
        unit: such as `bits per character`; empty for a count.
        value: the number.
        stderr: its standard error; None where it is exact or none is known.
        instances: that the model had been trained on; None where there is no model.

    """

    part: str = ""
    labels: dict[str, Label]
    quantity: str
    unit: str
    value: float
    stderr: float | None = None
    instances: int | None = None

    def has(self, quantity: str | None, labels: Mapping[str, Label]) -> bool:
        """Whether it is of this quantity, if one is given, and has all of these labels."""
        return quantity in (None, self.quantity) and all(self.labels.get(name) == of for name, of in labels.items())


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        value: the mean.
        stderr: its standard error: over seeds where there are two at least, otherwise the one that was measured; None
            where neither is known.
        spread: standard deviation over seeds; None for one seed.
        count: of seeds.

    """

    value: float
    stderr: float | None
    spread: float | None
    count: int

    def __str__(self) -> str:
        """Return the mean and, where it is known, its spread over seeds, or its standard error for one seed."""
        error = self.stderr if self.spread is None else self.spread
        return f"{self.value:.3f}" if error is None else f"{self.value:.3f} ± {error:.3f}"

    @property
    def with_error(self) -> str:
        """The mean and its standard error in words, as for a difference that is to be judged."""
        return f"{self.value:.3f}" if self.stderr is None else f"{self.value:.3f}, standard error {self.stderr:.3f}"

    def is_above(self, height: float = 0.0) -> bool | None:
        """Whether it lies above a height: by more than two standard errors; None if it is within them.

        An estimate whose error is not known is taken at its word.
        """
        margin = 2 * (self.stderr or 0.0)
        if abs(self.value - height) <= margin:
            return None
        return self.value > height


class Measurements(Sequence[Measurement]):
    """Measurements in their order, and ways to pick among them."""

    def __init__(self, measured: Sequence[Measurement] = ()) -> None:
        self._measured = tuple(measured)

    @overload
    def __getitem__(self, index: int) -> Measurement: ...
    @overload
    def __getitem__(self, index: slice) -> "Measurements": ...
    def __getitem__(self, index: int | slice) -> "Measurement | Measurements":
        """Return one measurement, or a slice of them."""
        return Measurements(self._measured[index]) if isinstance(index, slice) else self._measured[index]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._measured)

    def __iter__(self) -> Iterator[Measurement]:
        """Iterate in their order."""
        return iter(self._measured)

    def where(self, quantity: str | None = None, /, **labels: Label) -> "Measurements":
        """Return those of a quantity that have all of these labels."""
        return Measurements([each for each in self if each.has(quantity, labels)])

    def last(self) -> "Measurements":
        """Return of each kind, the same labels and quantity, the one after most instances."""
        latest: dict[object, Measurement] = {}
        for each in self:
            kind = (each.quantity, tuple(sorted((name, str(of)) for name, of in each.labels.items())))
            before = latest.get(kind)
            if before is None or (each.instances or 0) >= (before.instances or 0):
                latest[kind] = each
        return Measurements(list(latest.values()))

    def each(self, label: str) -> tuple[Label, ...]:
        """Return the different values of a label, in the order in which they come."""
        return tuple(dict.fromkeys(each.labels[label] for each in self if label in each.labels))

    def instances(self) -> tuple[int, ...]:
        """Return the different numbers of instances, rising."""
        return tuple(sorted({each.instances for each in self if each.instances is not None}))

    def after(self, instances: int) -> "Measurements":
        """Return those after so many instances."""
        return Measurements([each for each in self if each.instances == instances])

    def averaged(self) -> "Measurements":
        """Return one measurement for each seed: the mean of all of this seed, such as over data sets.

        Its error is that of a mean of independent ones; None where one is not known.
        """
        by_seed: dict[Label, list[Measurement]] = {}
        for each in self:
            by_seed.setdefault(each.labels.get("seed", 0), []).append(each)
        averaged = []
        for seed, found in by_seed.items():
            errors = [each.stderr for each in found if each.stderr is not None]
            averaged.append(
                Measurement(
                    labels={"seed": seed},
                    quantity=found[0].quantity,
                    unit=found[0].unit,
                    value=statistics.fmean(each.value for each in found),
                    stderr=math.hypot(*errors) / len(found) if len(errors) == len(found) else None,
                )
            )
        return Measurements(averaged)

    def mean(self) -> Estimate:
        """Return the mean of all, which differ in their seeds; there must be one at least."""
        return _estimate([each.value for each in self], [each.stderr for each in self])

    def less(self, others: "Measurements") -> Estimate:
        """Return the mean of the differences from others, seed by seed; seeds that one side lacks are left out.

        The error is that of the differences over seeds; with one seed both errors are added as if the two sides were
        independent, which is too careful where both were measured on the same slices.
        """
        mine, theirs = ({each.labels.get("seed", 0): each for each in side} for side in (self, others))
        pairs = [(mine[seed], theirs[seed]) for seed in mine if seed in theirs]
        return _estimate(
            [one.value - other.value for one, other in pairs],
            [
                None if one.stderr is None or other.stderr is None else math.hypot(one.stderr, other.stderr)
                for one, other in pairs
            ],
        )


def _estimate(values: Sequence[float], errors: Sequence[float | None]) -> Estimate:
    if len(values) == 1:
        return Estimate(values[0], errors[0], None, 1)
    spread = statistics.stdev(values)
    return Estimate(statistics.fmean(values), spread / math.sqrt(len(values)), spread, len(values))
