"""Whether numba can be used, and the one way in which functions are compiled by it.

Every function that is compiled runs as plain Python as well, with the same results, so numba is left aside where it is
absent and also where its import fails in any way: beside a numpy that it does not know it raises ImportError, and
beside a folder named like one of the packages that it looks for, AttributeError.

A compilation is kept on disk where there is a folder for it. numba compiles again when the file of the function has
changed; a function's name here carries a digest of its helpers' files, so that it does when one of these has, too.

Limits: the first compilation takes a few seconds. Constants that a file imports from one that holds no helper are kept
as they were.
"""

import functools
import hashlib
import types
from collections.abc import Callable
from pathlib import Path
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
    """Return `function` compiled by numba, which must be there (`can_compile`); it lets other threads run meanwhile.

    Args:
        function: plain Python over numbers and arrays.
        helpers: functions that it calls.

    """
    numba = _numba()
    for helper in helpers:
        numba.extending.register_jitable(helper)
    function = _named_by_helpers(function, helpers)
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # there is no folder to keep the compilation in
        return numba.njit(nogil=True)(function)


def _named_by_helpers(function: Callable[..., Any], helpers: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    """Return a copy of the function whose qualified name, by which numba keeps it, depends on its helpers' files."""
    assert isinstance(function, types.FunctionType)
    named = types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    files = sorted({helper.__code__.co_filename for helper in helpers if isinstance(helper, types.FunctionType)})
    digest = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files if Path(file).is_file()))
    named.__module__ = function.__module__
    named.__qualname__ = f"{function.__qualname__}_{digest.hexdigest()[:12]}" if helpers else function.__qualname__
    return named
