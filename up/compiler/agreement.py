"""Interpreter and weights beside each other: the same values, the same errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from up.compiler.checked import run
from up.compiler.compile import Compiled
from up.compiler.vectorised import Rational, interpret_all


@dataclass(frozen=True)
class Agreement:
    """How interpreter and network compare on some inputs.

    Attributes:
        inputs: how many.
        disagreements: inputs on which a variable at some position, or the error, differs.
        errors: inputs that end in the same error in both.
        distance: the largest difference between a number in the residual and the one that the interpreter stands for.

    """

    inputs: int
    disagreements: tuple[tuple[str, ...], ...]
    errors: int
    distance: float

    @property
    def agree(self) -> bool:
        """Whether there is no disagreement."""
        return not self.disagreements


def compare(
    compiled: Compiled, inputs: Sequence[Sequence[str]], layers: int | None = None, *, tolerance: float = 1e-3
) -> Agreement:
    """Run both on inputs of any lengths.

    Args:
        compiled: program and network.
        inputs: what to run on.
        layers: how many; by default what the program asks for.
        tolerance: how far a number in the residual may be from its value; numeric ones relative to 1 + their size.

    Raises:
        InputError: a token that the program does not know.

    """
    wrong: list[tuple[str, ...]] = []
    errors, distance = 0, 0.0
    for length in sorted({len(given) for given in inputs}):
        group = [tuple(given) for given in inputs if len(given) == length]
        exact = interpret_all(compiled.program, group, layers)
        floats, found, away = run(compiled, group, layers)
        distance = max(distance, away)
        same_error = [str(a) == str(b) for a, b in zip(exact.errors, found, strict=True)]
        whole = np.array([error is None for error in exact.errors])
        same = np.ones(len(group), dtype=bool)
        for name, column in exact.columns.items():
            if isinstance(column, Rational):
                away_BT = np.abs(column.floats - floats[name]) / (1 + np.abs(column.floats))
                same &= (away_BT <= tolerance).all(axis=1)
                distance = max(distance, float(away_BT[whole].max(initial=0.0)))
            else:
                same &= (column == floats[name]).all(axis=1)
        same = np.where(whole, same, True) & np.array(same_error)
        if away > tolerance:
            same[:] = False
        wrong += [given for given, fine in zip(group, same, strict=True) if not fine]
        errors += int((~whole).sum())
    return Agreement(len(inputs), tuple(wrong), errors, distance)
