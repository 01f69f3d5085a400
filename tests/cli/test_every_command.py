"""Every command with broken streams and with too little memory: one line, the right exit code, and whole files.

A new command fails the first test until it has a line in the table, and is then taken up by all others.
"""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from cli.context import CliContext
from cli.main import app, main
from tests.cli.forked import quick_predictor
from tests.cli.streams import commands_that_run
from up.model.mixing.coder import compress

ROOT = Path(__file__).parents[2]
SMALL = "--set model.width=16 --set model.base_width=16 --set model.depth=1 --set training.batch=8"
# What a command needs beside its name to do something in a moment.
ARGUMENTS = {
    "": "",
    "train": f"--preset tiny --device cpu --plan {SMALL} --set training.batch_start=8",
    "eval": "{run} --samples 4 --data {text} --device cpu",
    "data": "",
    "data list": "--data-dir {data}",
    "data get": "linux --data-dir {data}",
    "data path": "linux --data-dir {data}",
    "finetune": "{run} --data stdlib --plan --device cpu",
    "score": "{text}",
    "compress": "{text} --output text.up",
    "decompress": "{packed} --output text",
    "doctor": "",
    "demo enrich": "--length 40 --depth 1",
    "models": "",
    "runs": "",
    "theory": "",
    "demo": "",
    "runs show": "{run} --svg charts.svg",
    "runs compare": "{run} {run} --png charts.png",
    "experiment": "",
    "experiment list": "",
    "experiment run": "figure-1 --scale smoke --out figure-1",
    "experiment show": "{experiment}",
    "sources": "",
    "sources compare": "noise --rows 2 --length 32",
    "sources write": "noise --rows 4 --length 32 --out rows.npy",
    "codes": "",
    "codes measure": "{run} --bytes 512 --longest 1024 --data {text}",
    "codes zmap": "--program 0110 --input 1",
    "theory list": "",
    "theory all": "--help",
    "theory check-domination": "--max-length 1 --certificate domination.json",
    "theory check-embedding": "--max-length 1 --certificate embedding.json",
    "theory check-prediction": "--max-length 1",
    "theory check-iteration": "--max-length 1 --steps 2 --certificate iteration.json",
    "theory check-mix": "--max-length 1 --steps 2",
    "theory check-lstm": "--cells 3 --attack-cells 1 --samples 1",
    "theory check-universality": "--steps 1 --cells 4 --max-length 1",
    "theory check-coding": "--max-length 1",
    "theory check-invariance": "--max-length 1",
    "theory check-regret": "--steps 4",
    "theory check-trees": "--depth 1 --steps 4",
    "theory check-resources": "--class turing-1 --max-length 1",
    "theory check-codes": "--repeats 1",
    "theory check-budget": "--repeats 1",
    "theory complexity": "00",
    "theory universal": "--time 8 --max-length 1",
    "theory verify": "{certificate}",
}
STREAMS = {
    "no stdout": {"stdout": "closed"},
    "no stderr": {"stderr": "closed"},
    "neither": {"stdout": "closed", "stderr": "closed"},
    "a reader that has left": {"stdout": "no reader"},
    "nobody to tell": {"stderr": "no reader"},
    "readers that have left": {"stdout": "no reader", "stderr": "no reader"},
    "a full disk behind stderr": {"stderr": "full"},
    "a full disk behind stdout": {"stdout": "full"},
}
MEMORY = {
    "nothing to spare": {"spare_bytes": 0},
    **{f"{mebibytes} MiB to spare": {"spare_bytes": mebibytes << 20} for mebibytes in (1, 4, 16, 64)},
}
DISKS = ("a full disk behind stderr", "a full disk behind stdout")
QUICK = ("neither", "readers that have left", *DISKS, "nothing to spare")


def test_the_table_has_every_command():
    assert set(ARGUMENTS) == {" ".join(path) for path in commands_that_run(typer.main.get_command(app))}


def by_speed(cases):
    """Parameters; those that are not quick are left to the slow tests."""
    return [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in cases]


def carried_out(cases, trained, text, folder):
    certificate = folder / "certificate.json"
    words = ["theory", "check-domination", "--max-length", "1", "--certificate", str(certificate)]
    assert main(words, CliContext.from_streams(io.StringIO(), io.StringIO(), {})) == 0
    experiment = folder / "experiment"
    words = ["experiment", "run", "figure-1", "--scale", "smoke", "--out", str(experiment)]
    assert main(words, CliContext.from_streams(io.StringIO(), io.StringIO(), {})) == 0
    packed = folder / "text.up"
    packed.write_bytes(compress(quick_predictor(), text.read_bytes()))
    data = folder / "data"
    data.mkdir()
    (data / "linux.txt").write_text("int main(void);")
    places = {"packed": packed, "run": trained, "text": text, "certificate": certificate, "data": data}
    places["experiment"] = experiment
    commands = {
        name: [*name.split(), *(word.format(**places) for word in more.split())] for name, more in ARGUMENTS.items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.forked"],
        input=json.dumps({"folder": str(folder), "commands": commands, "cases": cases}),
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def quick(trained, text, tmp_path_factory):
    """What every command does in the quick cases, by the name of both."""
    cases = {name: case for name, case in {**STREAMS, **MEMORY}.items() if name in QUICK}
    return carried_out(cases, trained, text, tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="module")
def thorough(trained, text, tmp_path_factory):
    """In all others."""
    cases = {name: case for name, case in {**STREAMS, **MEMORY}.items() if name not in QUICK}
    return carried_out(cases, trained, text, tmp_path_factory.mktemp("thorough"))


@pytest.fixture
def outcome(command, case, request):
    return request.getfixturevalue("quick" if case in QUICK else "thorough")[command][case]


def assert_whole(folder: Path) -> None:
    """Assert that every file that a command has put there can be read to its end."""
    for path in folder.iterdir():
        if path.suffix == ".json":
            assert isinstance(json.loads(path.read_text()), dict)
        elif path.suffix == ".svg":
            assert path.read_text().rstrip().endswith("</svg>")
        elif path.suffix == ".png":
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82")
        elif path.suffix == ".npy":
            assert np.load(path).shape == (4, 32)
        elif path.name in ("text", "text.up"):
            data = path.read_bytes()
            whole = data if path.suffix == "" else quick_predictor().decompress(data)
            assert whole.startswith(b"the rain in spain")
            assert whole.endswith(b"the plain. ")


@pytest.mark.parametrize("command", ARGUMENTS)
def test_undisturbed_it_succeeds(command, quick):
    """So that the others compare with something."""
    outcome = quick[command]["undisturbed"]
    assert outcome["code"] == 0, outcome["stderr"]
    assert outcome["stdout"]


@pytest.mark.parametrize("command", ARGUMENTS)
@pytest.mark.parametrize("case", by_speed(STREAMS))
def test_broken_streams_are_neither_a_traceback_nor_a_failure_but_a_result_that_is_lost(outcome, case):
    said = outcome["stdout"] + outcome["stderr"]
    assert "Traceback" not in said
    assert "bug in up" not in said
    assert "Exception ignored" not in said
    assert outcome["code"] == (1 if case == "a full disk behind stdout" else 0), said
    if outcome["code"]:
        assert "No space left on device" in outcome["stderr"]
    assert_whole(Path(outcome["folder"]))


@pytest.mark.parametrize("command", ARGUMENTS)
@pytest.mark.parametrize("case", by_speed(MEMORY))
def test_too_little_memory_is_one_line_or_enough(outcome):
    said = outcome["stdout"] + outcome["stderr"]
    assert "bug in up" not in said
    assert "Traceback" not in said
    assert outcome["code"] in (0, 1), said
    if outcome["code"] == 1:
        assert "out of memory" in outcome["stderr"].lower() or "annot allocate memory" in outcome["stderr"]
    assert_whole(Path(outcome["folder"]))


def test_some_of_them_did_run_out_of_memory(quick):
    assert any(quick[command]["nothing to spare"]["code"] == 1 for command in ARGUMENTS)
