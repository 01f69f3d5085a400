"""`up theory check-...`: one command for each check in the registry, made from what the check declares."""

import contextlib
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.render.check import CheckPage
from theory.checks.check import Check, rounded
from theory.checks.option import Option
from theory.checks.registry import CHECKS
from up.errors import InputError

if TYPE_CHECKING:
    from theory.checks.result import CheckResult

_LONG_STEPS = 1_000_000
"""Work of so many steps, a few seconds, is announced."""
_CertificateOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a certificate that up theory verify re-checks."),
]
_AllOption = Annotated[bool, typer.Option("--all", help="Show every item, not the tightest ten.")]


def register(group: typer.Typer) -> None:
    """Hang one command for each check on the group."""
    for check in CHECKS.values():
        summary = f"{check.summary[:1].upper()}{check.summary[1:]}."
        group.command(f"check-{check.name}", help=f"{summary}\n\n{check.paper}, {check.source}.")(_command(check))


def _command(check: Check) -> Callable[..., None]:
    """Return the command of a check; its signature, which typer reads, comes from the check's options."""

    def command(context: typer.Context, **given: Any) -> None:
        json_output, quiet = given.pop("json_output"), given.pop("quiet")
        show_all, variant, certificate = given.pop("show_all"), given.pop("variant"), given.pop("certificate", None)
        cli = CliContext.of(context, json_output=json_output, quiet=quiet)
        if certificate is not None and variant is not None:
            raise InputError("a wrong variant has no certificate", received=variant, remedy="leave out --break")
        if certificate is not None and not certificate.parent.is_dir():
            raise InputError(
                "the certificate has no folder to go to", received=str(certificate), remedy="make the folder first"
            )
        with _blaming_the_file(given.get("class_name")), _Watch(cli, check) as watch:
            result = check.run(given, variant=variant, expect=watch.expect, advance=watch.advance)
            if certificate is not None and result.holds:
                _write_certificate(result, certificate)
        if certificate is not None and result.holds:
            cli.note(f"wrote {certificate}; re-check it with: up theory verify {certificate}")
        if cli.json_output:
            cli.emit_json({"command": f"theory check-{check.name}", **result_object(result)})
        else:
            must_catch = check.must_catch(given)
            cli.stdout.print(CheckPage(check=check, result=result, show_all=show_all, must_catch=must_catch))
        if not result.holds:
            raise typer.Exit(ExitCode.FAILED)

    command.__signature__ = inspect.Signature(list(_parameters(check)))  # pyright: ignore[reportFunctionMemberAccess]
    return command


class _Watch:
    """Shows that a check is at work: a spinner where it is done soon, otherwise the size of it and how far it is."""

    def __init__(self, cli: CliContext, check: Check) -> None:
        self._cli, self._check, self._stack = cli, check, contextlib.ExitStack()
        self._told: Callable[[int, int], None] | None = None

    def __enter__(self) -> "_Watch":
        self._stack.enter_context(self._cli.status(f"checking {self._check.name}"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def expect(self, steps: int) -> None:
        """Take up the size of the work before it begins."""
        if steps >= _LONG_STEPS:
            self._stack.close()
            self._cli.note(f"check-{self._check.name} has about {rounded(steps)} steps to go through")
            self._told = self._stack.enter_context(self._cli.progress(f"checking {self._check.name}"))

    def advance(self, done: int, total: int) -> None:
        """Take up how much of it is done."""
        if self._told is not None:
            self._told(done, total)


def _parameters(check: Check) -> Iterator[inspect.Parameter]:
    variants = Annotated[
        str | None, typer.Option("--break", metavar="VARIANT", help=f"Run a wrong one: {', '.join(check.variants)}.")
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    yield inspect.Parameter("context", keyword, annotation=typer.Context)
    for option in check.all_options:
        yield inspect.Parameter(option.name, keyword, default=option.default, annotation=_annotation(option))
    yield inspect.Parameter("variant", keyword, default=None, annotation=variants)
    if check.certificate:
        yield inspect.Parameter("certificate", keyword, default=None, annotation=_CertificateOption)
    yield inspect.Parameter("show_all", keyword, default=False, annotation=_AllOption)
    yield inspect.Parameter("json_output", keyword, default=False, annotation=JsonOption)
    yield inspect.Parameter("quiet", keyword, default=False, annotation=QuietOption)


def _annotation(option: Option) -> Any:
    """Return an option as typer reads it."""
    kind = option.kind if option.default is not None else option.kind | None
    flags = [option.flag] if option.flag else []
    return Annotated[kind, typer.Option(*flags, max=option.most, metavar=option.metavar, help=option.help)]


@contextlib.contextmanager
def _blaming_the_file(class_name: str | None) -> Iterator[None]:
    """Tell in one line what a class in a user's own file raises; anywhere else it would be a bug of this program."""
    from theory.machines.classes import class_names

    try:
        with contextlib.redirect_stdout(sys.stderr):  # also what a member prints when it runs
            yield
    except (InputError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if class_name is None or class_name in class_names():
            raise
        problem = f"{class_name} cannot be run: {type(error).__name__}: {error}"
        raise InputError(problem, remedy="correct the file") from error


def _write_certificate(result: "CheckResult", path: Path) -> None:
    from theory.certificates.write import certificate_text
    from up.runs.files import write_text

    text = certificate_text(result)
    try:
        write_text(path, text)
    except OSError as error:
        problem = f"the certificate cannot be written: {error.strerror}"
        raise InputError(problem, received=str(path), remedy="check the path") from None


def result_object(result: "CheckResult") -> dict[str, Any]:
    """Return a result for `emit_json`: what is not finite as null, without what is only to be drawn or certified."""
    fields = {name: _plain(value) for name, value in vars(result).items() if name not in ("pictures", "evidence")}
    return {"class" if name == "class_name" else name: value for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {name: _plain(part) for name, part in vars(value).items() if name != "failure"}
    return value
