"""`up train`: train a transformer on random computation, with a plan first and a live dashboard."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.render.charts import schedules_view
from cli.render.evaluation import evaluation_view
from cli.render.training import duration, plan_view
from cli.run_view import LineView, LiveView, stop_signals
from up.errors import InputError

if TYPE_CHECKING:  # these import torch
    import torch

    from up.evaluation.bits import PreparedEvaluation
    from up.recipes.config import RunConfig
    from up.runs.folder import RunFolder
    from up.runs.plan import TrainingPlan
    from up.runs.tensorboard import TensorBoardLog
    from up.training.schedule import ScheduleCurves
    from up.training.state import TrainingState

_LONG_SECONDS = 3600.0


def register(app: typer.Typer) -> None:
    """Hang `up train` on the app."""
    app.command("train")(train)


def train(
    context: typer.Context,
    preset: Annotated[
        str | None,
        typer.Option(help="tiny, small, paper-384, paper-512, paper-640 or paper-1024. Default: tiny, or the width's."),
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="Width of the model; without --preset, in the paper's form.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Blocks of the model. Default: the rule for its width.")] = None,
    arch: Annotated[str | None, typer.Option(help="paper or modern.")] = None,
    source: Annotated[str | None, typer.Option(help="Cell of the random models: lstm or gru.")] = None,
    instances: Annotated[
        int | None, typer.Option(help="Sequences to train on; the schedules stretch in proportion.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random. Default: 0.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=C", help="Change any setting, such as model.dropout=0.2; repeat it."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder to write the run to. Default: runs/PRESET.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out where it stopped.")] = False,
    keep: Annotated[int, typer.Option(help="Checkpoints to keep, the latest ones.", min=1)] = 2,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard events to --out.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan and stop.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="With --plan: draw every schedule.")] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train a transformer on random computation, and on nothing else.

    The plan comes first: what will be trained, how long it takes on this device as measured, and where it is written.
    Then the run, with evaluations on real text and code on the way. Ctrl-C saves; --resume continues.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if plot and not plan:
        raise InputError("--plot draws the schedules of a plan", remedy="give it together with --plan")
    flags = {
        "model.width": width,
        "model.depth": depth,
        "model.arch": arch,
        "source.cell": source,
        "training.instances": instances,
        "seed": seed,
    }
    assignments = [f"{name}={value}" for name, value in flags.items() if value is not None] + (settings or [])
    with cli.status("measuring this device"):
        from up.device import resolve_device
        from up.recipes.presets import configure, preset_for_width
        from up.runs.folder import open_run, require_free
        from up.runs.plan import plan_run
        from up.runs.provenance import changes_since
        from up.training.schedule import schedule_curves

        if tensorboard:
            from up.runs.tensorboard import require_tensorboard

            require_tensorboard()
        torch_device = resolve_device(device)
        name = preset or ("tiny" if width is None else preset_for_width(width))
        out = out or Path("runs") / (preset or ("tiny" if width is None else f"width-{width}"))
        trained = 0
        if resume:
            stored = open_run(out)
            config = stored.config().resolve(torch_device)
            _require_same(config, preset, assignments, torch_device)
            trained = stored.instances_saved()
        else:
            config = configure(name, assignments).resolve(torch_device)
            if not plan:
                require_free(out)
        the_plan = plan_run(config, torch_device, trained=trained)
    if plan:
        _show_plan(cli, the_plan, out, schedule_curves(config) if plot else None)
        return
    with contextlib.ExitStack() as held:
        with cli.status("preparing the run"):  # before the first line on stderr: data and checkpoint may be bad input
            from up.evaluation.bits import prepare
            from up.runs.folder import create_run, hold
            from up.training.state import TrainingState

            prepared = prepare(config.evaluation, context_length=config.model.context_length, device=torch_device)
            state = TrainingState(config, torch_device)
            held.enter_context(hold(out))
            run = open_run(out, keep=keep) if resume else create_run(out, config, keep=keep)
            if resume:
                run.restore(state)
            log = held.enter_context(_tensorboard(out, state.instances)) if tensorboard else None
            changed = changes_since(run.provenance(), torch_device)
            run.append_provenance(torch_device, sys.argv, instances=state.instances)
        if not cli.quiet:
            cli.stderr.print(plan_view(the_plan, out))
        _warn_if_long(cli, the_plan)
        if resume:
            cli.note(f"continuing after {state.instances:,} of {config.training.instances:,} instances")
            if changed:
                cli.warn(f"the rest may differ in the last digits from an undisturbed run: {'; '.join(changed)}")
        _train(cli, run, state, prepared, the_plan, log)


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


def _tensorboard(out: Path, instances: int) -> "TensorBoardLog":
    from up.runs.tensorboard import TensorBoardLog

    return TensorBoardLog(out / "tensorboard", after=instances)


def _require_same(stored: "RunConfig", preset: str | None, assignments: Sequence[str], device: "torch.device") -> None:
    """Refuse to resume a run under a preset or settings that are not its own; what is not given is not compared."""
    from up.config import override
    from up.recipes.presets import configure, differing_settings

    given = configure(preset, assignments) if preset is not None else override(stored, assignments)
    differing = differing_settings(stored, given.resolve(device), assignments=assignments)
    if differing:
        raise InputError(
            f"the run to resume has another {', '.join(differing[:3])}",
            remedy="leave the settings out to continue it as it is, or choose another --out for a new run",
        )


def _warn_if_long(cli: CliContext, plan: "TrainingPlan") -> None:
    if plan.device_memory_bytes and plan.memory_bytes > plan.device_memory_bytes:
        cli.warn("the step needs more memory than the device has: lower training.microbatch or the width")
    if plan.device == "cpu" and plan.seconds > _LONG_SECONDS:
        cli.warn(
            f"this takes about {duration(plan.seconds)} on this CPU; `up train --preset tiny` finishes in minutes, "
            "--instances shortens any run, and Ctrl-C saves what there is"
        )


def _train(
    cli: CliContext,
    run: "RunFolder",
    state: "TrainingState",
    prepared: "PreparedEvaluation",
    plan: "TrainingPlan",
    log: "TensorBoardLog | None",
) -> None:
    """Run the loop, show its events, and end with the latest evaluation on stdout."""
    from up.runs.events import Evaluated, Finished
    from up.runs.loop import train as train_loop

    view = LiveView(cli) if not cli.quiet and cli.stderr.color_system is not None else LineView(cli)
    _, last = run.metrics.latest()
    rows, finished = last.rows if last is not None else (), None
    with view, stop_signals(view.on_stop) as should_stop:
        events = train_loop(run, state, prepared, should_stop=should_stop, on_activity=view.on_activity)
        for event in events:
            view.show(event)
            if log is not None:
                log.write(event)
            if isinstance(event, Evaluated):
                rows = event.rows
            elif isinstance(event, Finished):
                finished = event
    assert finished is not None
    if cli.json_output:
        cli.emit_json(
            {
                "command": "train",
                "out": run.path,
                **vars(plan),
                "instances_trained": finished.instances,
                "complete": finished.complete,
                "elapsed_seconds": finished.elapsed_seconds,
                "rows": rows,
            }
        )
    elif rows:
        cli.stdout.print(evaluation_view(rows))
    if not finished.complete:
        cli.warn(f"stopped and saved; continue with: up train --resume --out {run.path}")
        raise typer.Exit(ExitCode.INTERRUPTED)
    cli.note(f"{finished.instances:,} instances in {run.path}; evaluate in full with: up eval {run.path}")
