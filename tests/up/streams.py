"""Streams whose instances a test decides: fakes that meet the protocol."""

from collections.abc import Callable

import torch
from torch import Tensor


class StreamOf:
    """Hands on what a function returns for a number of instances; another one says how long it will take."""

    def __init__(self, rows: Callable[[int], Tensor], forecast: Callable[[int], float] = lambda _: 0.0) -> None:
        self.rows, self.forecast = rows, forecast
        self.instances = 0

    def draw(self, num_instances: int) -> Tensor:
        self.instances += num_instances
        return self.rows(num_instances)

    def state(self) -> dict[str, Tensor]:
        return {"counters": torch.tensor([self.instances])}

    def restore(self, state) -> None:
        (self.instances,) = (int(value) for value in state["counters"])

    def observations(self) -> dict[str, tuple[int, ...]]:
        return {}

    def source_seconds(self) -> float:
        return 0.0

    def forecast_seconds(self, instances: int) -> float:
        return self.forecast(instances)


def one_by_one(tokens_BT: Tensor) -> StreamOf:
    """The rows of a table, in their order, each once."""
    rows = iter(tokens_BT)
    return StreamOf(lambda count: torch.stack([next(rows) for _ in range(count)]))
