"""Does a model that is trained on samples of a mixture come to predict as the mixture does?

Claim: a model that is trained on data from a mixture m_C approximates m_C (Bloem 2025, section 5), so that what is
known of m_C, such as that it loses at most log 1/p(c) to any member c, is carried over to the model. The mixture is out
of reach for the classes that the paper trains on. Here is one for which it is known exactly: all binary context trees
of bounded depth with unknown coins, whose mixture context-tree weighting computes (`theory.measures.context_trees`).

Models of three architectures are trained on bits that are drawn from just this prior (the source `tree` with two
symbols), each bit a byte 0 or 1 to the model. On fresh rows stands beside each prediction of a model the exact one, and
the divergence of the two is what the model has not learned (`up.evaluation.mixture_gap`): by position, and while it
was trained, where each batch is new to the model and its loss less the exact code length is the same divergence without
any further row. Then rows of single trees with known coins: what the model loses to whoever wrote them, beside what the
mixture loses, and the bound.

Controls are the model as it was initialised, and the same model, with the same initial weights and as many instances,
trained on uniform bits and on another class: Markov chains of order 1 with unknown coins. For the mixing predictor
there is the untrained one that learns from each row as it reads it. Exact mixtures of fewer trees are yardsticks.

The laptop scale was chosen by trials of two to three minutes: `modern` at width 64 was 0.0096 ± 0.0006 bits a symbol
away over the last half after 10,000 instances with copy heads, and 0.021 after 12,456 without; `paper` was 0.073 away
after 24,000, `mixing` 0.020 after 2,000.

References: Grau-Moya and others 2024 (arXiv 2401.14953) train transformers and LSTMs on such trees and on a universal
machine, with context-tree weighting as the bar, and compare cumulated log-loss; Zhou and others 2024 show that
transformers learn context trees in context. Here the divergence from the exact mixture is reported itself, by position
and against training, with errors.

The paper's form is trained without dropout: no instance comes twice, and its loss is then a prediction.

Limits: one class, at lengths up to 512 (1,024 at the paper's scale with depth 8). The first bit of a row has nothing
before it and is predicted by nobody. Errors are over rows; with one seed they say nothing about other trainings.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from theory.measures.context_trees import Tree, full_tree
from up.device import keyed_generator
from up.evaluation.ctw import in_context_bits
from up.evaluation.markov import FloatArray, IntArray
from up.evaluation.mixture_gap import both_charges, divergence, measure_gap
from up.evaluation.rows import octaves
from up.evaluation.token_bits import ChargesTokens
from up.evaluation.tree_members import bound_bits, member_rows
from up.experiments import bayes_results as results
from up.experiments.bayes_results import (
    ADAPTING,
    BOUND,
    BY_POSITION,
    HALF,
    KL,
    LOSS_TO_WRITER,
    MIXTURE,
    NOISE,
    OTHER,
    OUTSIDE,
    PER_SYMBOL,
    PRIOR,
    TRAINED,
    UNTRAINED,
    WHILE_TRAINING,
    WHOLE,
)
from up.experiments.experiment import Experiment, Finding, Part, Progress, Setting, Step, SubRun, Table
from up.experiments.figure import Figure
from up.experiments.measurement import Label, Measurement, Measurements
from up.experiments.training import training_config
from up.model.base import ROOMS, TargetModel, build_model
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.recipes.config import RunConfig
from up.runs.folder import RunFolder, load_model, open_run
from up.sources.tree import TreeSource

_SIZES = {  # depth of the trees, bits of a row, rows, rows of a mixing predictor, rows of each member
    "smoke": (2, 64, 60, 10, 20),
    "laptop": (4, 256, 1_000, 300, 200),
    "paper": (8, 1_024, 4_000, 1_000, 500),
}
_SOURCES = {
    PRIOR: ("tree", ()),
    OTHER: ("tree", ("source.max_depth=1", "source.split_probability=1")),
    NOISE: ("noise", ()),
}
_CURVE_POINTS = 16
_ROWS_KEY, _MEMBERS_KEY = 20, 21  # of generators that no run uses
_ADAPTING_ROWS = {"smoke": 4, "laptop": 60, "paper": 200}


class Bayes(Experiment):
    """See the module."""

    name = "bayes"
    title = "A learned mixture beside the exact one"
    question = "Does a model trained on samples of a mixture come to predict as the mixture does?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 3}
    lengths = ("instances",)

    def __init__(self) -> None:
        self._written: dict[object, tuple[IntArray, FloatArray]] = {}

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return the exact computations, then three trainings for each architecture and seed."""
        archs = (setting.arch,) if setting.arch else tuple(ROOMS)
        trainings = [
            SubRun(
                name=f"{arch}-{source}-seed-{seed}",
                labels={"arch": arch, "source": source, "seed": seed},
                config=bayes_config(setting, arch=arch, source=source, seed=seed),
            )
            for seed in setting.seeds
            for arch in archs
            for source in _SOURCES
        ]
        return [Step(name="exact", labels={}), *trainings]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:
        """Return how far models are from the mixture, and what they and the mixture lose to the writers of rows."""
        if isinstance(part, Step):
            return self._exact(setting)
        device = torch.device(setting.device)
        run = open_run(folder)
        config, model = run.config(), load_model(folder, device)
        models = {TRAINED: (model, run.instances_of_model())}
        if part.labels["source"] == PRIOR:
            models[UNTRAINED] = (build_model(config.model, config.generator("model")).to(device).eval(), 0)
        found: list[Measurement] = []
        for of, (each, instances) in models.items():
            labels = {**part.labels, "of": of}
            found += self._of_prior(each, setting, labels, instances, progress)
            found += self._of_members(each, setting, labels, instances, progress)
        if part.labels["source"] == PRIOR:
            excess = excess_of_steps(run, config, model, _SIZES[setting.scale][0])
            found += learning_curve(excess, {**part.labels, "of": TRAINED})
            untrained = models[UNTRAINED][0]
            if isinstance(untrained, MixingPredictor):
                found += self._adapting(untrained, setting, {**part.labels, "of": ADAPTING}, progress)
        return found

    def _prior_rows(self, setting: Setting) -> tuple[IntArray, FloatArray]:
        """Return fresh rows of the prior, and what each bit costs by the exact mixture."""
        if "prior" not in self._written:
            depth, length, rows, _, _ = _SIZES[setting.scale]
            drawn = TreeSource(max_depth=depth, symbols=2).rows(rows, length, keyed_generator(_ROWS_KEY, 0)).numpy()
            self._written["prior"] = drawn, in_context_bits(drawn, depth, vocabulary_size=2)
        return self._written["prior"]

    def _member_rows(self, tree: Tree, setting: Setting) -> tuple[IntArray, FloatArray]:
        """Return rows of one tree, and what each bit costs who knows the tree and its coins."""
        if tree not in self._written:
            _, length, _, _, rows = _SIZES[setting.scale]
            seed = keyed_generator(_MEMBERS_KEY, members(setting).index(tree)).initial_seed()
            self._written[tree] = member_rows(tree, rows, length, np.random.default_rng(seed))
        return self._written[tree]

    def _exact(self, setting: Setting) -> list[Measurement]:
        """Return what the mixture itself pays and loses, and its bound."""
        depth, length, *_ = _SIZES[setting.scale]
        prior_NT, bits_NT = self._prior_rows(setting)
        half_N = bits_NT[:, length // 2 :].mean(axis=1)
        found = [_measured({"of": MIXTURE, "part": HALF}, "code length", half_N, None)]
        for less in range(depth):
            shallow_NT = in_context_bits(prior_NT, less, vocabulary_size=2)
            gap_NT = divergence(prior_NT, bits_NT, both_charges(prior_NT, shallow_NT))[:, 1:]
            for part, first in ((HALF, length // 2), (WHOLE, 1)):
                labels = {"of": MIXTURE, "depth": less, "part": part}
                found.append(_measured(labels, KL, gap_NT[:, first - 1 :].mean(axis=1), None))
        for tree in members(setting):
            tokens_NT, member_NT = self._member_rows(tree, setting)
            mixture_NT = in_context_bits(tokens_NT, depth, vocabulary_size=2)
            lost_NT = divergence(tokens_NT, member_NT, both_charges(tokens_NT, mixture_NT))[:, 1:]
            labels = {"member": member_text(tree), "leaves": len(tree)}
            found.append(_measured({**labels, "of": MIXTURE}, LOSS_TO_WRITER, lost_NT.sum(axis=1), None, unit="bits"))
            bound_N = bound_bits(tree, depth, tokens_NT)
            found.append(_measured({**labels, "of": BOUND}, LOSS_TO_WRITER, bound_N, None, unit="bits"))
        return found

    def _of_prior(
        self, model: TargetModel[Any], setting: Setting, labels: dict[str, Label], instances: int, progress: Progress
    ) -> list[Measurement]:
        tokens_NT, bits_NT = self._prior_rows(setting)
        _, length, _, few, _ = _SIZES[setting.scale]
        count = few if isinstance(model, ChargesTokens) else len(tokens_NT)
        gap = measure_gap(model, tokens_NT[:count], bits_NT[:count], progress=progress)
        found = _by_position(gap.gap_NT, length, labels, instances)
        if gap.outside_NT is not None:
            outside_N = gap.outside_NT[:, length // 2 - 1 :].mean(axis=1)
            found.append(_measured({**labels, "part": HALF}, OUTSIDE, outside_N, instances, unit="probability"))
        return found

    def _of_members(
        self, model: TargetModel[Any], setting: Setting, labels: dict[str, Label], instances: int, progress: Progress
    ) -> list[Measurement]:
        found = []
        for tree in members(setting):
            tokens_NT, bits_NT = self._member_rows(tree, setting)
            count = max(10, len(tokens_NT) // 4) if isinstance(model, ChargesTokens) else len(tokens_NT)
            lost_NT = measure_gap(model, tokens_NT[:count], bits_NT[:count], progress=progress).gap_NT
            own = {**labels, "member": member_text(tree), "leaves": len(tree)}
            found.append(_measured(own, LOSS_TO_WRITER, lost_NT.sum(axis=1), instances, unit="bits"))
        return found

    def _adapting(
        self, predictor: MixingPredictor, setting: Setting, labels: dict[str, Label], progress: Progress
    ) -> list[Measurement]:
        """Return how far the untrained predictor is that learns from each row, by itself, while it reads it."""
        count = _ADAPTING_ROWS[setting.scale]
        tokens_NT, bits_NT = (each[:count] for each in self._prior_rows(setting))
        excess = []
        for row, (tokens_T, bits_T) in enumerate(zip(tokens_NT, bits_NT, strict=True), start=1):
            excess.append((Stream(predictor).score(tokens_T.astype(np.uint8).tobytes()) - bits_T)[1:])
            progress(row, count)
        return _by_position(np.array(excess), tokens_NT.shape[1], labels, 0)

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return the divergence by position and while training, and what is lost to each member."""
        return results.figures(measurements)

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the divergence of all models, and what they lose to each member."""
        return results.tables(measurements)

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return for each architecture whether it comes near the mixture, nearer than its controls, and goes on."""
        return results.findings(measurements)


def bayes_config(setting: Setting, *, arch: str, source: str, seed: int) -> RunConfig:
    """Return the configuration of one training.

    Args:
        setting: of the experiment.
        arch: of the model.
        source: `PRIOR`, `OTHER` or `NOISE`.
        seed: of everything random.

    Raises:
        InputError: see `training_config`.
    """
    depth, length, *_ = _SIZES[setting.scale]
    kind, of_source = _SOURCES[source]
    assignments = [f"model.context_length={length}", "source.symbols=2", "cadence.burn_in_batches=0"]
    assignments += [f"source.max_depth={depth}"] if kind == "tree" else []
    assignments += [*of_source, *_plan(arch, setting.scale)]
    return training_config(setting, arch=arch, seed=seed, source=kind, assignments=assignments)


def _plan(arch: str, scale: str) -> tuple[str, ...]:
    """Return what is not as in the preset."""
    if arch == "mixing":
        lengths = {"smoke": 30, "laptop": 1_500, "paper": 10_000}
        return (f"model.learned_bytes={_SIZES[scale][1]}", f"training.instances={lengths[scale]}")
    own = ("model.dropout=0",)
    if scale == "smoke":
        return (*own, "training.instances=240", "training.learning_rate=5e-3", "training.batch=8")
    if scale == "paper":
        return (*own, "training.instances=200000", "training.batch=64", "training.batch_start=64")
    return (*own, *_LAPTOP, *_LAPTOP_OF[arch])


_LAPTOP = ("model.width=64", "model.base_width=64", "model.heads=4", "training.batch=4", "training.batch_start=4")
_LAPTOP_OF = {
    "modern": (
        "model.convolution_taps=5",  # a token and the four before it
        "training.instances=18000",
        "training.learning_rate=3e-3",
        "training.warmup_instances=400",
        "training.halving_instances=3500",
    ),
    "paper": (
        "training.instances=16000",
        "training.learning_rate=2e-3",
        "training.warmup_instances=1000",
        "training.halving_instances=4000",
    ),
}


def members(setting: Setting) -> tuple[Tree, ...]:
    """Return the trees whose rows are measured by themselves: the full ones of each depth, and the thinnest one."""
    depth = _SIZES[setting.scale][0]
    thin = ("0" * depth, *("1" + "0" * level for level in range(depth)))
    return (*(full_tree(level) for level in range(min(depth, 5) + 1)), *((thin,) if depth > 1 else ()))


def member_text(tree: Tree) -> str:
    """Return a tree by the number of its leaves; those that are not all of one depth are called thin."""
    is_full = len(set(map(len, tree))) == 1
    return f"{len(tree)}" if is_full else f"{len(tree)}, thin"


def excess_of_steps(run: RunFolder, config: RunConfig, model: TargetModel[Any], depth: int) -> dict[int, float]:
    """Return, by instances, the loss of each step's batch less what the exact mixture pays for the same rows.

    The batches are drawn once more from the run's own stream. They were new to the model, so the difference is the
    divergence in expectation.

    Args:
        run: that is complete.
        config: its configuration.
        model: its model; one without logits is charged for the first bit as well.
        depth: of the trees.

    """
    first = 0 if isinstance(model, ChargesTokens) else 1
    stream, found = config.stream(model_device(model)), {}
    for step in run.metrics.history().steps:
        rows_NT = stream.draw(step.batch).cpu().numpy()
        if step.loss_bits is not None:
            exact_NT = in_context_bits(rows_NT, depth, vocabulary_size=2)
            found[step.instances] = step.loss_bits - float(exact_NT[:, first:].mean())
    return found


def learning_curve(excess: Mapping[int, float], labels: dict[str, Label]) -> list[Measurement]:
    """Return the means of the steps' excess over ranges of instances, of which each is wider than the one before."""
    ends, excess_N = np.array(list(excess)), np.array(list(excess.values()))
    edges = np.geomspace(max(1, ends[-1] / 64), ends[-1], _CURVE_POINTS + 1)
    place_N = np.searchsorted(edges, ends)  # 0 before the first edge, then 1 to the number of points
    found = []
    for point in range(1, _CURVE_POINTS + 1):
        within = place_N == point
        if within.sum() > 1:
            found.append(_measured(labels, WHILE_TRAINING, excess_N[within], int(ends[within][-1])))
    return found


def model_device(model: TargetModel[Any]) -> torch.device:
    """Return where a model is."""
    return next(model.parameters()).device


def _by_position(gap_NT: FloatArray, length: int, labels: dict[str, Label], instances: int) -> list[Measurement]:
    """Return the mean over the last half, over all positions, and over octaves of positions."""
    parts = {HALF: length // 2, WHOLE: 1}
    found = [
        _measured({**labels, "part": part}, KL, gap_NT[:, first - 1 :].mean(axis=1), instances)
        for part, first in parts.items()
    ]
    for first, last in octaves(length):
        own = {**labels, "first": first, "last": last}
        found.append(_measured(own, BY_POSITION, gap_NT[:, first - 1 : last].mean(axis=1), instances))
    return found


def _measured(
    labels: dict[str, Label], quantity: str, each_N: FloatArray, instances: int | None, *, unit: str = PER_SYMBOL
) -> Measurement:
    """Return the mean of independent numbers with its standard error."""
    stderr = float(each_N.std(ddof=1) / math.sqrt(len(each_N)))
    return Measurement(
        labels=dict(labels),
        quantity=quantity,
        unit=unit,
        value=float(each_N.mean()),
        stderr=stderr,
        instances=instances,
    )
