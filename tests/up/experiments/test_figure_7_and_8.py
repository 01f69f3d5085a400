"""figure-7 and figure-8: what is measured of a bit, against closed forms, and verdicts that follow the measurements."""

import math

import pytest
import torch

from up.codes.mixture import gaussian_divergence, unimodal_frontier
from up.experiments.densities import density_series, mixture_of, parameters
from up.experiments.experiment import FAILS, HOLDS, Setting
from up.experiments.figure_7 import Figure7, mixtures
from up.experiments.figure_8 import CLOSE, TABLED, Figure8, cheapest_gaussian
from up.experiments.measurement import Measurement, Measurements


def measured_by(experiment, folder, **setting):
    setting = Setting(scale="smoke", **setting)
    found = []
    for part in experiment.runs(setting):
        found += experiment.measure(part, folder, setting, lambda _done, _total: None)
    return Measurements(found)


@pytest.mark.parametrize("wrong", [0.4, 0.042, 1e-2, 1e-4, 1e-6, 1e-12])
def test_the_search_over_mean_and_spread_ends_at_the_closed_form(wrong):
    mean, sigma, bits = cheapest_gaussian(wrong)
    z = -float(torch.special.ndtri(torch.tensor(wrong, dtype=torch.float64)))
    assert bits == pytest.approx(unimodal_frontier(wrong), abs=1e-9)
    assert bits == pytest.approx(math.log2(1 + z * z) / 2, abs=1e-9)
    assert mean / sigma == pytest.approx(z, rel=1e-9)
    assert sigma == pytest.approx(1 / math.sqrt(1 + z * z), rel=1e-6)
    assert bits == gaussian_divergence(mean, sigma)


def test_a_mixture_comes_back_from_its_measurements_and_its_density_has_mass_1():
    prior = mixtures("multimodal")[0]
    back = mixture_of(Measurements(parameters(prior, {"of": "prior"})))
    for one, other in ((prior.log_weights, back.log_weights), (prior.mean_K, back.mean_K), (prior.sigmas, back.sigmas)):
        assert torch.allclose(one, other)
    series = density_series("prior", back)
    assert list(series.x) == sorted(series.x)
    assert torch.trapezoid(torch.tensor(series.y), torch.tensor(series.x)) == pytest.approx(1, abs=1e-3)


def test_a_bit_takes_1_bit_under_two_components_and_equation_91_under_one(tmp_path):
    measured = measured_by(Figure7(), tmp_path)
    for bit in ("bit 0", "bit 1"):
        one, two = (measured.where(prior=prior, of=bit) for prior in ("unimodal", "multimodal"))
        assert two.where("KL").mean().value == pytest.approx(1, abs=1e-9)
        assert two.where("wrong").mean().value == pytest.approx(math.erfc(10 / math.sqrt(2)) / 2, rel=1e-9, abs=0)
        assert one.where("KL").mean().value == pytest.approx(one.where("KL by equation 91").mean().value, abs=1e-9)
        assert one.where("KL").mean().value == pytest.approx(unimodal_frontier(0.99), abs=1e-9)
        assert one.where("wrong").mean().value == pytest.approx(0.01, rel=1e-9)
        for own in (one, two):
            sampled = own.where("KL sampled").mean()
            assert abs(sampled.value - own.where("KL").mean().value) <= 4 * (sampled.stderr or 0.0) + 1e-9
    for control in measured.where("KL", of="the prior itself"):
        assert control.value == pytest.approx(0, abs=1e-12)


def test_figure_7_has_a_panel_for_each_prior_the_control_in_its_table_and_its_verdict(tmp_path):
    experiment = Figure7()
    measured = measured_by(experiment, tmp_path, seeds=(0, 1))
    (figure,) = experiment.figures(measured)
    assert [[series.name for series in panel.series] for panel in figure.panels] == [["prior", "bit 0", "bit 1"]] * 2
    assert [panel.title[-13:] for panel in figure.panels] == [" KL 1.34 bits", " KL 1.00 bits"]
    (table,) = experiment.tables(measured)
    assert [row[0] for row in table.rows if "itself" in row[0]] == [
        "unimodal, the prior itself",
        "multimodal, the prior itself",
    ]
    (finding,) = experiment.findings(measured)
    assert finding.verdict == HOLDS
    assert "3.329 bits to be wrong as rarely" in finding.measured
    turned = {"unimodal": "multimodal", "multimodal": "unimodal"}
    other = Measurements(
        [
            Measurement(
                labels={**each.labels, "prior": turned[str(each.labels["prior"])]},
                quantity=each.quantity,
                unit=each.unit,
                value=each.value,
            )
            for each in measured
        ]
    )
    assert [each.verdict for each in experiment.findings(other)] == [FAILS]
    assert experiment.figures(Measurements()) == ()
    assert list(experiment.findings(Measurements())) == []


def test_figure_8_says_how_much_near_certainty_takes(tmp_path):
    experiment = Figure8()
    measured = measured_by(experiment, tmp_path)
    assert [each.verdict for each in experiment.findings(measured)] == [HOLDS, FAILS, HOLDS, HOLDS]
    (table,) = experiment.tables(measured)
    assert [row[0] for row in table.rows] == [
        "0.5", "0.958", "0.99", "1 - 0.0001", "1 - 1e-06", "1 - 1e-09", "1 - 1e-12",
    ]  # fmt: skip
    # The four of the notes, section 3.
    assert [round(float(row[1]), 2) for row in table.rows[1:5]] == [1.0, 1.34, 1.95, 2.28]
    assert [row[1] for row in table.rows] == [row[2] for row in table.rows]
    assert table.rows[0][1:3] == ("0.0000", "0.0000")
    assert table.rows[0][-1] == "0.0000"
    assert table.rows[-1][-1] == "1.0000"


def test_figure_8_draws_no_point_beyond_an_error_of_1e_6(tmp_path):
    experiment = Figure8()
    right, wrong = experiment.figures(measured_by(experiment, tmp_path))
    for figure in (right, wrong):
        for series in figure.panels[0].series:
            assert list(series.x) == sorted(series.x)
    assert min(x for series in wrong.panels[0].series for x in series.x) == pytest.approx(CLOSE)
    assert max(x for series in right.panels[0].series for x in series.x) == pytest.approx(1 - CLOSE)
    assert wrong.log_x
    assert min(TABLED) < CLOSE


def test_two_components_never_take_more_than_one_gaussian_at_the_same_certainty(tmp_path):
    """The mutual information of a sign is at most the capacity of the Gaussian channel of the same power."""
    measured = measured_by(Figure8(), tmp_path)
    one = {each.labels["wrong"]: each.value for each in measured.where("KL by the closed form")}
    two = {each.labels["wrong"]: each.value for each in measured.where("KL")}
    assert one.keys() == two.keys()
    assert all(two[wrong] <= one[wrong] + 1e-12 for wrong in one)


def test_a_closed_form_that_the_search_does_not_find_is_denied(tmp_path):
    wrong = [
        Measurement(labels=each.labels, quantity=each.quantity, unit=each.unit, value=each.value + 0.01)
        if each.quantity == "KL by search"
        else each
        for each in measured_by(Figure8(), tmp_path)
    ]
    assert [each.verdict for each in Figure8().findings(Measurements(wrong))] == [HOLDS, FAILS, FAILS, HOLDS]
