"""Kills a training run again and again, and compares what comes of it with an undisturbed run, byte for byte.

    python -m benchmarks.bench_kills --kills 10 --seconds 150 --json FILE -- --preset tiny --instances 24000
    python -m benchmarks.bench_kills --kills 20 --seconds 0.3 --start fork -- --preset tiny ...

What follows `--` are options of `up train`; `--out` is added. Both runs go on at the same time, each in its own
process; that of the disturbed run gets SIGKILL at a random moment and is started again with `--resume`. Every second
life does not end at a random moment but at a random line of the code that writes checkpoints. A disturbed run that ends
before it was killed often enough is compared, and another one is begun. Exit code 1 if anything differs.

With `--stops`, two of three lives that end at a random moment end by SIGTERM or SIGINT, to which `up train` answers
with a checkpoint and exit code 130.

The resident memory of the undisturbed process is sampled meanwhile (Linux only).
"""

import argparse
import contextlib
import hashlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.environment import environment

_TRACED = ("save", "write_checkpoint", "_save_tensors", "_tidy")
_MOST_LINES = 60  # a save executes some thirty of the traced lines
_PATIENCE_SECONDS = 3600.0
_STOPPED = 130  # exit code of a run that a signal stopped


def differing_files(one: Path, other: Path) -> list[str]:
    """Return the names of the files in which the outcomes of two runs differ.

    Compared are configuration, metrics and the last checkpoint: weights, optimiser, generators, buffer, counters.
    """
    outcomes = [_outcome(folder) for folder in (one, other)]
    return [name for name in sorted(outcomes[0] | outcomes[1]) if outcomes[0].get(name) != outcomes[1].get(name)]


def _outcome(folder: Path) -> dict[str, str]:
    last = max((folder / "checkpoints").iterdir(), key=lambda entry: int(entry.name))
    files = [folder / "config.json", folder / "metrics.jsonl", *last.iterdir()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def train(words: Sequence[str], log: Path, kill_at_line: int | None = None) -> None:
    """Be `up train` in this process, with its output in a file; perhaps kill it at a line of the traced code."""
    from cli.main import main

    with contextlib.ExitStack() as redirected:
        output = redirected.enter_context(log.open("a", encoding="utf-8"))
        redirected.enter_context(contextlib.redirect_stdout(output))
        redirected.enter_context(contextlib.redirect_stderr(output))
        if kill_at_line is not None:
            sys.settrace(_Killer(kill_at_line))
        try:
            code = main(["train", *words])
        except KeyboardInterrupt:  # it came before `main` could listen
            code = _STOPPED
    sys.settrace(None)
    os._exit(code)


class _Killer:
    """A trace function that ends the process at the n-th line that is executed of the traced functions."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    def __call__(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        return self._count if code.co_name in _TRACED and "runs" in code.co_filename else None

    def _count(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._count


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    fields = (line.split() for line in text.splitlines() if line.startswith("VmRSS"))
    return next((int(field[1]) * 1024 for field in fields), 0)


class Experiment:
    """An undisturbed run, and disturbed ones until they were killed often enough."""

    def __init__(
        self, words: Sequence[str], *, kills: int, seconds: float, stops: bool, start: str, seed: int, folder: Path
    ) -> None:
        self.words, self.kills, self.seconds = list(words), kills, seconds
        self.signals = [signal.SIGKILL, *([signal.SIGTERM, signal.SIGINT] if stops else [])]
        self.context = multiprocessing.get_context(start)
        self.random = random.Random(seed)
        self.folder = folder
        self.memory: list[tuple[float, int]] = []
        self.in_writes = self.stopped = self.saved = 0
        self.differing: list[str] = []

    def run(self) -> dict[str, Any]:
        """Return the record."""
        started = time.perf_counter()
        whole = self.folder / "whole"
        undisturbed = self._start(whole, resume=False)
        pending: list[Path] = []
        while self.stopped < self.kills:
            pending.append(self._disturbed(self.folder / f"disturbed-{len(pending)}", undisturbed))
        self._watch(undisturbed, _PATIENCE_SECONDS)
        _require(undisturbed.exitcode == 0, whole)
        for path in pending:
            self.differing += differing_files(whole, path)
        memory = [resident for _, resident in self.memory if resident]
        return {
            "command": ["up", "train", *self.words],
            "kills": self.stopped,
            "kills_that_were_answered_with_a_checkpoint": self.saved,
            "kills_that_left_a_checkpoint_half_written": self.in_writes,
            "disturbed_runs": len(pending),
            "runs_equal": not self.differing,
            "differing_files": self.differing,
            "seconds": time.perf_counter() - started,
            "resident_mib": _thirds(memory),
            "resident_samples": len(memory),
        }

    def _disturbed(self, out: Path, undisturbed: BaseProcess) -> Path:
        """Begin a run and go on until it is complete, with the kills that are still to be survived."""
        while True:
            by_line = self.stopped < self.kills and self.random.random() < 0.5
            line = self.random.randint(1, _MOST_LINES) if by_line else None
            number = self.random.choice(self.signals)
            log = out.with_suffix(".log")
            said_before = log.stat().st_size if log.exists() else 0
            life = self._start(out, resume=(out / "config.json").exists(), kill_at_line=line)
            by_time = self.stopped < self.kills and line is None
            wait = self.random.uniform(0.0, 2 * self.seconds) if by_time else _PATIENCE_SECONDS
            self._watch(life, wait, also=undisturbed)
            if life.is_alive() and life.pid is not None:
                os.kill(life.pid, number)
                life.join()
            if life.exitcode == 0:
                return out
            said = log.read_bytes()[said_before:].decode() if log.exists() else ""
            expected = [-signal.SIGKILL] if line is not None else [-number, _STOPPED]
            if number == signal.SIGINT and not said:
                expected.append(1)  # Python itself was interrupted, before it had imported `main`
            _require(life.exitcode in expected, out)
            self.stopped += 1
            self.saved += life.exitcode == _STOPPED and "stopped and saved" in said
            leftovers = [*out.glob("checkpoints/*.partial"), *out.glob("checkpoints/*.removed")]
            self.in_writes += bool(leftovers)

    def _start(self, out: Path, *, resume: bool, kill_at_line: int | None = None) -> BaseProcess:
        words = [*self.words, "--out", str(out), *(["--resume"] if resume else [])]
        log = out.with_suffix(".log")
        process = self.context.Process(target=train, args=(words, log, kill_at_line), daemon=True)
        process.start()
        return process

    def _watch(self, process: BaseProcess, seconds: float, also: BaseProcess | None = None) -> None:
        """Wait for a process at most so long, and sample the memory of the undisturbed one every second."""
        watched = also or process
        until = time.monotonic() + seconds
        while process.is_alive() and (left := until - time.monotonic()) > 0:
            process.join(min(left, 1.0))
            if watched.is_alive() and watched.pid is not None:
                self.memory.append((time.monotonic(), resident_bytes(watched.pid)))


def _require(ended_well: bool, out: Path) -> None:
    if not ended_well:
        log = out.with_suffix(".log")
        raise SystemExit(f"a process that nobody killed failed; its last words:\n{log.read_text()[-2000:]}")


def _thirds(samples: Sequence[int]) -> list[float]:
    """Return the largest sample of each third, in MiB."""
    if len(samples) < 3:
        return []
    cuts = [0, len(samples) // 3, 2 * len(samples) // 3, len(samples)]
    return [max(samples[start:end]) / 2**20 for start, end in itertools.pairwise(cuts)]


def main() -> int:
    arguments, words = _arguments(sys.argv[1:])
    if arguments.start == "fork":  # forked processes then need not import these
        import torch._dynamo  # noqa: F401 - the first optimiser of a process does

        import cli.main  # noqa: F401
        import up.runs.loop
        import up.runs.plan  # noqa: F401

    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        experiment = Experiment(
            words,
            kills=arguments.kills,
            seconds=arguments.seconds,
            stops=arguments.stops,
            start=arguments.start,
            seed=arguments.seed,
            folder=folder,
        )
        record = experiment.run()
    survived = record["kills"] if record["runs_equal"] else 0
    print(
        f"survived {survived} of {record['kills']} kills, of which "
        f"{record['kills_that_left_a_checkpoint_half_written']} left a checkpoint half written; "
        f"{record['disturbed_runs']} disturbed runs "
        f"{'equal' if record['runs_equal'] else 'DIFFER FROM'} the undisturbed one"
    )
    print(f"peak resident memory in each third of the undisturbed run: {record['resident_mib']} MiB")
    for name in record["differing_files"]:
        print(f"differs: {name}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({**environment(), **record}, indent=2) + "\n")
    return 0 if record["runs_equal"] else 1


def _arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0, help="mean time between start and kill")
    parser.add_argument("--stops", action="store_true", help="also SIGTERM and SIGINT, which save")
    parser.add_argument("--start", choices=("spawn", "fork"), default="spawn", help="fork spares the imports")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--folder", type=Path, help="where the runs stay; a temporary folder by default")
    parser.add_argument("--json", type=Path)
    place = words.index("--") if "--" in words else len(words)
    return parser.parse_args(words[:place]), list(words[place + 1 :])


if __name__ == "__main__":
    sys.exit(main())
