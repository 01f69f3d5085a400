"""Importing packages that may be absent, or installed and broken: one line for each, and one place that writes it.

Many things break a package that is installed: another version of numpy, a folder on the path that is named like one of
the packages it looks for, a shared library that is missing. What it raises then can be any exception.

Limits: matplotlib refuses to be imported where `MPLBACKEND` names a backend that it does not know, as a notebook hands
it down to the programs that it starts; nothing here opens a window, so the variable is hidden meanwhile.
"""

import importlib
import os
from types import ModuleType

from up.errors import InputError

_BACKEND = "MPLBACKEND"


def import_optional(module: str, *, package: str, extra: str | None = None, use: str) -> ModuleType:
    """Import a module of a package that may be absent.

    Args:
        module: such as `torch.utils.tensorboard`.
        package: the one that the user installs, such as `tensorboard`.
        extra: ours that brings it; None for one that comes with `up` and was removed.
        use: what needs it, such as `drawing a figure`.

    Raises:
        InputError: the package is absent, or cannot be imported.

    """
    try:
        return _import(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name in (package, module):
            wanted = package if extra is None else f"'universal-pretraining[{extra}]'"
            raise InputError(f"{use} needs the package {package}", remedy=f"pip install {wanted}") from None
        raise InputError(
            f"{use} needs the package {package}, which is installed and cannot be imported ({_told(error)})",
            remedy=f"mend or reinstall it until python -c 'import {module}' succeeds",
        ) from error


def why_broken(module: str) -> str | None:
    """Import a module that is installed and return in one line why that fails, None if it does not."""
    try:
        _import(module)
    except (Exception, SystemExit) as error:
        return _told(error)
    return None


def _import(module: str) -> ModuleType:
    backend = os.environ.pop(_BACKEND, None)
    try:
        return importlib.import_module(module)
    finally:
        if backend is not None:
            os.environ[_BACKEND] = backend


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip(": ")
