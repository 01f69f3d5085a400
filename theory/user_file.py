"""Running a Python file of the user's own: one that defines a class of machines, a tape machine, or a source.

What it prints goes to stderr, since stdout is for results. It may import the files beside it, as a script may. The
folder is looked in last and only while the file runs, so that a `random.py` beside it stands in for no module that
something else imports, now or later.

Limits: a file beside it that is named like an installed module is not found; what lies beside it is imported at the top
of the file, and not inside a function that runs later.
"""

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from theory.errors import InputError

Kind = TypeVar("Kind")

_beside: dict[str, ModuleType] = {}
"""Modules that lay beside a file of the user, by name."""


def run_file(path: Path, module_name: str) -> ModuleType:
    """Run a file as a module and return it; whatever it raises is raised.

    Args:
        path: the file.
        module_name: what the module is called; it stays in `sys.modules`, where dataclasses look it up.

    """
    path = path.resolve()
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    with contextlib.redirect_stdout(sys.stderr), _importable(path.parent):
        spec.loader.exec_module(module)
    return module


def load_object(name: str, kind: type[Kind], module_name: str) -> Kind | None:
    """Return an object that a file of the user's own defines; None where the name is not that of a file.

    Args:
        name: `path/to/file.py:NAME`. The file is executed.
        kind: the type that the object has.
        module_name: what the file is called as a module.

    Raises:
        InputError: there is no such file, it cannot be executed, or NAME is nothing of this type there.

    """
    path, colon, attribute = name.rpartition(":")
    if not colon or not path.endswith(".py"):
        return None
    if not Path(path).is_file():
        raise InputError("there is no such file", received=path, remedy="give path/to/file.py:NAME")
    try:
        found = getattr(run_file(Path(path), module_name), attribute, None)
    except (InputError, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # what the file raises is the user's mistake
        problem = f"{name} cannot be executed: {type(error).__name__}: {error}"
        raise InputError(problem, remedy="correct the file") from error
    if not isinstance(found, kind):
        raise InputError(f"{path} has no {kind.__name__} of this name", received=attribute, remedy="define it there")
    return found


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the modules of a folder be imported meanwhile; those of other folders are forgotten first."""
    for name, module in list(_beside.items()):
        if sys.modules.get(name) is module:
            del sys.modules[name]
    _beside.clear()
    importlib.invalidate_caches()
    before, entry = set(sys.modules), str(folder)
    sys.path.append(entry)
    try:
        yield
    finally:
        sys.path.reverse()  # the last of equals is ours
        sys.path.remove(entry)
        sys.path.reverse()
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is not None and folder in Path(origin).parents:
                _beside[name] = sys.modules[name]
