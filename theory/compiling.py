"""Whether numba can be used, and the one way in which functions are compiled by it.

Every function that is compiled runs as plain Python as well, with the same results, so numba is left aside where it is
absent and also where its import fails in any way: beside a numpy that it does not know it raises ImportError, and
beside a folder named like one of the packages that it looks for, AttributeError.

Limits: the first compilation takes a few seconds; it is kept on disk where there is a folder for it.
"""

import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def _numba() -> Any:
    """Return the module numba, None where it cannot be imported."""
    try:
        import numba
        import numba.extending
    except (Exception, SystemExit):
        return None
    return numba


def can_compile() -> bool:
    """Return whether numba is installed and can be imported here."""
    return _numba() is not None


def is_switched_off() -> bool:
    """Return whether numba's own variable `NUMBA_DISABLE_JIT` lets what is compiled run as plain Python."""
    return can_compile() and bool(_numba().config.DISABLE_JIT)


def compile_function(function: Callable[..., Any], *helpers: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` compiled by numba, which must be there (`can_compile`).

    Args:
        function: plain Python over numbers and arrays.
        helpers: functions that it calls.

    """
    numba = _numba()
    for helper in helpers:
        numba.extending.register_jitable(helper)
    try:
        return numba.njit(cache=True)(function)
    except RuntimeError:  # there is no folder to keep the compilation in
        return numba.njit(function)
