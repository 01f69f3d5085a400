"""`up eval` on real run folders, whose model charges exactly eight bits for every character."""

import dataclasses
import hashlib
import json
import shutil
import typing

import pytest
import torch

from cli.evaluate import evaluate as evaluate_command
from tests.cli.streams import assert_refused
from up.data.real_sets import REAL_SETS
from up.data.synthetic import SYNTHETIC_SETS
from up.recipes.presets import configure
from up.runs.folder import create_run
from up.training.state import TrainingState

CONTEXT_LENGTH = 96
SETTINGS = (
    "model.width=16", "model.base_width=16", "model.depth=1", "model.copy_heads=0", "source.kind=lstm",
    "source.hidden_size=4", "buffer.source_batch=8", "buffer.reset_constant=1", "buffer.reset_noise=1",
    "training.instances=8", "training.batch=8",
    "training.batch_start=8", "evaluation.samples=4", "evaluation.batch_size=5", "evaluation.seed=3",
)  # fmt: skip


def uniform_run(path, *settings):
    """A run of no steps whose model predicts every byte with probability 1/256, without any error."""
    device = torch.device("cpu")
    config = configure("tiny", [*SETTINGS, *settings]).resolve(device)
    run, state = create_run(path, config), TrainingState(config, device)
    torch.nn.init.zeros_(state.model.head.weight)
    run.save(state)
    return path


@pytest.fixture(scope="module")
def uniform(tmp_path_factory):
    return uniform_run(tmp_path_factory.mktemp("uniform") / "run", f"model.context_length={CONTEXT_LENGTH}")


@pytest.fixture
def evaluate(run, text, uniform):
    """Run `up eval` on the uniform model over a small text file."""

    def run_eval(*options, folder=uniform, data=text):
        return run("eval", str(folder), "--device", "cpu", *(["--data", str(data)] if data else []), *options)

    return run_eval


def rows_of(outcome):
    assert outcome.code == 0, outcome.stderr
    return json.loads(outcome.stdout)["rows"]


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


def test_json_has_the_bars_and_the_model_as_the_run_began(evaluate):
    (row,) = rows_of(evaluate("--samples", "32", "--json"))
    assert row["ppm_exclusion_tail_bits"] < row["ppm_tail_bits"] < row["uniform_bits"]
    assert 1 <= row["ppm_order"] <= 8
    assert 1 <= row["ppm_exclusion_order"] <= 8
    assert row["ctw_depth"] in (8, 16, 24, 32, 48)
    assert 0 < row["ctw_tail_bits"] < 8
    assert 0 < row["ctw_bits"] < 8
    # The run's own initial weights, which are not those of the model that was made to say 8 bits.
    assert row["untrained_tail_bits"] != pytest.approx(8.0, abs=1e-4)
    assert row["untrained_tail_bits"] == pytest.approx(8.0, abs=0.2)
    assert row["model_context_length"] is None


def test_the_untrained_model_has_the_weights_that_the_run_began_with(text):
    from up.runs.evaluate import prepare_evaluation

    device = torch.device("cpu")
    settings = (f"model.context_length={CONTEXT_LENGTH}", f'evaluation.data=["{text}"]')
    config = configure("tiny", [*SETTINGS, *settings]).resolve(device)
    reports = []
    prepared = prepare_evaluation(
        config, config.evaluation, device=device, progress=lambda done, total: reports.append((done, total))
    )
    (row,) = prepared.evaluate(TrainingState(config, device).model)
    assert (row.untrained_bits, row.untrained_tail_bits) == (row.bits, row.tail_bits)
    assert reports == [(4, 16), (8, 16), (12, 16), (16, 16)]


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A run whose model reads 72 characters and charges other than eight bits for some."""
    path = tmp_path_factory.mktemp("other") / "run"
    config = configure("tiny", [*SETTINGS, "model.context_length=72", "seed=1"]).resolve(torch.device("cpu"))
    create_run(path, config).save(TrainingState(config, torch.device("cpu")))
    return path


def test_models_beside_the_run_are_measured_on_its_slices_as_if_alone(evaluate, uniform, other):
    options = ("--samples", "16", "--seed", "3", "--json", "--quiet")
    alone = json.loads(evaluate(*options).stdout)
    assert alone["beside"] == []
    report = json.loads(evaluate(*options, "--beside", str(other), "--beside", str(uniform)).stdout)
    assert report["rows"] == alone["rows"]
    assert [each["run"] for each in report["beside"]] == [str(other), str(uniform)]
    short, same = (each["rows"] for each in report["beside"])
    assert same == alone["rows"]
    (expected,) = rows_of(evaluate(*options, "--context", str(CONTEXT_LENGTH), folder=other))
    assert short == [expected]
    assert short[0]["model_context_length"] == 72
    assert short[0]["untrained_tail_bits"] == short[0]["tail_bits"] != report["rows"][0]["tail_bits"]


def test_every_kind_of_model_stands_beside_every_other(evaluate):
    report = json.loads(evaluate("--samples", "4", "--beside", "builtin:mixing", "--json", "--quiet").stdout)
    ((row,),) = (each["rows"] for each in report["beside"])
    assert report["beside"][0]["run"] == "builtin:mixing"
    assert row["tail_bits"] < row["untrained_tail_bits"] < 8
    assert row["model_context_length"] is None  # it reads rows of any length


def test_models_beside_the_run_have_lines_of_their_own_within_80_columns(evaluate, other):
    outcome = evaluate("--samples", "16", "--beside", str(other), "--beside", "builtin:tiny")
    assert outcome.code == 0, outcome.stderr
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    for said in ("builtin:tiny ", "builtin:tiny, untrained", str(other)[-15:], f"{str(other)[-15:]}, untrained"):
        assert said in outcome.stdout
    assert f"{str(other)[-15:]} reads the last 72 of them, the bars all" in outcome.stdout
    assert "up: slices measured by the bars and the untrained models: 96 of 96" in outcome.stderr
    assert outcome.stderr.splitlines()[-1] == "up: slices predicted by builtin:tiny: 16 of 16"


def test_a_bad_model_beside_the_run_is_one_line_and_exit_2(evaluate, other, tmp_path):
    assert_refused(evaluate("--quiet", "--beside", str(tmp_path / "no")), "there is no run here", "no")
    assert_refused(evaluate("--quiet", "--beside", "builtin:abacus"), "no model of this name", "builtin:tiny")
    assert_refused(evaluate("--quiet", "--beside", ""), "the path is empty")
    bare = shutil.copytree(other, tmp_path / "bare")
    shutil.rmtree(bare / "checkpoints")
    assert_refused(evaluate("--quiet", "--beside", str(bare)), "has no checkpoint yet")
    too_long = evaluate("--quiet", "--tail", "80", "--beside", str(other))
    assert_refused(too_long, "tail_positions must be below the context length of", str(other), "at most 71")


@pytest.mark.parametrize("length", [80, 300])
def test_slices_may_be_shorter_and_longer_than_the_models_context(evaluate, length):
    (row,) = rows_of(evaluate("--samples", "16", "--context", str(length), "--json"))
    read = None if length < CONTEXT_LENGTH else CONTEXT_LENGTH
    assert (row["context_length"], row["model_context_length"]) == (length, read)
    assert row["tail_bits"] == pytest.approx(8.0, abs=1e-5)
    assert row["positions"][-1]["last_position"] == min(length, CONTEXT_LENGTH) - 1
    shown = evaluate("--samples", "16", "--context", str(length)).stdout
    assert ("the model reads the last 96 of them" in shown) == (length > CONTEXT_LENGTH)
    assert f"16 slices of {length} characters" in shown


def test_the_bars_of_longer_slices_have_learnt_more_and_rows_of_a_source_are_as_long(evaluate):
    options = ("--source", "lstm", "--samples", "40", "--json")
    short, long = (rows_of(evaluate(*options, "--context", length)) for length in ("80", "400"))
    assert [row["context_length"] for row in (*short, *long)] == [80, 80, 400, 400]
    assert long[0]["ppm_exclusion_tail_bits"] < short[0]["ppm_exclusion_tail_bits"] - 0.05


def test_the_table_goes_to_stdout_within_80_columns_and_the_progress_to_stderr(evaluate):
    outcome = evaluate("--samples", "64")
    assert outcome.code == 0
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert "8.000 ± 0.000" in outcome.stdout
    assert "64 slices of 96 characters" in outcome.stdout
    assert "\x1b" not in outcome.stdout + outcome.stderr
    assert outcome.stderr.splitlines()[-1] == "up: slices predicted: 64 of 64"


def test_the_seed_decides_the_slices_and_is_the_runs_own_if_none_is_given(evaluate):
    outcomes = [evaluate("--samples", "8", "--json", *options) for options in ((), ("--seed", "3"), ("--seed", "2"))]
    own, same, other = (rows_of(outcome) for outcome in outcomes)
    assert own == same != other


def test_what_is_not_given_is_as_the_run_has_it(run, text, tmp_path):
    """Every run can be evaluated as it stands; those with a context of 64 or less failed on the default tail."""
    settings = ("model.context_length=40", "evaluation.tail_positions=16", f'evaluation.data=["{text}"]')
    path = uniform_run(tmp_path / "short", *settings)
    report = json.loads(run("eval", str(path), "--samples", "6", "--json", "--quiet").stdout)
    (row,) = report["rows"]
    assert (row["context_length"], row["tail_positions"], row["data"]) == (40, 16, str(text))
    config = report["config"]
    assert (config["tail_positions"], config["batch_size"], config["seed"]) == (16, 5, 3)
    given = run("eval", str(path), "--samples", "6", "--tail", "9", "--batch", "2", "--seed", "1", "--json", "--quiet")
    config = json.loads(given.stdout)["config"]
    assert (config["tail_positions"], config["batch_size"], config["seed"], config["samples"]) == (9, 2, 1, 6)


def test_synthetic_sets_are_data_by_name_from_anywhere_and_as_a_setting(evaluate, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row, other = rows_of(evaluate("--data", "dyck", "--samples", "20", "--json", "--quiet", data="toy2"))
    assert (row["data"], row["source"]) == ("toy2", "synthetic set toy2 (Bloem 2025)")
    assert (other["data"], other["symbols"]) == ("dyck", 3)
    setting = uniform_run(tmp_path / "run", "model.context_length=96", 'evaluation.data=["ndfa", "bitsflip"]')
    rows = rows_of(run("eval", str(setting), "--device", "cpu", "--samples", "20", "--json", "--quiet"))
    assert [row["data"] for row in rows] == ["ndfa", "bitsflip"]


def test_the_help_names_all_data_sets_of_the_paper():
    (option,) = typing.get_type_hints(evaluate_command, include_extras=True)["data"].__metadata__
    assert f"a data set of the paper ({', '.join((*SYNTHETIC_SETS, *REAL_SETS))})" in option.help


def test_rows_of_a_source_are_predicted_instead_of_data_or_beside_them(evaluate):
    (noise,) = rows_of(evaluate("--source", "noise", "--samples", "40", "--json", data=None))
    assert (noise["data"], noise["samples"], noise["context_length"]) == ("noise", 40, CONTEXT_LENGTH)
    assert noise["markov_tail_bits"] > 7.9
    beside = rows_of(evaluate("--source", "noise", "--source", "lstm", "--samples", "40", "--json"))
    assert [row["data"] for row in beside][1:] == ["noise", "lstm"]
    assert beside[0]["data"].endswith("text")
    assert beside[1] == noise
    assert beside[2]["markov_tail_bits"] < 7  # enriched: not what the buffer begins with
    assert beside[2]["source"] == "rows of the source lstm, 4 units"  # as the run has it


def test_the_rows_of_a_source_are_none_that_the_run_was_trained_on(uniform):
    from up.evaluation.bits import EvaluationConfig
    from up.runs.evaluate import prepare_evaluation
    from up.runs.folder import open_run

    device, config = torch.device("cpu"), open_run(uniform).config()
    evaluation = EvaluationConfig(data=(), sources=("lstm",), samples=64, seed=config.seed)
    (prepared,) = prepare_evaluation(config, evaluation, device=device).corpora
    trained = config.stream(device).draw(64)
    seen = {bytes(row) for row in trained.tolist() if len(set(row)) > 1}  # constant rows may well be equal
    assert len(seen) > 20
    assert not seen & {bytes(row) for row in prepared.slices_NT}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "abacus"], ("device", "'abacus'")),
        (["--samples", "1"], ("samples", "1")),
        (["--seed", "-3"], ("seed", "-3")),
        (["--tail", "0"], ("tail_positions", "0")),
        (["--tail", "96"], ("tail_positions", "96", "at most 95")),
        (["--context", "0"], ("context_length", "0")),
        (["--context", "-4"], ("context_length", "-4")),
        (["--context", "64"], ("context_length", "64", "at least 65")),
        (["--context", "65536"], ("bytes, fewer than a slice of 65,536",)),
        (["--context", "1000000"], ("context_length", "1000000")),
        (["--context", "200", "--tail", "96"], ("tail_positions", "96", "at most 95")),
        (["--batch", "0"], ("batch_size", "0")),
        (["--source", "abacus"], ("unknown source", "'abacus'", "lstm")),
        (["--source", ""], ("--source", "empty")),
        (["--source", "no/such.py:Coins"], ("cannot read the file of the source", "no/such.py")),
        (["--data", "no/such/text"], ("no such data", "no/such/text")),
        (["--data", ""], ("no such data", "''")),
    ],
)
def test_bad_input_is_one_line_and_exit_2(evaluate, options, said):
    assert_refused(evaluate("--quiet", *options), *said)


def test_there_must_be_a_run_with_a_checkpoint(evaluate, uniform, tmp_path):
    assert_refused(evaluate("--quiet", folder=tmp_path / "elsewhere"), "there is no run here", "elsewhere")
    assert_refused(evaluate("--quiet", folder=""), "the path is empty")
    bare = shutil.copytree(uniform, tmp_path / "bare")
    shutil.rmtree(bare / "checkpoints")
    assert_refused(evaluate("--quiet", folder=bare), "has no checkpoint yet")


def test_one_character_is_told_in_the_singular(evaluate):
    outcome = evaluate("--samples", "2", "--tail", "1")
    assert outcome.code == 0
    assert "2 slices of 96 characters" in outcome.stdout
    assert "Over the last 1 character\n" in outcome.stdout


def test_the_best_possible_is_a_column_where_it_is_known_and_stands_in_json(evaluate):
    options = ("--samples", "4", "--data", "bitsflip:test", "--quiet")
    text_row, row = rows_of(evaluate(*options, "--json"))
    assert (row["entropy_rate_bits"], row["above_rate_bits"], row["above_rate_tail_bits"]) == (0.5, 7.5, 7.5)
    assert [text_row[name] for name in ("entropy_rate_bits", "above_rate_bits", "above_rate_tail_bits")] == [None] * 3
    shown = evaluate(*options).stdout
    assert "above\n" in shown
    assert "best possible             0.500            0.500" in shown
    assert [line.split()[-1] for line in shown.splitlines() if " uniform  " in line] == ["8.000", "7.500"]
    assert "7.50 bits above the best possible" in " ".join(shown.split())
    alone = evaluate("--samples", "4", "--quiet").stdout
    assert "best" not in " ".join(alone.split()).replace("the best PPM", "")  # wherever the line breaks


def test_all_is_every_corpus_that_is_here_and_says_what_is_not(evaluate, tmp_path):
    (tmp_path / "linux.txt").write_text("int main(void);\n" * 1000)
    outcome = evaluate(
        "--data", "all", "--data", "toy", "--data-dir", str(tmp_path), "--samples", "2", "--json", data=None
    )
    names = [row["data"] for row in rows_of(outcome)]
    assert names[:4] == ["stdlib", "pydoc", "aut", "bits"]
    assert names[-2:] == ["linux:validation", "linux:test"]
    assert names.count("toy") == 1
    assert "all is without wp, german, code" in outcome.stderr


def test_a_real_set_that_is_not_here_and_a_part_that_is_too_short_are_refused(evaluate, tmp_path):
    assert_refused(
        evaluate("--data", "german:test", "--data-dir", str(tmp_path), data=None), "german is not here", "up data get"
    )
    (tmp_path / "linux.txt").write_text("x" * 100)
    assert_refused(
        evaluate("--data", "linux:test", "--data-dir", str(tmp_path), data=None), "linux:test has 5 bytes, fewer than"
    )


def test_a_prefix_is_called_one_beside_its_figures(evaluate, tmp_path, monkeypatch):
    data = bytes(range(256)) * 20
    proof = {"prefix_bytes": 100, "prefix_sha256": hashlib.sha256(data[:100]).hexdigest()}
    monkeypatch.setitem(REAL_SETS, "wp", dataclasses.replace(REAL_SETS["wp"], **proof))
    (tmp_path / "enwik8-head.bin").write_bytes(data)
    options = ("--data", "wp:validation", "--data-dir", str(tmp_path), "--samples", "2", "--quiet")
    said = "the validation part of a prefix of 5,120 bytes of enwik8"
    assert f"wp:validation is {said}" in evaluate(*options, data=None).stdout
    assert rows_of(evaluate(*options, "--json", data=None))[0]["label"] == said
