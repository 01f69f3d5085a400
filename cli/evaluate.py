"""`up eval`: how well a trained model predicts real bytes that it never saw."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.options import SOURCES_HELP, DataDirOption, RunArgument, read_path, read_word
from cli.render.evaluation import evaluation_view


def register(app: typer.Typer) -> None:
    """Hang `up eval` on the app."""
    app.command("eval")(evaluate)


def evaluate(
    context: typer.Context,
    run: RunArgument,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:PART]|PATH[:PART]|all",
            help="stdlib, pydoc, a data set of the paper (aut, bits, bitsflip, bitsrep, champ, dyck, ndfa, toy, toy2, "
            "wp, german, code, linux), or a file or folder; of any of them only a part: training, validation or test. "
            "all: every corpus that has a name and is here. Repeat it. Default: what the run is evaluated on.",
        ),
    ] = None,
    data_dir: DataDirOption = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            parser=read_path,
            help="Measure another model on the same slices, too: the folder of a run, or builtin:NAME. Repeat it.",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE.py:NAME",
            parser=read_word,
            help=f"Predict fresh rows of a source instead, or beside --data: {SOURCES_HELP} Repeat it.",
        ),
    ] = None,
    slice_length: Annotated[
        int | None,
        typer.Option(
            "--context",
            metavar="N",
            help="Characters in a slice. Default: the run's, as a rule the model's context. Of longer slices the model "
            "reads the end, the bars everything.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(help="Slices of the context length for each data set. Default: 10000 on a GPU, 4000 on a CPU."),
    ] = None,
    tail: Annotated[
        int | None, typer.Option(help="Characters at the end of each slice to average over. Default: the run's.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Slices in one forward pass. Default: the run's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="Seed of where the slices begin. Default: the run's.")] = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Predict real text and code, zero-shot, with a trained model.

    The answer is in bits per character. Slices of the context length are cut out of each data set at random places, and
    the model is charged for the last character of each (the paper's protocol) and for those in the tail. Beside it
    stand the same model before training, exact models that learn from the same context (the Markov model of the paper,
    context-tree weighting and PPM), and the 8 bits of a uniform code. What is not given here is as the run has it, also
    for the models named by --beside; each of these reads what it can of a slice.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    data = _all_named(cli, data, data_dir)
    with cli.status("loading the model and the data"):
        from up.device import resolve_device
        from up.runs.evaluate import prepare_evaluations
        from up.runs.folder import load_model, open_run
        from up.runs.texts import load_texts, recorded_texts, texts_that_changed
        from up.sources.nesting import reads_real_data

        torch_device = resolve_device(device)
        opened = open_run(run)
        run_config = opened.config()
        given = {"context_length": slice_length, "tail_positions": tail, "batch_size": batch, "seed": seed}
        if data or source:
            given |= {"data": tuple(data or ()), "sources": tuple(source or ())}
        changes = {name: value for name, value in given.items() if value is not None}
        config = dataclasses.replace(run_config.evaluation, samples=samples, **changes)
        others = {each.label: each for each in (open_run(path) for path in beside or ())}
        configs = {label: each.config() for label, each in others.items()}
        model = load_model(run, torch_device)
        models = {label: load_model(each.path, torch_device) for label, each in others.items()}
        recorded = {} if data else recorded_texts(opened.provenance())
        corpora = load_texts(config.data, recorded, data_dir=data_dir)
    with cli.progress(f"slices measured by the bars and the untrained model{'s' if others else ''}") as progress:
        prepared, *prepared_beside = prepare_evaluations(
            run_config, configs, config, device=torch_device, corpora=corpora, progress=progress
        )
    for name, change in texts_that_changed(corpora, recorded).items():
        cli.warn(f"{name} is another text than the run was evaluated on: {change}")
    with cli.progress("slices predicted") as progress:
        rows = prepared.evaluate(model, progress=progress)
    rows_beside = {}
    for (label, other), slices in zip(models.items(), prepared_beside, strict=True):
        with cli.progress(f"slices predicted by {label}") as progress:
            rows_beside[label] = slices.evaluate(other, progress=progress)
    if cli.json_output:
        listed = [{"run": label, "rows": found} for label, found in rows_beside.items()]
        cli.emit_json({"command": "eval", "run": run, "config": config, "rows": rows, "beside": listed})
    else:
        zero_shot = not reads_real_data(run_config.source) and run_config.initial_weights is None
        cli.stdout.print(evaluation_view(rows, rows_beside, zero_shot=zero_shot))


def _all_named(cli: CliContext, data: list[str] | None, data_dir: Path | None) -> list[str] | None:
    """Put the names of every corpus in the place of `all`, and say which are not here."""
    if not data or "all" not in data:
        return data
    from up.data.corpora import every_corpus

    here, missing = every_corpus(data_dir)
    if missing:
        cli.warn(f"all is without {', '.join(missing)}, of which there is no file: see up data list")
    return list(dict.fromkeys(each for name in data for each in (here if name == "all" else (name,))))
