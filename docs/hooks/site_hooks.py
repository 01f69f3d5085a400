"""Hooks of the documentation build: API pages from the tree, tools on PATH, and the proof that nothing is fetched.

MkDocs and properdocs call the functions named `on_...`; everything else is a plain function with a test in
`tests/docs/`.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

PACKAGES = ("theory", "up", "cli")
API_FOLDER = "reference/api/"
EXAMPLES = Path(__file__).parents[1] / "examples"

_HOST = r"""=\s*["']?((?:https?:)?//[^"'\s>]+)"""
_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|object|embed)\b[^>]*?\s(?:src|data)\s*" + _HOST + "|"
    r"""<link\b(?=[^>]*\brel\s*=\s*["']?(?:stylesheet|preconnect|preload|icon|dns-prefetch))[^>]*?\shref\s*""" + _HOST,
    re.IGNORECASE,
)
_LOADED_BY_CSS = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)


def list_packages(root: Path) -> list[str]:
    """Return the dotted name of every package folder under `root`, parents before children, names in order."""
    folders = (path.parent for name in PACKAGES for path in sorted((root / name).rglob("__init__.py")))
    return [".".join(folder.relative_to(root).parts) for folder in folders]


def list_modules(root: Path, package: str) -> list[str]:
    """Return the dotted names of the modules that lie directly in a package, in order."""
    folder = root.joinpath(*package.split("."))
    return [f"{package}.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]


def api_page(root: Path, package: str) -> str:
    """Return the Markdown of a package's API page: its docstring under the page's title, then each of its modules."""
    hidden = ("show_root_heading", "show_root_toc_entry", "members")
    options = "".join(f"\n      {name}: false" for name in hidden)
    blocks = [f"# `{package}`", f"::: {package}\n    options:{options}"]
    blocks += [f"::: {module}" for module in list_modules(root, package)]
    return "\n\n".join(blocks) + "\n"


def external_loads(site: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, address) for everything in a built site that a browser would fetch from another host."""
    for path in sorted(site.rglob("*.html")):
        for match in _LOADED.finditer(path.read_text(encoding="utf-8")):
            yield path.relative_to(site), match[1] or match[2]
    for path in sorted(site.rglob("*.css")):
        for match in _LOADED_BY_CSS.finditer(path.read_text(encoding="utf-8")):
            yield path.relative_to(site), match[1]


def on_startup(**_: Any) -> None:
    """Let executed blocks find `up` and the examples, and give them a folder for runs that vanishes afterwards."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    sys.path.append(str(EXAMPLES))  # some examples build on others
    os.environ["OMP_NUM_THREADS"] = "1"  # the examples' tensors are small
    os.environ["UP_DOCS_RUNS"] = tempfile.mkdtemp(prefix="up-docs-")


def on_shutdown(**_: Any) -> None:
    """Remove the folder of the executed blocks."""
    shutil.rmtree(os.environ.pop("UP_DOCS_RUNS"), ignore_errors=True)


def on_config(config: Any) -> Any:
    """Replace the placeholder of the API in the navigation by one entry for each package."""
    root = Path(config["config_file_path"]).parent
    packages = list_packages(root)
    for section in config["nav"]:
        for entries in section.values():
            for entry in entries if isinstance(entries, list) else []:
                for title, target in entry.items():
                    if target == API_FOLDER:
                        entry[title] = [{package: f"{API_FOLDER}{package}.md"} for package in packages]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the generated API pages to the site."""
    root = Path(config["config_file_path"]).parent
    for package in list_packages(root):
        files.append(File.generated(config, f"{API_FOLDER}{package}.md", content=api_page(root, package)))
    return files


def on_post_build(config: Any) -> None:
    """Fail the build if a page would fetch anything from another host."""
    found = [f"{path}: {address}" for path, address in external_loads(Path(config["site_dir"]))]
    if found:
        raise PluginError("the site must work without a network, but loads\n" + "\n".join(found))
