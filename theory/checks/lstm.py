"""The check of Lemma 4.4: a network that computes one step of a machine, and how far around it all networks do.

In order: the network of `theory.lstm.construction` against the machine, on every configuration of a tape, in three
precisions; the step of the proof that bounds a matrix multiplication; attacks, which must fail within the certified
radii; those radii with the probability of an initialisation falling within them; and beside them what the proof's own
norms give.

Source: Bloem 2025 (arXiv 2506.20057), Lemma 4.4. The corrections are explained in `theory.lstm.construction` (the
bias), `theory.lstm.lipschitz` (the matrix) and `theory.lstm.radius` (gates and cell).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import inf, log2

import numpy as np

from theory.checks.result import (
    CheckResult,
    Counterexample,
    Item,
    StepCurve,
    ratio_item,
    require_variant,
    tightest_item,
)
from theory.errors import InputError
from theory.lstm.attack import Tapes, gradient_attack, sampled_failures
from theory.lstm.construction import LSTM, Gains, forward, read, step_lstm
from theory.lstm.lipschitz import lipschitz_radius, matrix_step
from theory.lstm.probability import log2_probability
from theory.lstm.radius import REQUIRED_MARGIN, Region, certified_margin, certified_radius
from theory.machines.one_tape import TapeMachine, load_machine
from theory.numbers.exact import log2_float

VARIANTS: Mapping[str, str] = {
    "printed-bias": "the read-out is moved inside by 3 W and b - 1, as the proof prints, and not 3 b - 1",
    "matrix-step": "parameters and inputs may move by p < 1 / (m + |W| + 1), as the proof prints, to move W x by p",
    "outside-radius": "the radius claimed is eight times the certified one",
}
PRECISIONS = (np.float64, np.float32, np.float16)
LIPSCHITZ_TOKENS = (4, 8, 24)
# The example of the matrix step: |W| = 2, m = 1 and a tolerance just under 1 / (m + |W| + 1).
EXAMPLE = {"weight_norm": Fraction(2), "input_bound": Fraction(1), "tolerance": Fraction(99, 400)}


def check_lstm(
    machine_name: str = "bb2",
    *,
    cells: int = 6,
    attack_cells: int = 3,
    samples: int = 50,
    seed: int = 0,
    variant: str | None = None,
) -> CheckResult:
    """Check Lemma 4.4 for one machine.

    Args:
        machine_name: `flip`, `bb2` or `two-three`.
        cells: the tape whose configurations are all run.
        attack_cells: the tape on which attacks look for a wrong step.
        samples: networks drawn at random from the certified box.
        seed: of the draw.
        variant: a key of `VARIANTS`.

    Raises:
        InputError: an unknown machine or variant, a tape without cells, or one with too many configurations.

    """
    require_variant(variant, VARIANTS)
    for name, value in (("cells", cells), ("attack_cells", attack_cells), ("samples", samples)):
        if value < 1:
            raise InputError(f"{name} is too small", received=value, remedy="give 1 or more")
    machine = load_machine(machine_name)
    lstm = _printed_bias(machine) if variant == "printed-bias" else step_lstm(machine)
    tapes = Tapes.of(machine, cells)
    regions: tuple[Region, ...] = ("box", "ball")
    radii: dict[Region, float] = {region: certified_radius(lstm, machine, region) for region in regions}

    margin = certified_margin(lstm, machine, 0.0, "box")
    beyond = margin - REQUIRED_MARGIN["saturated"]
    factor = 8 if variant == "outside-radius" else 1
    claimed: dict[Region, float] = {region: factor * radius for region, radius in radii.items()}
    items = [*_exactness(lstm, tapes), _matrix_item(as_printed=variant == "matrix-step")]
    curves: tuple[StepCurve, ...] = ()
    if min(radii.values()) > 0:
        items += _attacks(lstm, Tapes.of(machine, attack_cells), claimed, samples, seed)
        items += _lipschitz(lstm, beyond, radii["ball"])
        curves = tuple(_curves(lstm, beyond, radii["ball"]))
    items += [_certificate(lstm, machine, region, claimed[region]) for region in regions]

    tightest = tightest_item(items)
    return CheckResult(
        check="lstm",
        statement="An LSTM computes one step of the machine, and so do all LSTMs within a radius of it: p(f) > 0.",
        formula="|w' - w| <= r  =>  f_w' = f_w;   p(f) >= p(|w' - w| <= r) > 0",
        class_name=f"LSTM with {lstm.hidden_size} hidden units and {lstm.parameter_count:,} parameters",
        bound=f"{machine.name}: all tapes of {cells} cells run; radii for tapes of any length",
        constants={f"r ({region})": Fraction(radius) for region, radius in radii.items()},
        items=tuple(items),
        holds=all(item.holds for item in items),
        slack_bits=tightest.slack_bits,
        tightest=tightest.name,
        counterexample=None if tightest.holds else _counterexample(tightest),
        counts={"configurations": len(tapes.tokens_BTD), "parameters": lstm.parameter_count, "samples": samples},
        curves=curves,
        remarks=(f"The nominal answers lie {beyond:.4f} beyond 0 and 1.",),
        variant=variant,
    )


def _printed_bias(machine: TapeMachine) -> LSTM:
    """Return the network moved inside as the proof prints: from answers at the edges, by 3 W and b - 1."""
    edge = step_lstm(machine, Gains(margin=0.0))
    return replace(edge, readout_weight=3 * edge.readout_weight, readout_bias=edge.readout_bias - 1)


def _exactness(lstm: LSTM, tapes: Tapes) -> Iterator[Item]:
    for precision in PRECISIONS:
        answers = forward(lstm, tapes.tokens_BTD, precision)
        wrong = (read(answers, "rounded") != tapes.steps_BND).any(axis=(1, 2)).sum()
        margin = float(np.where(tapes.steps_BND == 1, answers - 0.5, 0.5 - answers).min())
        yield Item(
            name=f"every step in {precision.__name__}",
            holds=bool(wrong == 0 and margin > REQUIRED_MARGIN["saturated"]),
            slack_bits=log2(margin / REQUIRED_MARGIN["saturated"]) if margin > 0 else None,
            witness=f"{wrong} of {len(answers)} wrong",
            numbers={"wrong": int(wrong), "margin": margin},
        )


def _matrix_item(*, as_printed: bool) -> Item:
    allowed, change = matrix_step(**EXAMPLE, as_printed=as_printed)
    return ratio_item(
        "a matrix product",
        EXAMPLE["tolerance"] / change,
        witness=f"|W| = 2, m = 1, all may move by {float(allowed):.4f}",
        numbers={"tolerance": EXAMPLE["tolerance"], "change": change},
    )


def _certificate(lstm: LSTM, machine: TapeMachine, region: Region, radius: float) -> Item:
    """Return the item of a radius; it fails for a radius of 0, which leaves p(f) = 0."""
    margin = certified_margin(lstm, machine, radius, region)
    numbers = {"radius": radius, "margin": margin}
    if radius > 0:
        numbers["log2 p(f)"] = float(log2_probability(lstm, radius=radius, region=region))
    return Item(
        name=f"certified {region}",
        holds=radius > 0 and margin > REQUIRED_MARGIN["saturated"],
        slack_bits=log2(margin / REQUIRED_MARGIN["saturated"]) if margin > 0 else None,
        witness=f"r = {radius:.4f}",
        numbers=numbers,
    )


def _lipschitz(lstm: LSTM, margin: float, certified: float) -> Iterator[Item]:
    """Return items that compare the norms with the intervals, both for the saturated read-out of Lemma 4.4."""
    for tokens in LIPSCHITZ_TOKENS:
        radius = lipschitz_radius(lstm, tokens=tokens, margin=margin)
        yield ratio_item(
            f"norms, {tokens} tokens",
            Fraction(certified) / Fraction(radius),
            witness=f"r = {radius:.1e}, below the certified ball",
            numbers={
                "radius": radius,
                "log2 p(f)": float(log2_probability(lstm, radius=radius, region="ball")),
            },
        )


def _attacks(lstm: LSTM, tapes: Tapes, claimed: Mapping[Region, float], samples: int, seed: int) -> Iterator[Item]:
    """Return an item for each attack; each must fail within the radius claimed."""
    generator = np.random.default_rng(seed)
    failures = sampled_failures(
        lstm, tapes, radius=claimed["box"], read_out="saturated", samples=samples, generator=generator
    )
    yield Item(
        name="sampled in the box",
        holds=failures == 0,
        slack_bits=None,
        witness=f"{failures} of {samples} networks wrong",
        numbers={"wrong": failures, "samples": samples},
    )
    for region, radius in claimed.items():
        multiple = _first_break(lstm, tapes, radius, region)
        yield Item(
            name=f"attacked in the {region}",
            holds=multiple > 1,
            slack_bits=log2(multiple) if multiple < inf else None,
            witness=f"broken at {multiple:.2f} r" if multiple < inf else "not broken up to 2 r",
            numbers={"radius": radius, "multiple": multiple},
        )


def _first_break(lstm: LSTM, tapes: Tapes, radius: float, region: Region) -> float:
    """Return the multiple of the radius, from 1 to 2 in steps of 1/8, at which the gradient attack first succeeds."""
    for eighths in range(8, 17):
        reach = radius * eighths / 8
        if gradient_attack(lstm, tapes, radius=reach, region=region, read_out="saturated") is not None:
            return eighths / 8
    return inf


def _curves(lstm: LSTM, margin: float, certified: float) -> Iterator[StepCurve]:
    lengths = tuple(range(1, LIPSCHITZ_TOKENS[-1] + 1))
    norms = (log2(lipschitz_radius(lstm, tokens=tokens, margin=margin)) for tokens in lengths)
    yield StepCurve("log2 r by norms", "tokens", tuple(norms), lengths)
    yield StepCurve("log2 r certified", "tokens", tuple(log2_float(Fraction(certified)) for _ in lengths), lengths)


def _counterexample(item: Item) -> Counterexample:
    if item.name.startswith("every step"):
        claimed, observed, verb = 0, item.numbers["wrong"], "steps computed wrongly"
    elif item.name == "a matrix product":
        claimed, observed, verb = item.numbers["tolerance"], item.numbers["change"], "the product moves too far"
    elif item.name.startswith("sampled"):
        claimed, observed, verb = 0, item.numbers["wrong"], "networks within the radius step wrongly"
    elif item.name.startswith("attacked"):
        claimed, observed, verb = item.numbers["radius"], item.numbers["radius"], "a network within the radius fails"
    else:
        claimed, observed, verb = REQUIRED_MARGIN["saturated"], item.numbers["margin"], "no margin is left"
    return Counterexample(where=item.name, claimed=claimed, observed=observed, sentence=f"{verb}: {item.witness}.")
