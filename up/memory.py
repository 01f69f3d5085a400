"""How much memory this process may use, and whether an exception says that there was too little of it.

What it may use is the least of what the machine has and of every limit that it is under.

A container is limited by its control group, of version 2 (`memory.max`) or 1 (`memory/memory.limit_in_bytes`), or by
any group above it; `ulimit -v` limits the address space (RLIMIT_AS).
"""

import os
from collections.abc import Iterator
from pathlib import Path

try:  # now, and not when memory has run out
    import resource
except ImportError:  # on Windows
    resource = None

_UNLIMITED = 1 << 60  # version 1 writes no limit as a number near 2^63
_RAN_OUT = (
    "DefaultCPUAllocator: ",  # torch on a CPU: "can't allocate memory", or "not enough memory"
    "out of memory",  # torch on CUDA and MPS
    "CUBLAS_STATUS_ALLOC_FAILED",
    "annot allocate memory",  # the system, through any library: mmap, safetensors
    "std::bad_alloc",
)


def memory_limit_bytes(root: Path = Path("/")) -> int:
    """Return the bytes that this process may use, 0 if nothing is known.

    Args:
        root: where `proc` and `sys` lie.
    """
    known = [limit for limit in (_of_machine(), *_of_groups(root), _of_address_space()) if 0 < limit < _UNLIMITED]
    return min(known, default=0)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that memory could not be allocated, on a CPU or on a card.

    Libraries have no type in common for this: torch raises a plain RuntimeError on a CPU.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes"))
    True
    >>> is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    False
    """
    return isinstance(error, MemoryError) or any(words in str(error) for words in _RAN_OUT)


def _of_machine() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def _of_address_space() -> int:
    if resource is None:
        return 0
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return 0 if soft == resource.RLIM_INFINITY else soft


def _of_groups(root: Path) -> Iterator[int]:
    """Yield the limits of the control groups of this process and of those above them."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            limit = _text(folder / name).strip()
            if limit.isdecimal():
                yield int(limit)
            if folder == base:
                break


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
