"""`up experiment`: the figures and tables of the paper, and this project's own, as commands."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.experiment_view import BarsView, LinesView
from cli.help import group_of_commands
from cli.options import folder_names, path_option, read_path, read_word
from cli.output import ReaderGoneError
from cli.render.experiment import ExperimentPage, ExperimentsList, FigureView
from cli.run_view import StopSignals
from theory.words import number_of
from up.errors import InputError

if TYPE_CHECKING:  # up.experiments imports torch
    from up.experiments.experiment import Experiment
    from up.experiments.folder import ExperimentFolder

_FORMAT = 1


def register(app: typer.Typer) -> None:
    """Hang the group `up experiment` on the app."""
    group = group_of_commands("Run the experiments of the paper, and show what came of them.")
    group.command("list")(list_experiments)
    group.command("run")(run)
    group.command("show")(show)
    app.add_typer(group, name="experiment")


def list_experiments(context: typer.Context, json_output: JsonOption = False, quiet: QuietOption = False) -> None:
    """List the experiments, each with the question that it answers."""
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking at the experiments"):
        from up.experiments.registry import EXPERIMENTS, make_experiment

        experiments = [make_experiment(name) for name in EXPERIMENTS]
    if cli.json_output:
        listed = [{"name": each.name, "title": each.title, "question": each.question} for each in experiments]
        cli.emit_json({"command": "experiment list", "format": _FORMAT, "experiments": listed})
    else:
        cli.stdout.print(ExperimentsList(experiments))


def run(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of the experiment: up experiment list.")] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            parser=read_word,
            help="smoke (seconds: do all parts work?), laptop (minutes on one core) or paper (the paper's settings, on "
            "a GPU). Default: laptop.",
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(metavar="NAME", parser=read_word, help="paper, modern or mixing. Default: the experiment's."),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...", parser=read_word, help="One run of everything for each. Default: by the scale."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", parser=read_word, help="auto, cpu, cuda, cuda:1 or mps. Default: cpu.")
    ] = None,
    instances: Annotated[
        int | None,
        typer.Option(
            help="Sequences of each training; schedules stretch, and finetunings are in proportion. Default: by the "
            "scale."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Slices of each data set that models are measured on. Default: by the scale.")
    ] = None,
    out: Annotated[
        Path | None, path_option("Folder to write to. Default: experiments/NAME-SCALE.", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the experiment in --out where it stopped.")
    ] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run an experiment: train, measure, draw the figures and write a report.

    The report says what the paper claims, what was measured, and whether the claim holds here. Ctrl-C saves; --resume
    continues, also after a crash, and ends in the same measurements.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if name is None and not (resume and out):
        raise InputError("no experiment is named", remedy="name one: up experiment list shows them")
    out = out or Path("experiments") / f"{name}-{scale or 'laptop'}"
    with cli.status("preparing the experiment"):
        from up.experiments.events import Ended
        from up.experiments.folder import open_experiment
        from up.experiments.runner import run_experiment, settle

        experiment, setting = settle(
            name,
            out,
            scale=scale,
            arch=arch,
            seeds=_numbers(seeds),
            device=device,
            instances=instances,
            samples=samples,
            resume=resume,
        )
    view = BarsView(cli) if not cli.quiet and cli.stderr.color_system is not None else LinesView(cli)
    signals = StopSignals(view.on_stop)
    events = run_experiment(experiment, setting, out, resume=resume, should_stop=signals, on_activity=view.on_activity)
    ended = None
    with contextlib.closing(events), view, signals:
        for event in events:
            view.show(event)
            ended = event
    assert isinstance(ended, Ended)
    with contextlib.suppress(ReaderGoneError):  # what was measured does not depend on who reads of it
        _show_pages(cli, "experiment run", {str(out): open_experiment(out)}, complete=ended.complete)
    if not ended.complete:
        cli.warn(f"stopped and saved; continue with: up experiment run --resume --out {out}")
        raise typer.Exit(ExitCode.INTERRUPTED)
    cli.note(f"the report is {out / 'report.md'}, the figures lie beside it")


def show(
    context: typer.Context,
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER", parser=read_path, help="As up experiment run wrote it, here or elsewhere."),
    ],
    figures: Annotated[
        Path | None, path_option("Write the figures to this folder, too, as SVG and PNG.", metavar="FOLDER")
    ] = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show what an experiment found; of several folders of one experiment, with the figures laid over each other.

    What is not complete is shown as far as it is. Folders whose figures mean something else are refused.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("reading the experiments"):
        from up.experiments.folder import open_experiment

        opened = {name: open_experiment(path) for name, path in zip(folder_names(folders), folders, strict=True)}
    _show_pages(cli, "experiment show", opened)
    if figures is not None:
        _write_figures(cli, opened, figures)


def _numbers(text: str | None) -> list[int] | None:
    """Read numbers with commas between them."""
    if text is None:
        return None
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise InputError("--seeds must be whole numbers", received=text, remedy="write e.g. --seeds 0,1,2") from None


def _show_pages(cli: CliContext, command: str, folders: "dict[str, ExperimentFolder]", **more: object) -> None:
    from up.experiments.overlays import overlaid
    from up.experiments.registry import make_experiment

    figures = overlaid(folders)  # refuses first what does not fit together
    read = [(name, folder.record(), folder.measurements()) for name, folder in folders.items()]
    makers = [make_experiment(record.experiment) for _, record, _ in read]
    if cli.json_output:
        objects = [_as_object(name, maker, folders[name]) for (name, _, _), maker in zip(read, makers, strict=True)]
        cli.emit_json({"command": command, "format": _FORMAT, **more, "experiments": objects, "figures": figures})
        return
    for (name, record, measurements), maker in zip(read, makers, strict=True):
        cli.stdout.print(ExperimentPage(name, maker, record, measurements))
        cli.stdout.print()
    for figure in figures:
        cli.stdout.print(FigureView(figure))


def _as_object(name: str, experiment: "Experiment", folder: "ExperimentFolder") -> dict[str, Any]:
    measurements = folder.measurements()
    return {
        "name": name,
        "folder": folder.path,
        "record": folder.record(),
        "findings": experiment.findings(measurements),
        "tables": experiment.tables(measurements),
        "measurements": list(measurements),
    }


def _write_figures(cli: CliContext, folders: "dict[str, ExperimentFolder]", into: Path) -> None:
    from up.experiments.drawing import write_figures
    from up.experiments.overlays import overlaid

    try:
        with cli.status("drawing"):
            written = write_figures(into, overlaid(folders))
    except OSError as error:
        raise InputError(
            f"cannot write the figures ({error.strerror})", received=str(into), remedy="choose another folder"
        ) from None
    cli.note(f"wrote {number_of(len(written), 'file')} to {into}")
