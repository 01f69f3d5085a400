"""`up codes measure`: what the weights of a trained network cost, and from which length of file on they pay."""

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.options import RunArgument, read_word
from cli.render.description import DescriptionPage

if TYPE_CHECKING:  # it imports torch
    from up.codes.estimate import Estimate
    from up.use.description import Measured


def register(group: typer.Typer) -> None:
    """Hang the command on the group."""
    group.command("measure")(measure)


def measure(
    context: typer.Context,
    run: RunArgument,
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME|PATH",
            parser=read_word,
            help="What the network is to describe: stdlib, pydoc, a synthetic set, or a file or folder.",
        ),
    ] = "stdlib",
    measured: Annotated[
        int,
        typer.Option(
            "--bytes",
            metavar="N",
            min=512,
            max=1 << 24,
            help="Bytes that are read under each version of the network.",
        ),
    ] = 1 << 14,
    longest: Annotated[
        int,
        typer.Option(
            "--longest", metavar="N", min=1 << 10, max=1 << 24, help="Length of the longest file to compare, in bytes."
        ),
    ] = 1 << 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights that are drawn.")] = 0,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the description length of a trained network: bits for its weights, and for data that it predicts.

    The weights are sent by several codes: as they are stored, on uniform grids, on grids with an adaptive code, by
    fitted mixtures of Gaussians, and by bits back (variational). What rounding costs in data is measured: the file is
    read under the network that a code leaves. Prequentially no weights are sent; the same architecture learns from the
    file alone. Beside them stand PPM and xz on the same bytes. The picture shows from which length of file on the
    weights pay for themselves. It takes builtin:tiny half a minute on one core.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("loading the model and the data"):
        import torch

        from up.data.corpora import load_corpus
        from up.runs.folder import load_model, open_run
        from up.use.description import measure_network

        config = open_run(run).config()
        model = load_model(run, torch.device("cpu"))
        corpus = load_corpus(data)
    with cli.progress("bytes read under versions of the network") as progress:
        found = measure_network(model, config, corpus, measured=measured, longest=longest, seed=seed, progress=progress)
    if cli.json_output:
        cli.emit_json({"command": "codes measure", "format": 1, "run": run, **_as_object(found)})
    else:
        cli.stdout.print(DescriptionPage(found, str(run)))


def _as_object(found: "Measured") -> dict[str, Any]:
    """Return what was measured for `emit_json`: totals at the longest size, the curve, and the groups of layers."""
    size = found.sizes[-1]
    best = {code: found.best(code, size) for code in found.codes}
    described = {code: each.describe(size) for code, each in best.items()}
    return {
        "data": found.corpus,
        "measured_bytes": found.measured,
        "file_bytes": size,
        "weights": sum(each.value.numel() for each in found.tensors),
        "codes": [
            {
                "code": code,
                "grids_for_bytes": best[code].fineness,
                "weight_bits": _amount(amounts.hypothesis),
                "prior_bits": _amount(amounts.prior),
                "data_bits": _amount(amounts.data),
                "total_bits": _amount(amounts.total),
                "bits_per_byte": _amount(best[code].reading.rate),
                "measured_total_bits": _amount(best[code].describe(found.measured).total),
            }
            for code, amounts in described.items()
        ],
        "groups": found.groups(size),
        "curve": {
            "file_bytes": found.sizes,
            "network_bits": found.totals,
            **{rival.name: rival.bits for rival in found.rivals},
        },
        "pays_from_bytes": {rival.name: found.pays_from(rival) for rival in found.rivals},
    }


def _amount(estimate: "Estimate | None") -> dict[str, float | None] | None:
    """Return a value with its standard error; JSON has no number for an error that nobody knows."""
    if estimate is None:
        return None
    return {"value": estimate.value, "stderr": None if math.isnan(estimate.stderr) else estimate.stderr}
