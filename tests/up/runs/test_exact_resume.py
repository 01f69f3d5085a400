"""However a run is interrupted, what it leaves in the end is the same, byte for byte, as if it never had been."""

import contextlib
import shutil
import sys

import pytest
import torch

from tests.up.runs.cases import ARCHITECTURES, CPU, outcome
from up.runs.events import Finished
from up.runs.folder import RunFolder, open_run
from up.runs.loop import train
from up.training.state import TrainingState

INSTANCES = 40
# Dropout, groups of blocks, a batch that grows, checkpoints and evaluations at places of their own.
BLOCKS = ("model.depth=3", "model.progressive_group=1", "training.enable_every=12")
SETTINGS = (
    "training.batch_start=4",
    "training.batch_warmup_from=8",
    "training.batch_warmup_to=24",
    "training.evaluate_every=16",
    "training.checkpoint_every=24",
    "evaluation.batch_size=2",
)
TRACED = ("save", "write_checkpoint", "_save_tensors", "write_text")


class Killed(BaseException):
    """Stands for the end of a process: nothing catches it, nothing is put in order."""


@contextlib.contextmanager
def killed_at_line(number: int):
    """Raise `Killed` before the n-th line that is executed of the code that writes checkpoints."""
    left = number

    def count(_frame, event, _argument):
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                raise Killed
        return count

    def enter(frame, _event, _argument):
        code = frame.f_code
        return count if code.co_name in TRACED and "runs" in code.co_filename else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.fixture(params=ARCHITECTURES)
def undisturbed(request, begin):
    """A run that nothing interrupted, and the function that begins another one like it."""

    def again(name: str):
        settings = SETTINGS if request.param == "mixing" else (*BLOCKS, *SETTINGS)
        return begin(*settings, name=name, arch=request.param, instances=INSTANCES, dropout=0.2)

    run, state, prepared = again("undisturbed")
    assert list(train(run, state, prepared))[-1].complete
    return outcome(run), state.stream.draw(8), again


def resume(run, prepared, **options):
    """Do what a new process does with the folder of a run, and return its last event and its state."""
    state = TrainingState(open_run(run.path).config(), CPU)
    run.restore(state)
    return list(train(run, state, prepared, **options))[-1], state


def asked(places):
    """A `should_stop` that says yes from the n-th question on, and counts the questions in `places`."""

    def should_stop():
        places["asked"] += 1
        return places["asked"] >= places["stop"]

    return should_stop


@pytest.mark.parametrize("undisturbed", ["paper"], indirect=True)
def test_a_stop_at_any_moment_between_and_within_steps_and_evaluations(undisturbed):
    expected, next_rows_BT, again = undisturbed
    moment, stopped = 0, True
    while stopped:
        moment += 1
        run, state, prepared = again(f"stopped-{moment}")
        last = list(train(run, state, prepared, should_stop=asked({"asked": 0, "stop": moment})))[-1]
        stopped = not last.complete
        finished, resumed = resume(run, prepared)
        assert finished.complete
        assert outcome(run) == expected, moment
        assert torch.equal(resumed.stream.draw(8), next_rows_BT)
    assert moment > 12


def test_a_run_that_is_stopped_at_every_third_question(undisturbed):
    expected, next_rows_BT, again = undisturbed
    run, state, prepared = again("often")
    last = list(train(run, state, prepared, should_stop=asked({"asked": 0, "stop": 3})))[-1]
    lives = 1
    while not last.complete:
        last, state = resume(run, prepared, should_stop=asked({"asked": 0, "stop": 9}))
        lives += 1
    assert lives > 2
    assert outcome(run) == expected
    assert torch.equal(state.stream.draw(8), next_rows_BT)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # a process that ends closes its files
@pytest.mark.parametrize("undisturbed", ["modern"], indirect=True)
def test_a_kill_at_any_line_of_a_save(undisturbed):
    """The last checkpoint takes the place of the only other one; every line, until none is left to be killed at."""
    expected, next_rows_BT, again = undisturbed
    whole, state, prepared = again("whole")
    list(train(whole, state, prepared, should_stop=lambda: state.instances >= 24))
    line, half_written, killed = 0, 0, True
    while killed:
        line += 1
        run = RunFolder(shutil.copytree(whole.path, whole.path.with_name(f"killed-{line}")), keep=1)
        try:
            with killed_at_line(line):
                resume(run, prepared)
            killed = False
        except Killed:
            half_written += any(run.path.glob("checkpoints/*.*"))
        finished, resumed = resume(run, prepared)
        assert isinstance(finished, Finished)
        assert finished.complete
        assert outcome(run) == expected, line
        assert torch.equal(resumed.stream.draw(8), next_rows_BT)
        assert not any(run.path.glob("checkpoints/*.*"))
    assert line > 30
    assert half_written > 15
