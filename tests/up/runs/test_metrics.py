"""Metrics: what is appended is read back, a line that a crash cut off is left out, and others are never misread."""

import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.up.runs.cases import refusal
from up.errors import RunError
from up.evaluation.rows import EvaluationRow, PositionBits
from up.runs.events import Evaluated, Timing
from up.runs.metrics import MetricsLog, MetricsMark
from up.training.step import Step


def step(instances: int, **changes) -> Step:
    record = Step(
        instances=instances, step=instances // 8, batch=8, loss_bits=7.25, learning_rate=3e-4, gradient_norm=0.1,
        enabled_blocks=4, skipped_steps=0, observations={"depth": (3, 2, 1)},
    )  # fmt: skip
    return dataclasses.replace(record, **changes)


def evaluation(instances: int, bits: float = 6.5) -> Evaluated:
    positions = (PositionBits(first_position=1, last_position=1, bits=bits, stderr=0.1, markov_bits=8.0),)
    names = ("stderr", "tail_bits", "tail_stderr", "markov_bits", "markov_tail_bits")
    numbers = dict.fromkeys((*names, "markov256_bits", "markov256_tail_bits"), 4.5)
    row = EvaluationRow(
        data="stdlib", source="files", samples=8, context_length=32, bits=bits, tail_positions=8, uniform_bits=8.0,
        markov_order=1, markov_smoothing=0.01, symbols=170, positions=positions, **numbers,
    )  # fmt: skip
    return Evaluated(instances=instances, rows=(row,))


def timing(instances: int) -> Timing:
    speed = {"instances_per_second": 20.5, "source_share": 0.25, "elapsed_seconds": 1.5, "remaining_seconds": 3.0}
    return Timing(instances=instances, **speed)


RECORDS = (step(8), step(16, loss_bits=None, gradient_norm=None), evaluation(16), step(24), evaluation(24, 6.25))


@pytest.fixture
def log(tmp_path) -> MetricsLog:
    log = MetricsLog(tmp_path)
    for record in (*RECORDS, timing(8), timing(24)):
        log.append(record)
    return log


def test_a_run_that_has_written_nothing_has_no_history(tmp_path):
    log = MetricsLog(tmp_path)
    assert log.latest() == (None, None)
    history = log.history()
    assert (history.steps, history.evaluations, history.timings) == ((), (), ())
    assert log.mark() == MetricsMark(bytes=0, sha256=hashlib.sha256(b"").hexdigest())
    log.rewind(log.mark(), 0)
    assert log.latest() == (None, None)


def test_what_was_appended_is_read_back_exactly_and_in_its_order(log):
    history = log.history()
    assert history.steps == (RECORDS[0], RECORDS[1], RECORDS[3])
    assert history.evaluations == (RECORDS[2], RECORDS[4])
    assert history.timings == (timing(8), timing(24))
    assert log.latest() == (RECORDS[3], RECORDS[4])


def test_the_latest_step_may_come_after_the_latest_evaluation(log):
    log.append(step(32))
    assert log.latest() == (step(32), RECORDS[4])


def test_every_record_is_one_line_of_json_with_its_kind_and_timings_are_apart(log):
    kinds = [json.loads(line, parse_constant=pytest.fail)["kind"] for line in log.metrics_path.read_text().splitlines()]
    assert kinds == ["step", "step", "evaluation", "step", "evaluation"]
    assert [json.loads(line)["kind"] for line in log.timings_path.read_text().splitlines()] == ["timing", "timing"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_cut_anywhere_holds_the_records_before_the_cut(log, data):
    """As a crash leaves it: all lines that are whole, and nothing of the one that is not."""
    content = log.metrics_path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    other = MetricsLog(log.metrics_path.parent / "cut")
    other.metrics_path.parent.mkdir(exist_ok=True)
    other.metrics_path.write_bytes(content[:cut])
    whole = content[:cut].count(b"\n")
    history = other.history()
    assert sorted((*history.steps, *history.evaluations), key=RECORDS.index) == list(RECORDS[:whole])


@pytest.mark.parametrize("tail", [b'{"kind": "step", "instances": 1', b"\xff\x00", b"{"])
def test_half_a_line_at_the_end_is_left_out(log, tail):
    before = log.history(), log.latest()
    for path in (log.metrics_path, log.timings_path):
        path.write_bytes(path.read_bytes() + tail)
    assert (log.history(), log.latest()) == before


@pytest.mark.parametrize(
    "line", ["{", "", "3", "[]", "{}", '{"kind": "poem"}', '{"kind": "step"}', "\xff", '{"kind": ["step"]}']
)
def test_any_other_line_that_is_no_record_is_refused_with_its_number(log, line):
    lines = log.metrics_path.read_bytes().splitlines(keepends=True)
    lines[1] = line.encode("latin-1") + b"\n"
    log.metrics_path.write_bytes(b"".join(lines))
    said = refusal(log.history)
    assert f"line 2 of {log.metrics_path}" in said


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Step)])
def test_a_field_of_another_type_is_refused_by_its_name(log, field):
    values = json.loads(log.metrics_path.read_text().splitlines()[0])
    values[field] = "many"
    log.metrics_path.write_text(json.dumps(values) + "\n")
    said = refusal(log.latest)
    assert f"line 1 of {log.metrics_path}" in said
    assert field in said


def test_the_mark_is_the_length_and_the_hash_of_the_metrics_and_timings_do_not_enter(log):
    content = log.metrics_path.read_bytes()
    mark = log.mark()
    assert mark == MetricsMark(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    log.append(timing(32))
    assert log.mark() == mark
    log.append(step(32))
    assert log.mark() != mark


def test_rewinding_takes_back_what_came_after_the_mark_and_its_timings(log):
    content, mark = log.metrics_path.read_bytes(), log.mark()
    for instances in (32, 40):
        log.append(step(instances))
        log.append(timing(instances))
    log.rewind(mark, 24)
    assert log.metrics_path.read_bytes() == content
    assert [record.instances for record in log.history().timings] == [8, 24]
    log.append(step(32))
    assert log.latest()[0] == step(32)


def test_rewinding_survives_timings_that_nobody_can_read(log):
    """They are measurements of a machine: a damaged line of them must not keep a run from going on."""
    log.timings_path.write_bytes(b"\0\0\xff half a line\n" + log.timings_path.read_bytes() + b"{")
    log.rewind(log.mark(), 24)
    assert log.history().timings == (timing(8), timing(24))


def test_clearing_forgets_everything(log):
    log.clear()
    log.clear()
    assert log.latest() == (None, None)
    assert log.history().timings == ()


@pytest.mark.parametrize("record", [step(32), evaluation(32), timing(32)])
def test_a_line_that_finds_no_space_is_a_failed_run_that_names_the_file(log, monkeypatch, record):
    path = log.timings_path if isinstance(record, Timing) else log.metrics_path
    real = Path.open

    def full(self, mode="r", **options):
        if self == path and mode == "a":
            raise OSError(28, "No space left on device")
        return real(self, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(RunError, match=rf"cannot write {re.escape(str(path))} \(No space left on device\).*--resume"):
        log.append(record)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full, which is always full")
def test_a_device_that_is_really_full(tmp_path):
    log = MetricsLog(tmp_path)
    log.metrics_path.symlink_to("/dev/full")
    with pytest.raises(RunError, match="No space left on device"):
        log.append(step(8))


def test_metrics_that_cannot_be_made_durable_are_a_failed_run(log, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*metrics\.jsonl"):
        log.mark()


def test_a_row_of_an_earlier_version_is_read_without_the_bars_that_it_lacks(log):
    record = json.loads(log.metrics_path.read_text().splitlines()[RECORDS.index(evaluation(16))])
    (row,) = record["rows"]
    newer = [name for name in row if name.startswith(("ppm", "ctw", "untrained"))]
    newer += ["model_context_length", "markov_tail_difference_stderr"]
    assert len(newer) == 17
    for name in newer:
        del row[name]
    del row["positions"][0]["ppm_exclusion_bits"]
    log.metrics_path.write_text(json.dumps(record) + "\n")
    _, read = log.latest()
    assert read == evaluation(16)
