"""table-2: its parts, what they measure, and verdicts that follow the measurements."""

import pytest

from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Setting
from up.experiments.measurement import Measurement, Measurements
from up.experiments.table_2 import COEFFICIENTS, PAPER_COEFFICIENT, PAPER_MANUAL, RATES, Table2, _exact

SEEDS = (0, 1, 2, 3)


def totals(random, manual, rate=3e-2, wobble=1.0):
    """What random and manual starts end at, for each seed, with all that a table needs."""
    found = []
    for start, value in (("random", random), ("manual", manual)):
        for seed in SEEDS:
            labels = {"start": start, "rate": rate, "option": "none", "coefficient": PAPER_COEFFICIENT, "seed": seed}
            found += [
                Measurement(labels=labels, quantity=quantity, unit="bits", value=value + wobble * (seed - 1.5))
                for quantity in ("KL", "NLL", "total", "bits right")
            ]
    return Measurements(found)


def verdicts(measurements):
    return [finding.verdict for finding in Table2().findings(measurements)]


def test_a_run_has_four_rates_from_both_starts_the_options_and_what_is_exact():
    parts = Table2().runs(Setting(seeds=SEEDS))
    assert [part.name for part in parts] == [
        "exact",
        *(f"{start}-{rate:g}" for rate in RATES for start in ("random", "manual")),
        "options",
    ]
    assert len(COEFFICIENTS) == 5


def test_a_smoke_run_measures_every_coefficient_and_everything_is_tabled_and_drawn(tmp_path):
    experiment, setting = Table2(), Setting(scale="smoke")
    told = []
    measured = Measurements(
        [
            each
            for part in experiment.runs(setting)
            for each in experiment.measure(part, tmp_path, setting, lambda *done: told.append(done))
        ]
    )
    assert set(measured.where("total", start="random").each("coefficient")) == {*COEFFICIENTS, 0.0}
    for start in ("random", "manual"):
        for coefficient in COEFFICIENTS:
            own = measured.where(start=start, coefficient=coefficient)
            kl, nll, total = (own.where(quantity).mean().value for quantity in ("KL", "NLL", "total"))
            assert total == pytest.approx(kl + nll)
    assert told[-1] == (20, 20)
    trained, exact = experiment.tables(measured)
    assert len(trained.rows) == 12
    assert [row[1] for row in exact.rows] == ["127.73", "89.14", "71.10"]
    (figure,) = experiment.figures(measured)
    assert [series.name for series in figure.panels[0].series] == ["random, rate 0.03", "manual, rate 0.03"]
    assert PAPER_MANUAL in [line.value for line in figure.panels[0].lines]


def test_random_starts_that_end_longer_bear_the_claim_out_and_shorter_ones_do_not():
    assert verdicts(totals(random=800.0, manual=130.0)) == [HOLDS, HOLDS]
    assert verdicts(totals(random=120.0, manual=130.0)) == [FAILS, FAILS]
    assert verdicts(totals(random=180.0, manual=130.0)) == [HOLDS, FAILS]
    assert verdicts(totals(random=130.0, manual=130.0, wobble=0.0)) == [UNKNOWN, FAILS]


def test_the_best_rate_decides_about_the_papers_manual_solution():
    both = Measurements([*totals(random=900.0, manual=130.0, rate=1e-3), *totals(random=180.0, manual=130.0)])
    assert verdicts(both) == [HOLDS, HOLDS, FAILS]
    assert "at the best rate 180.000" in Table2().findings(both)[-1].measured


def test_what_is_exact_contradicts_the_papers_manual_solution():
    (finding,) = Table2().findings(
        Measurements([each for of in ("paper", "unused bias 0", "no hidden bias") for each in _exact(of)])
    )
    assert finding.verdict == FAILS
    for bits in ("127.7", "234.6", "89.1", "71.1"):
        assert bits in finding.measured
    assert finding.paper == "Shaw et al. 2025"
