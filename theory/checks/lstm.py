"""The check of Lemma 4.4: a network that computes one step of a machine, and how far around it all networks do.

In order: the network of `theory.lstm.construction` against the machine, on every configuration of a tape, in three
precisions; the step of the proof that bounds a matrix multiplication; attacks, which must fail within the certified
radii; those radii with the probability of an initialisation falling within them; and beside them what the proof's own
norms give. That the attacks and these numbers could fail is shown in `theory.checks.lstm_controls`.

Limits: the items `certified box` and `certified ball` repeat the interval arithmetic that chose the radii. They show
the margin that it leaves, and cannot contradict it; the attacks can. `a matrix product` is one example; the general
fact is two lines of algebra (`theory.lstm.lipschitz`). Attacks that fail prove nothing.

Source: Bloem 2025 (arXiv 2506.20057), Lemma 4.4. The corrections are explained in `theory.lstm.construction` (the
bias), `theory.lstm.lipschitz` (the matrix) and `theory.lstm.radius` (gates and cell).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import inf, log2

import numpy as np

from theory.checks.lstm_controls import lstm_equalities
from theory.checks.registry import LSTM_BALL
from theory.checks.result import CheckResult, Counterexample, Equality, Item, Picture, StepCurve, ratio_item
from theory.errors import InputError
from theory.lstm.attack import Answers, Tapes, gradient_attack, sampled_failures
from theory.lstm.construction import LSTM, Gains, forward, read, step_lstm
from theory.lstm.lipschitz import lipschitz_radius, matrix_step
from theory.lstm.probability import log2_probability
from theory.lstm.radius import REQUIRED_MARGIN, Region, certified_margin, certified_radius
from theory.machines.one_tape import TapeMachine, load_machine
from theory.numbers.exact import log2_float
from theory.words import number_of

PRECISIONS = (np.float64, np.float32, np.float16)
LIPSCHITZ_TOKENS = (4, 8, 24)
# The example of the matrix step: |W| = 2, m = 1 and a tolerance just under 1 / (m + |W| + 1).
EXAMPLE = {"weight_norm": Fraction(2), "input_bound": Fraction(1), "tolerance": Fraction(99, 400)}


def check_lstm(
    machine_name: str | TapeMachine = "bb2",
    *,
    cells: int = 6,
    attack_cells: int = 3,
    samples: int = 50,
    seed: int = 0,
    variant: str | None = None,
) -> CheckResult:
    """Check Lemma 4.4 for one machine.

    Args:
        machine_name: `flip`, `bb2` or `two-three`, `path/to/file.py:NAME`, or a machine itself.
        cells: the tape whose configurations are all run.
        attack_cells: the tape on which attacks look for a wrong step.
        samples: networks drawn at random from the certified box.
        seed: of the draw.
        variant: None, or one of the declared ones.

    Raises:
        InputError: an unknown machine or variant, a tape without cells or with too many configurations, or a machine
            that is too large.

    """
    LSTM_BALL.require_variant(variant)
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
    pictures: tuple[Picture, ...] = ()
    equalities: Iterable[Equality] = ()
    if min(radii.values()) > 0:
        attacked = Tapes.of(machine, attack_cells)
        attacks = {item.name: item for item in _attacks(lstm, attacked, claimed, samples, seed)}
        items += attacks.values()
        equalities = lstm_equalities(lstm, attacked, radii, attacks, EXAMPLE, seed)
        items += _lipschitz(lstm, beyond, radii["ball"])
        curves = tuple(_curves(lstm, beyond, radii["ball"]))
        pictures = (_norms_against_certificate(*curves),)
    items += [_certificate(lstm, machine, region, claimed[region]) for region in regions]

    return LSTM_BALL.result(
        items,
        equalities=equalities,
        class_name=f"LSTM with {number_of(lstm.hidden_size, 'hidden unit')} and {lstm.parameter_count:,} parameters",
        bound=f"{machine.name}: all tapes of {number_of(cells, 'cell')} run; radii for tapes of any length",
        constants={f"r ({region})": Fraction(radius) for region, radius in radii.items()},
        counts={"configurations": len(tapes.tokens_BTD), "parameters": lstm.parameter_count, "samples": samples},
        curves=curves,
        pictures=pictures,
        remarks=(
            f"The nominal answers lie {beyond:.4f} beyond 0 and 1.",
            "The certified items repeat the interval arithmetic that chose the radii; the attacks could contradict it.",
            "The matrix product is one example of that step of the proof.",
        ),
        variant=variant,
        tightest=lambda item: item.name,
    )


def _norms_against_certificate(norms: StepCurve, certified: StepCurve) -> Picture:
    """Return how many bits smaller the radius of the norms becomes, marked with the certified one."""
    curve = replace(norms, name="log2 1/r by norms, against tape length", values=tuple(-r for r in norms.values))
    return Picture(curve, tuple(-r for r in certified.values), "certified, for any length")


def _failure(where: str, claimed: Fraction | float, observed: Fraction | float, sentence: str) -> Counterexample:
    return Counterexample(where=where, claimed=claimed, observed=observed, sentence=f"{sentence}.")


def _printed_bias(machine: TapeMachine) -> LSTM:
    """Return the network moved inside as the proof prints: from answers at the edges, by 3 W and b - 1."""
    edge = step_lstm(machine, Gains(margin=0.0))
    return replace(edge, readout_weight=3 * edge.readout_weight, readout_bias=edge.readout_bias - 1)


def _exactness(lstm: LSTM, tapes: Tapes) -> Iterator[Item]:
    for precision in PRECISIONS:
        answers = forward(lstm, tapes.tokens_BTD, precision)
        wrong = (read(answers, "rounded") != tapes.steps_BND).any(axis=(1, 2)).sum()
        margin = float(np.where(tapes.steps_BND == 1, answers - 0.5, 0.5 - answers).min())
        name, witness = f"every step in {precision.__name__}", f"{wrong} of {len(answers)} wrong"
        holds = bool(wrong == 0 and margin > REQUIRED_MARGIN["saturated"])
        yield Item(
            name=name,
            holds=holds,
            slack_bits=log2(margin / REQUIRED_MARGIN["saturated"]) if margin > 0 else None,
            witness=witness,
            numbers={"wrong": int(wrong), "margin": margin},
            failure=None if holds else _failure(name, 0, int(wrong), f"steps computed wrongly: {witness}"),
        )


def _matrix_item(*, as_printed: bool) -> Item:
    allowed, change = matrix_step(**EXAMPLE, as_printed=as_printed)
    name, tolerance = "a matrix product", EXAMPLE["tolerance"]
    witness = f"|W| = 2, m = 1, all may move by {float(allowed):.4f}"
    return ratio_item(
        name,
        tolerance / change,
        witness=witness,
        numbers={"tolerance": tolerance, "change": change},
        failure=partial(_failure, name, tolerance, change, f"the product moves too far: {witness}"),
    )


def _certificate(lstm: LSTM, machine: TapeMachine, region: Region, radius: float) -> Item:
    """Return the item of a radius; it fails for a radius of 0, which leaves p(f) = 0."""
    margin = certified_margin(lstm, machine, radius, region)
    numbers = {"radius": radius, "margin": margin}
    if radius > 0:
        numbers["log2 p(f)"] = float(log2_probability(lstm, radius=radius, region=region))
    name, witness, required = f"certified {region}", f"r = {radius:.4f}", REQUIRED_MARGIN["saturated"]
    holds = radius > 0 and margin > required
    return Item(
        name=name,
        holds=holds,
        slack_bits=log2(margin / required) if margin > 0 else None,
        witness=witness,
        numbers=numbers,
        failure=None if holds else _failure(name, required, margin, f"no margin is left: {witness}"),
    )


def _lipschitz(lstm: LSTM, margin: float, certified: float) -> Iterator[Item]:
    """Return items that compare the norms with the intervals, both for the saturated read-out of Lemma 4.4."""
    for tokens in LIPSCHITZ_TOKENS:
        radius = lipschitz_radius(lstm, tokens=tokens, margin=margin)
        name, witness = f"norms, {number_of(tokens, 'token')}", f"r = {radius:.1e}, below the certified ball"
        yield ratio_item(
            name,
            Fraction(certified) / Fraction(radius),
            witness=witness,
            numbers={
                "radius": radius,
                "log2 p(f)": float(log2_probability(lstm, radius=radius, region="ball")),
            },
            failure=partial(_failure, name, radius, certified, f"norms give more than intervals: {witness}"),
        )


def _attacks(lstm: LSTM, tapes: Tapes, claimed: Mapping[Region, float], samples: int, seed: int) -> Iterator[Item]:
    """Return an item for each attack; each must fail within the radius claimed."""
    generator = np.random.default_rng(seed)
    failures = sampled_failures(
        lstm, tapes, radius=claimed["box"], read_out="saturated", samples=samples, generator=generator
    )
    name, witness = "sampled in the box", f"{failures} of {number_of(samples, 'network')} wrong"
    wrong = _failure(name, 0, failures, f"networks within the radius step wrongly: {witness}")
    yield Item(
        name=name,
        holds=failures == 0,
        slack_bits=None,
        witness=witness,
        numbers={"wrong": failures, "samples": samples},
        failure=wrong if failures else None,
    )
    answers = Answers.of(lstm, tapes)
    for region, radius in claimed.items():
        multiple = _first_break(lstm, tapes, answers, radius, region)
        name = f"attacked in the {region}"
        witness = f"broken at {multiple:.2f} r" if multiple < inf else "not broken up to 2 r"
        broken = _failure(name, radius, radius, f"a network within the radius fails: {witness}")
        yield Item(
            name=name,
            holds=multiple > 1,
            slack_bits=log2(multiple) if multiple < inf else None,
            witness=witness,
            numbers={"radius": radius, "multiple": multiple},
            failure=None if multiple > 1 else broken,
        )


def _first_break(lstm: LSTM, tapes: Tapes, answers: Answers, radius: float, region: Region) -> float:
    """Return the multiple of the radius, from 1 to 2 in steps of 1/8, at which the gradient attack first succeeds."""
    for eighths in range(8, 17):
        reach = radius * eighths / 8
        shift = gradient_attack(lstm, tapes, radius=reach, region=region, read_out="saturated", answers=answers)
        if shift is not None:
            return eighths / 8
    return inf


def _curves(lstm: LSTM, margin: float, certified: float) -> Iterator[StepCurve]:
    lengths = tuple(range(1, LIPSCHITZ_TOKENS[-1] + 1))
    norms = (log2(lipschitz_radius(lstm, tokens=tokens, margin=margin)) for tokens in lengths)
    yield StepCurve("log2 r by norms", "tokens", tuple(norms), lengths)
    yield StepCurve("log2 r certified", "tokens", tuple(log2_float(Fraction(certified)) for _ in lengths), lengths)
