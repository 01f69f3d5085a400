"""`up codes`: description lengths of transformers, and the compiler that writes a machine into their weights."""

import typer

from cli import codes_measure, codes_zmap


def register(app: typer.Typer) -> None:
    """Hang the group `up codes` on the app."""
    group = typer.Typer(
        help="Description lengths, and machines as transformers.", rich_markup_mode=None, invoke_without_command=True
    )
    group.callback()(_show_help)
    for command in (codes_measure, codes_zmap):
        command.register(group)
    app.add_typer(group, name="codes")


def _show_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
