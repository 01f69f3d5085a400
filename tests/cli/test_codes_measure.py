"""`up codes measure`: a page, one JSON object, and one line for what cannot be measured."""

import io
import json

import pytest

from cli.context import CliContext, ExitCode
from cli.main import main


def run(*words, columns="80"):
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["codes", "measure", *words], CliContext.from_streams(stdout, stderr, {"COLUMNS": columns}))
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_page_fits_its_width_and_says_what_pays(trained, text, columns):
    code, said, _ = run(str(trained), "--data", str(text), "--bytes", "512", "--longest", "2048", columns=str(columns))
    assert code == 0
    assert max(map(len, said.splitlines())) <= columns
    for word in ("entropy-coded", "variational", "prequential", "PPM", "xz", "bits per weight", "against xz:"):
        assert word in said


def test_json_has_the_parts_of_every_code_and_the_curve(trained, text):
    words = ("--data", str(text), "--bytes", "512", "--longest", "2048", "--json", "--quiet")
    code, said, told = run(str(trained), *words)
    found = json.loads(said)
    assert (code, told, found["command"], found["format"]) == (0, "", "codes measure", 1)
    for each in found["codes"]:
        prior = 0 if each["prior_bits"] is None else each["prior_bits"]["value"]
        parts = each["weight_bits"]["value"] + prior + each["data_bits"]["value"]
        assert each["total_bits"]["value"] == pytest.approx(parts)
    curve = found["curve"]
    assert len(curve["network_bits"]) == len(curve["file_bytes"]) == len(curve["xz"])
    assert set(found["pays_from_bytes"]) == {"PPM", "xz", "8 bits a byte"}
    assert sum(group["count"] for group in found["groups"]) == found["weights"]


def test_what_cannot_be_measured_is_one_line(trained, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    for words in (
        ["builtin:nobody"],
        [str(tmp_path)],
        [str(trained), "--data", str(empty)],
        [str(trained), "--data", "no-such-corpus"],
        [str(trained), "--bytes", "3"],
    ):
        code, said, told = run(*words)
        assert (code, said) == (ExitCode.BAD_INPUT, "")
        assert len(told.splitlines()) == 1
