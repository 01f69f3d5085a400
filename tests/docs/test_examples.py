"""The example files that the documentation shows run as they stand."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.py"))
EXTRAS = ("transformers", "x_transformers")
WARNINGS_OF_OTHERS = ("ignore:`torch.jit.script:DeprecationWarning",)  # x-transformers uses it, and torch.compile


def extras_of(example: Path) -> list[str]:
    """The optional packages that an example imports."""
    imports = [node for node in ast.walk(ast.parse(example.read_text())) if isinstance(node, ast.ImportFrom)]
    return [name for name in EXTRAS if any((node.module or "").split(".")[0] == name for node in imports)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(example: Path, tmp_path: Path) -> None:
    extras = extras_of(example)
    for extra in extras:
        if importlib.util.find_spec(extra) is None:
            pytest.skip(f"needs the extra {extra.replace('_', '-')}")
    ignored = [word for each in WARNINGS_OF_OTHERS if extras for word in ("-W", each)]
    result = subprocess.run(
        [sys.executable, "-W", "error", *ignored, str(example)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip(), "an example shows something"
    assert result.stderr == ""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_shown(example: Path) -> None:
    name = f'--8<-- "docs/examples/{example.name}"'
    assert any(name in page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")), "shown on no page"
