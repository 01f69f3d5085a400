"""`up finetune`: train a pre-trained model further on real data, beside the same training from scratch."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.options import DataDirOption, path_option, read_path, read_word
from cli.output import ReaderGoneError
from cli.render.finetuning import finetuning_view
from cli.render.training import duration, plan_view
from cli.run_view import LineView, LiveView, StopSignals, view_of
from cli.train import read_places
from theory.words import number_of
from up.errors import InputError

if TYPE_CHECKING:  # these import torch
    from collections.abc import Generator

    from up.runs.events import Event
    from up.runs.finetune import Finetuning
    from up.runs.finetuning_report import FinetuningReport
    from up.runs.plan import TrainingPlan


def register(app: typer.Typer) -> None:
    """Hang `up finetune` on the app."""
    app.command("finetune")(finetune)


def finetune(
    context: typer.Context,
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            parser=read_path,
            show_default=False,
            help="What to finetune: folder of a run, as up train wrote it, or builtin:NAME (see up models).",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            parser=read_word,
            help="What to train on: a data set by its name, or a file or folder. Its training part is trained on, its "
            "validation part decides when to stop, its test part is measured at the end.",
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|PATH",
            parser=read_word,
            help="Other data to evaluate on along the way; repeat it. Default: stdlib and pydoc.",
        ),
    ] = None,
    instances: Annotated[
        int | None,
        typer.Option(
            help="Sequences to train on at most; the schedules stretch in proportion. Default: a quarter of the run's."
        ),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Train the same model from random weights, too.")
    ] = True,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random. Default: that of the run.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=C", help="Change a setting, such as training.patience=10; repeat it."),
    ] = None,
    loss: Annotated[
        list[float] | None,
        typer.Option(
            metavar="BITS",
            help="Compare when both came down to so many bits per character; repeat it. Default: 50, 75, 90 and "
            "100 % of the way of the run from scratch.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Slices of each data set in the closing table. Default: 10000 on a GPU, 500 on a CPU.", min=2
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    data_dir: DataDirOption = None,
    out: Annotated[
        Path | None, path_option("Folder to write both runs to. Default: runs/RUN-on-DATA.", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the finetuning in --out where it stopped.")
    ] = False,
    data_at: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="With --resume: where data is now that was moved; repeat it."),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan and stop.")] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train a pre-trained model further on your data, and the same model from scratch beside it.

    Both see the same sequences in the same order, at a third of the rate at which the model was pre-trained. The
    checkpoint that predicts the validation part best is kept; a run ends early once it no longer improves. At the end
    stands a table: the model untrained, as it was pre-trained, finetuned and from scratch, beside PPM and xz, on a part
    of the data that nothing was chosen by; and how many instances and seconds each took to come down to a loss.
    Ctrl-C saves; --resume continues.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    begin = {"RUN": run, "--data": data, "--also": also, "--instances": instances, "--seed": seed, "--set": settings}
    _require_words(begin, baseline=baseline, out=out, resume=resume, data_at=data_at, plan=plan)
    with cli.status("measuring this device"):
        from up.device import resolve_device
        from up.runs.finetune import finetune as train_both
        from up.runs.finetune import open_finetuning, require_new, settle_finetuning
        from up.runs.finetuning_report import read_report, report_finetuning
        from up.runs.plan import plan_run

        torch_device = resolve_device(device)
        if resume:
            assert out is not None
            finetuning = open_finetuning(out)
        else:
            assert run is not None
            assert data is not None
            out = out or Path("runs") / f"{_last_word(run)}-on-{_last_word(Path(data))}"
            if not plan:
                require_new(out)
            finetuning = settle_finetuning(
                run,
                data,
                torch_device,
                others=also,
                instances=instances,
                assignments=[*([f"seed={seed}"] if seed is not None else []), *(settings or [])],
                baseline=baseline,
                data_dir=data_dir,
            )
        names = (finetuning.data, *finetuning.config.evaluation.data)
        places = read_places(data_at or (), names)
        found = read_report(out) if resume and not samples and not loss else None
        the_plan = None if resume else plan_run(finetuning.config, torch_device)
    if plan:
        assert the_plan is not None
        _show_plan(cli, finetuning, the_plan, out)
        return
    if the_plan is not None and not cli.quiet:
        cli.stderr.print(plan_view(the_plan, out))
        cli.note(_beside(finetuning, the_plan))
    if found is None:
        watcher = _Watcher(cli)
        events = train_both(
            finetuning,
            out,
            device=torch_device,
            resume=resume,
            command=sys.argv,
            data_at=places,
            data_dir=data_dir,
            should_stop=watcher.signals,
            on_activity=watcher.on_activity,
        )
        with contextlib.closing(events):
            complete = watcher.watch(events)
        if not complete:
            _stopped(cli, out)
        with _progress(cli) as progress:
            found = report_finetuning(
                finetuning,
                out,
                device=torch_device,
                samples=samples,
                losses=loss or (),
                data_at=places,
                progress=progress,
            )
    _show(cli, found, out)


def _require_words(
    begin: dict[str, Any], *, baseline: bool, out: Path | None, resume: bool, data_at: list[str] | None, plan: bool
) -> None:
    """Refuse what has no meaning together."""
    if not resume:
        for name in ("RUN", "--data"):
            if begin[name] is None:
                what = "a run to finetune" if name == "RUN" else "--data to finetune on"
                raise InputError(
                    f"give {what}", remedy="write e.g. up finetune builtin:tiny --data notes.txt --out runs/notes"
                )
        if data_at:
            raise InputError("--data-at is about the data of a finetuning that goes on", remedy="give it with --resume")
        return
    given = [name for name, value in begin.items() if value] + ([] if baseline else ["--no-baseline"])
    given += ["--plan"] if plan else []
    if given:
        raise InputError(
            f"a finetuning that goes on has its own {', '.join(given)}",
            remedy="leave that out, or choose another --out for a new one",
        )
    if out is None:
        raise InputError("--resume needs the folder to continue", remedy="name it with --out")


def _last_word(path: Path) -> str:
    """Return what to call a run or data in the name of a folder."""
    return path.name.rpartition(":")[2].removesuffix(path.suffix) or "run"


def _beside(finetuning: "Finetuning", plan: "TrainingPlan") -> str:
    if not finetuning.baseline:
        return "no baseline: the table at the end will not say what pre-training adds to this data"
    return (
        f"and the same from scratch: as long again, about {duration(2 * plan.seconds)} in all, or less if it ends early"
    )


def _show_plan(cli: CliContext, finetuning: "Finetuning", plan: "TrainingPlan", out: Path) -> None:
    if cli.json_output:
        cli.emit_json({"command": "finetune --plan", "out": out, "finetuning": finetuning, **vars(plan)})
    else:
        cli.stdout.print(plan_view(plan, out))
        cli.note(_beside(finetuning, plan))


class _Watcher:
    """Shows the runs of a finetuning, one after the other, and hears Ctrl-C for the one that is under way."""

    def __init__(self, cli: CliContext) -> None:
        self.cli = cli
        self.view: LineView | LiveView | None = None
        self.signals = StopSignals(self._on_stop)

    def watch(self, events: "Generator[tuple[str, Event]]") -> bool:
        """Show all events; return whether no run was stopped."""
        from up.runs.events import Finished, Started

        complete = True
        with contextlib.ExitStack() as stack, self.signals:
            for name, event in events:
                if isinstance(event, Started):
                    stack.close()
                    self.cli.note(
                        f"{name}: {event.instances:,} of {number_of(event.total_instances, 'instance')} so far"
                    )
                    for warning in event.warnings:
                        self.cli.warn(warning)
                    self.view = view_of(self.cli, zero_shot=False)
                    stack.enter_context(self.view)
                assert self.view is not None
                self.view.show(event)
                if isinstance(event, Finished):
                    complete = event.complete
                    early = ", ended early, for it no longer improved" if event.ended_early else ""
                    self.cli.note(f"{name}: {number_of(event.instances, 'instance')}{early}")
        return complete

    def on_activity(self, activity: str, done: int, total: int) -> None:
        """Pass on how far a step or an evaluation is."""
        if self.view is not None:
            self.view.on_activity(activity, done, total)

    def _on_stop(self) -> None:
        if self.view is not None:
            self.view.on_stop()


@contextlib.contextmanager
def _progress(cli: CliContext) -> "Generator[Any]":
    """Give a function to call with what is measured, done and total: a bar or lines for each kind."""
    with contextlib.ExitStack() as stack:
        shown: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in shown:
                stack.close()
                shown.clear()
                shown[what] = stack.enter_context(cli.progress(what))
            shown[what](done, total)

        yield tell


def _stopped(cli: CliContext, out: Path) -> None:
    if cli.json_output:
        with contextlib.suppress(ReaderGoneError):
            cli.emit_json({"command": "finetune", "out": out, "complete": False})
    cli.warn(f"stopped and saved; continue with: up finetune --resume --out {out}")
    raise typer.Exit(ExitCode.INTERRUPTED)


def _show(cli: CliContext, report: "FinetuningReport", out: Path) -> None:
    if cli.json_output:
        cli.emit_json({"command": "finetune", "out": out, "complete": True, **vars(report)})
    else:
        cli.stdout.print(finetuning_view(report))
    beside = f" {out}/scratch" if len(report.models) > 2 else ""
    compare = f"; see the curves with: up runs compare {out}/finetuned{beside}" if beside else ""
    cli.note(f"the model is in {out}/finetuned: up eval {out}/finetuned{compare}")
