"""`up train` from the command line: the plan, real runs that take a second, stopping and going on, and bad input."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.streams import assert_refused
from tests.cli.training_runs import drop_checkpoints, lines_of, outcome_of
from up.runs.folder import load_model, open_run

ROOT = Path(__file__).parents[2]
# The plan


def test_the_plan_says_what_will_be_trained_and_writes_nothing(run, arguments, tmp_path):
    outcome = run(*arguments(tmp_path / "run", "--plan"))
    assert (outcome.code, outcome.stderr) == (0, "")
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    for said in ("modern, width 16, 1 block, 1 head", "12,336", "lstm, 4 units", "48 in 6 steps", "4,608", "cpu ("):
        assert said in outcome.stdout
    assert str(tmp_path) in outcome.stdout.replace("\n", "").replace(" ", "")
    assert list(tmp_path.iterdir()) == []


def test_the_plan_as_json_is_one_object_with_depth_parameters_and_tokens(run, arguments, tmp_path):
    outcome = run(*arguments(tmp_path / "run", "--plan", "--json"))
    assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    plan = json.loads(outcome.stdout)
    assert (plan["depth"], plan["parameters"], plan["tokens"]) == (1, 12_336, 48 * 96)
    assert (plan["instances"], plan["steps"], plan["out"]) == (48, 6, str(tmp_path / "run"))
    assert plan["seconds"] > 0
    assert plan["memory_bytes"] > 0


@pytest.mark.parametrize(
    ("options", "planned"),
    [
        ([], {"arch": "modern", "width": 128, "depth": 2, "instances": 8_000, "out": "runs/tiny"}),
        (
            ["--width", "512", "--instances", "32"],
            {"arch": "paper", "width": 512, "depth": 22, "parameters": 69_843_214, "out": "runs/width-512"},
        ),
        (
            ["--width", "128", "--depth", "2", "--arch", "modern", "--source", "gru"],
            {"depth": 2, "source": "gru, 12 units"},
        ),
        (["--preset", "paper-384", "--width", "256"], {"width": 256, "depth": 9, "out": "runs/paper-384"}),
        (["--instances", "99", "--set", "training.instances=50"], {"instances": 50}),
    ],
    ids=["nothing", "width", "flags", "preset", "set"],
)
def test_flags_presets_and_settings_meet_in_one_plan(run, monkeypatch, options, planned):
    monkeypatch.setattr("up.runs.plan.estimate_seconds", lambda *_: 7200.0)
    outcome = run("train", "--plan", "--json", "--device", "cpu", *options)
    assert outcome.code == 0
    plan = json.loads(outcome.stdout)
    assert planned.items() <= plan.items()


def test_a_long_run_on_a_processor_is_warned_of_with_its_time_and_a_preset_that_finishes(
    run, arguments, monkeypatch, tmp_path
):
    monkeypatch.setattr("up.runs.plan.estimate_seconds", lambda *_: 200_000.0)
    outcome = run(*arguments(tmp_path / "run", "--quiet"))
    assert outcome.code == 0
    assert outcome.stderr.count("\n") == 1
    for said in ("up: warning: ", "2 d 7 h", "--preset tiny"):
        assert said in outcome.stderr


def test_a_plan_with_a_plot_draws_every_schedule_in_plain_characters(run, arguments, tmp_path):
    settings = {"model.depth": "4", "model.progressive_group": "2", "training.enable_every": "16"}
    outcome = run(*arguments(tmp_path / "run", "--plan", "--plot", "--seed", "3", **settings))
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "\x1b" not in outcome.stdout
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    for said in ("Training plan", "Learning rate", "Batch  8 instances a step", "Enabled blocks"):
        assert said in outcome.stdout
    assert any("\u2801" <= character <= "\u28ff" for character in outcome.stdout)  # lines of braille dots
    assert list(tmp_path.iterdir()) == []


def test_a_plan_with_a_plot_as_json_has_the_curves(run, arguments, tmp_path):
    settings = {"model.depth": "4", "model.progressive_group": "2", "training.enable_every": "16"}
    outcome = run(*arguments(tmp_path / "run", "--plan", "--plot", "--json", **settings))
    assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    schedules = json.loads(outcome.stdout)["schedules"]
    assert set(schedules) == {"instances", "learning_rate", "batch", "enabled_blocks"}
    assert (schedules["instances"][0], schedules["instances"][-1]) == (0, 47)
    assert schedules["enabled_blocks"] == [2 if at < 16 else 4 for at in schedules["instances"]]
    assert set(schedules["batch"]) == {8}
    assert "schedules" not in json.loads(run(*arguments(tmp_path / "run", "--plan", "--json")).stdout)


def test_a_plot_without_a_plan_is_refused(run, arguments, tmp_path):
    assert_refused(run(*arguments(tmp_path / "run", "--plot")), "--plot", "--plan")
    assert not (tmp_path / "run").exists()


# A run


def test_a_run_in_a_pipe_tells_its_progress_in_plain_lines_and_ends_with_a_table(run, arguments, tmp_path):
    outcome = run(*arguments(tmp_path / "run"))
    assert outcome.code == 0
    assert "\x1b" not in outcome.stdout + outcome.stderr
    told = [line for line in outcome.stderr.splitlines() if line.startswith("up: ")]
    assert told[0].startswith("up: 8/48 instances, loss ")
    assert any(line.startswith("up: 48/48 instances, loss ") for line in told)
    assert sum("zero-shot, bits over the last 64" in line for line in told) == 2
    assert told[-1].endswith(f"up eval {tmp_path / 'run'}")
    assert "8 slices of 96 characters" in outcome.stdout
    assert [path.name for path in open_run(tmp_path / "run").checkpoints()] == ["00000032", "00000048"]


def test_quiet_json_is_one_object_with_rows_and_nothing_else(run, arguments, tmp_path):
    outcome = run(*arguments(tmp_path / "run", "--json", "--quiet"))
    assert (outcome.code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    report = json.loads(outcome.stdout)
    (row,) = report["rows"]
    assert {"data", "bits", "stderr", "markov_bits", "samples"} <= set(row)
    assert row["samples"] == 8
    assert row["bits"] == pytest.approx(8, abs=1)
    assert (report["command"], report["complete"], report["instances_trained"]) == ("train", True, 48)
    assert report["depth"] == 1
    assert [line["rows"][0] for line in lines_of(tmp_path / "run") if line["kind"] == "evaluation"][-1] == row


def test_a_run_in_a_terminal_has_a_dashboard_on_stderr_and_its_result_on_stdout(run, arguments, tmp_path):
    outcome = run(*arguments(tmp_path / "run"), terminal=True)
    assert outcome.code == 0
    for said in ("48/48", "bits per character", "learning rate", "gradient norm", "instances/s", "buffer depth"):
        assert said in outcome.stderr
    assert "last character" in outcome.stdout
    assert "48/48" not in outcome.stdout


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(run, arguments, tmp_path):
    rows = [
        json.loads(run(*arguments(tmp_path / name, "--seed", seed, "--json", "-q")).stdout)["rows"]
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    ]
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]
    one, same, other = (outcome_of(tmp_path / name) for name in "abc")
    assert one == same
    assert one.keys() == other.keys()
    assert not [name for name in one if one[name] == other[name]]


def test_the_model_of_a_run_learns_in_every_step(trained):
    """The metrics have a line for each, with the batches that they took."""
    steps = [line for line in lines_of(trained) if line["kind"] == "step"]
    assert [(line["step"], line["instances"], line["batch"]) for line in steps] == [(n, 8 * n, 8) for n in range(1, 7)]
    assert all(line["skipped_steps"] == 0 and line["enabled_blocks"] == 1 for line in steps)


@pytest.mark.parametrize(("keep", "kept"), [("1", [48]), ("3", [16, 32, 48])])
def test_so_many_checkpoints_are_kept_as_asked_for(run, arguments, tmp_path, keep, kept):
    assert run(*arguments(tmp_path / "run", "--keep", keep, "-q")).code == 0
    assert [int(folder.name) for folder in open_run(tmp_path / "run").checkpoints()] == kept


def test_the_run_stores_what_it_was_given(run, arguments, tmp_path):
    settings = {"model.dropout": "0.25", "training.learning_rate": "1e-3"}
    assert run(*arguments(tmp_path / "run", "--source", "gru", "--seed", "7", "-q", **settings)).code == 0
    config = open_run(tmp_path / "run").config()
    assert (config.source.kind, config.seed) == ("gru", 7)
    assert (config.model.dropout, config.training.learning_rate) == (0.25, 1e-3)
    (record,) = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert record["device"] == "cpu"


def test_a_run_that_diverges_fails_in_one_line_with_its_state_saved(run, arguments, tmp_path):
    """Such a decay flips and blows up every weight in the first step; the next ones find no finite number."""
    settings = {"training.learning_rate": "1", "training.weight_decay": "1e38", "training.stop_after_skipped": "2"}
    outcome = run(*arguments(tmp_path / "run", "-q", **settings))
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (1, "", 1)
    for said in ("2 steps in a row", "after 24 instances", "training.learning_rate below 1,"):
        assert said in outcome.stderr
    assert [int(folder.name) for folder in open_run(tmp_path / "run").checkpoints()] == [16, 24]
    load_model(tmp_path / "run", torch.device("cpu"))


# Going on


def test_resume_continues_to_the_very_weights_of_the_run_that_was_not_stopped(run, trained, copied):
    drop_checkpoints(copied)
    outcome = run("train", "--resume", "--out", str(copied), "--device", "cpu", "--json")
    assert outcome.code == 0
    assert "up: continuing after 32 of 48 instances" in outcome.stderr
    assert json.loads(outcome.stdout)["instances_trained"] == 48
    whole, continued = (load_model(path, torch.device("cpu")).state_dict() for path in (trained, copied))
    assert all(torch.equal(whole[name], continued[name]) for name in whole)
    instances = [line["instances"] for line in lines_of(copied)]
    assert instances == sorted(instances)
    rows = [line["rows"] for line in lines_of(copied) if line["kind"] == "evaluation"]
    assert rows == [line["rows"] for line in lines_of(trained) if line["kind"] == "evaluation"]
    assert len(json.loads((copied / "provenance.json").read_text())) == 2
    assert outcome_of(copied) == outcome_of(trained)


def test_resume_starts_afresh_where_no_checkpoint_was_reached(run, trained, copied):
    drop_checkpoints(copied, 2)
    outcome = run("train", "--resume", "--out", str(copied), "--device", "cpu")
    assert outcome.code == 0
    assert "continuing after 0 of 48 instances" in outcome.stderr
    whole, again = (load_model(path, torch.device("cpu")).state_dict() for path in (trained, copied))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def evaluations(path) -> list[dict]:
    records = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [record for record in records if record["kind"] == "evaluation"]


def test_resuming_a_finished_run_trains_no_further(run, copied):
    before = lines_of(copied)
    outcome = run("train", "--resume", "--out", str(copied), "--device", "cpu", "--json", "-q")
    assert (outcome.code, outcome.stderr) == (0, "")
    report = json.loads(outcome.stdout)
    assert (report["instances_trained"], report["complete"]) == (48, True)
    assert [row["data"] for row in report["rows"]] == [row["data"] for row in evaluations(copied)[-1]["rows"]]
    assert lines_of(copied) == before


def test_resume_accepts_the_settings_of_the_run_itself(run, arguments, copied):
    drop_checkpoints(copied)
    assert run(*arguments(copied, "--resume", "-q")).code == 0
    assert run(*arguments(copied, "--resume", "-q", preset=False)).code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "3"], "another seed"),
        (["--width", "32"], "another model.width"),
        (["--source", "gru"], "another source.kind"),
        (["--set", "training.learning_rate=0.5"], "another training.learning_rate"),
        (["--set", "training.microbatch=3"], "another training.microbatch"),
        (["--instances", "99"], "another training.instances"),
        (["--preset", "small"], "another model."),
    ],
)
def test_resume_refuses_settings_that_are_not_those_of_the_run(run, copied, options, said):
    before = {file: file.read_bytes() for file in copied.rglob("*") if file.is_file()}
    assert_refused(run("train", "--resume", "--out", str(copied), "--device", "cpu", *options), said, "--out")
    assert {file: file.read_bytes() for file in copied.rglob("*") if file.is_file()} == before


def test_there_must_be_a_run_to_resume(run, tmp_path):
    assert_refused(run("train", "--resume", "--out", str(tmp_path / "none")), "there is no run here", "none")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_and_ends_with_130_and_the_run_can_be_finished(run, arguments, tmp_path, number):
    out = tmp_path / "run"
    seldom = {"training.checkpoint_every": "2400", "training.evaluate_every": "2400"}
    words = arguments(out, instances=2400, **seldom, **{"cadence.source_rows_per_instance": "0.1"})
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("up: 8/2,400 instances"):
                process.send_signal(number)
                break
        stdout, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    assert (process.returncode, stdout) == (130, ""), stderr
    assert f"continue with: up train --resume --out {out}" in stderr
    (checkpoint,) = open_run(out).checkpoints()
    assert 0 < int(checkpoint.name) < 2400
    outcome = run("train", "--resume", "--out", str(out), "--device", "cpu", "--json", "--quiet")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout)["instances_trained"] == 2400


# Bad input


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--preset huge", ("unknown preset", "'huge'", "paper-512")),
        ("--width 301", ("model.width", "301", "heads")),
        ("--width 0", ("model.width", "0")),
        ("--width -5", ("model.width", "-5")),
        ("--width 99999999", ("model.width", "99999999", "16384")),
        ("--depth 0", ("model.depth", "0")),
        ("--depth -1", ("model.depth", "-1")),
        ("--depth 100000", ("model.depth", "100000")),
        ("--instances 0", ("training.instances", "0")),
        ("--instances -7", ("training.instances", "-7")),
        ("--instances 99999999999999999", ("training.instances", "99999999999999999")),
        ("--instances 1.5", ("--instances", "'1.5'")),
        ("--seed -1", ("seed", "-1")),
        ("--keep 0", ("--keep", "0")),
        ("--set model.parametrisation=ntk", ("model.parametrisation", "'ntk'", "mup, standard")),
        ("--set training.enable_every=-1", ("training.enable_every", "-1")),
        ("--set training.stop_after_skipped=0", ("training.stop_after_skipped", "0")),
        ("--arch cubist", ("model.arch", "'cubist'", "paper, modern")),
        ("--source abacus", ("unknown source", "'abacus'", "lstm, gru")),
        ("--device abacus", ("device", "'abacus'")),
        ("--set model.width", ("name=value", "'model.width'")),
        ("--set model.wdith=3", ("model.wdith", "width")),
        ("--set modle.width=3", ("modle", "model")),
        ("--set model=3", ("model is a group",)),
        ("--set model.dropout=2", ("model.dropout", "2")),
        ("--set model.context_length=8", ("must be below model.context_length", "at most 7")),
        ("--set source.seed_length=0", ("source.seed_length", "0")),
        ("--set evaluation.data=[\"no/such/text\"]", ("no such data", "no/such/text")),
        ("--set evaluation.data=[]", ("evaluation.data",)),
        ("--set buffer.reset_noise=999", ("buffer.reset_noise", "1019", "138")),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_with_exit_2_and_leaves_no_folder(run, monkeypatch, tmp_path, options, said):
    monkeypatch.setattr("up.runs.plan.estimate_seconds", lambda *_: 1.0)
    outcome = run("train", "--out", str(tmp_path / "run"), "--device", "cpu", *options.split())
    assert_refused(outcome, *said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--preset", "--out", "--arch", "--source"])
@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_an_empty_name_or_path_is_refused_and_is_not_one_that_was_left_out(run, monkeypatch, tmp_path, option, plan):
    """A script with a variable that is not set would start a run of days."""
    monkeypatch.chdir(tmp_path)
    assert_refused(run("train", option, "", "--device", "cpu", *plan), option, "is empty")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plan", [(), ("--plan",)])
@pytest.mark.parametrize(
    ("out", "said"), [("file", "is a file"), ("file/below", "would lie below a file"), ("/proc/run", "cannot write")]
)
def test_an_output_folder_that_cannot_be_is_refused_before_anything_is_measured(
    run, monkeypatch, tmp_path, plan, out, said
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("up.runs.plan.estimate_seconds", pytest.fail)
    (tmp_path / "file").write_text("")
    assert_refused(run("train", "--preset", "tiny", "--out", out, "--device", "cpu", *plan), said, out)


def test_output_that_is_taken_is_refused(run, trained, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    for out, said in (
        (trained, "holds another run"),
        (tmp_path / "file", "is a file"),
        (tmp_path / "full", "not empty"),
        (tmp_path / "file" / "below", "below a file"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        assert_refused(run("train", "--out", str(out)), said, "choose another --out")
    assert run("train", "--out", str(trained), "--plan").code == 0  # a plan writes nothing


def test_an_evaluation_text_that_is_too_short_is_refused_before_the_run_begins(run, arguments, tmp_path):
    (tmp_path / "short").write_text("too short")
    settings = {"evaluation.data": json.dumps([str(tmp_path / "short")])}
    outcome = run(*arguments(tmp_path / "run", **settings))
    assert_refused(outcome, "9 bytes", "96")
    assert not (tmp_path / "run").exists()


# What `up eval` makes of runs


def test_a_trained_run_is_evaluated(run, trained, text):
    outcome = run("eval", str(trained), "--data", str(text), "--samples", "8", "--device", "cpu", "--json", "-q")
    assert (outcome.code, outcome.stderr) == (0, "")
    (row,) = json.loads(outcome.stdout)["rows"]
    (expected,) = next(line["rows"] for line in reversed(lines_of(trained)) if line["kind"] == "evaluation")
    assert row == {**expected, "source": f"the file {text}"}


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such data"), ("", "no bytes"), ("short", "5 bytes")],
    ids=["missing", "empty", "short"],
)
def test_data_that_cannot_be_evaluated_on_is_refused(run, trained, tmp_path, content, said):
    path = tmp_path / "data"
    if content is not None:
        path.write_text(content)
    assert_refused(run("eval", str(trained), "--data", str(path), "--device", "cpu", "-q"), said, str(path))


def test_a_folder_without_a_run_or_without_a_checkpoint_is_refused_by_eval(run, copied, tmp_path):
    assert_refused(run("eval", str(tmp_path / "none")), "there is no run here", "none")
    shutil.rmtree(copied / "checkpoints")
    assert_refused(run("eval", str(copied), "--device", "cpu"), "no checkpoint yet", str(copied))
