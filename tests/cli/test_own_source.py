"""A source in a file outside the package: it trains, resumes after a kill, evaluates and shows in the demo."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.cli.streams import assert_refused
from up.runs.checkpoint import checkpoint_name
from up.runs.folder import RunFolder, open_run
from up.runs.run import run as run_config
from up.training.step import Step

CPU = torch.device("cpu")

TEXT = (Path(__file__).parents[2] / "docs/examples/coins.py").read_text()
# What the buffer and LSTMs of other tests need has no meaning here.
SETTINGS = {
    "model.width": "16",
    "model.base_width": "16",
    "model.depth": "1",
    "model.context_length": "96",
    "training.batch": "8",
    "training.batch_start": "8",
    "training.evaluate_every": "64",
    "training.checkpoint_every": "16",
    "evaluation.samples": "8",
}


@pytest.fixture
def coins(tmp_path):
    path = tmp_path / "coins.py"
    path.write_text(TEXT)
    return path


@pytest.fixture
def words(coins, text):
    """The words of a run on the source, of as many instances."""

    def of(out, *more, instances=64, name="Coins"):
        values = {**SETTINGS, "evaluation.data": json.dumps([str(text)])}
        chosen = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
        start = ["train", "--preset", "tiny", "--device", "cpu", "--source", f"{coins}:{name}"]
        return [*start, "--instances", str(instances), "--out", str(out), *chosen, *more]

    return of


def resume(run, out, *more):
    return run("train", "--resume", "--out", str(out), "--device", "cpu", "--quiet", *more)


def test_it_trains_and_the_run_keeps_its_text_and_its_hash(run, words, coins, tmp_path):
    outcome = run(*words(tmp_path / "run", "--set", "source.settings.heads=65"))
    assert outcome.code == 0
    assert "coins.py:Coins, heads 65" in outcome.stderr
    opened = open_run(tmp_path / "run")
    assert (tmp_path / "run" / "source.py").read_text() == TEXT
    assert opened.config().source.kind == f"{coins}:Coins"
    losses = [step.loss_bits for step in opened.metrics.history().steps]
    assert losses[-1] < losses[0]
    shown = run("runs", "show", str(tmp_path / "run"))
    assert shown.code == 0
    assert "coins.py:Coins, heads 65" in shown.stdout


def test_after_a_kill_it_goes_on_to_the_same_bytes(words, tmp_path):
    """SIGKILL in the middle of a run in a process of its own; then both it and an undisturbed one go on in this one."""
    long = 20_000
    program = [sys.executable, "-m", "cli.main", *words(tmp_path / "killed", "--quiet", instances=long)]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not RunFolder(tmp_path / "killed").checkpoints():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    saved = open_run(tmp_path / "killed").instances_saved()
    assert 0 < saved < long
    config = open_run(tmp_path / "killed").config()
    assert trained_until(saved + 16, config, tmp_path / "killed", resume=True) == trained_until(
        saved + 16, config, tmp_path / "whole", resume=False
    )


def trained_until(instances, config, out, *, resume):
    """Let a run go on until it has seen so many instances; return what is a function of the configuration."""
    seen = [0]
    events = run_config(config, out, device=CPU, resume=resume, should_stop=lambda: seen[-1] >= instances)
    seen.extend(event.instances for event in events if isinstance(event, Step))
    latest = open_run(out).checkpoints()[-1]
    assert latest.name == checkpoint_name(instances)
    files = [out / "config.json", out / "metrics.jsonl", out / "source.py", *latest.iterdir()]
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def test_it_evaluates_on_rows_of_its_own_and_without_its_file(run, words, coins, tmp_path):
    assert run(*words(tmp_path / "run", "--quiet")).code == 0
    options = ("--device", "cpu", "--samples", "16", "--json", "--quiet")
    (row,) = json.loads(run("eval", str(tmp_path / "run"), "--source", f"{coins}:Coins", *options).stdout)["rows"]
    assert row["data"] == "coins.py:Coins"
    assert row["markov_tail_bits"] < 2
    coins.unlink()
    assert run("eval", str(tmp_path / "run"), *options).code == 0
    assert run("runs", "show", str(tmp_path / "run")).code == 0
    assert_refused(resume(run, tmp_path / "run"), "cannot read the file of the source", str(coins))


def test_it_shows_in_the_demo(run, coins):
    outcome = run("demo", "enrich", "--source", f"{coins}:Coins", "--length", "60", "--bytes", "--json")
    passes = json.loads(outcome.stdout)["passes"]
    assert [each["distinct_symbols"] for each in passes][1:] == [2, 2, 2]
    page = run("demo", "enrich", "--source", f"{coins}:Coins", "--length", "60", "--bytes").stdout
    assert "Coins, draw 3" in page
    assert max(map(len, page.splitlines())) <= 80


def test_a_run_whose_source_has_changed_is_not_resumed(run, words, coins, tmp_path):
    assert run(*words(tmp_path / "run", "--quiet")).code == 0
    shutil.rmtree(open_run(tmp_path / "run").checkpoints()[-1])
    coins.write_text(TEXT + "\n# changed\n")
    assert_refused(resume(run, tmp_path / "run"), "has changed", "SHA-256", str(coins), "source.py")
    again = resume(run, tmp_path / "run", "--source", f"{coins}:Coins")
    assert_refused(again, "has changed")
    moved = tmp_path / "moved" / "mine.py"
    moved.parent.mkdir()
    moved.write_text(TEXT)
    assert resume(run, tmp_path / "run", "--source", f"{moved}:Coins").code == 0


@pytest.mark.parametrize("within", [False, True])
def test_a_run_whose_file_was_moved_goes_on_saves_and_is_read_as_before(run, words, coins, tmp_path, within):
    """A setting that is a list and a file within a mixture: neither is another source because it lies elsewhere."""
    coins.write_text(TEXT.replace("    heads: int", "    odds: tuple[int, ...] = (1, 2)\n    heads: int"))
    mixed = ("--set", "source.kind=mix", "--set", f'source.members=["{coins}:Coins", "noise"]')
    given = words(tmp_path / "run", "--quiet")
    if within:
        at = given.index("--source")
        given = [*given[:at], *given[at + 2 :], *mixed]
    assert run(*given).code == 0
    assert (tmp_path / "run" / "source.py").read_text() == coins.read_text()
    for folder in open_run(tmp_path / "run").checkpoints()[1:]:
        shutil.rmtree(folder)
    moved = tmp_path / "moved" / "mine.py"
    moved.parent.mkdir()
    coins.rename(moved)
    again = ("--source", f"{moved}:Coins") if not within else ("--set", f'source.members=["{moved}:Coins", "noise"]')
    assert_refused(resume(run, tmp_path / "run"), "cannot read the file of the source", str(coins))
    for _ in range(2):
        outcome = resume(run, tmp_path / "run", *again)
        assert outcome.code == 0, outcome.stderr
        assert open_run(tmp_path / "run").instances_saved() == 64
    evaluated = run("eval", str(tmp_path / "run"), "--device", "cpu", "--samples", "8", "--quiet")
    assert evaluated.code == 0, evaluated.stderr


def test_a_folder_whose_configuration_names_a_file_without_its_hash_is_refused(run, words, coins, tmp_path):
    assert run(*words(tmp_path / "run", "--quiet")).code == 0
    path = tmp_path / "run" / "config.json"
    values = json.loads(path.read_text())
    values["source"]["sha256"] = ""
    path.write_text(json.dumps(values))
    coins.write_text("raise SystemExit('it ran')")
    assert_refused(resume(run, tmp_path / "run"), "without its SHA-256", str(coins))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{coins}:Tails", ("has no source of this name", "'Tails'")),
        ("{folder}/none.py:Coins", ("cannot read the file of the source", "none.py")),
        ("{folder}:Coins", ("unknown source",)),
        ("{coins}", ("unknown source",)),
        ("abacus", ("unknown source", "'abacus'", "lstm, gru", "path/to/file.py:NAME")),
        ("", ("the name is empty",)),
    ],
)
@pytest.mark.parametrize("command", ["train", "demo"])
def test_a_source_that_is_not_there_is_one_line_and_exit_2(run, coins, tmp_path, command, source, said):
    name = source.format(coins=coins, folder=tmp_path)
    if command == "train":
        words = ["train", "--preset", "tiny", "--out", str(tmp_path / "run"), "--device", "cpu"]
    else:
        words = ["demo", "enrich"]
    assert_refused(run(*words, "--source", name), *said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no luck')", ("raised RuntimeError", "no luck")),
        ("return torch.zeros(1, 1, dtype=torch.uint8)", ("another shape", "(1, 1)")),
        ("return torch.zeros(num_rows, num_tokens)", ("no whole numbers", "float32")),
        ("return torch.full((num_rows, num_tokens), 256)", ("outside the vocabulary", "256")),
    ],
)
@pytest.mark.parametrize("command", ["train", "demo"])
def test_a_source_that_misbehaves_is_one_line_and_exit_2(run, words, coins, tmp_path, command, body, said):
    start, _, _ = TEXT.partition("        bias = ")
    coins.write_text(f"{start}        {body}\n")
    arguments = words(tmp_path / "run") if command == "train" else ["demo", "enrich", "--source", f"{coins}:Coins"]
    assert_refused(run(*arguments), *said, str(coins))
    assert not (tmp_path / "run").exists()
