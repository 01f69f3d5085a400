"""The hooks of the site: API pages for every package, no page that fetches anything, docstrings treated rightly."""

import importlib
import platform
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs/hooks"))
    return importlib.import_module("site_hooks")


@pytest.fixture
def docstrings(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs/hooks"))
    return importlib.import_module("docstrings")


def test_every_package_folder_gets_a_page_that_names_all_its_modules(site: ModuleType) -> None:
    packages = site.list_packages(ROOT)
    assert packages[0] == "theory"
    assert "up.sources" in packages
    for package in packages:
        folder = ROOT.joinpath(*package.split("."))
        page = site.api_page(ROOT, package)
        for path in folder.glob("*.py"):
            if path.stem != "__init__":
                assert f"::: {package}.{path.stem}\n" in page


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script async src="https://host.example/x.js"></script>'),
        ("a.html", '<link rel="stylesheet" href="//host.example/x.css">'),
        ("a.html", '<link href="https://host.example/x" rel="preconnect" crossorigin>'),
        ("a.html", "<img alt=x src=https://host.example/x.png>"),
        ("a/b.css", "@font-face { src: url(https://host.example/x.woff2) }"),
        ("a/b.css", '@import "https://host.example/x.css";'),
    ],
)
def test_a_page_that_fetches_from_another_host_is_found(site: ModuleType, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    [(where, address)] = site.external_loads(tmp_path)
    assert where == Path(name)
    assert "host.example" in address


def test_links_and_local_files_are_no_fetches(site: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://host.example/">x</a><link rel="stylesheet" href="assets/x.css"><script src="x.js"></script>'
        '<link rel="canonical" href="https://host.example/"><svg xmlns="http://www.w3.org/2000/svg"></svg>'
    )
    (tmp_path / "a.css").write_text("a { background: url(x.svg) } b { src: url(data:font/woff2;base64,AA) }")
    assert list(site.external_loads(tmp_path)) == []


def test_executed_blocks_can_import_the_examples(site: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "OMP_NUM_THREADS", "UP_DOCS_RUNS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    site.on_startup()
    site.on_shutdown()
    assert str(ROOT / "docs/examples") in sys.path


def test_deviations_are_collected_with_their_owner_and_kind(docstrings: ModuleType, tmp_path: Path) -> None:
    package = tmp_path / "up/sources"
    package.mkdir(parents=True)
    (package / "planted.py").write_text(
        '"""Title.\n\nDeviation: the module\ndeparts.\n\nMore.\n"""\n\n'
        'class Thing:\n    """A thing.\n\n    Deviation (erratum): misprinted.\n\n    Attributes:\n        x: y.\n'
        '    """\n\n'
        '    def method(self):\n        """Do.\n\n        Deviation: first.\n        Deviation: second.\n        """\n'
    )
    found = [(each.module, each.owner, each.kind, each.text) for each in docstrings.find_deviations(tmp_path, ("up",))]
    assert found == [
        ("up.sources.planted", "", "", "the module departs."),
        ("up.sources.planted", "Thing", "erratum", "misprinted."),
        ("up.sources.planted", "Thing.method", "", "first."),
        ("up.sources.planted", "Thing.method", "", "second."),
    ]


def test_every_deviation_in_the_sources_is_collected(docstrings: ModuleType) -> None:
    written = sum(
        line.lstrip(' "').startswith(("Deviation:", "Deviation ("))
        for package in ("theory", "up", "cli")
        for path in (ROOT / package).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    assert written > 0
    assert len(list(docstrings.find_deviations(ROOT, ("theory", "up", "cli")))) == written


def test_doctests_are_fenced(docstrings: ModuleType) -> None:
    nested = "Text.\n\n    >>> f(\n    ...     1)\n    [1]\n\nAfter."
    assert docstrings.fence_doctests(nested) == (
        "Text.\n\n    ```pycon\n    >>> f(\n    ...     1)\n    [1]\n    ```\n\nAfter."
    )
    assert docstrings.fence_doctests("No example, only a > b.") == "No example, only a > b."


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors round differently, and the strings part")
def test_the_picture_in_the_readme_is_what_the_program_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    monkeypatch.setattr(sys, "argv", ["make_terminal_svg.py", "--check"])
    assert importlib.import_module("make_terminal_svg").main() == 0, "run docs/make_terminal_svg.py again"
