"""Experiments that finetune: what they run, what they say of curves that are known, and what they need."""

import re

import pytest

from up.errors import InputError
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Setting, SubRun
from up.experiments.figure_5 import Figure5
from up.experiments.finetuning import (
    COMPUTATION,
    CURVE,
    FINETUNED,
    NOTHING,
    PRETRAINED,
    SCRATCH,
    require_sets,
    rows_of,
    sooner,
)
from up.experiments.measurement import Measurement, Measurements
from up.experiments.real_vs_universal import RealVersusUniversal
from up.experiments.runner import Ended, run_experiment
from up.model.base import ROOMS

SMOKE = Setting(scale="smoke", seeds=(0, 1))
HERE = ("german:validation", "german:test", "wp:validation", "wp:test")


def bits(
    phase, data, value, *, origin=NOTHING, on="german", seed=0, of="trained", quantity="bits", instances=9, error=0.1
):
    labels = {"phase": phase, "from": origin, "on": on, "seed": seed, "data": data, "of": of}
    return Measurement(
        labels=labels, quantity=quantity, unit="bits per character", value=value, stderr=error, instances=instances
    )


def curve(phase, origin, *values, on="german", seed=0):
    return [
        bits(phase, f"{on}:validation", value, origin=origin, on=on, seed=seed, quantity=CURVE, instances=100 * place)
        for place, value in enumerate(values)
    ]


def measured(finetuned, scratch, *, others=()):
    found = [*curve(FINETUNED, COMPUTATION, *finetuned), *curve(SCRATCH, NOTHING, *scratch)]
    for data, before, after, plain in (("german:test", 1.0, 2.0, 2.0), *others):
        known = ((PRETRAINED, COMPUTATION, before), (FINETUNED, COMPUTATION, after), (SCRATCH, NOTHING, plain))
        for phase, origin, gain in known:
            on = COMPUTATION if phase == PRETRAINED else "german"
            found.append(bits(phase, data, 5 - gain, origin=origin, on=on))
            found.append(bits(phase, data, gain, origin=origin, on=on, of="untrained", quantity="gain", error=0.01))
    return Measurements(found)


def verdicts(found):
    return {finding.claim: finding.verdict for finding in Figure5().findings(found)}


@pytest.mark.parametrize("arch", ROOMS)
@pytest.mark.parametrize("experiment", [Figure5(), RealVersusUniversal()])
def test_every_finetuning_follows_what_it_begins_with_and_has_a_baseline(experiment, arch):
    parts = experiment.runs(Setting(scale="smoke", arch=arch, seeds=(0, 1)))
    assert len({part.name for part in parts}) == len(parts)
    seen = set()
    for part in parts:
        assert isinstance(part, SubRun)
        labels = part.labels
        if labels["phase"] == FINETUNED:
            assert (PRETRAINED, labels["from"], labels["seed"]) in seen
        seen.add((labels["phase"], labels["from"], labels["seed"]))
    for part in parts:
        if part.labels["phase"] == FINETUNED:
            alike = [each for each in parts if each.labels["on"] == part.labels["on"]]
            assert any(each.labels["phase"] == SCRATCH and each.labels["seed"] == part.labels["seed"] for each in alike)


def test_nothing_that_is_measured_was_trained_on():
    for experiment in (Figure5(), RealVersusUniversal()):
        for setting in (SMOKE, Setting(scale="laptop", real_data=HERE)):
            trained = {str(part.labels["on"]) for part in experiment.runs(setting)}
            assert not trained & set(experiment.data_of(setting))


def test_data_that_is_not_here_is_asked_for_in_one_line_and_embedded_data_stands_for_it_in_smoke():
    assert require_sets(SMOKE, ("german", "wp"), ("stdlib", "pydoc"), least=2) == ("stdlib", "pydoc")
    assert require_sets(Setting(real_data=HERE), ("wp", "linux", "german"), (), least=1) == ("wp", "german")
    for experiment, said in (
        (Figure5(), "needs one of german, wp, linux, code"),
        (RealVersusUniversal(), "needs 2 of wp"),
    ):
        with pytest.raises(InputError, match=re.escape(said)) as caught:
            experiment.runs(Setting(scale="laptop"))
        assert "UP_DATA_DIR" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_both_pretrainings_differ_in_their_source_alone():
    one, other = RealVersusUniversal().runs(Setting(scale="laptop", real_data=HERE))[:2]
    assert one.config.source.kind != "text"
    assert other.config.source.data == "wp:training"
    assert (one.config.training, one.config.model, one.config.seed) == (
        other.config.training,
        other.config.model,
        other.config.seed,
    )


@pytest.mark.parametrize(
    ("finetuned", "verdict"), [((5.0, 3.0, 2.0), HOLDS), ((7.9, 7.8, 7.7), FAILS), ((8.0, 7.0, 4.0), FAILS)]
)
def test_it_is_faster_if_it_reaches_nine_tenths_of_the_way_from_scratch_sooner(finetuned, verdict):
    found = measured(finetuned, (8.0, 5.0, 3.0))
    assert verdicts(found)["Pre-training makes convergence faster (german)"] == verdict
    own, other, loss = sooner(found, "german", COMPUTATION, 0)
    assert loss == pytest.approx(3.5)
    assert other == pytest.approx(175)
    assert (own is None) == (finetuned[-1] > 3.5)


def test_what_is_retained_is_a_share_of_what_pretraining_had_taken_off():
    others = (("wp:test", 1.0, 0.9, 0.2), ("stdlib:test", 1.0, 0.1, 0.2), ("toy", 0.0, 0.1, 0.1))
    found = verdicts(measured((5.0, 3.0), (8.0, 5.0), others=others))
    kept = {name: found[f"Finetuned on german, the model largely retains what it had on other data ({name})"]
            for name in ("wp:test", "stdlib:test", "toy")}  # fmt: skip
    assert kept == {"wp:test": HOLDS, "stdlib:test": FAILS, "toy": UNKNOWN}
    better = "Trained on german, a pre-trained model predicts other data better than one from scratch"
    assert [found[f"{better} ({name})"] for name in ("wp:test", "stdlib:test", "toy")] == [HOLDS, FAILS, UNKNOWN]


def test_a_similar_optimum_is_one_that_two_errors_do_not_tell_apart():
    claim = "Finetuned and from scratch, models converge to a similar optimum (german:test)"
    assert verdicts(measured((5.0, 3.0), (8.0, 5.0)))[claim] == HOLDS


def test_figures_and_tables_name_every_run():
    found = measured((7.0, 3.0), (8.0, 5.0))
    assert list(rows_of(found)) == ["finetuned on german", "from scratch on german"]
    (figure,) = Figure5().figures(found)
    assert [[series.name for series in panel.series] for panel in figure.panels] == [list(rows_of(found))]
    assert Figure5().figures(Measurements()) == ()
    tables = Figure5().tables(found)
    assert "pre-trained on random computation, zero-shot" in [row[0] for row in tables[0].rows]
    assert tables[-1].rows == (("finetuned on german, seed 0", "5.300", "43", "90", "2.12"),)


def test_real_text_is_compared_where_it_should_win_and_where_it_should_not():
    found = []
    for origin, on_text, on_other in ((COMPUTATION, 1.0, 1.0), ("wp", 2.0, 0.5)):
        for data, gain in (("wp:test", on_text), ("dyck", on_other)):
            found.append(bits(PRETRAINED, data, 5 - gain, origin=origin, on=origin))
            found.append(
                bits(PRETRAINED, data, gain, origin=origin, on=origin, of="untrained", quantity="gain", error=0.01)
            )
    for origin, values in ((COMPUTATION, (5.0, 3.0)), ("wp", (5.0, 4.0))):
        found += curve(FINETUNED, origin, *values)
    said = {each.claim: each.verdict for each in RealVersusUniversal().findings(
        Measurements([*found, *curve(SCRATCH, NOTHING, 8.0, 4.0)]))}  # fmt: skip
    assert said == {
        "Text predicts text of its own kind better (wp:test)": HOLDS,
        "Random computation predicts other data better (dyck)": HOLDS,
        "Random computation makes finetuning on german faster than wp does": HOLDS,
    }
    assert RealVersusUniversal().findings(Measurements()) == ()


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [Figure5(), RealVersusUniversal()])
def test_it_runs_to_its_end_at_the_smoke_scale(experiment, tmp_path):
    events = list(run_experiment(experiment, Setting(scale="smoke", arch="modern"), tmp_path / "out"))
    assert isinstance(events[-1], Ended)
    assert events[-1].complete
    assert (tmp_path / "out/report.md").exists()
