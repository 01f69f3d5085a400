"""Finetuning begins with another run's weights, ends where it no longer improves, and survives stops and kills."""

import dataclasses
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import up
from tests.up.runs.cases import ARCHITECTURES, CPU, outcome, refusal, same_tensors, small_config
from up.model.base import build_model
from up.runs.events import Evaluated, Finished, Step
from up.runs.finetune import (
    FINETUNED,
    FINETUNING_NAME,
    SCRATCH,
    Finetuning,
    finetune,
    has_ended,
    open_finetuning,
    require_new,
    settle_finetuning,
)
from up.runs.finetuning_report import read_report, report_finetuning
from up.runs.folder import RunFolder, load_model, open_run
from up.runs.initial import INITIAL_NAME
from up.runs.run import run as run_config
from up.training.state import TrainingState

SETTINGS = ("evaluation.samples=4", "training.learning_rate=0.01")


@pytest.fixture(scope="module")
def notes(tmp_path_factory) -> Path:
    """A text whose parts of 5 % are longer than a slice."""
    words, path = random.Random(0), tmp_path_factory.mktemp("data") / "notes.txt"
    path.write_text(" ".join(words.choice(["peter", "piper", "picked", "a", "peck", "of"]) for _ in range(3_000)))
    return path


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory) -> Callable[[str], Path]:
    """Return the folder of a small run of an architecture, trained once."""
    made: dict[str, Path] = {}

    def of(arch: str) -> Path:
        if arch not in made:
            made[arch] = tmp_path_factory.mktemp("pretrained") / arch
            config = small_config('evaluation.data=["toy"]', arch=arch, instances=32, dropout=0.1)
            up.train(config, made[arch], device="cpu")
        return made[arch]

    return of


@pytest.fixture
def settled(pretrained, notes) -> Callable[..., Finetuning]:
    """Return a finetuning of 40 instances in five steps, evaluated after each."""

    def of(arch: str = "modern", *assignments: str, instances: int = 40, **options) -> Finetuning:
        every = ("training.evaluate_every=8", "training.checkpoint_every=16", *SETTINGS, *assignments)
        given = {"others": ["toy"], "instances": instances, "assignments": every, **options}
        return settle_finetuning(pretrained(arch), str(notes), CPU, **given)

    return of


def events_of(finetuning: Finetuning, out: Path, **options) -> list:
    return list(finetune(finetuning, out, device=CPU, **options))


def outcomes(out: Path) -> dict[str, dict[str, bytes]]:
    return {path.name: outcome(RunFolder(path)) for path in sorted(out.iterdir()) if path.is_dir()}


class TestBeginning:
    @pytest.mark.parametrize("arch", ARCHITECTURES)
    def test_it_begins_with_the_weights_of_the_other_run_and_its_baseline_with_those_that_it_began_with(
        self, arch, settled, pretrained, tmp_path
    ):
        finetuning = settled(arch, instances=8)
        events = events_of(finetuning, tmp_path / "out")
        before = {
            name: next(e for n, e in events if n == name and isinstance(e, Evaluated)) for name in (FINETUNED, SCRATCH)
        }
        assert {event.instances for event in before.values()} == {0}
        initial = build_model(finetuning.config.model)
        open_run(tmp_path / "out" / FINETUNED).begin(initial)
        assert same_tensors(initial.state_dict(), load_model(pretrained(arch), CPU).state_dict())
        rows = before[SCRATCH].rows
        assert [row.tail_bits for row in rows] == [row.untrained_tail_bits for row in rows]
        untrained = [row.untrained_tail_bits for row in before[FINETUNED].rows]
        assert [row.untrained_tail_bits for row in rows] == untrained
        assert [row.tail_bits for row in before[FINETUNED].rows] != untrained

    def test_both_train_on_the_same_rows_in_the_same_order(self, settled, tmp_path, monkeypatch):
        drawn: dict[str, list] = {}
        step = TrainingState.train_step

        def watched(state, *arguments):
            draw = state.stream.draw

            def keep(count):
                rows = draw(count)
                drawn.setdefault(SCRATCH if state.config.initial_weights is None else FINETUNED, []).append(rows)
                return rows

            monkeypatch.setattr(state.stream, "draw", keep, raising=False)
            try:
                return step(state, *arguments)
            finally:
                monkeypatch.setattr(state.stream, "draw", draw, raising=False)

        monkeypatch.setattr(TrainingState, "train_step", watched)
        events_of(settled("modern", "training.patience=0"), tmp_path / "out")
        one, other = (torch.cat(drawn[name]) for name in (FINETUNED, SCRATCH))
        assert one.shape == (40, 32)
        assert torch.equal(one, other)

    def test_without_a_baseline_there_is_one_run(self, settled, tmp_path):
        events = events_of(settled(baseline=False), tmp_path / "out")
        assert {name for name, _ in events} == {FINETUNED}
        assert not (tmp_path / "out" / SCRATCH).exists()

    def test_the_other_run_is_never_needed_again(self, pretrained, notes, tmp_path):
        copied = shutil.copytree(pretrained("modern"), tmp_path / "copied")
        finetuning = settle_finetuning(copied, str(notes), CPU, others=["toy"], instances=24, assignments=SETTINGS)
        events = finetune(finetuning, tmp_path / "out", device=CPU)
        next(events)
        events.close()
        shutil.rmtree(copied)
        assert events_of(open_finetuning(tmp_path / "out"), tmp_path / "out", resume=True)
        assert open_run(tmp_path / "out" / FINETUNED).is_complete()

    def test_a_copy_of_the_weights_that_was_changed_is_refused(self, settled, tmp_path):
        out = tmp_path / "out"
        events = finetune(settled(), out, device=CPU)
        next(events)
        events.close()
        path = out / FINETUNED / INITIAL_NAME
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        line = refusal(lambda: events_of(open_finetuning(out), out, resume=True))
        assert f"{path} was changed after it was written" in line
        path.unlink()
        assert f"{path} is missing" in refusal(lambda: events_of(open_finetuning(out), out, resume=True))

    def test_weights_of_another_model_are_refused_whatever_the_configuration_says(self, settled, tmp_path):
        config = settled("modern", instances=8).config
        other = dataclasses.replace(config, model=dataclasses.replace(config.model, width=32, base_width=32))
        line = refusal(lambda: list(run_config(other, tmp_path / "run", device=CPU)))
        assert "holds the weights of another model" in line


class TestEnding:
    def test_a_run_ends_once_it_has_lost_patience_and_keeps_its_best_checkpoint(self, settled, tmp_path):
        finetuning = settled("modern", "training.learning_rate=1", "training.patience=2", instances=160)
        out = tmp_path / "out"
        events = events_of(finetuning, out)
        for name in (FINETUNED, SCRATCH):
            mine = [event for each, event in events if each == name]
            (finished,) = (event for event in mine if isinstance(event, Finished))
            bits = [
                event.mean_tail_bits(finetuning.config.training.best_by)
                for event in mine
                if isinstance(event, Evaluated)
            ]
            run = open_run(out / name)
            assert (finished.complete, finished.ended_early) == (True, True)
            assert bits.index(min(bits)) == len(bits) - 1 - 2
            assert run.instances_of_model() == 8 * bits.index(min(bits))
            assert run.is_complete()
            assert run.instances_saved() == finished.instances < 160

    def test_a_run_that_has_ended_is_left_as_it_is(self, settled, tmp_path):
        out, finetuning = (
            tmp_path / "out",
            settled("modern", "training.learning_rate=1", "training.patience=1", instances=160),
        )
        events_of(finetuning, out)
        before = outcomes(out)
        assert events_of(open_finetuning(out), out, resume=True) == []
        config = open_run(out / FINETUNED).config()
        resumed = list(run_config(config, out / FINETUNED, device=CPU, resume=True))
        assert not any(isinstance(event, Step) for event in resumed)
        assert resumed[-1].ended_early
        assert outcomes(out) == before

    def test_the_data_named_decides_and_no_other(self, settled, tmp_path):
        finetuning = settled()
        events = [event for name, event in events_of(finetuning, tmp_path / "out") if name == FINETUNED]
        evaluations = [event for event in events if isinstance(event, Evaluated)]
        names = finetuning.config.training.best_by
        best = open_run(tmp_path / "out" / FINETUNED).metrics.best(names)
        assert best == min(evaluations, key=lambda event: event.rows[0].tail_bits)
        assert evaluations[0].mean_tail_bits(names) == evaluations[0].rows[0].tail_bits


class TestInterruptions:
    @pytest.mark.parametrize("arch", ARCHITECTURES)
    def test_stopped_again_and_again_it_ends_as_if_undisturbed(self, arch, settled, tmp_path):
        finetuning = settled(arch)
        events_of(finetuning, tmp_path / "whole")
        out, rounds = tmp_path / "stopped", 0
        while not (out / SCRATCH).exists() or not has_ended(open_run(out / SCRATCH)):
            asked = iter(range(100))
            stop = lambda asked=asked: next(asked) >= 5  # noqa: E731
            events_of(finetuning, out, resume=rounds > 0, should_stop=stop)
            rounds += 1
            assert rounds < 60
        assert rounds > 4
        assert outcomes(out) == outcomes(tmp_path / "whole")

    @pytest.mark.parametrize("seed", range(3))
    def test_killed_at_any_event_it_ends_as_if_undisturbed(self, seed, settled, tmp_path):
        finetuning, moments = settled(), random.Random(seed)
        events_of(finetuning, tmp_path / "whole")
        out, resume = tmp_path / "killed", False
        for _ in range(8):
            events = finetune(finetuning, out, device=CPU, resume=resume)
            for _ in range(moments.randrange(1, 25)):
                next(events, None)
            events.close()  # nothing is saved
            resume = (out / FINETUNING_NAME).exists()
        events_of(finetuning, out, resume=True)
        assert outcomes(out) == outcomes(tmp_path / "whole")

    def test_killed_before_a_run_had_its_configuration_it_starts_that_run(self, settled, tmp_path):
        finetuning, out = settled(), tmp_path / "out"
        events_of(finetuning, out)
        before = outcomes(out)
        for name in (FINETUNED, SCRATCH):
            for entry in (out / name).iterdir():
                if entry.name != INITIAL_NAME:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        events_of(finetuning, out, resume=True)
        assert outcomes(out) == before

    def test_a_run_of_it_is_resumed_like_any_other(self, settled, tmp_path):
        finetuning = settled()
        events_of(finetuning, tmp_path / "whole")
        asked = iter(range(100))
        events_of(finetuning, tmp_path / "out", should_stop=lambda: next(asked) >= 12)
        up.train(None, tmp_path / "out" / FINETUNED, device="cpu", resume=True)
        events_of(finetuning, tmp_path / "out", resume=True)
        assert outcomes(tmp_path / "out") == outcomes(tmp_path / "whole")

    def test_data_that_was_moved_is_named_and_data_that_has_changed_is_refused(self, pretrained, notes, tmp_path):
        moved, here = tmp_path / "moved.txt", Path(shutil.copy(notes, tmp_path / "here.txt"))
        finetuning = settle_finetuning(
            pretrained("modern"), str(here), CPU, others=["toy"], instances=24, assignments=SETTINGS
        )
        out = tmp_path / "out"
        events = finetune(finetuning, out, device=CPU)
        next(events)
        events.close()
        here.rename(moved)
        refusal(lambda: events_of(finetuning, out, resume=True))
        at = {str(here): moved}
        moved.write_bytes(b"!" + notes.read_bytes()[1:])
        assert "has changed" in refusal(lambda: events_of(finetuning, out, resume=True, data_at=at))
        moved.write_bytes(notes.read_bytes())
        assert events_of(finetuning, out, resume=True, data_at=at)
        assert report_finetuning(finetuning, out, device=CPU, samples=4, data_at=at).data == str(here)


class TestReport:
    def test_the_models_are_measured_on_the_test_part_and_on_other_data(self, settled, pretrained, notes, tmp_path):
        finetuning, out = settled(), tmp_path / "out"
        events_of(finetuning, out)
        assert read_report(out) is None
        report = report_finetuning(finetuning, out, device=CPU, samples=4)
        assert read_report(out) == report
        assert [each.model for each in report.models] == ["zero-shot", FINETUNED, SCRATCH]
        assert all([row.data for row in each.rows] == [f"{notes}:test", "toy"] for each in report.models)
        assert report.run == str(pretrained("modern"))
        assert len({row.untrained_tail_bits for each in report.models for row in each.rows[:1]}) == 1
        direct = up.evaluate(
            up.load(pretrained("modern"), device="cpu"),
            ["samples=4", "tail_positions=8", f'data=["{notes}:test"]'],
        )
        assert report.models[0].rows[0].tail_bits == pytest.approx(direct[0].tail_bits)
        assert report.models[1].instances == open_run(out / FINETUNED).instances_of_model()
        assert report.read == ()
        assert 0 < report.xz_after_training_bits < report.xz_bits

    def test_of_a_mixing_predictor_it_says_what_adapting_gives(self, settled, tmp_path):
        finetuning, out = settled("mixing", instances=8), tmp_path / "out"
        events_of(finetuning, out)
        report = report_finetuning(finetuning, out, device=CPU, samples=4)
        assert [each.model for each in report.read] == ["untrained", "zero-shot", FINETUNED, SCRATCH]
        assert all(each.frozen_bits != each.adapting_bits for each in report.read)

    def test_what_is_not_complete_is_not_measured(self, settled, tmp_path):
        events = finetune(settled(), tmp_path / "out", device=CPU)
        next(events)
        events.close()
        line = refusal(lambda: report_finetuning(settled(), tmp_path / "out", device=CPU))
        assert "the finetuning is not complete" in line


class TestRefusals:
    def test_data_shorter_than_twenty_slices_is_refused(self, pretrained, tmp_path):
        short = tmp_path / "short.txt"
        short.write_bytes(b"x" * 620)
        line = refusal(lambda: settle_finetuning(pretrained("modern"), str(short), CPU))
        assert f"the data {short}:validation has 31 bytes, fewer than a slice of 32: give more data" in line
        assert "give more data" in line

    def test_no_data_no_run_and_no_checkpoint_are_refused(self, pretrained, tmp_path):
        assert "no such data" in refusal(lambda: settle_finetuning(pretrained("modern"), "nothing.txt", CPU))
        assert "there is no run here" in refusal(lambda: settle_finetuning(tmp_path, "stdlib", CPU))
        empty = shutil.copytree(pretrained("modern"), tmp_path / "empty")
        shutil.rmtree(empty / "checkpoints")
        assert "has no checkpoint yet" in refusal(lambda: settle_finetuning(empty, "stdlib", CPU))

    def test_a_folder_that_is_taken_or_ships_is_refused(self, settled, tmp_path):
        assert "nothing is trained into a model that ships" in refusal(require_new, Path("builtin:tiny"))
        events = finetune(settled(), tmp_path / "out", device=CPU)
        next(events)
        events.close()
        assert "holds another finetuning" in refusal(require_new, tmp_path / "out")
        assert "is not empty" in refusal(require_new, tmp_path)
        assert "there is no finetuning here" in refusal(open_finetuning, tmp_path)

    def test_a_damaged_file_is_refused_and_named(self, settled, tmp_path):
        events = finetune(settled(), tmp_path / "out", device=CPU)
        next(events)
        events.close()
        path = tmp_path / "out" / FINETUNING_NAME
        content = path.read_text()
        for damaged in (
            content[:-9],
            content.replace('"format": 1', '"format": 2'),
            content.replace('"data"', '"date"', 1),
        ):
            path.write_text(damaged)
            assert str(path) in refusal(open_finetuning, tmp_path / "out")
