"""Running a Python file of the user's own: one that defines a class of machines, or a source.

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
