"""What the tests of `up train` do with the folders of runs."""

import json
import shutil
from pathlib import Path

from up.runs.folder import open_run


def drop_checkpoints(path: Path, number: int = 1) -> None:
    """Make a finished run look as if it had been killed some checkpoints before its end."""
    for folder in open_run(path).checkpoints()[-number:]:
        shutil.rmtree(folder)


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def outcome_of(path: Path) -> dict[str, bytes]:
    """All files that are a function of the configuration: itself, the metrics, and every checkpoint."""
    files = [path / "config.json", path / "metrics.jsonl", *(path / "checkpoints").rglob("*.*")]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def files_of(path: Path) -> dict[str, bytes]:
    """Every file but the lock, which each process that looks touches."""
    files = (file for file in path.rglob("*") if file.is_file() and file.name != ".lock")
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
