"""TensorBoard events: what the run told, on the axis of instances, and what a resumed run takes back."""

import os
import sys

import pytest

from tests.up.runs.cases import poison_loss
from tests.up.runs.test_overview import a_row
from up.errors import InputError
from up.runs.events import Evaluated
from up.runs.loop import train
from up.runs.tensorboard import TensorBoardLog, require_tensorboard
from up.training.step import Step


@pytest.fixture
def scalars():
    """Return a function that reads a folder of events with TensorBoard's own reader: name to (step, value) pairs."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder):
        events = EventAccumulator(str(folder))
        events.Reload()
        return {name: [(each.step, each.value) for each in events.Scalars(name)] for name in events.Tags()["scalars"]}

    return read


def test_every_step_and_evaluation_is_an_event_at_its_instances(begin, scalars, tmp_path):
    run, state, prepared = begin("training.evaluate_every=32", "training.stop_after_skipped=3")
    poison_loss(state, float("nan"), {3})
    with TensorBoardLog(tmp_path / "events", after=0) as log:
        events = list(train(run, state, prepared))
        for event in events:
            log.write(event)
    told = scalars(tmp_path / "events")
    records = [event for event in events if isinstance(event, Step)]
    finite = [record for record in records if record.loss_bits is not None]
    assert len(finite) == 7  # there is no point where there is no number
    assert told["training/loss_bits"] == [(r.instances, pytest.approx(r.loss_bits)) for r in finite]
    assert told["training/gradient_norm"] == [(r.instances, pytest.approx(r.gradient_norm)) for r in finite]
    assert told["training/skipped_steps"] == [(r.instances, r.skipped_steps) for r in records]
    assert told["schedule/learning_rate"] == [(r.instances, pytest.approx(r.learning_rate)) for r in records]
    assert told["schedule/batch"] == [(r.instances, 8) for r in records]
    assert told["schedule/enabled_blocks"] == [(r.instances, 1) for r in records]
    assert {name for name in told if name.startswith("speed/")} == {"speed/instances_per_second", "speed/source_share"}
    rows = [(event.instances, event.rows[0]) for event in events if isinstance(event, Evaluated)]
    bits = [values for tag, values in told.items() if tag.startswith("evaluation/") and tag.endswith("/bits")]
    assert bits == [[(at, pytest.approx(row.bits)) for at, row in rows]]
    assert len(rows) == 2


def test_a_resumed_run_takes_back_what_an_earlier_process_wrote_beyond_its_checkpoint(scalars, tmp_path):
    def write(after, places):
        with TensorBoardLog(tmp_path / "events", after=after) as log:
            for at in places:
                record = Step(
                    instances=at, step=1, batch=8, loss_bits=float(after), learning_rate=0.1, gradient_norm=1.0,
                    enabled_blocks=1, skipped_steps=0, observations={"depth": (1,)},
                )  # fmt: skip
                log.write(record)

    write(0, [8, 16, 24, 32])
    write(16, [24, 32, 40])
    told = scalars(tmp_path / "events")
    assert told["training/loss_bits"] == [(8, 0), (16, 0), (24, 16), (32, 16), (40, 16)]


def test_without_the_package_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # importing it then raises ModuleNotFoundError
    for call in (require_tensorboard, lambda path: TensorBoardLog(path, after=0)):
        with pytest.raises(InputError, match=r"needs the package tensorboard: pip install.*\[tensorboard\]") as caught:
            call(tmp_path / "events")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "events").exists()


def test_with_the_package_nothing_is_asked_for(tmp_path):
    require_tensorboard(tmp_path / "events")


def test_a_name_of_data_that_is_no_text_is_written_escaped(scalars, tmp_path):
    with TensorBoardLog(tmp_path / "events", after=0) as log:
        log.write(Evaluated(instances=8, rows=(a_row("data/bad\udcff", tail_bits=7.0),)))
    assert "evaluation/data/bad\\xff/tail_bits" in scalars(tmp_path / "events")


def test_a_folder_whose_name_is_no_text_is_refused_before_it_is_made(tmp_path):
    folder = tmp_path / os.fsdecode(b"bad\xff")
    for call in (require_tensorboard, lambda path: TensorBoardLog(path, after=0)):
        with pytest.raises(InputError, match=r"no text in this locale .*bad.*--out"):
            call(folder)
    assert not folder.exists()
