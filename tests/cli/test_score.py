"""`up score`: the table of whole files under a predictor and compressors, its JSON, and what is refused."""

import io
import json
import os
import re
import sys

import pytest
import torch

from cli.context import CliContext
from cli.main import main
from tests.cli.streams import Outcome, assert_refused
from up.evaluation.compressors import compressed_sizes
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import order
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.stream import Stream
from up.use import predictor
from up.use.score import untrained

PROSE = b"the cat sat on the mat; the mat sat on the cat. " * 20
NOISE = bytes((37 * place * place + 11 * place) % 251 for place in range(5_000))
PACKAGES = ("zstandard", "brotli", "pyppmd")
HEADINGS = ["file", "bytes", "model", "zlib", "bzip2", "xz", "zstd", "brotli", "PPMd"]


def small_predictor() -> MixingPredictor:
    """One that differs from its untrained control."""
    made = MixingPredictor(MixingConfig(hidden=(6, 5)), contexts=(order(0), order(1), order(2)))
    with torch.no_grad():
        made.gate.third.weight *= 30
    return made


PREDICTOR = small_predictor()


@pytest.fixture(autouse=True)
def asked(monkeypatch) -> list[str]:
    """The names of the models that were asked for; all are the small one."""
    names: list[str] = []

    def load(name: str) -> MixingPredictor:
        names.append(name)
        return PREDICTOR

    monkeypatch.setattr(predictor, "load_predictor", load)
    return names


@pytest.fixture
def prose(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prose.txt").write_bytes(PROSE)
    (tmp_path / "noise").write_bytes(NOISE)
    return "prose.txt"


@pytest.fixture
def bare(monkeypatch) -> None:
    """No package of the extra is installed."""
    for package in PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)


def piped(data: bytes, *words: str) -> Outcome:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["score", *words], CliContext.from_streams(stdout, stderr, {}, io.BytesIO(data)))
    return Outcome(code, stdout.getvalue(), stderr.getvalue())


def row_of(outcome: Outcome, name: str) -> list[str]:
    (line,) = [line for line in outcome.stdout.splitlines() if line.startswith(name)]
    return line.removeprefix(name).split()


def mean_bits(data: bytes, model: MixingPredictor = PREDICTOR, *, adapting: bool = True) -> float:
    return float(Stream(model, adapting=adapting).score(data).mean())


def controls(data: bytes) -> tuple[float, float]:
    return mean_bits(data, adapting=False), mean_bits(data, untrained(PREDICTOR))


def cells(data: bytes, *more: float) -> list[str]:
    bits = [mean_bits(data), *more, *(each.bits_per_byte for each in compressed_sizes(data))]
    return [f"{len(data):,}", *("-" if each is None else f"{each:.3f}" for each in bits)]


def test_the_table_has_a_row_for_each_file_with_the_bits_of_every_compressor(run, prose):
    outcome = run("score", prose, "noise")
    assert outcome.code == 0
    assert [HEADINGS[0], *row_of(outcome, "file")] == HEADINGS
    assert row_of(outcome, prose) == cells(PROSE)
    assert row_of(outcome, "noise") == cells(NOISE)


def test_frozen_and_scratch_are_columns_beside_the_model_and_below_it_stands_what_they_are(run, prose):
    outcome = run("score", prose, "--frozen", "--scratch")
    assert row_of(outcome, "file") == ["bytes", "model", "frozen", "scratch", *HEADINGS[3:]]
    frozen, scratch = controls(PROSE)
    assert row_of(outcome, prose) == cells(PROSE, frozen, scratch)
    said = " ".join(outcome.stdout.split())
    assert "model: builtin:mixing, learning from each byte once it has predicted it frozen: the same, but " in said
    assert f"pre-training gives scratch minus model, over all bytes: {scratch - mean_bits(PROSE):+.3f}" in said
    assert "these are ideal code lengths, without the header that a container would add" in said


@pytest.mark.parametrize(("word", "place"), [("--frozen", 0), ("--scratch", 1)])
def test_each_of_them_can_be_asked_for_alone(run, prose, word, place):
    outcome = run("score", prose, word)
    assert row_of(outcome, prose) == cells(PROSE, controls(PROSE)[place])
    assert ("scratch" in outcome.stdout) == (word == "--scratch")
    assert ("frozen" in outcome.stdout) == (word == "--frozen")


def test_what_pre_training_gives_is_weighed_by_the_length_of_the_files(run, prose):
    said = " ".join(run("score", prose, "noise", "--scratch").stdout.split())
    both = [(data, controls(data)[1] - mean_bits(data)) for data in (PROSE, NOISE)]
    gain = sum(len(data) * each for data, each in both) / sum(len(data) for data, _ in both)
    assert f"scratch minus model, over all bytes: {gain:+.3f}" in said


@pytest.mark.parametrize(("words", "name"), [((), "builtin:mixing"), (("--model", "runs/mine"), "runs/mine")])
def test_the_model_is_the_one_that_ships_or_one_of_ones_own(run, prose, asked, words, name):
    outcome = run("score", prose, *words)
    assert asked == [name]
    assert f"model: {name}, " in outcome.stdout


def test_a_file_that_is_too_long_for_the_compressors_has_dashes_and_the_reason(run, prose, monkeypatch):
    monkeypatch.setattr("up.use.score.COMPRESSED_BYTES", len(PROSE))
    outcome = run("score", prose, "noise")
    assert row_of(outcome, prose) == cells(PROSE)
    assert row_of(outcome, "noise") == [*cells(NOISE)[:2], *"------"]
    said = "a file without sizes is longer than what the compressors are given to hold"
    assert said in outcome.stdout
    assert said not in run("score", prose).stdout


def test_below_it_stands_which_streams_are_raw_and_what_is_left_of_headers(run, prose):
    said = " ".join(run("score", prose).stdout.split())
    for each in compressed_sizes(PROSE):
        assert re.search(
            rf"raw streams: [^;]*{each.name}" if each.stream == "raw" else f"{each.name} {each.stream}", said
        )
    assert "bzip2 with its header and checksums, zstd with 2 bytes of its header" in said
    assert "not installed" not in said or None in [each.size_bytes for each in compressed_sizes(PROSE)]


def test_the_smallest_of_each_file_is_bold_and_nothing_else_in_its_row(run, prose):
    outcome = run("score", prose, "noise", terminal=True)
    for name, data in ((prose, PROSE), ("noise", NOISE)):
        known = [mean_bits(data)]
        known += [each.bits_per_byte for each in compressed_sizes(data) if each.bits_per_byte is not None]
        (line,) = [line for line in outcome.stdout.splitlines() if line.startswith(name)]
        bold = re.findall(r"\x1b\[1m *([\d.]+)", line)
        assert bold == [f"{bits:.3f}" for bits in known if bits == min(known)]


@pytest.mark.usefixtures("bare")
def test_a_compressor_that_is_not_installed_has_no_number_and_its_extra_is_named(run, prose):
    outcome = run("score", prose)
    assert outcome.code == 0
    assert row_of(outcome, prose)[-3:] == ["-", "-", "-"]
    said = " ".join(outcome.stdout.split())
    assert "not installed: zstd, brotli, PPMd var. H (pip install 'universal-pretraining[compressors]')" in said
    (file,) = json.loads(run("score", prose, "--json").stdout)["files"]
    assert [each["missing_extra"] for each in file["baselines"]] == [None] * 3 + ["compressors"] * 3


@pytest.mark.parametrize("package", PACKAGES)
def test_a_compressor_that_is_installed_and_broken_is_not_called_missing(run, prose, package, tmp_path, monkeypatch):
    (tmp_path / f"{package}.py").write_text(f"raise ImportError('a library is gone', name={package!r})")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, package, raising=False)
    outcome = run("score", prose, "-q")
    said = f"up: cannot import {package} (a library is gone): up doctor tries every package\n"
    assert (outcome.code, outcome.stdout, outcome.stderr) == (1, "", said)
    assert package in json.loads(run("doctor", "--json").stdout)["broken"] or not installed(package)


def installed(package: str) -> bool:
    from importlib import metadata

    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.parametrize("columns", ["40", "60", "80", "140"])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_lost(run, prose, tmp_path, columns):
    long = tmp_path / f"{'a-long-name-' * 10}.txt"
    long.write_bytes(b"a")
    words = ("score", prose, long.name, "--frozen", "--scratch", "--show")
    outcome = run(*words, environment={"COLUMNS": columns})
    assert max(map(len, outcome.stdout.splitlines())) <= int(columns)
    words = outcome.stdout.split()
    for data in (PROSE, b"a"):
        assert set(cells(data, *controls(data))) <= set(words)


@pytest.mark.usefixtures("prose")
def test_a_name_that_is_no_text_is_shown_escaped_and_kept_in_json(run, tmp_path):
    bad = os.fsdecode(b"bad\xff")
    (tmp_path / bad).write_bytes(PROSE)
    assert row_of(run("score", bad), r"bad\xff") == cells(PROSE)
    assert [each["path"] for each in json.loads(run("score", bad, "--json").stdout)["files"]] == [bad]


def test_json_has_the_model_and_the_numbers_of_each_file_and_nothing_else(run, prose):
    outcome = run("score", prose, "noise", "--json", "-q", "--frozen", "--scratch")
    assert outcome.stderr == ""
    found = json.loads(outcome.stdout)
    assert (found.pop("command"), found.pop("model")) == ("score", "builtin:mixing")
    (files,) = found.values()
    assert found == {"files": files}
    for each, (name, data) in zip(files, ((prose, PROSE), ("noise", NOISE)), strict=True):
        frozen, scratch = controls(data)
        assert each == {
            "path": name,
            "bytes": len(data),
            "bits_per_byte": pytest.approx(mean_bits(data), abs=1e-9),
            "frozen_bits_per_byte": pytest.approx(frozen, abs=1e-9),
            "scratch_bits_per_byte": pytest.approx(scratch, abs=1e-9),
            "baselines": [vars(each) for each in compressed_sizes(data)],
        }


def test_json_has_null_where_a_column_was_not_asked_for(run, prose):
    (file,) = json.loads(run("score", prose, "--json").stdout)["files"]
    assert (file["frozen_bits_per_byte"], file["scratch_bits_per_byte"]) == (None, None)


def test_a_dash_is_standard_input(prose):
    outcome = piped(NOISE, "-", prose)
    assert row_of(outcome, "standard input") == cells(NOISE)
    assert row_of(outcome, prose) == cells(PROSE)
    assert [each["path"] for each in json.loads(piped(NOISE, "-", "--json").stdout)["files"]] == ["-"]


def test_progress_goes_to_stderr_and_can_be_silenced(run, prose):
    assert run("score", prose, "--frozen").stderr.splitlines()[-1] == "up: bytes predicted: 1,920 of 1,920"
    assert run("score", prose, "-q").stderr == ""


def test_a_terminal_is_told_what_takes_time_before_the_first_byte(run, prose):
    told = run("score", prose, terminal=True).stderr
    assert told.index("loading the model") < told.index("compiling, once") < told.index("bytes predicted")


def test_every_file_has_its_picture(run, prose):
    outcome = run("score", prose, "noise")
    assert re.findall(r"Surprise along (\S+)  bits per byte, in (\d+) equal pieces", outcome.stdout) == [
        (prose, "76"),
        ("noise", "76"),
    ]


def test_the_text_is_shown_where_it_is_asked_for_and_cut(run, prose, tmp_path):
    (tmp_path / "long").write_bytes(b"abcdefghi\n" * 500)
    assert "Text of" not in run("score", prose).stdout
    shown = run("score", prose, "long", "--show").stdout
    assert f"Text of {prose}  all of it" in shown
    assert "Text of long  its first 4,000 bytes" in shown
    assert shown.count("abcdefghi↵") == 400
    assert run("score", "long", "--show-bytes", "25").stdout.count("abcdefghi↵") == 2


def test_the_text_is_not_shown_in_json(run, prose):
    assert_refused(run("score", prose, "--show", "--json"), "the text is not shown in JSON")
    assert_refused(run("score", prose, "--show-bytes", "5", "--json"), "the text is not shown in JSON")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "missing argument 'FILE"),
        ("missing", "there is no such file (received 'missing')"),
        (".", "a folder cannot be scored (received '.'): name the files in it"),
        ("empty", "an empty file has no bits per byte (received 'empty')"),
        ("prose.txt empty", "an empty file has no bits per byte (received 'empty')"),
        ("/dev/null", "this is neither a file nor a pipe (received '/dev/null')"),
        ("- -", "standard input is named twice"),
        ("prose.txt --show-bytes 0", "'--show-bytes' (received '0'): give at least 1"),
        ("prose.txt --model=", "the name is empty"),
        ("prose.txt/more", "cannot read the file (Not a directory)"),
    ],
)
def test_what_cannot_be_scored_is_one_line_and_exit_2(run, tmp_path, prose, words, said):
    (tmp_path / "empty").touch()
    assert (tmp_path / prose).exists()
    assert_refused(run("score", *words.split()), said)


def test_an_empty_path_and_an_empty_pipe_are_refused_too(run):
    assert_refused(run("score", ""), "the path is empty")
    assert_refused(piped(b"", "-"), "an empty file has no bits per byte (received '-')")


@pytest.mark.usefixtures("prose")
def test_a_name_that_would_steer_the_terminal_is_shown_and_not_obeyed(run, tmp_path):
    (tmp_path / "\x1b[31m.txt").write_bytes(PROSE)
    outcome = run("score", "\x1b[31m.txt", "--show")
    assert outcome.code == 0
    assert "\x1b" not in outcome.stdout
    assert "\\x1b[31m" in outcome.stdout
