"""`up runs`: what has been trained, the page of one run, and runs side by side."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.options import RunArgument, folder_names, path_option, read_path
from cli.render.charts import LETTERS
from cli.render.comparison import ComparisonPage
from cli.render.figures import require_figure_file, write_figure
from cli.render.panels import DepthBars, Panel
from cli.render.run_panels import bits_panels, loss_panel, run_panels
from cli.render.runs import RunPage, RunsTable, no_runs_line, progress_of
from up.errors import InputError

if TYPE_CHECKING:  # up.runs imports torch
    from up.runs.overview import RunOverview

RUNS_FOLDER = Path("runs")
_POINTS_IN_A_TERMINAL = 160
_POINTS_ON_A_PAGE = 800

SvgOption = Annotated[Path | None, path_option("Write the charts to this SVG file, too.", metavar="FILE")]
PngOption = Annotated[Path | None, path_option("Write the charts to this PNG file, too.", metavar="FILE")]


def register(app: typer.Typer) -> None:
    """Hang the group `up runs` on the app."""
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True)
    group.callback()(runs)
    group.command("show")(show)
    group.command("compare")(compare)
    app.add_typer(group, name="runs")


def runs(
    context: typer.Context,
    folder: Annotated[
        Path | None, path_option("Folder that holds runs, or a run itself. Default: runs.", show_default=False)
    ] = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List, show and compare training runs.

    Without a command: the runs in a folder, the one started last first, each with how far it is, its latest loss and
    its latest bits per character on real text.
    """
    if context.invoked_subcommand is not None:
        if folder is not None or json_output or quiet:
            command = context.invoked_subcommand
            raise InputError(
                f"options between `up runs` and `{command}` have no effect",
                remedy=f"write them after {command}: see up runs {command} --help",
            )
        return
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    found: tuple[RunOverview, ...] = ()
    if folder is not None or os.path.lexists(RUNS_FOLDER):  # nobody has trained yet: that is no mistake
        with cli.status("reading the runs"):
            from up.runs.overview import list_runs

            found = list_runs(folder or RUNS_FOLDER)
    if cli.json_output:
        cli.emit_json({"command": "runs", "folder": folder or RUNS_FOLDER, "runs": [_as_object(run) for run in found]})
    elif found:
        cli.stdout.print(RunsTable(found))
    else:
        cli.stdout.print(no_runs_line(folder or RUNS_FOLDER), soft_wrap=True)


def show(
    context: typer.Context,
    run: RunArgument,
    svg: SvgOption = None,
    png: PngOption = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show where a run comes from and how it went.

    Its model, versions and command lines; then charts: loss, bits per character on real text beside the in-context
    Markov model, schedules, throughput, and the depths of the buffer beside those that they settle at. With --json: all
    of its metrics.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    _check_figures(svg, png)
    with cli.status("reading the run"):
        from up.config import to_dict
        from up.runs.folder import open_run
        from up.runs.overview import summarise_run
        from up.training.schedule import schedule_curves

        opened = open_run(run)
        overview, config, provenance = summarise_run(opened), opened.config(), opened.provenance()
        history, curves = opened.metrics.history(), schedule_curves(config)
    if svg is not None or png is not None:
        panels = run_panels(history, curves, config.buffer, points=_POINTS_ON_A_PAGE)
        drawn = [*([panels.loss] if panels.loss else []), *panels.bits, *panels.schedules, *panels.throughput]
        model = f"{overview.shape}, seed {overview.seed}"
        _write_figures(cli, svg, png, f"{run}: {model}; {progress_of(overview)}", drawn, panels.depths)
    if cli.json_output:
        everything = {"config": to_dict(config), "provenance": provenance, **vars(history)}
        cli.emit_json({"command": "runs show", **_as_object(overview), **everything})
    else:
        panels = run_panels(history, curves, config.buffer, points=_POINTS_IN_A_TERMINAL)
        cli.stdout.print(RunPage(overview=overview, config=config, provenance=provenance, panels=panels))


def compare(
    context: typer.Context,
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", parser=read_path, help="Folders of runs or builtin:NAME, the standard first."),
    ],
    svg: SvgOption = None,
    png: PngOption = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare the settings, the bits and the curves of runs.

    Differences are taken from the first run, each with its standard error.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if not 2 <= len(runs) <= len(LETTERS):
        raise InputError(
            "give the folders of at least two runs to compare"
            if len(runs) < 2
            else f"give at most {len(LETTERS)} runs to compare",
            received=len(runs),
            remedy="see up runs compare --help",
        )
    _check_figures(svg, png)
    with cli.status("reading the runs"):
        from up.runs.comparison import compare_bits, settings_that_differ
        from up.runs.folder import open_run
        from up.runs.overview import summarise_run

        opened = [open_run(path) for path in runs]
        overviews = [summarise_run(each) for each in opened]
        histories = dict(zip(folder_names(runs), (each.metrics.history() for each in opened), strict=True))
        settings = settings_that_differ([each.config() for each in opened])
        bits = compare_bits([overview.rows for overview in overviews])

    def panels(points: int) -> list[Panel]:
        loss = loss_panel(histories, points=points)
        evaluations = {name: history.evaluations for name, history in histories.items()}
        return [*([loss] if loss else []), *bits_panels(evaluations, points=points)]

    if svg is not None or png is not None:
        _write_figures(cli, svg, png, " against ".join(histories), panels(_POINTS_ON_A_PAGE))
    if cli.json_output:
        compared = {"runs": [_as_object(overview) for overview in overviews], "settings": settings, "bits": bits}
        cli.emit_json({"command": "runs compare", **compared})
    else:
        page = ComparisonPage(runs=overviews, settings=settings, bits=bits, panels=panels(_POINTS_IN_A_TERMINAL))
        cli.stdout.print(page)


def _as_object(overview: "RunOverview") -> dict[str, object]:
    return {"name": overview.name, **vars(overview)}


def _check_figures(svg: Path | None, png: Path | None) -> None:
    for path, suffix in ((svg, ".svg"), (png, ".png")):
        if path is not None:
            require_figure_file(path, suffix)


def _write_figures(
    cli: CliContext,
    svg: Path | None,
    png: Path | None,
    title: str,
    panels: Sequence[Panel],
    depths: DepthBars | None = None,
) -> None:
    with cli.status("drawing"):
        for path in filter(None, (svg, png)):
            write_figure(path, title, panels, depths)
            cli.note(f"wrote {path}")
