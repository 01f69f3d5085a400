"""`up theory`: every statement of section 4 as an exact check that can fail, and the universal machine."""

from pathlib import Path
from typing import Annotated

import typer

from cli import theory_checks, theory_universal
from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.help import group_of_commands
from cli.render.theory import AllTable, BreakTable, ChecksList, MutationsList, VerificationPage
from theory.checks.registry import CHECKS


def register(app: typer.Typer) -> None:
    """Hang the group `up theory` on the app."""
    group = group_of_commands("Check the theory: exact, and able to fail.")
    group.command("list")(list_checks)
    group.command("all")(run_all)
    theory_checks.register(group)
    theory_universal.register(group)
    group.command("verify")(verify)
    app.add_typer(group, name="theory")


def list_checks(
    context: typer.Context,
    mutations: Annotated[
        bool, typer.Option("--mutations", help="List the wrong implementations that checks are tested to notice.")
    ] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """List all checks and model classes.

    Each with what it claims, its place in the paper, its default class, its wrong variants and about how long it takes.
    """
    from theory.checks.mutations import MUTATIONS
    from theory.machines.classes import class_names

    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if mutations and cli.json_output:
        cli.emit_json({"command": "theory list", "mutations": list(map(vars, MUTATIONS))})
    elif mutations:
        cli.stdout.print(MutationsList(MUTATIONS))
    elif cli.json_output:
        checks = [
            {
                "check": check.name,
                "command": f"check-{check.name}",
                "summary": check.summary,
                "source": check.source,
                "class": check.class_name,
                "settings": check.settings,
                "variants": check.variants,
                "certificate": bool(check.certificate),
                "rough_seconds": check.rough_seconds,
            }
            for check in CHECKS.values()
        ]
        cli.emit_json({"command": "theory list", "checks": checks, "classes": class_names()})
    else:
        cli.stdout.print(ChecksList(tuple(CHECKS.values()), class_names()))


def run_all(
    context: typer.Context,
    break_each: Annotated[
        bool, typer.Option("--break", help="Run every deliberately wrong variant; each must be caught.")
    ] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run every check with its defaults, and show one table.

    The exit code is 0 if every check holds, or with --break if every wrong variant is caught; otherwise it is 1.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    wanted = [(check, variant) for check in CHECKS.values() for variant in (check.variants if break_each else (None,))]
    results = []
    with cli.progress("checks") as advance:
        for check, variant in wanted:
            results.append(check.run(variant=variant))
            advance(len(results), len(wanted))
    good = all(result.holds != break_each for result in results)
    if cli.json_output:
        found = [theory_checks.result_object(result) for result in results]
        for each in found:
            del each["items"], each["curves"]
        cli.emit_json({"command": "theory all", "holds": good, "breaks": break_each, "checks": found})
    else:
        cli.stdout.print(BreakTable(results) if break_each else AllTable(results))
    if not good:
        raise typer.Exit(ExitCode.FAILED)


def verify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate that a check wrote.")],
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Re-check a certificate independently.

    A small code path of its own does it: every program in the file is run again, and the inequality is computed from
    those alone. Shown is what was verified: how much of what, the constants, and where the claim is nearest to failing.
    The first wrong item is named.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("verifying"):
        from theory.certificates.verify import verify_certificate

        result = verify_certificate(file)
    if cli.json_output:
        compared = [{**vars(each), "slack": each.slack} for each in result.compared]
        tightest = None if result.tightest is None else result.tightest.slack
        found = {**vars(result), "compared": compared, "slack": tightest}
        cli.emit_json({"command": "theory verify", "file": file, **found})
    else:
        cli.stdout.print(VerificationPage(str(file), result))
    if not result.holds:
        raise typer.Exit(ExitCode.FAILED)
