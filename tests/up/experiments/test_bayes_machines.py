"""bayes-machines: what is exact obeys Theorem 4.2, intervals hold the truth, and verdicts follow from the numbers."""

import math

import pytest

from theory.machines.machine import Bound
from theory.measures.beginnings import halting, of_beginnings
from theory.measures.omega import halting_measure
from up.experiments.bayes_machines import BayesMachines, of_exact, of_model, open_divergence
from up.experiments.bayes_machines_results import (
    BOUND,
    BY_POSITION,
    EXACT,
    FIRST,
    KL,
    LEAST,
    LOST,
    MIXTURE,
    MOST,
    NOISE,
    OPEN,
    OTHER,
    OWN,
    UNDER_BOUND,
)
from up.experiments.bayes_results import TRAINED, UNTRAINED
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Setting
from up.experiments.known_class import CLASS_A, CLASS_B, UNIVERSAL, known_class
from up.experiments.machine_rows import exact_charges
from up.experiments.measurement import Measurement, Measurements
from up.experiments.runner import run_experiment
from up.model.base import ROOMS

SMOKE = Setting(scale="smoke", seeds=(0,))
NAMES = (CLASS_A, CLASS_B, UNIVERSAL)


@pytest.mark.parametrize("name", NAMES)
def test_the_mixture_obeys_theorem_4_2_and_has_no_divergence_from_itself(name):
    exact = Measurements(of_exact(known_class(name, "smoke")))
    assert exact.where(KL).mean().value == pytest.approx(0, abs=1e-12)
    for member in exact.where(BOUND).each("member"):
        bound = exact.where(BOUND, member=member).mean().value
        assert 0 <= exact.where(LOST, of=EXACT, member=member).mean().value <= bound


def test_what_the_universal_machine_loses_to_its_programs_lies_between_its_certain_ends():
    exact = Measurements(of_exact(known_class(UNIVERSAL, "smoke")))
    later = halting_measure(Bound(20, 20))
    for member in exact.where(LOST, of=MOST).each("member"):
        x = str(member).replace("ε", "")
        least, most = (exact.where(LOST, of=of, member=member).mean().value for of in (LEAST, MOST))
        assert least < -math.log2(later.lower(x)) <= most <= exact.where(BOUND, member=member).mean().value
    assert exact.where(OPEN).mean().value == float(known_class(UNIVERSAL, "smoke").under_bound.unresolved)


def uniform_charges(known):
    return {(z, x): (1.5,) * (len(x) + 1) for z, x in known.pairs()}


@pytest.mark.parametrize("symbols", [1, 2, 4])
def test_the_divergence_from_a_later_bound_lies_within_the_interval_of_an_earlier_one(symbols):
    known = known_class(UNIVERSAL, "smoke")
    charged = {(z, x): tuple(0.5 + 3 * (bit == "1") for bit in x + "1") for z, x in known.pairs()}
    ends = open_divergence(known.under_bound, charged, symbols)
    for time in (15, 20, 24):
        p = of_beginnings(halting(halting_measure(Bound(time, time))), symbols)
        first = {(x + "$")[:symbols]: sum(bits[:symbols]) for (_, x), bits in charged.items() if len(x) <= symbols}
        truth = sum(float(q) * (first[y] + math.log2(q)) for y, q in p.mass.items())
        assert ends[LEAST] - 1e-9 <= truth <= ends[MOST] + 1e-9


def test_a_model_that_is_the_halting_machine_is_no_bit_away_at_least_and_something_at_most():
    known = known_class(UNIVERSAL, "smoke")
    whole = {(z, x): (60.0,) * (len(x) + 1) for z, x in known.pairs()}  # strings that cannot occur under the bound
    exact = exact_charges(known.mixture)
    charged = {**whole, **exact}
    for (_, x), bits in exact.items():  # strings of which one that occurs is the beginning
        for (z, y), other in whole.items():
            if y.startswith(x) and (z, y) not in exact:
                charged[z, y] = (*bits[:-1], *other[len(x) :])
    found = Measurements(of_model(known, charged, {"of": TRAINED}, 10)).where(FIRST)
    for symbols in found.each("symbols"):
        ends = [found.where(symbols=symbols, end=end).mean().value for end in (LEAST, UNDER_BOUND, MOST)]
        assert ends[:2] == pytest.approx([0, 0], abs=1e-9)
        assert ends[2] > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_controls_have_a_divergence_that_is_positive_at_the_first_position_too(name):
    known = known_class(name, "smoke")
    charged = {**uniform_charges(known), **exact_charges(known.noise)}
    found = Measurements(of_model(known, charged, {"of": TRAINED}, 10))
    assert found.where(BY_POSITION, position=0).mean().value > 0.001
    assert len(found.where(LOST)) == len(known.members)
    for symbols in found.where(FIRST).each("symbols"):
        ends = [found.where(FIRST, symbols=symbols, end=end).mean().value for end in (LEAST, UNDER_BOUND, MOST)]
        assert ends == sorted(ends)


def test_each_class_and_architecture_is_trained_on_its_strings_and_on_two_controls():
    parts = BayesMachines().runs(Setting(scale="smoke", seeds=(0, 1)))
    assert len({part.name for part in parts}) == len(parts) == 3 + 2 * 3 * 3 * len(ROOMS)
    assert len(BayesMachines().runs(Setting(scale="smoke", arch="modern"))) == 3 + 9
    assert {part.labels.get("source") for part in parts} == {None, OWN, NOISE, OTHER}


@pytest.mark.parametrize("name", [CLASS_B, UNIVERSAL])
def test_a_training_measures_divergences_at_several_times_and_members_before_and_after_it(tmp_path, name):
    experiment = BayesMachines()
    (part,) = [
        part
        for part in experiment.runs(Setting(scale="smoke", arch="mixing"))
        if part.labels["class"] == name and part.labels.get("source") == OWN
    ]
    found = Measurements(experiment.measure(part, tmp_path, SMOKE, lambda *_: None))
    assert len(found.where(KL)) >= 4
    assert found.where(KL).instances()[0] == 0
    assert found.where(LOST).instances() == (0, found.where(KL).instances()[-1])
    assert bool(found.where(FIRST)) == (name == UNIVERSAL)


def measured(labels, quantity, value, instances=None):
    return Measurement(
        labels={"class": UNIVERSAL, **labels}, quantity=quantity, unit="bits", value=value, instances=instances
    )


def some(*, half=0.3, end=0.05, lost=1.5, noise=4.0, untrained=30.0, least=0.02, most=9.0):
    own = {"arch": "modern", "seed": 0}
    trained, before = {**own, "of": TRAINED, "source": OWN}, {**own, "of": UNTRAINED, "source": OWN}
    ends = ((LEAST, least), (UNDER_BOUND, 0.04), (MOST, most))
    return Measurements(
        [
            measured({"of": EXACT, "member": MIXTURE}, KL, 0.0),
            measured({"of": EXACT, "member": "01"}, LOST, 1.0),
            measured({"of": BOUND, "member": "01"}, BOUND, 2.0),
            measured({"of": EXACT}, OPEN, 0.25),
            *(measured({**trained, "member": MIXTURE}, KL, value, n) for n, value in ((50, half), (100, end))),
            measured({**trained, "member": "01"}, LOST, lost, 100),
            measured({**trained, "position": 0}, BY_POSITION, 0.5, 100),
            *(measured({**trained, "symbols": 6, "end": name}, FIRST, value, 100) for name, value in ends),
            measured({**before, "member": MIXTURE}, KL, untrained, 0),
            measured({**own, "of": TRAINED, "source": NOISE, "member": MIXTURE}, KL, noise, 100),
            measured({**own, "of": TRAINED, "source": NOISE, "member": "01"}, LOST, 1.75, 100),
            measured({**own, "of": TRAINED, "source": OTHER, "member": MIXTURE}, KL, 5.0, 100),
        ]
    )


NEAR, GOES_ON, WITHIN, ELSEWHERE, UNBOUNDED = range(5)
FLAT = {"half": 0.2, "end": 0.2}


@pytest.mark.parametrize(
    ("changed", "claim", "verdict"),
    [
        ({}, NEAR, HOLDS),
        (FLAT, NEAR, FAILS),
        ({"end": 0.2}, NEAR, UNKNOWN),  # it was still falling
        ({**FLAT, "untrained": 0.3}, NEAR, UNKNOWN),  # it had hardly learned
        ({}, GOES_ON, HOLDS),
        (FLAT, GOES_ON, UNKNOWN),
        ({}, WITHIN, HOLDS),
        ({**FLAT, "lost": 2.5}, WITHIN, FAILS),
        ({"lost": 2.5}, WITHIN, UNKNOWN),
        ({}, ELSEWHERE, HOLDS),
        ({**FLAT, "noise": 0.9}, ELSEWHERE, FAILS),
        ({"noise": 0.1}, ELSEWHERE, UNKNOWN),
        ({}, UNBOUNDED, UNKNOWN),
        ({"most": 0.09}, UNBOUNDED, HOLDS),
        ({**FLAT, "least": 0.11}, UNBOUNDED, FAILS),
    ],
)
def test_verdicts_follow_from_the_end_of_the_training_and_are_left_open_while_it_falls(changed, claim, verdict):
    found = BayesMachines().findings(some(**changed))
    assert len(found) == 5
    assert found[claim].verdict == verdict


def test_the_findings_have_the_figures_on_which_they_rest():
    found = BayesMachines().findings(some())
    assert "0.300 after 50, 0.050 after 100" in found[GOES_ON].measured
    assert "01: in bits a string 1.500, where m_C loses 1.000 and the bound is 2.000" in found[WITHIN].measured
    assert "when trained on uniform strings the most above it is -0.250" in found[WITHIN].measured
    assert "the nearest is 80.0 times as far" in found[ELSEWHERE].measured
    assert "between 0.020 and 9.000: programs of mass 0.250 did not halt" in found[UNBOUNDED].measured


def test_the_tables_have_bound_mixture_and_controls_and_the_figures_have_points():
    members, intervals = BayesMachines().tables(some())
    assert [row[0] for row in members.rows] == [
        BOUND,
        MIXTURE,
        "modern, untrained",
        "modern, trained on uniform strings",
        "modern, trained on another class",
        "modern, trained on its strings",
    ]
    assert members.rows[-1] == ("modern, trained on its strings", "0.050", "1.500", "-0.500")
    assert intervals.rows == (("modern, trained on its strings", "0.020", "0.040", "9.000"),)
    figures = BayesMachines().figures(some())
    assert [figure.name.removeprefix("bayes-machines-") for figure in figures] == [
        "training",
        "positions",
        "members-the-universal-machine",
    ]
    assert figures[-1].categories == ("01",)


def test_of_many_members_some_are_shown_and_the_worst_of_all_is_told():
    table = BayesMachines().tables(Measurements(of_exact(known_class(CLASS_B, "smoke"))))[0]
    assert len(table.columns) == 1 + 1 + 8 + 1
    exact = Measurements(of_exact(known_class(CLASS_B, "smoke")))
    above = max(
        exact.where(LOST, member=name).mean().value - exact.where(BOUND, member=name).mean().value
        for name in exact.where(BOUND).each("member")
    )
    assert table.rows[1][-1] == f"{above:+.3f}"
    shown = [float(cell) for cell in table.rows[1][2:-1]]
    assert shown == sorted(shown)


@pytest.mark.slow
def test_the_smoke_scale_runs_and_writes_its_report(tmp_path):
    list(run_experiment(BayesMachines(), SMOKE, tmp_path / "out"))
    report = (tmp_path / "out" / "report.md").read_text()
    assert all(f"Trained on strings of {name}, {arch}" in report for arch in ROOMS for name in NAMES)
    assert "is certain to lie between" in report
