"""Rendering to text, for the tests of everything that is drawn."""

import io

from hypothesis import strategies as st
from rich.console import Console

WIDTHS = st.integers(40, 200)


def drawn(*renderables, width=80, colour=None):
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour is not None, color_system=colour, _environ={}
    )
    for renderable in renderables:
        console.print(renderable)
    return console.file.getvalue()
