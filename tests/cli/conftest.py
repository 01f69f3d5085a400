import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.context import CliContext
from cli.main import main
from tests.cli.streams import Outcome, Terminal

Run = Callable[..., Outcome]

# Of a run whose steps take milliseconds.
SETTINGS = {
    "model.width": "16",
    "model.base_width": "16",
    "model.depth": "1",
    "model.context_length": "96",
    "model.heads": "1",
    "model.convolution_taps": "0",
    "model.copy_heads": "0",
    "source.hidden_size": "4",
    "training.keep": "latest",
    "buffer.source_batch": "8",
    "buffer.reset_constant": "1",
    "buffer.reset_noise": "1",
    "cadence.burn_in_batches": "2",
    "training.batch": "8",
    "training.batch_start": "8",
    "training.evaluate_every": "24",
    "training.checkpoint_every": "16",
    "evaluation.samples": "8",
}


def _words(out: Path, text: Path, *more: str, preset: bool, instances: int, **settings: str) -> list[str]:
    values = {**SETTINGS, "evaluation.data": json.dumps([str(text)]), **settings}
    chosen = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    start = ["train", *(["--preset", "tiny"] if preset else [])]
    return [
        *start,
        "--source",
        "lstm",
        "--device",
        "cpu",
        "--instances",
        str(instances),
        "--out",
        str(out),
        *chosen,
        *more,
    ]


@pytest.fixture
def run() -> Run:
    """Run the program in this process with injected streams, in a pipe unless told that there is a terminal."""

    def run_with(*arguments: str, terminal: bool = False, environment: dict[str, str] | None = None) -> Outcome:
        stdout, stderr = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        given = {"TERM": "xterm-256color", "COLUMNS": "80"} if environment is None else environment
        code = main(arguments, CliContext.from_streams(stdout, stderr, given))
        return Outcome(code, stdout.getvalue(), stderr.getvalue())

    return run_with


@pytest.fixture(scope="session")
def text(tmp_path_factory) -> Path:
    """Something to evaluate on."""
    path = tmp_path_factory.mktemp("data") / "text"
    path.write_text("the rain in spain stays mainly in the plain. " * 40)
    return path


@pytest.fixture
def arguments(text) -> Callable[..., list[str]]:
    """Return the words of a run of 48 instances in six steps, with settings of a test's own."""

    def words(out, *more: str, preset: bool = True, instances: int = 48, **settings: str) -> list[str]:
        return _words(out, text, *more, preset=preset, instances=instances, **settings)

    return words


@pytest.fixture(scope="session")
def trained(tmp_path_factory, text) -> Path:
    """A finished run, with checkpoints after 32 and 48 instances; tests that change it take a copy."""
    out, stderr = tmp_path_factory.mktemp("trained") / "run", io.StringIO()
    words = _words(out, text, preset=True, instances=48)
    assert main(words, CliContext.from_streams(io.StringIO(), stderr, {})) == 0, stderr.getvalue()
    return out


@pytest.fixture
def copied(trained, tmp_path) -> Path:
    """A finished run of a test's own."""
    return Path(shutil.copytree(trained, tmp_path / "copied"))
