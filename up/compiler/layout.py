"""Where everything lies in the residual: a place for each variable, then one for what each head has read.

A categorical variable takes a dimension for each value, any other takes one. Without normalisation it is one-hot or the
number itself, 0 and 1 for a binary variable. Under tanh every dimension is -1 or 1: signed one-hot (C.1 of the paper).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from up.compiler.language import Kind, Program, Variable


@dataclass(frozen=True)
class Layout:
    """The dimensions of variables and heads.

    Attributes:
        start: the first dimension of each, by name.
        read: the variable that a name holds a value of.
        width: dimensions in use.
        heads_from: the first dimension that belongs to a head.
        signed: whether values are -1 and 1 (tanh).

    """

    start: Mapping[str, int]
    read: Mapping[str, Variable]
    width: int
    heads_from: int
    signed: bool

    def dimensions(self, name: str) -> range:
        """Return the dimensions of a variable, or of what a head has read."""
        return range(self.start[name], self.start[name] + dimension_count(self.read[name]))

    def literal(self, name: str, value: int) -> tuple[int, int]:
        """Return the dimension that decides whether a name has a value, and the sign (1 or -1) that says so."""
        if self.read[name].kind is Kind.CATEGORICAL:
            return self.start[name] + value, 1
        return self.start[name], 1 if value == 1 else -1

    def encoded(self, variable: Variable, value: int) -> list[float]:
        """Return the numbers that stand for a value of a variable."""
        if variable.kind is Kind.CATEGORICAL:
            return [1.0 if value == each else -1.0 if self.signed else 0.0 for each in variable.values]
        return [2.0 * value - 1.0 if self.signed else float(value)]


def dimension_count(variable: Variable) -> int:
    """Return how many dimensions a variable takes."""
    return variable.size if variable.kind is Kind.CATEGORICAL else 1


def lay_out(program: Program, *, signed: bool = False) -> Layout:
    """Return the layout of a program, variables in their order and then heads in theirs."""
    read = {name: program.read(name) for name in (*program.variable, *program.head)}
    start: dict[str, int] = {}
    width = heads_from = 0
    for name, variable in read.items():
        start[name] = width
        width += dimension_count(variable)
        if name in program.variable:
            heads_from = width
    return Layout(start, read, width, heads_from, signed)
