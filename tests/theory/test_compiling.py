"""Without numba what is compiled runs as plain Python: numba absent, broken in any way, or beside a wrong folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What uses numba: the universal machine in theory and as a source, two more sources, and the size of blocks in omega.
PROGRAM = """
import torch
from theory.compiling import can_compile
from theory.machines.machine import Bound
from theory.measures.omega import halting_measure
from up.sources.registry import source_type

print(halting_measure(Bound(time=12, space=4)).total)
for kind in ("utm", "tree", "restaurant"):
    print(source_type(kind)().rows(3, 50, torch.Generator().manual_seed(0)).tolist())
print(can_compile())
"""


def outcome(*folders: Path) -> list[str]:
    path = os.pathsep.join(map(str, (*folders, ROOT)))
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


@pytest.fixture(scope="module")
def compiled() -> list[str]:
    lines = outcome()
    if lines[-1] == "False":
        pytest.skip("needs numba")
    return lines


@pytest.mark.parametrize(
    "failure",
    [
        "raise ImportError('Numba needs NumPy 2.3 or less')",
        "raise AttributeError(\"module 'coverage' has no attribute 'types'\")",
        "raise SystemExit(3)",
    ],
)
def test_a_numba_whose_import_fails_is_left_aside_and_nothing_else_changes(failure, compiled, tmp_path):
    (tmp_path / "numba.py").write_text(failure)
    assert outcome(tmp_path) == [*compiled[:-1], "False"]


def test_a_folder_named_like_a_package_that_numba_looks_for_changes_nothing(compiled, tmp_path):
    (tmp_path / "coverage").mkdir()
    (tmp_path / "coverage" / "report.html").write_text("<p>100 %</p>")
    assert outcome(tmp_path)[:-1] == compiled[:-1]


def test_a_helper_in_another_file_that_has_changed_is_compiled_again(compiled, tmp_path):  # noqa: ARG001
    (tmp_path / "loops.py").write_text("import helping\n\n\ndef loop(x):\n    return helping.helper(x)\n")
    program = """
import helping, loops
from theory.compiling import compile_function
print(compile_function(loops.loop, helping.helper)(1))
"""
    said = []
    for factor in (2, 3):
        (tmp_path / "helping.py").write_text(f"def helper(x):\n    return {factor} * x\n")
        result = subprocess.run(
            [sys.executable, "-B", "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT)))},
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(result.stdout)
    assert said == ["2\n", "3\n"]
