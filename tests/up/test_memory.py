"""The memory that a process may use: the least of all limits, wherever they are written."""

import os
import subprocess
import sys

import pytest

from up.memory import memory_limit_bytes

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
NONE = 9_223_372_036_854_771_712  # what version 1 writes where there is no limit


def a_system(tmp_path, groups, **limits):
    """Files as the kernel shows them: the groups of the process, and limits by the path of their file."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for path, limit in limits.items():
        file = tmp_path / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("groups", "limits", "least"),
    [
        ("0::/job/1\n", {"job/1/memory.max": 1500}, 1500),
        ("0::/job/1\n", {"job/1/memory.max": "max", "job/memory.max": 1200}, 1200),
        ("0::/job/1\n", {"job/1/memory.max": 1500, "job/memory.max": 1200}, 1200),
        ("0::/\n", {"memory.max": 900}, 900),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        ("3:cpu:/a\n2:memory:/a/b\n", {"memory/a/b/memory.limit_in_bytes": 800}, 800),
        ("2:memory:/a\n", {"memory/a/memory.limit_in_bytes": NONE, "memory/memory.limit_in_bytes": 700}, 700),
        ("2:memory:/a\n", {"memory/a/memory.limit_in_bytes": NONE}, MACHINE),
        ("2:cpu:/a\n", {"memory/a/memory.limit_in_bytes": 5}, MACHINE),
        ("", {}, MACHINE),
        ("nonsense\n::\n", {}, MACHINE),
    ],
)
def test_the_least_limit_of_the_groups_counts(tmp_path, groups, limits, least):
    assert memory_limit_bytes(a_system(tmp_path, groups, **limits)) == least


def test_a_limit_above_the_machines_memory_does_not_count(tmp_path):
    assert memory_limit_bytes(a_system(tmp_path, "0::/\n", **{"memory.max": MACHINE + 1})) == MACHINE


def test_the_limit_of_the_address_space_counts():
    program = "from up.memory import memory_limit_bytes; print(memory_limit_bytes())"
    script = f"ulimit -v 1000000; exec {sys.executable} -c '{program}'"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert int(ended.stdout) == 1_000_000 * 1024
