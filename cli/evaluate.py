"""`up eval`: how well a trained model predicts real bytes that it never saw."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.render.evaluation import evaluation_view


def register(app: typer.Typer) -> None:
    """Hang `up eval` on the app."""
    app.command("eval")(evaluate)


def evaluate(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, as up train wrote it.")],
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|PATH", help="stdlib, pydoc, or a file or folder; repeat it. Default: both names."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(help="Slices of the context length for each data set. Default: 10000 on a GPU, 4000 on a CPU."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of where the slices begin.")] = 0,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Predict real text and code, zero-shot, with a trained model.

    The answer is in bits per character. Slices of the context length are cut out of each data set at random places, and
    the model is charged for the last character of each (the paper's protocol) and for the last 64. Beside it stand a
    Markov model that learns from the same context, and the 8 bits of a uniform code.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("loading the model and the data"):
        from up.device import resolve_device
        from up.evaluation.bits import EvaluationConfig, prepare
        from up.runs.folder import load_model

        torch_device = resolve_device(device)
        config = EvaluationConfig(samples=samples, seed=seed)
        if data is not None:
            config = dataclasses.replace(config, data=tuple(data))
        model = load_model(run, torch_device)
        prepared = prepare(config, context_length=model.config.context_length, device=torch_device)
    with cli.progress("slices predicted") as progress:
        rows = prepared.evaluate(model, progress=progress)
    if cli.json_output:
        cli.emit_json({"command": "eval", "run": run, "config": config, "rows": rows})
    else:
        cli.stdout.print(evaluation_view(rows))
