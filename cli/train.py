"""`up train`: train a model on random computation, with a plan first and a live dashboard."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.options import SOURCES_HELP, path_option, read_word
from cli.output import ReaderGoneError
from cli.render.charts import schedules_view
from cli.render.evaluation import evaluation_view
from cli.render.training import duration, plan_view
from cli.run_view import LineView, LiveView, StopSignals, view_of
from theory.words import number_of
from up.errors import InputError

if TYPE_CHECKING:  # these import torch
    from collections.abc import Generator, Sequence

    from up.evaluation.rows import EvaluationRow
    from up.runs.events import Event, Finished
    from up.runs.plan import TrainingPlan
    from up.training.schedule import ScheduleCurves

_LONG_SECONDS = 3600.0


def register(app: typer.Typer) -> None:
    """Hang `up train` on the app."""
    app.command("train")(train)


def train(
    context: typer.Context,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            parser=read_word,
            help="tiny, small, mixing, mixing-small, paper-384, paper-512, paper-640 or paper-1024. Default: tiny, "
            "or the one of the width or architecture.",
        ),
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="Width of the model; without --preset, in the paper's form.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Blocks of the model. Default: the rule for its width.")] = None,
    arch: Annotated[str | None, typer.Option(metavar="NAME", parser=read_word, help="paper, modern or mixing.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME|FILE.py:NAME", parser=read_word, help=f"Source: {SOURCES_HELP}")
    ] = None,
    instances: Annotated[
        int | None, typer.Option(help="Sequences to train on; the schedules stretch in proportion.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random. Default: 0.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=C", help="Change any setting, such as model.dropout=0.2; repeat it."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    out: Annotated[Path | None, path_option("Folder to write the run to. Default: runs/PRESET.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out where it stopped.")] = False,
    data_at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH", help="With --resume: where a text of the run's evaluation.data is now; repeat it."
        ),
    ] = None,
    changed_data: Annotated[
        bool, typer.Option("--changed-data", help="With --resume: go on though such a text has changed.")
    ] = False,
    keep: Annotated[int, typer.Option(help="Checkpoints to keep, the latest ones.", min=1)] = 2,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard events to --out.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan and stop.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="With --plan: draw every schedule.")] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train a model on random computation, and on nothing else: a transformer, or a mixing predictor.

    The plan comes first: what will be trained, how long it takes on this device as measured, and where it is written.
    Then the run, with evaluations on real text and code on the way. Ctrl-C saves; --resume continues.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if plot and not plan:
        raise InputError("--plot draws the schedules of a plan", remedy="give it together with --plan")
    if (data_at or changed_data) and not resume:
        raise InputError(
            "--data-at and --changed-data are about the texts of a run that goes on", remedy="give them with --resume"
        )
    flags = {
        "model.width": width,
        "model.depth": depth,
        "model.arch": arch,
        "source.kind": source,
        "training.instances": instances,
        "seed": seed,
    }
    assignments = [f"{name}={value}" for name, value in flags.items() if value is not None] + (settings or [])
    with cli.status("measuring this device"):
        from up.device import resolve_device
        from up.recipes.presets import preset_for_width
        from up.runs.plan import plan_run
        from up.runs.run import run, settle
        from up.sources.nesting import reads_real_data
        from up.training.schedule import schedule_curves

        torch_device = resolve_device(device)
        default = "mixing" if arch == "mixing" else "tiny" if width is None else preset_for_width(width)
        out = out or Path("runs") / (preset or (default if width is None else f"width-{width}"))
        if tensorboard:
            from up.runs.tensorboard import require_tensorboard

            require_tensorboard(out / "tensorboard")
        config, trained = settle(
            out,
            torch_device,
            preset=preset,
            default_preset=default,
            assignments=assignments,
            resume=resume,
            new=not plan,
        )
        places = read_places(data_at or (), config.evaluation.data)
        the_plan = plan_run(config, torch_device, trained=trained)
    if plan:
        _show_plan(cli, the_plan, out, schedule_curves(config) if plot else None)
        return
    zero_shot = not reads_real_data(config.source) and config.initial_weights is None
    view = view_of(cli, zero_shot=zero_shot)
    signals = StopSignals(view.on_stop)
    events = run(
        config,
        out,
        device=torch_device,
        resume=resume,
        keep=keep,
        command=sys.argv,
        tensorboard=tensorboard,
        data_at=places,
        changed_data=changed_data,
        should_stop=signals,
        on_activity=view.on_activity,
    )
    with contextlib.closing(events):
        _watch(cli, events, view, signals, the_plan, out, zero_shot=zero_shot)


def read_places(given: "Sequence[str]", names: "Sequence[str]") -> dict[str, Path]:
    """Read each `NAME=PATH`, where a name may have an equals sign of its own."""
    places = {}
    for word in given:
        name = max((name for name in names if word.startswith(f"{name}=")), key=len, default=word.partition("=")[0])
        path = word[len(name) + 1 :]
        if not path:
            raise InputError("--data-at gives no path", received=word, remedy="write NAME=PATH")
        places[name] = Path(path)
    return places


def _show_plan(cli: CliContext, plan: "TrainingPlan", out: Path, curves: "ScheduleCurves | None") -> None:
    if cli.json_output:
        schedules = {} if curves is None else {"schedules": curves}
        cli.emit_json({"command": "train --plan", "out": out, **vars(plan), **schedules})
    else:
        cli.stdout.print(plan_view(plan, out))
        if curves is not None:
            cli.stdout.print()
            cli.stdout.print(schedules_view(curves))
    _warn_if_long(cli, plan)


def _warn_if_long(cli: CliContext, plan: "TrainingPlan") -> None:
    if plan.device_memory_bytes and plan.memory_bytes > plan.device_memory_bytes:
        cli.warn("the step needs more memory than the device has: lower training.microbatch or the width")
    if plan.device == "cpu" and plan.seconds > _LONG_SECONDS:
        cli.warn(
            f"this takes about {duration(plan.seconds)} on this CPU; `up train --preset tiny` finishes in minutes, "
            "--instances shortens any run, and Ctrl-C saves what there is"
        )


def _watch(
    cli: CliContext,
    events: "Generator[Event]",
    view: LineView | LiveView,
    signals: StopSignals,
    plan: "TrainingPlan",
    out: Path,
    *,
    zero_shot: bool,
) -> None:
    """Show the events of a run, and end with the latest evaluation on stdout."""
    from up.runs.events import Evaluated, Finished, Started

    with cli.status("preparing the run"):  # before the first line on stderr: data and checkpoint may be bad input
        started = next(events)
    assert isinstance(started, Started)
    if not cli.quiet:
        cli.stderr.print(plan_view(plan, out))
    _warn_if_long(cli, plan)
    if started.resumed:
        cli.note(f"continuing after {started.instances:,} of {number_of(started.total_instances, 'instance')}")
    for warning in started.warnings:
        cli.warn(warning)
    rows, finished = started.rows, None
    with view, signals:
        view.show(started)
        for event in events:
            view.show(event)
            if isinstance(event, Evaluated):
                rows = event.rows
            elif isinstance(event, Finished):
                finished = event
    assert finished is not None
    with contextlib.suppress(ReaderGoneError):  # whether the run is complete does not depend on who reads of it
        _show_outcome(cli, plan, out, finished, rows, zero_shot=zero_shot)
    if not finished.complete:
        cli.warn(f"stopped and saved; continue with: up train --resume --out {out}")
        raise typer.Exit(ExitCode.INTERRUPTED)
    early = ", where it ended early, for it no longer improved" if finished.ended_early else ""
    cli.note(f"{number_of(finished.instances, 'instance')} in {out}{early}; evaluate in full with: up eval {out}")


def _show_outcome(
    cli: CliContext,
    plan: "TrainingPlan",
    out: Path,
    finished: "Finished",
    rows: "tuple[EvaluationRow, ...]",
    *,
    zero_shot: bool,
) -> None:
    if cli.json_output:
        cli.emit_json(
            {
                "command": "train",
                "out": out,
                **vars(plan),
                "instances_trained": finished.instances,
                "complete": finished.complete,
                "ended_early": finished.ended_early,
                "elapsed_seconds": finished.elapsed_seconds,
                "rows": rows,
            }
        )
    elif rows:
        cli.stdout.print(evaluation_view(rows, zero_shot=zero_shot))
