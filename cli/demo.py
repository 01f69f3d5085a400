"""`up demo`: small experiments to look at."""

import dataclasses
import time
from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.help import group_of_commands
from cli.options import SourceOption
from cli.render.enrichment import Heading, PassView, closing

_FRAME_SECONDS = 1 / 30
_SECONDS_PER_STRING = 2.0


def register(app: typer.Typer) -> None:
    """Hang the group `up demo` on the app."""
    group = group_of_commands("Small experiments to look at.")
    group.command("enrich")(enrich)
    app.add_typer(group, name="demo")


def enrich(
    context: typer.Context,
    depth: Annotated[int, typer.Option(help="Random models to pass through, one after another.")] = 3,
    length: Annotated[int, typer.Option(help="Characters in the string.")] = 304,
    width: Annotated[
        int | None,
        typer.Option(help="Width of the transformer to train; LSTMs and GRUs have a tenth of it. Default: 384."),
    ] = None,
    source: SourceOption = "lstm",
    seed: Annotated[int, typer.Option(help="Seed of the noise, the random models and the samples.")] = 0,
    temperature: Annotated[
        float | None, typer.Option(help="Divides the logits of LSTMs and GRUs; higher is noisier. Default: 1e-4.")
    ] = None,
    printable: Annotated[
        bool, typer.Option("--printable/--bytes", help="Strings of printable ASCII, or of all 256 bytes.")
    ] = True,
    animate: Annotated[bool, typer.Option("--animate", help="Write the strings out live; needs a terminal.")] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Watch noise turn into structure: figure 1 of the paper, alive.

    A random string passes through one random LSTM, the result through the next, and so on; a --source that reads no
    string is drawn from instead. Each string is shaded by how well the best Markov model predicts each character from
    those before it. Its measures stand beneath, in bits per character.

    Printable characters are the default, as in the figure, so that every string can be read and copied; training uses
    all 256 bytes (--bytes), which show as middle dots where they have no sign of their own.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if animate and not cli.can_animate:
        cli.note("--animate needs a terminal with colour, and no --json: showing the strings at once")
        animate = False
    with cli.status("drawing random models"):
        from up.experiments.enrichment import EnrichmentConfig, source_for
        from up.experiments.enrichment import enrich as run

        config = EnrichmentConfig(
            depth=depth,
            length=length,
            source=source_for(source, width=width, temperature=temperature),
            seed=seed,
            printable=printable,
        )
        enrichment = run(config)
    if cli.json_output:
        cli.emit_json({"command": "demo enrich", **vars(enrichment)})
        return
    cli.stdout.print(Heading(enrichment))
    for each in enrichment.passes:
        view = PassView(each, enrichment)
        if animate:
            _write_out(cli, view)
        else:
            cli.stdout.print(view)
    cli.stdout.print(closing(enrichment))


def _write_out(cli: CliContext, view: PassView) -> None:
    """Write one string character by character, then its measures beneath."""
    from rich.live import Live

    frames = round(_SECONDS_PER_STRING / _FRAME_SECONDS)
    with Live(console=cli.stdout, auto_refresh=False) as live:
        for frame in range(1, frames):
            live.update(dataclasses.replace(view, revealed=len(view.result.text) * frame // frames), refresh=True)
            time.sleep(_FRAME_SECONDS)
        live.update(view, refresh=True)
