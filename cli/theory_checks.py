"""`up theory check-...`: one command for each check in the registry, made from its entry there."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.render.check import CheckPage
from theory.checks.registry import CHECKS, Check
from theory.result import CheckResult
from up.errors import InputError

# The options of a check, by the name that the registry gives them.
_OPTIONS: Mapping[str, Any] = {
    "class_name": Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Model class: see up theory list; or path/to/file.py:NAME."),
    ],
    "max_length": Annotated[
        int | None, typer.Option(help="Strings and conditions of up to so many bits.", metavar="BITS")
    ],
    "time": Annotated[int | None, typer.Option(help="Bound on the steps of each run.")],
    "space": Annotated[int | None, typer.Option(help="Bound on the cells of each run.")],
    "condition": Annotated[str, typer.Option(metavar="BITS", help="The string on the conditional tape.")],
    "steps": Annotated[int, typer.Option(help="How often to iterate, or how many bits to predict.")],
    "source_batch": Annotated[int, typer.Option(help="Rows that pass a machine at a time.")],
    "reset_rows": Annotated[int, typer.Option(help="Rows of those that start again from noise.")],
    "machine_name": Annotated[str, typer.Option("--machine", help="Tape machine: flip, bb2 or two-three.")],
    "cells": Annotated[int, typer.Option(help="Cells of the tape.")],
    "attack_cells": Annotated[int, typer.Option(help="Cells of the tape for attacks.")],
    "samples": Annotated[int, typer.Option(help="Networks drawn at random.")],
    "seed": Annotated[int, typer.Option(help="Seed of what is drawn.")],
}
_CertificateOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a certificate that up theory verify re-checks."),
]
_AllOption = Annotated[bool, typer.Option("--all", help="Show every item, not the tightest ten.")]


def register(group: typer.Typer) -> None:
    """Hang one command for each check on the group."""
    for check in CHECKS.values():
        summary = f"{check.summary[:1].upper()}{check.summary[1:]}."
        group.command(f"check-{check.name}", help=f"{summary}\n\nBloem 2025, {check.source}.")(_command(check))


def _command(check: Check) -> Callable[..., None]:
    """Return the command of a check; its signature, which typer reads, comes from the check's settings."""

    def command(context: typer.Context, **given: Any) -> None:
        json_output, quiet = given.pop("json_output"), given.pop("quiet")
        show_all, variant, certificate = given.pop("show_all"), given.pop("variant"), given.pop("certificate", None)
        cli = CliContext.of(context, json_output=json_output, quiet=quiet)
        if certificate is not None and variant is not None:
            raise InputError("a wrong variant has no certificate", received=variant, remedy="leave out --break")
        with cli.status(f"checking {check.name}"):
            result = check.run(given, variant=variant)
        if cli.json_output:
            cli.emit_json({"command": f"theory check-{check.name}", **result_object(result)})
        else:
            cli.stdout.print(CheckPage(check=check, result=result, show_all=show_all))
        if certificate is not None and result.holds:
            _write_certificate(cli, check, given, certificate)
        if not result.holds:
            raise typer.Exit(ExitCode.FAILED)

    command.__signature__ = inspect.Signature(list(_parameters(check)))  # pyright: ignore[reportFunctionMemberAccess]
    return command


def _parameters(check: Check) -> Iterator[inspect.Parameter]:
    variants = Annotated[
        str | None, typer.Option("--break", metavar="VARIANT", help=f"Run a wrong one: {', '.join(check.variants)}.")
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    yield inspect.Parameter("context", keyword, annotation=typer.Context)
    for name, default in check.settings.items():
        annotation = int | None if default is None and name not in _OPTIONS else _OPTIONS[name]
        yield inspect.Parameter(name, keyword, default=default, annotation=annotation)
    yield inspect.Parameter("variant", keyword, default=None, annotation=variants)
    if check.is_certifiable:
        yield inspect.Parameter("certificate", keyword, default=None, annotation=_CertificateOption)
    yield inspect.Parameter("show_all", keyword, default=False, annotation=_AllOption)
    yield inspect.Parameter("json_output", keyword, default=False, annotation=JsonOption)
    yield inspect.Parameter("quiet", keyword, default=False, annotation=QuietOption)


def _write_certificate(cli: CliContext, check: Check, given: Mapping[str, Any], path: Path) -> None:
    with cli.status("writing the certificate"):
        from theory.certificates.write import write_certificate

        steps = {"steps": given["steps"]} if "steps" in given else {}
        write_certificate(path, check.name, check.model_class(given), max_length=given["max_length"], **steps)
    cli.note(f"wrote {path}; re-check it with: up theory verify {path}")


def result_object(result: CheckResult) -> dict[str, Any]:
    """Return a result as JSON knows it: fractions as strings p/q, what is not finite as null."""
    with _long_integers():
        fields = {name: _plain(value) for name, value in vars(result).items()}
        fields["items"] = [_plain(vars(item)) for item in result.items]
        fields["curves"] = [_plain(vars(curve)) for curve in result.curves]
        fields["counterexample"] = None if result.counterexample is None else _plain(vars(result.counterexample))
        return {"class" if name == "class_name" else name: value for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


@contextlib.contextmanager
def _long_integers() -> Iterator[None]:
    """Let integers of any length become text: exact results have thousands of digits, and Python refuses them."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)
