"""`up codes zmap`: a machine and the transformer that it is compiled to, beside each other."""

import time as clock
from typing import Annotated

import typer

from cli.context import CliContext, ExitCode, JsonOption, QuietOption
from cli.render.zmap import ZmapPage
from up.errors import InputError

_FRAME_SECONDS = 0.15
_MOST_TIME = 2_000
_MOST_SPACE = 400


def register(group: typer.Typer) -> None:
    """Hang the command on the group."""
    group.command("zmap")(zmap)


def zmap(
    context: typer.Context,
    machine: Annotated[
        str, typer.Option(metavar="NAME", help="rational, automaton, tag, or path/to/file.py:NAME of your own.")
    ] = "automaton",
    program: Annotated[str, typer.Option(metavar="BITS", help="What the machine reads as its program.")] = "0110",
    given: Annotated[str, typer.Option("--input", metavar="SYMBOLS", help="What is on its input tape.")] = "101",
    time: Annotated[int | None, typer.Option(help="Bound on steps. Default: what this run takes.")] = None,
    space: Annotated[int | None, typer.Option(help="Bound on the cells of each tape. Default: likewise.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every layer of a long run.")] = False,
    animate: Annotated[bool, typer.Option("--animate", help="Show layer after layer; needs a terminal.")] = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compile a machine into a transformer, and watch both.

    The machine's table becomes the weights of one layer, the program the embeddings of the prompt. Every layer of the
    transformer is one step of the machine: what its residual says about the tapes stands beside what is on them. At the
    end stand the logits of the machine, of the interpreter of the looped program, and of the network.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if animate and not cli.can_animate:
        cli.note("--animate needs a terminal with colour, and no --json: showing all layers at once")
        animate = False
    for name, value, most in (("time", time, _MOST_TIME), ("space", space, _MOST_SPACE)):
        if value is not None and not 1 <= value <= most:
            raise InputError(f"the bound on {name} is out of range", received=value, remedy=f"give 1 to {most:,}")
    with cli.status("compiling"):
        from theory.machines.machine import Bound
        from theory.machines.prefix_machines import load_prefix_machine
        from up.compiler.side_by_side import side_by_side
        from up.compiler.zmap import smallest_bound
        from up.compiler.zmap import zmap as map_program

        loaded = load_prefix_machine(machine)
        widest = Bound(time=_MOST_TIME if time is None else time, space=_MOST_SPACE if space is None else space)
        least = smallest_bound(loaded, widest, program, given)
        bound = Bound(time=least.time if time is None else time, space=least.space if space is None else space)
        mapped = map_program(loaded, bound, program)
        both = side_by_side(mapped, given)
    page = ZmapPage(mapped, given, both, show_all=show_all)
    if cli.json_output:
        cli.emit_json(
            {
                "command": "codes zmap",
                "machine": loaded.name,
                "program": program,
                "input": given,
                "bound": bound,
                "steps": both.steps,
                "layers": len(both.layers) - 1,
                "sizes": mapped.compiled.network.sizes,
                "weights": sum(parameter.numel() for parameter in mapped.compiled.network.parameters()),
                "logits": both.logits,
                "interpreter": both.interpreted,
                "network": both.network,
                "agree": both.agree,
            }
        )
    elif animate:
        _step_by_step(cli, page)
    else:
        cli.stdout.print(page)
    if not both.agree:
        raise typer.Exit(ExitCode.FAILED)


def _step_by_step(cli: CliContext, page: ZmapPage) -> None:
    """Print the rows one by one."""
    cli.stdout.print(page.heading())
    for row in page.rows(cli.stdout.width):
        cli.stdout.print(row)
        clock.sleep(_FRAME_SECONDS)
    cli.stdout.print(page.closing())
