"""Make a model that ships with up, `builtin:NAME`, of a finished run; nothing is measured but how well it predicts.

    up train --preset tiny --out runs/tiny
    python -m benchmarks.make_builtin runs/tiny tiny [--samples N] [--device cpu]

The folder is `up/builtin/NAME` of this checkout, to be committed as it is; remove it first to make it anew. What is
copied and what is refused is told in `up.runs.pack`. The evaluation on the card takes as long as `up eval RUN`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.context import CliContext, ExitCode
from cli.render.models import ModelsPage
from up.device import resolve_device
from up.errors import InputError, RunError
from up.runs import builtin
from up.runs.pack import pack


def main(arguments: Sequence[str] | None = None, context: CliContext | None = None) -> int:
    """Pack a run, show its card, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.make_builtin", description="Pack a run to ship with up."
    )
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("name", help="of the model, as in builtin:NAME")
    parser.add_argument("--samples", type=int, help="slices in the evaluation on the card; default: as up eval RUN has")
    parser.add_argument("--device", default="cpu", help="where it is evaluated; default: cpu")
    given = parser.parse_args(arguments)
    cli = context or CliContext.from_streams()
    try:
        with cli.progress("slices measured") as on_bars, cli.progress("slices predicted") as on_model:
            card = pack(
                given.run,
                given.name,
                device=resolve_device(given.device),
                samples=given.samples,
                on_bars=on_bars,
                on_model=on_model,
            )
    except InputError as error:
        cli.error(str(error))
        return ExitCode.BAD_INPUT
    except RunError as error:  # predictions that are not finite
        cli.error(str(error))
        return ExitCode.FAILED
    if card.commit is None or card.commit_dirty:
        cli.warn("the run was not trained by a commit alone: its provenance has no commit, or files differed from it")
    cli.stdout.print(ModelsPage([card]))
    cli.note(f"wrote {builtin.FOLDER / given.name}")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
