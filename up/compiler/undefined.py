"""The error of a program that reads what is not there: a head that selects no position, or several.

In the weights such a head gives a blend of values, which no rule was made for. Interpreters and network raise the same
error instead, at the first layer, there at the leftmost position, and there for the first head of the program.
"""

from theory.words import number_of
from up.compiler.language import Average, Program
from up.errors import RunError


class UndefinedValueError(RunError):
    """A rule or a copy needs a head that is undefined where it stands."""


def undefined_value(program: Program, head: int, *, layer: int, position: int, selected: int) -> UndefinedValueError:
    """Return the error.

    Args:
        program: which one.
        head: the number of the head in it.
        layer: counted from 1.
        position: in the whole sequence, counted from 0.
        selected: how many positions the head selects there.

    """
    of_which = program.heads[head]
    needed = "at least one" if isinstance(of_which, Average) else "exactly one"
    return UndefinedValueError(
        f"program {program.name}, layer {layer}, position {position}: head {of_which.name} selects "
        f"{number_of(selected, 'position')} where {needed} is needed; guard what reads it, or give it a key"
    )
