"""figure-9: what training begins with, modes that are counted, and verdicts that follow the measurements."""

import pytest
import torch

from up.codes.identity import IdentityConfig, manual_weights, train_identity
from up.codes.mixture import GaussianMixture, optimal_bits
from up.experiments.densities import parameters
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Setting
from up.experiments.figure_9 import BEST_RATE, COEFFICIENTS, PAPER_RATE, POSTERIOR, PRIOR, Figure9
from up.experiments.measurement import Measurement, Measurements

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """All that a smoke run measures with two seeds."""
    setting, folder = Setting(scale="smoke", seeds=SEEDS), tmp_path_factory.mktemp("figure-9")
    return Measurements(
        [
            each
            for part in Figure9().runs(setting)
            for each in Figure9().measure(part, folder, setting, lambda _done, _total: None)
        ]
    )


def with_modes(counts, bits=100.0):
    """Measurements of both rates whose priors have so many modes, a number for each seed of each rate."""
    found = []
    for rate, modes in counts.items():
        for seed, count in enumerate(modes):
            labels = {"start": "learned", "rate": rate, "coefficient": COEFFICIENTS[0], "seed": seed}
            found += [Measurement(labels=labels, quantity=name, unit="bits", value=bits) for name in ("KL", "total")]
            found.append(Measurement(labels={**labels, "of": PRIOR}, quantity="modes", unit="", value=count))
            prior = GaussianMixture.of(*torch.tensor([[0.5, 0.5], [0, 1], [0.2, 0.3]]).double())
            found += parameters(prior, {**labels, "of": PRIOR})
    return found


def test_nothing_is_trained_in_no_steps_and_the_result_has_what_it_began_with():
    (manual,) = train_identity(
        [IdentityConfig(coefficient=1e-2, learning_rate=1e-3, initialisation="paper", prior_means="clusters")], steps=0
    )
    assert torch.allclose(manual.posterior.mean_K.squeeze(-1), manual_weights())
    assert manual.posterior.mean_K.shape == (148, 1)
    assert sorted(manual.prior.mean_K.tolist()) == [-10, 0, 20]
    assert manual.description.hypothesis.value == pytest.approx(optimal_bits(manual_weights()), abs=1e-4)
    assert manual.bit_accuracy == 1


def test_the_manual_prior_has_three_modes_and_what_training_begins_with_has_one(smoke):
    assert [each.value for each in smoke.where("modes", start="manual")] == [3, 3]
    assert [each.value for each in smoke.where("modes", start="untrained", of=PRIOR)] == [1, 1]
    assert all(each.value > 10 for each in smoke.where("modes", start="untrained", of=POSTERIOR))


def test_every_kind_has_a_panel_and_a_row_the_control_among_them(smoke):
    kinds = [
        "manual",
        *(f"rate {PAPER_RATE:g}, coefficient {each:g}" for each in COEFFICIENTS),
        "untrained",
        *(f"rate {BEST_RATE:g}, coefficient {each:g}" for each in COEFFICIENTS),
    ]
    (figure,) = Figure9().figures(smoke)
    assert [panel.title for panel in figure.panels] == kinds
    for panel in figure.panels:
        assert [series.name for series in panel.series] == [POSTERIOR, PRIOR]
        for series in panel.series:
            assert min(series.y) >= 1e-3
            assert list(series.x) == sorted(series.x)
    modes, components = Figure9().tables(smoke)
    assert [row[0] for row in modes.rows] == kinds
    assert len(components.rows) == 1 + 5 * len(SEEDS)
    assert components.rows[0] == (
        "manual, seed 0",
        "0.135 at -10.00 (0.00674)",
        "0.811 at 0.00 (0.00674)",
        "0.054 at 20.00 (0.00674)",
    )


def test_the_verdict_is_of_all_seeds():
    counts = {PAPER_RATE: [1, 1], BEST_RATE: [3, 2]}
    assert [each.verdict for each in Figure9().findings(Measurements(with_modes(counts)))] == [HOLDS, FAILS]
    (mixed,) = Figure9().findings(Measurements(with_modes({PAPER_RATE: [1, 2]})))
    assert mixed.verdict == UNKNOWN
    assert mixed.measured.startswith("1, 2 modes, seed by seed")


def test_the_manual_prior_is_cheaper_or_not_by_what_was_learned(smoke):
    manual = list(smoke.where(start="manual"))
    for bits, verdict in ((100.0, FAILS), (200.0, HOLDS)):
        learned = with_modes({PAPER_RATE: [1, 1]}, bits=bits)
        one_mode, narrow, cheaper = Figure9().findings(Measurements([*manual, *learned]))
        assert (one_mode.verdict, narrow.verdict, cheaper.verdict) == (HOLDS, HOLDS, verdict)
        assert "127.7 bits by hand" in cheaper.measured


def test_a_prior_of_one_mode_before_training_cannot_collapse(smoke):
    (finding,) = Figure9().findings(smoke.where(start="untrained"))
    assert finding.verdict == FAILS
    assert "1 mode in each of 2 seeds" in finding.measured


def test_between_narrow_peaks_the_density_is_drawn_at_the_floor(smoke):
    (figure,) = Figure9().figures(smoke)
    for series in figure.panels[0].series:
        points = zip(series.x, series.y, strict=True)
        assert {y for x, y in points if min(abs(x - peak) for peak in (-10, 0, 20)) > 0.035} == {1e-3}
