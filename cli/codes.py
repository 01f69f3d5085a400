"""`up codes`: description lengths of transformers, and the compiler that writes a machine into their weights."""

import typer

from cli import codes_measure, codes_zmap
from cli.help import group_of_commands


def register(app: typer.Typer) -> None:
    """Hang the group `up codes` on the app."""
    group = group_of_commands("Description lengths, and machines as transformers.")
    codes_measure.register(group)
    codes_zmap.register(group)
    app.add_typer(group, name="codes")
