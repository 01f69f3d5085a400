"""Loops of many small steps on a GPU, recorded once and then launched as a whole.

A loop over 512 tokens launches more than ten thousand kernels of two microseconds each, and a processor takes longer to
launch one than the card to run it. A CUDA graph is the record of all of them, and its replay needs the processor once.

What is recorded reads its inputs where they lay then, so that each replay first copies the new ones there. Recording
costs about two runs, so a shape is only run until it has come three times; and for good where recording fails, such as
for want of memory.

Limits: of five shapes or more that come in turn none is ever recorded, and a mixture of sources, whose members get
another number of rows each time, seldom gains. A record keeps its memory on the card until others take its place. All
calls for one card must come from one thread and one stream.
"""

import collections
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

_MOST_SHAPES = 4
_RUNS_FIRST, _NEVER = 3, -1

_Key = tuple[Any, ...]


class _Graph:
    """A function of tensors, recorded with its inputs and its result in fixed places on the card."""

    def __init__(self, function: Callable[..., Tensor], inputs: Sequence[Tensor]) -> None:
        self._inputs = [each.clone() for each in inputs]
        self._graph = torch.cuda.CUDAGraph()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            function(*self._inputs)  # what libraries set up at a first call must not be recorded
        torch.cuda.current_stream().wait_stream(aside)
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._result = function(*self._inputs)

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        for place, value in zip(self._inputs, inputs, strict=True):
            place.copy_(value)
        self._graph.replay()
        return self._result.clone()


_known: collections.OrderedDict[_Key, _Graph | int] = collections.OrderedDict()
"""Records by shape, and of shapes without one how often they were run; `_NEVER` where recording failed."""


def captured(name: str, function: Callable[..., Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Return a function of tensors on one GPU, from the fourth call with the same shapes on by replaying a record.

    The last four shapes are kept, each with a copy of its inputs and what the function needs besides.

    Args:
        name: stands for the function: under one name, only what the inputs hold may differ.
        function: must launch the same kernels whatever the inputs hold, and wait for none of them.
        inputs: all on one card, in inference mode.
    """
    key = (name, *((each.device, each.dtype, each.shape) for each in inputs))
    with torch.cuda.device(inputs[0].device):  # streams and graphs belong to the current card
        known = _known.pop(key, 0)
        if known == _RUNS_FIRST:
            known = _recorded(function, inputs)
        elif isinstance(known, int) and known != _NEVER:
            known += 1
        _known[key] = known
        while len(_known) > _MOST_SHAPES:
            _known.popitem(last=False)
        return function(*inputs) if isinstance(known, int) else known(inputs)


def _recorded(function: Callable[..., Tensor], inputs: Sequence[Tensor]) -> _Graph | int:
    try:
        return _Graph(function, inputs)
    except RuntimeError:  # of torch and CUDA, out of memory among them; a fault of the function shows when it is run
        return _NEVER
