"""An experiment is run part by part, and ends in the same measurements however often it was interrupted."""

import dataclasses
import json
import shutil
import xml.etree.ElementTree as ElementTree

import pytest
import torch

from tests.docs.test_code_blocks import unexecuted_blocks
from tests.up.experiments.fake import CLAIM, Fake
from up.data.corpora import load_corpus
from up.errors import InputError, RunError
from up.experiments import folder as folder_module
from up.experiments.events import Began, Ended, PartMeasured, PartTold
from up.experiments.experiment import HOLDS, Setting
from up.experiments.folder import ExperimentFolder, Record, create_experiment, describe_worker, open_experiment
from up.experiments.registry import EXPERIMENTS
from up.experiments.report import write_report
from up.experiments.runner import run_experiment, settle
from up.runs.events import Step

SETTING = Setting(scale="smoke", seeds=(0,))
PARTS = ("length-32-seed-0", "length-64-seed-0", "count")


class Killed(BaseException):
    """Stands for the end of a process: nothing catches it, nothing is put in order."""


def measured(path):
    return (path / "measurements.jsonl").read_bytes()


def kept_words(path):
    """The report without the lines that say when it was made, and in which time."""
    return [line for line in (path / "report.md").read_text().splitlines() if not line.startswith(("- Time", "- Date"))]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "fake", "tests.up.experiments.fake:Fake")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("experiment") / "undisturbed"
    return out, list(run_experiment(Fake(), SETTING, out))


def stopping_after(events, wanted):
    """A `should_stop` that says yes once as many steps were told as are wanted."""
    steps = 0

    def watched():
        nonlocal steps
        for event in events():
            if isinstance(event, PartTold) and isinstance(event.event, Step):
                steps += 1
            yield event

    return watched, lambda: steps >= wanted


class TestRun:
    def test_every_part_is_measured_once_in_the_order_of_the_parts(self, undisturbed):
        out, events = undisturbed
        assert [event.part.name for event in events if isinstance(event, PartMeasured)] == list(PARTS)
        assert isinstance(events[0], Began)
        assert events[0].complete == 0
        assert isinstance(events[-1], Ended)
        assert events[-1].complete
        lines = [json.loads(line) for line in measured(out).splitlines()]
        assert [line["part"] for line in lines] == [PARTS[0], PARTS[0], PARTS[1], PARTS[1], PARTS[2]]

    def test_the_record_says_how_it_was_run_and_names_no_machine(self, undisturbed):
        out, _ = undisturbed
        record = open_experiment(out).record()
        assert record.experiment == "fake"
        assert record.setting == SETTING
        assert record.parts == PARTS
        assert record.command == "up experiment run fake --scale smoke --seeds 0 --device cpu"
        (process,) = record.processes
        assert process.seconds > 0
        assert {"torch", "numpy", "up"} <= set(process.versions)
        assert str(out) not in (out / "experiment.json").read_text() + (out / "report.md").read_text()

    def test_the_report_has_claim_measurement_and_verdict(self, undisturbed):
        out, _ = undisturbed
        report = (out / "report.md").read_text()
        folder = ExperimentFolder(out)
        (finding,) = Fake().findings(folder.measurements())
        assert finding.verdict == HOLDS
        assert f"| {CLAIM} (Bloem 2025, section 6.2) | {finding.measured} | **holds** |" in report
        assert "| 32 | " in report
        assert 'src="figures/loss.svg" alt="Loss &amp; &quot;length&quot;"' in report
        assert "<pre>```\nup</pre>" in report  # a fence in it is none of the page's
        assert "- Command: `up experiment run fake --scale smoke --seeds 0 --device cpu`" in report
        assert list(unexecuted_blocks(report.replace("```\nup", ""))) == []

    def test_the_report_says_what_was_read_of_the_real_data(self, tmp_path, monkeypatch):
        (tmp_path / "german.txt").write_bytes(b"Die Frauenfrage. " * 64)
        monkeypatch.setattr(folder_module, "load_corpus", lambda name: load_corpus(str(tmp_path / f"{name}.txt")))
        setting = Setting(scale="smoke", real_data=("german:validation", "german:test"))
        worker = describe_worker(torch.device("cpu"), setting)
        (tmp_path / "out").mkdir()
        folder = create_experiment(tmp_path / "out", Record(experiment="fake", setting=setting, parts=()))
        folder.write(dataclasses.replace(folder.record(), processes=(worker,)))
        write_report(folder, Fake(), ())
        report = (tmp_path / "out" / "report.md").read_text()
        assert f"- Real data: german is the file {tmp_path / 'german.txt'}" in report

    def test_the_figures_are_drawn_for_light_and_dark_pages(self, undisturbed):
        out, _ = undisturbed
        names = sorted(path.name for path in (out / "figures").iterdir())
        assert names == ["loss-dark.svg", "loss.png", "loss.svg"]
        for name in ("loss.svg", "loss-dark.svg"):
            root = ElementTree.parse(out / "figures" / name).getroot()
            assert root.tag.endswith("svg")
        png = (out / "figures" / "loss.png").read_bytes()
        assert png.startswith(b"\x89PNG")
        width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
        assert width > 800
        assert height > 400


class TestResume:
    @pytest.mark.parametrize("steps", [1, 3, 4, 6, 11])
    def test_a_stop_within_any_training_ends_in_the_same_bytes(self, undisturbed, tmp_path, steps):
        events, should_stop = stopping_after(
            lambda: run_experiment(Fake(), SETTING, tmp_path / "out", should_stop=lambda: should_stop()), steps
        )
        *_, ended = events()
        assert not ended.complete
        assert not (tmp_path / "out" / "report.md").exists()
        *_, ended = run_experiment(Fake(), SETTING, tmp_path / "out", resume=True)
        assert ended.complete
        assert measured(tmp_path / "out") == measured(undisturbed[0])
        assert kept_words(tmp_path / "out") == kept_words(undisturbed[0])

    @pytest.mark.parametrize("steps", [1, 3, 5, 9, 12])
    def test_a_kill_within_any_training_ends_in_the_same_bytes(self, undisturbed, tmp_path, steps):
        told = 0

        def kill(activity, _done, _total):
            nonlocal told
            told += activity == "step"
            if told == steps:
                raise Killed

        with pytest.raises(Killed):
            list(run_experiment(Fake(), SETTING, tmp_path / "out", on_activity=kill))
        *_, ended = run_experiment(Fake(), SETTING, tmp_path / "out", resume=True)
        assert ended.complete
        assert measured(tmp_path / "out") == measured(undisturbed[0])

    def test_a_stop_within_a_measurement_leaves_its_part_to_be_measured_again(self, undisturbed, tmp_path):
        asked = []

        def stop_in_the_count():
            return len(asked) >= 2

        def listen(activity, done, total):
            if activity == "measurement" and total == 4:
                asked.append(done)

        out = tmp_path / "out"
        *_, ended = run_experiment(Fake(), SETTING, out, should_stop=stop_in_the_count, on_activity=listen)
        assert not ended.complete
        assert "count" not in measured(out).decode()
        list(run_experiment(Fake(), SETTING, out, resume=True))
        assert measured(out) == measured(undisturbed[0])

    def test_a_kill_as_the_experiment_begins_leaves_what_can_be_resumed(self, undisturbed, tmp_path):
        def kill(_activity, _done, _total):
            raise Killed

        out = tmp_path / "out"
        events = run_experiment(Fake(), SETTING, out, on_activity=kill)
        assert isinstance(next(events), Began)
        assert {path.name for path in out.iterdir()} == {".lock", "experiment.json"}
        events.close()
        list(run_experiment(Fake(), SETTING, out, resume=True))
        assert measured(out) == measured(undisturbed[0])

    def test_a_full_disk_is_one_line_and_the_part_is_measured_again(self, undisturbed, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        out = tmp_path / "out"
        with monkeypatch.context() as patched:
            patched.setattr(ExperimentFolder, "add", full)
            with pytest.raises(RunError, match="cannot write the measurements of length-32-seed-0"):
                list(run_experiment(Fake(), SETTING, out))
        list(run_experiment(Fake(), SETTING, out, resume=True))
        assert measured(out) == measured(undisturbed[0])

    def test_what_is_complete_is_not_done_again(self, undisturbed, tmp_path):
        out = tmp_path / "again"
        shutil.copytree(undisturbed[0], out)
        events = list(run_experiment(Fake(), SETTING, out, resume=True))
        assert [type(event) for event in events] == [Began, Ended]
        assert len(open_experiment(out).record().processes) == 2

    def test_an_experiment_with_other_parts_is_refused(self, undisturbed, tmp_path):
        out = tmp_path / "other"
        shutil.copytree(undisturbed[0], out)
        with pytest.raises(InputError, match="other parts"):
            list(run_experiment(Fake(), Setting(scale="smoke", seeds=(0, 1)), out, resume=True))


class TestSettle:
    def test_what_is_not_given_is_as_the_experiment_has_it(self, tmp_path):
        experiment, setting = settle("fake", tmp_path / "new", scale="laptop")
        assert isinstance(experiment, Fake)
        assert setting == Setting(scale="laptop", seeds=(0, 1))

    def test_resuming_needs_nothing_but_the_folder(self, undisturbed):
        experiment, setting = settle(None, undisturbed[0], resume=True)
        assert isinstance(experiment, Fake)
        assert setting == SETTING

    @pytest.mark.parametrize(
        ("given", "said"),
        [({"scale": "laptop"}, "scale"), ({"seeds": [1]}, "seeds"), ({"arch": "paper"}, "arch")],
    )
    def test_resuming_with_other_settings_is_refused(self, undisturbed, given, said):
        with pytest.raises(InputError, match=f"was started with other {said}"):
            settle("fake", undisturbed[0], resume=True, **given)

    def test_a_folder_that_holds_an_experiment_or_anything_is_taken(self, undisturbed, tmp_path):
        with pytest.raises(InputError, match="holds another experiment"):
            settle("fake", undisturbed[0])
        (tmp_path / "notes").write_text("mine")
        with pytest.raises(InputError, match="not empty"):
            settle("fake", tmp_path)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"name": "fkae"}, "did you mean fake"),
            ({"name": "nothing like it"}, "use one of"),
            ({"scale": "huge"}, "unknown experiment.scale"),
            ({"arch": "recurrent"}, "unknown experiment.arch"),
            ({"seeds": [1, 1]}, "different numbers"),
            ({"seeds": [-1]}, "must not be negative"),
            ({"device": "abacus"}, "unknown device"),
        ],
    )
    def test_bad_input_is_refused(self, tmp_path, given, said):
        with pytest.raises(InputError, match=said):
            settle(**{"name": "fake", "out": tmp_path / "new", **given})
