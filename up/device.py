"""Where tensors live: choosing a device by name, what this device can do, and random numbers on it."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator

import numpy as np
import torch

from theory.words import number_of
from up.errors import InputError
from up.memory import memory_limit_bytes


def resolve_device(name: str = "auto") -> torch.device:
    """Return the torch device for `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; `auto` prefers cuda, then mps, then cpu.

    Raises:
        InputError: a name that torch does not know, or a device that this machine does not have.

    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError("unknown device", received=name, remedy="use auto, cpu, cuda or mps") from None
    available = {
        "cpu": not device.index,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }.get(device.type, False)
    if not available:
        raise InputError("this machine has no such device", received=name, remedy="use --device cpu or auto")
    return device


def keyed_generator(*key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator whose numbers depend on its key alone.

    Other keys, of as many numbers below 2^32 each, give numbers that have nothing in common with these.

    >>> one, same, other = (keyed_generator(*key).initial_seed() for key in ((0, 1), (0, 1), (1, 0)))
    >>> one == same, one == other
    (True, False)
    """
    seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1  # torch takes 63 bits everywhere
    return torch.Generator(device=device).manual_seed(seed)


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Run PyTorch's CPU kernels on one thread meanwhile: for thousands of small kernels in a row.

    A second thread wins a fifth there at best, and where another process keeps a core busy the threads' waiting for
    each other at every kernel makes it several times slower (benchmarks/README.md).
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """What the plan of a run and `up doctor` say about a device.

    Attributes:
        name: as torch names it, such as `cpu` or `cuda:0`.
        description: the processor or the card.
        memory_bytes: memory that this process may use, 0 if unknown.
        cores: threads that torch uses on a CPU, multiprocessors on a GPU.
        bf16: whether bfloat16 matrix products run natively; on a CPU they can still be slower than float32
            (benchmarks/README.md), so runs use them by default on GPUs only.

    """

    name: str
    description: str
    memory_bytes: int
    cores: int
    bf16: bool


def describe_device(device: torch.device) -> DeviceInfo:
    """Return name, memory, cores and bfloat16 support of a device."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return DeviceInfo(
            name=str(device),
            description=properties.name,
            memory_bytes=properties.total_memory,
            cores=properties.multi_processor_count,
            bf16=_card_has_bf16(device),
        )
    threads = torch.get_num_threads()
    return DeviceInfo(
        name=str(device),
        description=f"{torch.backends.cpu.get_cpu_capability()}, {number_of(threads, 'thread')}",
        memory_bytes=memory_limit_bytes(),
        cores=threads,
        bf16=device.type == "cpu" and _cpu_has_bf16(),
    )


def _card_has_bf16(device: torch.device) -> bool:
    with torch.cuda.device(device):  # torch asks the current card
        return torch.cuda.is_bf16_supported(including_emulation=False)


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 natively (AVX512-BF16 or AMX), as Linux reports it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as handle:
            flags = next((line for line in handle if line.startswith("flags")), "")
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags.split())


class Stopwatch:
    """Sums the time spent inside `with` blocks, on the device's own clock where it works asynchronously."""

    def __init__(self, device: torch.device) -> None:
        self._device = device if device.type == "cuda" else None
        self._elapsed = 0.0
        self._start = 0.0
        self._pending: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def __enter__(self) -> None:
        if self._device is not None:
            self._pending.append((torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)))
            self._pending[-1][0].record(torch.cuda.current_stream(self._device))
        else:
            self._start = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        if self._device is not None:
            self._pending[-1][1].record(torch.cuda.current_stream(self._device))
        else:
            self._elapsed += time.perf_counter() - self._start

    def seconds(self) -> float:
        """Return the time so far; waits for a device that is still at work."""
        for start, end in self._pending:
            end.synchronize()
            self._elapsed += start.elapsed_time(end) / 1000
        self._pending.clear()
        return self._elapsed
