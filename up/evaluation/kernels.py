"""Loops that are written once: numba compiles them, and plain Python runs them where it cannot be imported.

Such a function takes only numbers and buffers that it indexes. A buffer is an array for the compiled function and a
list for the plain one, which Python indexes faster; the results are the same.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from theory.compiling import can_compile, compile_function, is_switched_off


@functools.cache
def compiled_kernel(function: Callable[..., None]) -> Callable[..., None] | None:
    """Return the function compiled by numba, or None where numba is missing, unfit or switched off."""
    return compile_function(function) if can_compile() and not is_switched_off() else None


def choose_kernel(function: Callable[..., None], compiled: bool | None) -> tuple[Callable[..., None], bool]:
    """Return the function to call, and whether it is compiled.

    Args:
        function: the plain function.
        compiled: whether to compile; if None, where that is possible.

    """
    kernel = None if compiled is False else compiled_kernel(function)
    assert kernel is not None or not compiled, "numba is missing"
    return kernel or function, kernel is not None


def buffer(dtype: str, size: int, *, compiled: bool) -> Any:
    """Return room for so many numbers, all of them 0; an array's pages take memory only once they are used."""
    return np.zeros(size, dtype) if compiled else [0] * size
