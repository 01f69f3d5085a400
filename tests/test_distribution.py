"""What the wheel and the source distribution contain, as the build backend lists it without building."""

import shutil
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
# A model that ships, and what a process that is killed while it packs one leaves behind.
SHIPPED = [f"up/builtin/tiny/{name}" for name in ("SHA256SUMS", "card.json", "checkpoints/00006000/model.safetensors")]
LEFT_BEHIND = "up/builtin/.abc123/tiny/card.json"


def listed(builder: type, root: Path) -> set[str]:
    return {file.distribution_path for file in builder(str(root)).recurse_included_files()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """This project's settings of the build, with next to nothing to build and a model that ships."""
    for name in ("pyproject.toml", ".gitignore", "README.md", "LICENSE", "up/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in (*SHIPPED, LEFT_BEHIND):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("planted")
    return tmp_path


@pytest.mark.parametrize("builder", [WheelBuilder, SdistBuilder])
def test_the_files_of_a_model_that_ships_are_all_in_it(builder: type, project: Path) -> None:
    assert {name for name in listed(builder, project) if name.startswith("up/builtin/")} == set(SHIPPED)


@pytest.mark.parametrize("builder", [WheelBuilder, SdistBuilder])
def test_those_of_this_version_are(builder: type) -> None:
    here = [path for path in (ROOT / "up/builtin").rglob("*") if path.is_file()]
    assert {path.relative_to(ROOT).as_posix() for path in here} <= listed(builder, ROOT)


def test_the_configurations_of_the_presets_are() -> None:
    assert "up/recipes/named/tiny.toml" in listed(WheelBuilder, ROOT)
