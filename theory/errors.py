"""The one exception for a user's mistake, shared by all packages."""

from fractions import Fraction
from typing import Any

_ABSENT = object()


class InputError(ValueError):
    """Bad input from a user, told in one line: what failed, the value received, what to do.

    The terminal program prints `str(error)` on stderr and exits with code 2. A library user can catch it as a
    `ValueError`.

    >>> str(InputError("width must be positive", received=-3, remedy="pass a width of at least 8"))
    'width must be positive (received -3): pass a width of at least 8'

    Args:
        problem: what failed, without a full stop.
        received: the offending value; shown with `repr`, left out when there is none.
        remedy: what the user can do about it.

    """

    def __init__(self, problem: str, *, received: Any = _ABSENT, remedy: str) -> None:
        shown = "" if received is _ABSENT else f" (received {_shown(received)})"
        super().__init__(" ".join(f"{problem}{shown}: {remedy}".split()))


def _shown(value: Any) -> str:
    """Return `repr` (p/q for a fraction), or what it is where a whole number in it is too long for Python to write."""
    try:
        return str(value) if isinstance(value, Fraction) else repr(value)
    except ValueError:
        return f"{type(value).__name__} of thousands of digits"
