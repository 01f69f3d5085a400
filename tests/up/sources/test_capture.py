"""Which calls are run and which replay a record; that a record computes the same is shown by tests/test_gpu.py."""

import contextlib

import pytest
import torch

from up.sources import capture
from up.sources.capture import captured


class Card:
    """Stands for a GPU: counts runs, records and replays."""

    def __init__(self, fails=False):
        self.events = []
        self.fails = fails

    def record(self, _function, _inputs):
        if self.fails:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 192.00 MiB.")
        self.events.append("record")

        def replay(values):
            self.events.append("replay")
            return 2 * values[0]

        return replay

    def double(self, x_N):
        self.events.append("run")
        return 2 * x_N

    def call(self, size):
        x_N = torch.arange(float(size))
        assert torch.equal(captured("double", self.double, [x_N]), 2 * x_N)
        found, self.events = self.events, []
        return found


@pytest.fixture
def card(monkeypatch):
    card = Card()
    monkeypatch.setattr(capture, "_Graph", card.record)
    monkeypatch.setattr(capture, "_known", type(capture._known)())
    monkeypatch.setattr(torch.cuda, "device", lambda _device: contextlib.nullcontext())
    return card


def test_a_shape_is_run_three_times_then_recorded_and_replayed(card):
    assert [card.call(5) for _ in range(6)] == [["run"]] * 3 + [["record", "replay"]] + [["replay"]] * 2


def test_every_shape_has_its_own_record(card):
    for size in (2, 3, 4, 5):
        for _ in range(4):
            card.call(size)
    assert [card.call(size) for size in (2, 3, 4, 5)] == [["replay"]] * 4


def test_the_shape_that_was_not_seen_for_longest_goes_first(card):
    for size in (2, 3, 4, 5):
        for _ in range(4):
            card.call(size)
    card.call(2)
    card.call(6)  # 3 goes
    assert [card.call(size) for size in (2, 4, 5)] == [["replay"]] * 3
    assert card.call(3) == ["run"]


def test_a_shape_that_cannot_be_recorded_is_run_for_good(card):
    card.fails = True
    assert [card.call(5) for _ in range(6)] == [["run"]] * 6
    card.fails = False
    assert card.call(5) == ["run"]
