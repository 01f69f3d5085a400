import json
import sys
import types

import pytest
import torch

from tests.cli.streams import assert_refused
from up.errors import InputError

CONTEXT_LENGTH = 96


class UniformModel(torch.nn.Module):
    """Predicts every byte with probability 1/256: exactly 8 bits a character, without any error."""

    config = types.SimpleNamespace(context_length=CONTEXT_LENGTH)

    def forward(self, tokens_BT):
        return torch.zeros(*tokens_BT.shape, 256)


@pytest.fixture
def evaluate(run, monkeypatch, tmp_path):
    """Run `up eval` on a uniform model over a small text file."""

    def load_model(path, device):
        assert device.type == "cpu"
        if path.name != "run":
            raise InputError("no run here", received=str(path), remedy="train one")
        return UniformModel()

    monkeypatch.setitem(sys.modules, "up.runs.folder", types.SimpleNamespace(load_model=load_model))
    text = tmp_path / "text"
    text.write_text("in the beginning was the word. " * 100)

    def run_eval(*options, folder="run", data=text):
        return run("eval", folder, "--device", "cpu", "--data", str(data), *options)

    return run_eval


def test_json_is_one_object_and_a_uniform_model_costs_exactly_eight_bits(evaluate):
    outcome = evaluate("--samples", "32", "--json", "--quiet")
    assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    report = json.loads(outcome.stdout)
    assert report["command"] == "eval"
    (row,) = report["rows"]
    assert row["bits"] == pytest.approx(8.0, abs=1e-5)
    assert row["stderr"] == pytest.approx(0.0, abs=1e-5)
    assert row["samples"] == 32
    assert row["markov_bits"] < 8
    assert row["data"].endswith("text")


def test_the_table_goes_to_stdout_within_80_columns_and_the_progress_to_stderr(evaluate):
    outcome = evaluate("--samples", "64")
    assert outcome.code == 0
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert "8.000 ± 0.000" in outcome.stdout
    assert "64 slices of 96 characters" in outcome.stdout
    assert "\x1b" not in outcome.stdout + outcome.stderr
    assert outcome.stderr.splitlines()[-1] == "up: slices predicted: 64 of 64"


def test_the_seed_decides_the_slices(evaluate):
    first, again, other = (evaluate("--samples", "8", "--json", "--seed", seed).stdout for seed in ("1", "1", "2"))
    assert first == again
    assert json.loads(first)["rows"] != json.loads(other)["rows"]


@pytest.mark.parametrize(
    ("options", "folder", "data", "said"),
    [
        (["--device", "abacus"], "run", None, ("device", "'abacus'")),
        (["--samples", "1"], "run", None, ("samples", "1")),
        (["--seed", "-3"], "run", None, ("seed", "-3")),
        ([], "elsewhere", None, ("no run here", "elsewhere")),
        ([], "run", "no/such/text", ("no such data", "no/such/text")),
    ],
)
def test_bad_input_is_one_line_and_exit_2(evaluate, options, folder, data, said):
    outcome = evaluate("--quiet", *options, folder=folder, **({} if data is None else {"data": data}))
    assert_refused(outcome, *said)
