"""Runs at a glance and side by side: read from folders that a run would write."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.up.runs.cases import small_config
from up.errors import InputError
from up.evaluation.rows import EvaluationRow, PositionBits
from up.runs import overview
from up.runs.comparison import compare_bits, settings_that_differ
from up.runs.events import Evaluated
from up.runs.folder import create_run
from up.runs.overview import list_runs, summarise_run
from up.runs.place import hold
from up.training.step import Step


def a_step(instances, **changes):
    values = {
        "instances": instances, "step": instances // 8, "batch": 8, "loss_bits": 7.5, "learning_rate": 0.001,
        "gradient_norm": 0.5, "enabled_blocks": 1, "skipped_steps": 0, "observations": {"depth": (100, 50, 10)},
    }  # fmt: skip
    return Step(**{**values, **changes})


def a_row(data="stdlib", tail_bits=6.0, **changes):
    values = {
        "data": data, "source": f"the text {data}", "samples": 50, "context_length": 32, "bits": tail_bits + 0.5,
        "stderr": 0.4, "tail_bits": tail_bits, "tail_stderr": 0.03, "tail_positions": 8, "uniform_bits": 8.0,
        "markov_bits": 5.5, "markov_tail_bits": 5.0, "markov_order": 1, "markov_smoothing": 0.1,
        "symbols": 170, "markov256_bits": 5.7, "markov256_tail_bits": 5.2,
        "positions": (PositionBits(first_position=1, last_position=1, bits=8.0, stderr=0.1, markov_bits=8.0),),
    }  # fmt: skip
    return EvaluationRow(**{**values, **changes})


def a_run(path, *assignments, records=(), saved=0, started=None):
    run = create_run(path, small_config(*assignments))
    for record in records:
        run.metrics.append(record)
    if saved:
        (path / "checkpoints" / f"{saved:08d}").mkdir(parents=True)
    if started is not None:
        (path / "provenance.json").write_text(
            f'[{{"started": "2026-01-01T00:00:00+00:00"}}, {{"started": "{started}"}}]'
        )
    return run


class TestSummary:
    def test_a_run_that_stopped_has_its_latest_step_and_its_latest_evaluation(self, tmp_path):
        evaluated = [Evaluated(instances=n, rows=(a_row(tail_bits=bits),)) for n, bits in ((8, 7.0), (16, 6.5))]
        records = [a_step(8), evaluated[0], a_step(16), evaluated[1], a_step(24, loss_bits=6.25, skipped_steps=2)]
        run = summarise_run(a_run(tmp_path / "one", "seed=7", records=records, saved=16, started="2026-11-02T14:03:22"))
        assert (run.name, run.state, run.problem) == ("one", "stopped", None)
        assert (run.instances, run.instances_saved, run.total_instances) == (24, 16, 64)
        assert (run.loss_bits, run.skipped_steps) == (6.25, 2)
        assert (run.evaluated_at, run.rows) == (16, evaluated[1].rows)
        assert (run.arch, run.width, run.depth, run.seed) == ("modern", 16, 1, 7)
        assert run.started == "2026-11-02T14:03:22"

    def test_the_loss_is_known_when_an_evaluation_was_the_last_thing_written(self, tmp_path):
        records = [a_step(64, loss_bits=6.25, skipped_steps=1), Evaluated(instances=64, rows=(a_row(),))]
        run = summarise_run(a_run(tmp_path / "one", records=records, saved=64))
        assert (run.state, run.instances, run.loss_bits, run.skipped_steps) == ("complete", 64, 6.25, 1)

    def test_a_run_whose_lock_is_held_is_running_even_after_its_last_checkpoint(self, tmp_path):
        run = a_run(tmp_path / "one", records=[a_step(64)], saved=64)
        assert summarise_run(run).state == "complete"
        with hold(run.path):
            assert summarise_run(run).state == "running"
        assert summarise_run(run).state == "complete"

    def test_a_run_without_metrics_or_provenance_has_trained_nothing(self, tmp_path):
        run = summarise_run(a_run(tmp_path / "one"))
        assert (run.state, run.instances, run.loss_bits, run.evaluated_at, run.rows) == ("stopped", 0, None, None, ())
        assert run.started is None

    def test_a_metrics_line_that_a_crash_cut_off_is_left_out(self, tmp_path):
        run = a_run(tmp_path / "one", records=[a_step(8), a_step(16)])
        with run.metrics.metrics_path.open("a") as handle:
            handle.write('{"kind": "step", "inst')
        assert summarise_run(run).instances == 16


class TestList:
    def test_the_run_started_last_comes_first_and_broken_ones_last(self, tmp_path):
        a_run(tmp_path / "b", started="2026-11-02T10:00:00+00:00")
        a_run(tmp_path / "c", started="2026-11-03T10:00:00+00:00")
        a_run(tmp_path / "a")
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "config.json").write_text("{")
        runs = list_runs(tmp_path)
        assert [run.name for run in runs] == ["c", "b", "a", "broken"]
        assert [run.state for run in runs] == ["stopped", "stopped", "stopped", "broken"]
        assert runs[-1].problem is not None
        assert str(tmp_path / "broken" / "config.json") in runs[-1].problem

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("config.json", None, "config.json"),
            ("config.json", '{"model": {"width": "wide"}}', "config.json"),
            ("provenance.json", "[1]", "provenance.json"),
            ("metrics.jsonl", "nonsense\n", "line 1 of"),
        ],
    )
    def test_a_run_that_cannot_be_read_says_what_is_wrong_and_the_others_are_listed(
        self, tmp_path, name, content, said
    ):
        a_run(tmp_path / "good", records=[a_step(8)])
        a_run(tmp_path / "bad", records=[a_step(8)])
        if content is None:
            (tmp_path / "bad" / name).unlink()
        else:
            (tmp_path / "bad" / name).write_text(content)
        good, bad = list_runs(tmp_path)
        assert (good.name, good.state, bad.name, bad.state) == ("good", "stopped", "bad", "broken")
        assert said in bad.problem
        assert "\n" not in bad.problem

    def test_other_files_and_folders_are_no_runs(self, tmp_path):
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes.txt").write_text("")
        assert list_runs(tmp_path) == ()

    def test_a_folder_that_is_a_run_is_listed_by_itself(self, tmp_path, monkeypatch):
        a_run(tmp_path / "one", records=[a_step(8)], saved=8)
        assert [run.path for run in list_runs(tmp_path / "one")] == [tmp_path / "one"]
        monkeypatch.chdir(tmp_path / "one")
        assert [run.name for run in list_runs(overview.Path())] == ["one"]

    @pytest.mark.parametrize("name", ["missing", "file"])
    def test_a_folder_that_cannot_be_listed_is_refused(self, tmp_path, name):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="cannot list the runs") as caught:
            list_runs(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


class TestComparison:
    def test_every_setting_that_differs_is_named_with_its_values_and_no_other(self):
        configs = [small_config("seed=1"), small_config("seed=2"), small_config("seed=1", "training.microbatch=4")]
        differing = {setting.name: setting.values for setting in settings_that_differ(configs)}
        assert differing == {"seed": (1, 2, 1), "training.microbatch": (8, 8, 4)}
        assert settings_that_differ(configs[:1] * 2) == ()

    def test_a_difference_is_taken_from_the_first_run_with_the_error_of_two_independent_means(self):
        first = a_row(tail_bits=6.0, bits=6.5, tail_stderr=0.03, stderr=0.3)
        second = a_row(tail_bits=5.75, bits=6.75, tail_stderr=0.04, stderr=0.4)
        one, other = compare_bits([(first,), (second,)])
        assert (one.run, one.difference_bits, one.tail_difference_stderr) == (0, None, None)
        assert (other.run, other.data) == (1, "stdlib")
        assert (other.tail_difference_bits, other.difference_bits) == (-0.25, 0.25)
        assert math.isclose(other.tail_difference_stderr, 0.05)
        assert math.isclose(other.difference_stderr, 0.5)

    def test_the_hardest_bar_and_the_untrained_model_stand_beside_the_bits_where_they_were_measured(self):
        newer = a_row(ppm_exclusion_tail_bits=2.5, untrained_tail_bits=7.5)
        one, other = compare_bits([(a_row(),), (newer,)])
        assert (one.ppm_exclusion_tail_bits, one.untrained_tail_bits) == (None, None)
        assert (other.ppm_exclusion_tail_bits, other.untrained_tail_bits) == (2.5, 7.5)

    def test_what_does_not_measure_the_same_thing_has_no_difference(self):
        others = [a_row(source="another text"), a_row(context_length=64), a_row(tail_positions=4), a_row(samples=99)]
        compared = compare_bits([(a_row(),), *((row,) for row in others)])
        assert [each.tail_difference_bits is None for each in compared[1:]] == [True, True, True, False]

    @given(st.tuples(*[st.sampled_from("xyz")] * 2), st.tuples(*[st.sampled_from(["12ab", "34cd", None])] * 2))
    def test_two_texts_are_compared_if_and_only_if_their_content_is_the_same(self, names, digests):
        rows = [a_row(name, sha256=digest, size_bytes=9) for name, digest in zip(names, digests, strict=True)]
        one, other = compare_bits([rows[:1], rows[1:]])
        same = digests[0] == digests[1] if any(digests) else names[0] == names[1]  # no digest: by what they are made of
        assert (one.data, other.data, other.sha256) == (*names, digests[1])
        assert (other.difference_bits == 0, other.tail_difference_bits == 0) == (same, same)
        assert (other.difference_bits is None) == (not same)

    def test_one_text_is_one_group_under_any_name(self):
        first = (a_row("here/x", sha256="12ab"), a_row("y", sha256="34cd"))
        second = (a_row("y", sha256="34cd"), a_row("there/x", sha256="12ab"))
        compared = compare_bits([first, second])
        assert [(each.data, each.run) for each in compared] == [("here/x", 0), ("there/x", 1), ("y", 0), ("y", 1)]

    def test_data_sets_stand_together_and_a_run_may_lack_one(self):
        compared = compare_bits([(a_row("x"),), (a_row("x"), a_row("y")), ()])
        assert [(each.data, each.run) for each in compared] == [("x", 0), ("x", 1), ("y", 1)]
        assert compared[-1].tail_difference_bits is None
        assert compare_bits([(), ()]) == ()
