"""Every code block of the documentation is executed by the build, and every command of the README exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import markdown
import pytest
import typer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)\n(?P<body>.*?)^ *(?P=marks) *$", re.M | re.S
)
_EXTENSIONS = ["admonition", "attr_list", "def_list", "footnotes", "md_in_html", "tables", "pymdownx.details"]


def unexecuted_blocks(text: str) -> Iterator[str]:
    """Yield the first line of every code block that the build of the site would show without running it."""
    for fence in _FENCE.finditer(text):
        language = fence["info"].split()[0] if fence["info"].split() else ""
        if language not in ("bash", "python") or not re.search(r'\bexec="(1|on|yes|true)"', fence["info"]):
            yield f"{fence['marks']}{fence['info']}"
    prose = re.sub(r"\A---\n.*?\n---\n", "", _FENCE.sub("", text), flags=re.S)
    html = markdown.markdown(prose, extensions=_EXTENSIONS)
    yield from re.findall(r"<pre><code>(.*)", html)  # four spaces of indentation make a code block, too


def readme_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every command line in the README's fences."""
    for fence in _FENCE.finditer(text):
        for line in fence["body"].splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_code_block_is_executed(page: Path) -> None:
    assert list(unexecuted_blocks(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("```bash\nup train\n```\n", "```bash"),
        ("Words.\n\n~~~python\nprint(1)\n~~~\n", "~~~python"),
        ("```\nplain\n```\n", "```"),
        ('```bash exec="0"\nup\n```\n', '```bash exec="0"'),
        ('```yaml exec="1"\na: b\n```\n', '```yaml exec="1"'),
        ("- a list\n\n    ```python\n    print(1)\n    ```\n", "```python"),
        ("Words.\n\n    indented = 1\n\nMore words.\n", "indented = 1"),
        ('```bash exec="1"\nup\n```\n\n```console\n$ up\n```\n', "```console"),
    ],
)
def test_a_planted_unexecuted_block_is_found(planted: str, found: str) -> None:
    assert list(unexecuted_blocks(planted)) == [found]


def test_an_executed_block_and_indented_prose_pass() -> None:
    page = (
        '# Title\n\n```python exec="1" source="above"\nprint(1)\n```\n\n!!! note\n\n    Words.\n\nterm\n:   meaning\n'
    )
    assert list(unexecuted_blocks(page)) == []


def test_the_readme_names_only_commands_that_exist() -> None:
    from cli.main import app

    command = typer.main.get_command(app)
    commands = list(readme_commands((ROOT / "README.md").read_text(encoding="utf-8")))
    assert ["make", "demo"] in commands
    assert ["make", "test"] in commands
    for program, *arguments in commands:
        if program == "make":
            assert set(arguments) <= make_targets(), arguments
        else:
            assert program == "up", program
            parse(command, arguments)


def parse(command: Any, arguments: list[str]) -> None:
    """Parse a command line down to the last sub-command without running it; a wrong one raises `TyperException`."""
    context = command.make_context("up", list(arguments))
    while hasattr(command, "resolve_command"):
        words = [*context._protected_args, *context.args]
        if not words and command.invoke_without_command:  # such as `up runs`
            return
        name, command, rest = command.resolve_command(context, words)
        context = command.make_context(name, rest, parent=context)


def test_the_demo_runs_commands_that_exist_and_ends_beside_a_transformer() -> None:
    from cli.main import app

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(\w+) \?= (\S+)$", makefile, re.M)) | {"DEMO_RUN": "runs/demo"}
    recipe = re.search(r"^demo: install .*\n((?:\t.*\n)+)", makefile, re.M)
    assert recipe is not None
    lines = re.sub(r"\$\((\w+)\)", lambda found: values.get(found[1], found[0]), recipe[1]).splitlines()
    commands = [line.split()[1:] for line in lines if line.startswith("\t$(BIN)/up ")]
    for words in commands:
        parse(typer.main.get_command(app), words)
    assert commands[1][:5] == ["train", "--preset", "mixing-small", "--instances", "600"]
    assert commands[2][:4] == ["eval", "runs/demo", "--beside", "builtin:tiny"]


def test_a_command_with_an_unknown_option_does_not_parse() -> None:
    from cli.main import app

    with pytest.raises(typer.TyperException):
        parse(typer.main.get_command(app), ["demo", "enrich", "--no-such-option", "3"])
