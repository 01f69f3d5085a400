"""The arrows `cli -> up -> theory` are enforced: the contracts hold on the tree and break on planted violations."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("cli", "up", "theory")


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages that lie in `root`, not on the installed ones."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def broken_contracts(output: str) -> list[str]:
    """The names of the contracts that import-linter reports as broken."""
    lines = (line.rpartition(" BROKEN") for line in output.splitlines())
    return [name.strip() for name, broken, rest in lines if broken and (not rest.strip() or "ignored" in rest)]


def test_contracts_hold_on_the_tree(copied_tree: Path) -> None:
    result = lint_imports(copied_tree)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("theory/errors.py", "import torch", "theory is exact"),
        ("theory/machines/machine.py", "import theory.measures.mixture", "inside theory"),
        ("theory/measures/mixture.py", "import theory.checks", "inside theory"),
        ("theory/machines/machine.py", "import theory.machines.mealy", "no circles"),
        ("cli/render/doctor.py", "import cli.doctor", "no circles"),
        ("theory/errors.py", "import up.config", "arrows point one way"),
        ("up/config.py", "import cli.context", "arrows point one way"),
        ("up/config.py", "import rich.console", "only cli prints"),
        ("up/model/__init__.py", "import up.sources", "inside up"),
        ("up/data/__init__.py", "import up.evaluation", "inside up"),
        ("up/runs/__init__.py", "import up.use", "inside up"),
        ("up/coding/__init__.py", "import up.model", "inside up"),
        ("up/compiler/__init__.py", "import up.runs", "inside up"),
    ],
)
def test_a_planted_violation_breaks_its_contract(copied_tree: Path, module: str, planted: str, contract: str) -> None:
    with (copied_tree / module).open("a") as handle:
        handle.write(f"\n{planted}\n")
    result = lint_imports(copied_tree)
    assert result.returncode != 0
    assert any(name.startswith(contract) for name in broken_contracts(result.stdout)), result.stdout + result.stderr


def test_a_violation_hidden_in_a_function_is_found_too(copied_tree: Path) -> None:
    with (copied_tree / "theory/errors.py").open("a") as handle:
        handle.write("\n\ndef late() -> None:\n    import torch\n")
    result = lint_imports(copied_tree)
    assert any(name.startswith("theory is exact") for name in broken_contracts(result.stdout)), result.stdout
