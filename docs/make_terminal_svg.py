"""Draw the README's picture of a terminal: run `up demo enrich` for real, record what it prints, save it as SVG.

.venv/bin/python docs/make_terminal_svg.py            # writes docs/assets/demo-enrich.svg
.venv/bin/python docs/make_terminal_svg.py --check    # exit code 1 if the file is not what the program prints now
"""

import argparse
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from cli.context import CliContext
from cli.main import main as run_up

ARGUMENTS = ("demo", "enrich", "--length", "192")
PICTURE = Path(__file__).parent / "assets" / "demo-enrich.svg"
COLUMNS = 100

THEME = TerminalTheme(
    (19, 27, 29),
    (222, 231, 231),
    [
        (62, 78, 82),
        (232, 120, 100),
        (134, 190, 130),
        (230, 190, 110),
        (110, 168, 220),
        (196, 150, 210),
        (110, 196, 200),
        (210, 220, 220),
    ],
    [
        (120, 140, 144),
        (245, 150, 130),
        (160, 215, 155),
        (245, 210, 140),
        (140, 190, 240),
        (215, 175, 230),
        (140, 220, 224),
        (240, 246, 246),
    ],
)


def record(arguments: Sequence[str]) -> str:
    """Run the program on a recording console as wide as a comfortable terminal and return the SVG of its output."""
    stdout = Console(
        file=io.StringIO(),
        record=True,
        width=COLUMNS,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    stderr = Console(file=io.StringIO(), width=COLUMNS)
    stdout.print(Text.assemble(("$ ", "bold cyan"), ("up " + " ".join(arguments), "bold")))
    code = run_up(arguments, CliContext(stdout=stdout, stderr=stderr))
    if code != 0:
        raise SystemExit(f"up {' '.join(arguments)} ended with exit code {code}")
    svg = stdout.export_svg(title="up", theme=THEME, unique_id="up-demo", font_aspect_ratio=0.61)
    return without_downloads(svg)


def without_downloads(svg: str) -> str:
    """Remove the font that rich would fetch from another host; the viewer's monospace font takes its place."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono'")


def main() -> int:
    """Write the picture, or check that it is current."""
    parser = argparse.ArgumentParser(description="Draw the picture of a terminal.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    svg = record(ARGUMENTS)
    if check:
        return 0 if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == svg else 1
    PICTURE.write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
