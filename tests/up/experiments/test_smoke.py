"""Experiments of the house at the smoke scale, from the command to the report."""

import pytest

from tests.docs.test_code_blocks import unexecuted_blocks
from up.experiments.bits import TEST, VALIDATION
from up.experiments.folder import open_experiment
from up.experiments.registry import make_experiment
from up.experiments.runner import run_experiment, settle


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arch"), [("control-noise", None), ("control-noise", "paper"), ("figure-2-4", None)])
def test_it_trains_measures_and_reports(tmp_path, name, arch):
    out = tmp_path / "out"
    experiment, setting = settle(name, out, scale="smoke", arch=arch)
    *_, ended = run_experiment(experiment, setting, out)
    assert ended.complete
    folder = open_experiment(out)
    measurements = folder.measurements()
    assert {each.part for each in measurements} == set(folder.record().parts)
    assert set(measurements.each("data")) == {*VALIDATION, *TEST}
    report = (out / "report.md").read_text()
    assert list(unexecuted_blocks(report)) == []
    for finding in make_experiment(name).findings(measurements):
        assert f"| {finding.measured} | **{finding.verdict}** |" in report
    for figure in experiment.figures(measurements):
        assert (out / "figures" / f"{figure.name}.svg").stat().st_size > 1_000


def test_the_smallest_needs_no_training(tmp_path):
    out = tmp_path / "out"
    experiment, setting = settle("figure-1", out, scale="smoke")
    *_, ended = run_experiment(experiment, setting, out)
    assert ended.complete
    assert [each.verdict for each in experiment.findings(open_experiment(out).measurements())] == ["holds", "holds"]
    lines = experiment.listings(open_experiment(out).measurements())[0].text.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["0", "1", "2", "3"]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("name", "verdicts"), [("figure-7", 1), ("figure-8", 4), pytest.param("figure-9", 10, marks=pytest.mark.slow)]
)
def test_figures_of_the_description_length_paper_are_reported(tmp_path, name, verdicts):
    out = tmp_path / "out"
    experiment, setting = settle(name, out, scale="smoke")
    *_, ended = run_experiment(experiment, setting, out)
    assert ended.complete
    measurements = open_experiment(out).measurements()
    report = (out / "report.md").read_text()
    findings = experiment.findings(measurements)
    assert len(findings) == verdicts
    assert all(f"| {finding.measured} | **{finding.verdict}** |" in report for finding in findings)
    for figure in experiment.figures(measurements):
        assert f'src="figures/{figure.name}.svg"' in report
        assert (out / "figures" / f"{figure.name}-dark.svg").stat().st_size > 1_000
