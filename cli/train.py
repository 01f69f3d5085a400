"""`up train`: train a transformer on random computation, with a plan first and a live dashboard."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.render.evaluation import evaluation_view
from cli.render.training import duration, plan_view
from cli.run_view import LineView, LiveView, stop_signals
from up.errors import InputError

if TYPE_CHECKING:  # these import torch
    import torch

    from up.evaluation.bits import PreparedEvaluation
    from up.training.config import RunConfig
    from up.training.plan import TrainingPlan
    from up.training.run_folder import RunFolder
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
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan and stop.")] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train a transformer on random computation, and on nothing else.

    The plan comes first: what will be trained, how long it takes on this device as measured, and where it is written.
    Then the run, with evaluations on real text and code on the way. Ctrl-C saves; --resume continues.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
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
        from up.training.plan import plan_run
        from up.training.presets import configure, preset_for_width
        from up.training.run_folder import open_run, require_free

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
        if cli.json_output:
            cli.emit_json({"command": "train --plan", "out": out, **vars(the_plan)})
        else:
            cli.stdout.print(plan_view(the_plan, out))
        _warn_if_long(cli, the_plan)
        return
    with cli.status("preparing the run"):  # before the first line on stderr: data and checkpoint may be bad input
        from up.evaluation.bits import prepare
        from up.training.run_folder import create_run
        from up.training.state import TrainingState

        prepared = prepare(config.evaluation, context_length=config.model.context_length, device=torch_device)
        state = TrainingState(config, torch_device)
        run = open_run(out) if resume else create_run(out, config)
        if run.checkpoints():
            run.restore(state)
        run.truncate_metrics(state.instances)
        run.append_provenance(torch_device, sys.argv)
    if not cli.quiet:
        cli.stderr.print(plan_view(the_plan, out))
    _warn_if_long(cli, the_plan)
    if resume:
        cli.note(f"continuing after {state.instances:,} of {config.training.instances:,} instances")
    _train(cli, run, state, prepared, the_plan)


def _require_same(stored: "RunConfig", preset: str | None, assignments: Sequence[str], device: "torch.device") -> None:
    """Refuse to resume a run under a preset or settings that are not its own; what is not given is not compared."""
    from up.config import override
    from up.training.presets import configure, differing_settings

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
    cli: CliContext, run: "RunFolder", state: "TrainingState", prepared: "PreparedEvaluation", plan: "TrainingPlan"
) -> None:
    """Run the loop, show its events, and end with the latest evaluation on stdout."""
    from up.training.events import Evaluated, Finished
    from up.training.loop import train as train_loop

    view = LiveView(cli) if not cli.quiet and cli.stderr.color_system is not None else LineView(cli)
    rows, finished = run.last_evaluation(), None
    with view, stop_signals(view.on_stop) as should_stop:
        events = train_loop(run, state, prepared, should_stop=should_stop, on_activity=view.on_activity)
        for event in events:
            view.show(event)
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
