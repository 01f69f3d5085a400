"""Does the best learning rate stay where it is when the model gets wider? Loss by width and rate, with and without muP.

    python -m benchmarks.bench_lr_transfer [--json FILE] [--svg FILE]        44 minutes on a core shared with other work
    python -m benchmarks.bench_lr_transfer --read FILE [--svg FILE]          the table and the figure of a record

Every run sees the same batches of the same enriched sequences in the same order, from the source of the preset `small`,
and starts from the same seed; only architecture, parametrisation, width and rate differ. AdamW as in A.1 (weight decay
0.01, gradients clipped to norm 1), 10 % of linear warm-up, then a constant rate, no dropout. The final loss is the mean
over the last tenth of the steps, in bits per character. One head at every width, so that both parametrisations are the
same model at the base width, which is run once.

A rate is given as that of the base width, before muP scales it. `lost` is what the rate that is best at the base width
costs at another width, against the best rate there: what somebody pays who tunes the narrow model and trains the wide.
"""

import argparse
import io
import json
import math
import re
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.environment import environment
from up.model.transformer.model import Transformer, TransformerConfig
from up.model.transformer.mup import parameter_groups
from up.sources.buffer import BufferConfig
from up.sources.recurrent import RecurrentSource
from up.sources.stream import CadenceConfig

BASE_WIDTH, DEPTH, CONTEXT, BATCH, BURN_IN = 64, 2, 128, 8, 40
SOURCE_HIDDEN_SIZE, WEIGHT_DECAY, CLIP = 102, 0.01, 1.0
ARCHITECTURES, PARAMETRISATIONS = ("paper", "modern"), ("mup", "standard")
COLOURS, MARKERS = ("#cc79a7", "#0090d8", "#d55e00", "#009e73"), ("o", "s", "^", "D")
INK = "#123456"  # stands for the colour of the text around the figure
TITLE = "Final loss against learning rate for four widths, in both architectures, with muP and without."

Row = dict[str, object]


def draw_batches(steps: int) -> list[Tensor]:
    """Return the batches of all runs, (BATCH, CONTEXT) each."""
    stream = RecurrentSource(hidden_size=SOURCE_HIDDEN_SIZE, sequences_per_model=8).stream(
        buffer=BufferConfig(),
        cadence=CadenceConfig(burn_in_batches=BURN_IN),
        context_length=CONTEXT,
        source_generator=torch.Generator().manual_seed(0),
        buffer_generator=torch.Generator().manual_seed(1),
    )
    return [stream.draw(BATCH) for _ in range(steps)]


def final_loss_bits(config: TransformerConfig, rate: float, batches: list[Tensor]) -> float:
    """Train one model and return the mean loss of its last steps; infinite once a loss is not finite."""
    model = Transformer(config, torch.Generator().manual_seed(2))
    groups = parameter_groups(model, config)
    for group in groups:
        group["weight_decay"] = WEIGHT_DECAY * group["weight_decay_scale"]
    optimizer = torch.optim.AdamW(groups, fused=True)
    losses = []
    for step, tokens_BT in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, 10 * (step + 1) / len(batches)) * group["lr_scale"]
        logits_BTV = model(tokens_BT[:, :-1])
        loss = nn.functional.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT[:, 1:].long().flatten())
        losses.append(loss.item() / math.log(2))
        if not math.isfinite(losses[-1]):
            return math.inf
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
    last = losses[-max(1, len(losses) // 10) :]
    return sum(last) / len(last)


def measure(widths: list[int], exponents: list[int], batches: list[Tensor]) -> list[Row]:
    """Train every model; the runs at the base width count for both parametrisations."""
    rows: list[Row] = []
    for arch in ARCHITECTURES:
        for parametrisation in PARAMETRISATIONS:
            for width in widths:
                if width == BASE_WIDTH and parametrisation == "standard":
                    rows += [
                        {**row, "parametrisation": "standard"}
                        for row in rows
                        if (row["arch"], row["width"]) == (arch, BASE_WIDTH)
                    ]
                    continue
                config = TransformerConfig(
                    arch=arch,
                    width=width,
                    depth=DEPTH,
                    heads=1,
                    context_length=CONTEXT,
                    dropout=0.0,
                    parametrisation=parametrisation,
                    base_width=BASE_WIDTH,
                )
                start = time.perf_counter()
                for exponent in exponents:
                    loss = final_loss_bits(config, 2.0**exponent, batches)
                    rows.append(
                        {
                            "arch": arch,
                            "parametrisation": parametrisation,
                            "width": width,
                            "log2_rate": exponent,
                            "loss_bits": loss if math.isfinite(loss) else None,
                        }
                    )
                print(f"# {arch} {parametrisation} {width}: {time.perf_counter() - start:.0f} s", flush=True)
    return rows


def curves(rows: list[Row], arch: str, parametrisation: str) -> dict[int, dict[int, float]]:
    """Return the losses of one panel, by width and binary logarithm of the rate; infinite where a run diverged."""
    panel: dict[int, dict[int, float]] = {}
    for row in rows:
        if (row["arch"], row["parametrisation"]) == (arch, parametrisation):
            loss = math.inf if row["loss_bits"] is None else row["loss_bits"]
            panel.setdefault(row["width"], {})[row["log2_rate"]] = loss
    return panel


def print_table(rows: list[Row]) -> None:
    for arch in ARCHITECTURES:
        for parametrisation in PARAMETRISATIONS:
            panel = curves(rows, arch, parametrisation)
            exponents = sorted(panel[BASE_WIDTH])
            tuned = min(panel[BASE_WIDTH], key=panel[BASE_WIDTH].__getitem__)
            print(f"\n{arch}, {parametrisation}: final loss in bits per character")
            print(f"{'width':>6}" + "".join(f"{f'2^{e}':>8}" for e in exponents) + f"{'best':>8}{'lost':>8}")
            for width, losses in panel.items():
                best = min(losses, key=losses.__getitem__)
                cells = "".join(f"{losses[exponent]:>8.3f}" for exponent in exponents)
                print(f"{width:>6}{cells}{f'2^{best}':>8}{losses[tuned] - losses[best]:>8.3f}")


def draw(rows: list[Row], path: Path) -> None:
    """Write the curves as an SVG whose ink is that of the page around it."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    style = {"svg.hashsalt": "lr-transfer", "font.size": 9, "legend.frameon": False, "axes.spines.top": False}
    style |= {"svg.fonttype": "none", "font.family": "sans-serif"}
    style |= {"axes.spines.right": False, "axes.titlelocation": "left", "lines.linewidth": 1.6}
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")
    with matplotlib.rc_context({**style, **dict.fromkeys(inked, INK)}):
        figure, axes = pyplot.subplots(2, 2, figsize=(7.6, 5.6), sharex=True, sharey=True, layout="constrained")
        for axes_row, arch in zip(axes, ARCHITECTURES, strict=True):
            for panel_axes, parametrisation in zip(axes_row, PARAMETRISATIONS, strict=True):
                name = "muP" if parametrisation == "mup" else "standard"
                panel_axes.set_title(f"{arch}, {name}")
                panel_axes.grid(color=INK, alpha=0.15, linewidth=0.6)
                panel = curves(rows, arch, parametrisation)
                for (width, losses), colour, marker in zip(panel.items(), COLOURS, MARKERS, strict=False):
                    finite = sorted((exponent, loss) for exponent, loss in losses.items() if math.isfinite(loss))
                    panel_axes.plot(*zip(*finite, strict=True), color=colour, marker=marker, ms=4, label=f"{width}")
                    best = min(finite, key=lambda point: point[1])
                    panel_axes.plot(*best, color=colour, marker=marker, ms=9)
            axes_row[0].set_ylabel("final loss (bits per character)")
        exponents = sorted({row["log2_rate"] for row in rows})
        for panel_axes in axes[1]:
            panel_axes.set_xticks(exponents, [f"$2^{{{exponent}}}$" for exponent in exponents])
            panel_axes.set_xlabel("learning rate at the base width")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, [f"width {label}" for label in labels], loc="outside upper center", ncols=len(labels))
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    svg = text.getvalue()
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg.replace(INK, "currentColor"))
    svg = svg[svg.index("<svg") :]  # to stand inside a page: no prologue,
    svg = re.sub(r"<style.*?</style>|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)  # and no styles for all of it
    path.write_text(svg.replace(">", f' class="figure" role="img"><title>{TITLE}</title>', 1), encoding="utf-8")


def main() -> None:
    """Measure or read, print the table, and write record and figure if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--log2-rates", type=int, nargs="+", default=[-12, -11, -10, -9, -8, -7, -6])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the record to this file")
    parser.add_argument("--read", type=Path, help="take the figures from this record; nothing is trained")
    parser.add_argument("--svg", type=Path, help="draw the curves into this file; needs matplotlib")
    arguments = parser.parse_args()
    if BASE_WIDTH not in arguments.widths:
        parser.error(f"--widths must contain the base width, {BASE_WIDTH}")
    torch.set_num_threads(1)
    if arguments.read:
        rows = json.loads(arguments.read.read_text(encoding="utf-8"))["rows"]
    else:
        start = time.perf_counter()
        rows = measure(arguments.widths, arguments.log2_rates, draw_batches(arguments.steps))
        seconds = time.perf_counter() - start
    print_table(rows)
    if arguments.json and not arguments.read:
        settings = {"base_width": BASE_WIDTH, "depth": DEPTH, "heads": 1, "context_length": CONTEXT, "batch": BATCH}
        settings |= {"steps": arguments.steps, "weight_decay": WEIGHT_DECAY, "gradient_clip": CLIP}
        settings |= {"source_hidden_size": SOURCE_HIDDEN_SIZE, "burn_in_batches": BURN_IN, "seconds": round(seconds)}
        record = {"benchmark": "lr_transfer", **environment(), **settings, "rows": rows}
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if arguments.svg:
        draw(rows, arguments.svg)


if __name__ == "__main__":
    main()
