"""`up theory complexity` and `up theory universal`: what the bounded universal machine says about short strings."""

from typing import Annotated, Any

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.render.universal import ComplexityPage, UniversalPage
from up.errors import InputError

_MOST_STRING_BITS = 6


def register(group: typer.Typer) -> None:
    """Hang both commands on the group."""
    group.command("complexity")(complexity)
    group.command("universal")(universal)


def complexity(
    context: typer.Context,
    string: Annotated[str, typer.Argument(metavar="BITS", help="The string, such as 0110.")],
    condition: Annotated[str, typer.Option(metavar="BITS", help="What the program may read beside itself.")] = "",
    max_tokens: Annotated[int, typer.Option(help="Search all programs of up to so many tokens.")] = 6,
    time: Annotated[int | None, typer.Option(help="Bound on the steps of each run.")] = None,
    space: Annotated[int | None, typer.Option(help="Bound on the cells of each run.")] = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Bound the complexity of a string.

    K is the length of its shortest program, m the mass of all its programs. Both are bounded from below and above by
    running every short program; what was cut off is the unresolved mass between the bounds.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("running all short programs"):
        from theory.machines.machine import Bound
        from theory.measures.complexity import complexity as bound_complexity
        from theory.measures.complexity import default_bound

        default = default_bound(string)
        bound = Bound(time=default.time if time is None else time, space=default.space if space is None else space)
        found = bound_complexity(string, condition=condition, bound=bound, max_tokens=max_tokens)
    if not cli.json_output:
        cli.stdout.print(ComplexityPage(found))
        return
    witness: dict[str, Any] | None = None
    if found.witness is not None:
        run = found.witness.run
        program = {"program": found.witness.program, "bits": found.witness.bits}
        witness = {**program, "steps": run.steps, "space": run.space}
    more = {"is_shortest_within_bound": found.is_shortest_within_bound, "witness": witness}
    cli.emit_json({"command": "theory complexity", **vars(found), **more})


def universal(
    context: typer.Context,
    max_length: Annotated[int, typer.Option(metavar="BITS", help="Show strings of up to so many bits.")] = 3,
    time: Annotated[int, typer.Option(help="Bound on the steps of each run; 4 more cost 8 times the work.")] = 20,
    space: Annotated[int, typer.Option(help="Bound on the cells of each run.")] = 8,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show what random programs write.

    The universal machine gets coin flips as its program. Shown are the exact mass of the shortest strings under the
    bound, and how Omega, the mass that halts, grows with time and space.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if not 0 <= max_length <= _MOST_STRING_BITS:
        raise InputError("max-length is out of range", received=max_length, remedy=f"give 0 to {_MOST_STRING_BITS}")
    for name, value in (("time", time), ("space", space)):
        if value == 0:
            raise InputError(f"without {name} no program runs", received=value, remedy=f"give --{name} 1 or more")
    with cli.status("running all programs"):
        from theory.machines.machine import Bound
        from theory.measures.omega import halting_measure
        from theory.numbers.bit_strings import strings

        bound = Bound(time=time, space=space)
        measure = halting_measure(bound)
        bounds = [Bound(time=t, space=s) for t in _quarters(time, 5) for s in _quarters(space, 4)]
        growth = {each: halting_measure(each) for each in bounds}
    shown = list(strings(max_length))
    if cli.json_output:
        masses = {x: measure.lower(x) for x in shown}
        points = [
            {"time": b.time, "space": b.space, "omega": m.total, "unresolved": m.unresolved} for b, m in growth.items()
        ]
        known = {"omega": measure.total, "unresolved": measure.unresolved}
        cli.emit_json({"command": "theory universal", "bound": bound, **known, "mass": masses, "growth": points})
    else:
        cli.stdout.print(UniversalPage(bound=bound, strings=shown, measure=measure, growth=growth))


def _quarters(largest: int, parts: int) -> list[int]:
    """Return so many bounds up to the largest, evenly spaced, each once.

    >>> _quarters(20, 5), _quarters(2, 4)
    ([4, 8, 12, 16, 20], [1, 2])
    """
    return sorted({max(1, largest * part // parts) for part in range(1, parts + 1)}) if largest > 0 else [largest]
