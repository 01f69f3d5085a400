"""What the site does with docstrings: doctests shown as code, departures from the paper collected into one list."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

_DOCTEST = re.compile(r"^( *)>>> .*(?:\n(?! *$).+)*", re.MULTILINE)
_DEVIATION = re.compile(
    r"^ *Deviation(?: \((?P<kind>\w+)\))?:\s*(?P<text>.+?)"
    r"(?=\n *\n|\n *(?:Deviation(?: \(\w+\))?|Args|Attributes|Raises|Returns|Yields):|\Z)",
    re.MULTILINE | re.DOTALL,
)


class FenceDoctests(griffe.Extension):
    """Fence the doctests of every docstring, so that Markdown shows them as code and not as quotations."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = fence_doctests(obj.docstring.value)


def fence_doctests(text: str) -> str:
    """Put each doctest of a docstring into a fence of its own, at the indentation it has."""
    return _DOCTEST.sub(lambda match: f"{match[1]}```pycon\n{match[0]}\n{match[1]}```", text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deviation:
    """A departure from the paper, as a docstring states it.

    Attributes:
        module: dotted name of the module.
        owner: dotted name of the class or function below it, empty where the module's own docstring speaks.
        kind: the word in `Deviation (kind):`, such as `erratum` where the paper is misprinted; empty otherwise.
        text: the paragraph after `Deviation:`, on one line.
    """

    module: str
    owner: str
    kind: str
    text: str


def find_deviations(root: Path, packages: tuple[str, ...]) -> Iterator[Deviation]:
    """Yield every `Deviation:` paragraph in the docstrings of the packages under `root`, in the order of the files."""
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            for owner, docstring in _docstrings(ast.parse(path.read_text(encoding="utf-8")), ""):
                for match in _DEVIATION.finditer(docstring):
                    text = " ".join(match["text"].split())
                    yield Deviation(module=module, owner=owner, kind=match["kind"] or "", text=text)


def _docstrings(node: ast.AST, owner: str) -> Iterator[tuple[str, str]]:
    """Yield (dotted name, docstring) of a module and of all its classes and functions."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        docstring = ast.get_docstring(node, clean=True)
        if docstring:
            yield owner, docstring
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _docstrings(child, f"{owner}.{child.name}".lstrip("."))


def deviations_as_markdown(root: Path, packages: tuple[str, ...], *, kind: str) -> str:
    """Return the collected deviations of one kind as a Markdown list with links into the reference."""
    lines = []
    for each in find_deviations(root, packages):
        if each.kind != kind:
            continue
        name = f"{each.module}.{each.owner}".rstrip(".")
        hidden = any(part.startswith("_") for part in each.owner.split("."))
        link = f"`{name}`" if hidden else f"[`{name}`][{name}]"
        lines.append(f"- {each.text[:1].upper()}{each.text[1:]} ({link})")
    return "\n".join(lines) + "\n"
