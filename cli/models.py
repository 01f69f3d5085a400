"""`up models`: the models that ship with up, which every command takes as `builtin:NAME` where it takes a run."""

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.render.models import ModelsPage


def register(app: typer.Typer) -> None:
    """Hang `up models` on the app."""
    app.command("models")(models)


def models(context: typer.Context, json_output: JsonOption = False, quiet: QuietOption = False) -> None:
    """List the models that ship with up.

    Each with its size, what it was trained on, the SHA-256 of its weights, and how well it predicts real text and code:
    beside itself untrained, and the hardest bar. Name one as builtin:NAME wherever a command takes RUN.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("reading the cards"):
        from up.runs.builtin import PREFIX
        from up.runs.card import builtin_cards

        cards = builtin_cards()
    if cli.json_output:
        cli.emit_json(
            {"command": "models", "models": [{"run": f"{PREFIX}{card.name}", **vars(card)} for card in cards]}
        )
    else:
        cli.stdout.print(ModelsPage(cards))
