"""Which code is running, on what: recorded with every run, and compared when one is resumed."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import up
from up.device import describe_device

_PACKAGES = ("numpy", "safetensors")


def describe_process(device: torch.device) -> dict[str, Any]:
    """Return what the results of this process depend on, beside the configuration.

    `commit` and `commit_dirty` (whether files differ from it) are None where `up` was installed without its repository.
    """
    commit, dirty = _checkout()
    return {
        "commit": commit,
        "commit_dirty": dirty,
        "device": str(device),
        "device_description": describe_device(device).description,
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {
            "up": up.__version__,
            "torch": str(torch.__version__),  # with what it was built for, such as +cu130, which its metadata leave out
            **{name: metadata.version(name) for name in _PACKAGES},
        },
    }


def changes_since(entries: Sequence[Mapping[str, Any]], device: torch.device) -> list[str]:
    """Return what differs from the latest entry of a run's provenance and can change how numbers are rounded.

    Commits are not compared: that they compute the same is what the tests are for.
    """
    if not entries:
        return []
    then, now = entries[-1], describe_process(device)
    return [
        f"{name.replace('_', ' ')} was {then.get(name)}, is {now[name]}"
        for name in ("device_description", "threads", "versions")
        if then.get(name) != now[name]
    ]


def _checkout() -> tuple[str | None, bool | None]:
    """Return the commit of the checkout that this code runs from, and whether its files differ from that commit."""
    root = Path(up.__file__).parents[1]
    if not (root / ".git").exists():
        return None, None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit, bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _git(root: Path, *words: str) -> str:
    # Git itself sets GIT_DIR and the like in its hooks, and they would win over the folder given here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()
