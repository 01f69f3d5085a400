"""Choosing a device by name, what it can do, and the stopwatch."""

import contextlib
import types

import pytest
import torch

from up import device as device_module
from up.device import Stopwatch, describe_device, resolve_device, single_thread
from up.errors import InputError
from up.memory import memory_limit_bytes


def machine_with(monkeypatch, *, cards=0, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cards", "mps", "name", "chosen"),
    [
        (0, False, "auto", "cpu"),
        (0, True, "auto", "mps"),
        (2, True, "auto", "cuda"),
        (2, True, "cpu", "cpu"),
        (2, False, "cuda:1", "cuda:1"),
        (0, True, "mps", "mps"),
    ],
)
def test_auto_prefers_a_card_and_a_name_is_taken_at_its_word(monkeypatch, cards, mps, name, chosen):
    machine_with(monkeypatch, cards=cards, mps=mps)
    assert resolve_device(name) == torch.device(chosen)


@pytest.mark.parametrize("name", ["abacus", "", "cuda:x", "cpu:-1"])
def test_a_name_that_torch_does_not_know_is_refused(name):
    with pytest.raises(InputError, match="unknown device") as caught:
        resolve_device(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "meta", "cuda:2", "cpu:3"])
def test_a_device_that_the_machine_lacks_is_refused(monkeypatch, name):
    machine_with(monkeypatch, cards=2 if name == "cuda:2" else 0)
    with pytest.raises(InputError, match="no such device") as caught:
        resolve_device(name)
    assert repr(name) in str(caught.value)


def test_the_description_of_the_processor_is_that_of_this_machine():
    info = describe_device(torch.device("cpu"))
    assert info.name == "cpu"
    assert info.cores == torch.get_num_threads()
    assert info.memory_bytes == memory_limit_bytes()


def test_the_description_of_a_card_is_what_its_driver_says(monkeypatch):
    card = types.SimpleNamespace(name="A card", total_memory=80 * 2**30, multi_processor_count=132)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    asked = []
    monkeypatch.setattr(torch.cuda, "device", lambda device: asked.append(device) or contextlib.nullcontext())
    info = describe_device(torch.device("cuda:1"))
    assert (info.name, info.description, info.memory_bytes) == ("cuda:1", "A card", 80 * 2**30)
    assert (info.cores, info.bf16) == (132, True)
    assert asked == [torch.device("cuda:1")]  # not the current card


def test_the_stopwatch_sums_what_is_inside_its_blocks_and_nothing_else(monkeypatch):
    times = iter([10.0, 11.5, 100.0, 100.25])
    monkeypatch.setattr(device_module, "time", types.SimpleNamespace(perf_counter=lambda: next(times)))
    stopwatch = Stopwatch(torch.device("cpu"))
    with stopwatch:
        pass
    assert stopwatch.seconds() == 1.5
    with stopwatch:
        pass
    assert stopwatch.seconds() == stopwatch.seconds() == 1.75


def test_one_thread_meanwhile_and_as_many_as_before_afterwards_even_after_an_error():
    seen = []

    def fail_inside():
        with single_thread():
            seen.append(torch.get_num_threads())
            raise KeyError

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(KeyError):
            fail_inside()
        assert (seen, torch.get_num_threads()) == ([1], 3)
    finally:
        torch.set_num_threads(before)
