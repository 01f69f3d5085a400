"""What is malformed is refused in one short line, in little time and memory."""

import json

import pytest

from tests.theory.certificates.cases import CERTIFICATES, GOOD, changed, verified
from theory.certificates.verify import verify_certificate
from theory.errors import InputError


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b"[]", "this is no certificate"),
        (b'{"format": "another"}', "this is no certificate"),
        (json.dumps({**GOOD, "version": 3}).encode(), "another version (received 3)"),
        (json.dumps({**GOOD, "version": True}).encode(), "another version"),
        (json.dumps({**GOOD, "check": "prediction"}).encode(), "unknown check"),
        (json.dumps({**GOOD, "more": 1}).encode(), "an object with the fields"),
        (json.dumps({**GOOD, "scale": 0.5}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "scale": "2/4"}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "scale": "1" * 4_001}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "scale": float("nan")}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "bound": {"time": 10**9, "space": 1}}).encode(), "an integer from 0 to 100000"),
        (json.dumps({**GOOD, "bound": {"time": 1.0, "space": 1}}).encode(), "an integer from 0 to 100000"),
        (json.dumps({**GOOD, "conditions": -1}).encode(), "an integer from 0 to 22"),
        (json.dumps({**GOOD, "conditions": ["1", ""]}).encode(), "a list of bit strings in order, each once"),
        (json.dumps({**GOOD, "members": {}}).encode(), "members should be a list of at most 100000 items"),
        (json.dumps({**GOOD, "members": [0] * 100_001}).encode(), "members should be a list of at most 100000 items"),
    ],
)
def test_what_is_malformed_is_told_in_one_line(tmp_path, content, told):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        verify_certificate(tmp_path / "c.json")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


TURING = {"kind": "turing", "name": "t", "start": "A", "looks_at": {"A": "program"}, "rules": []}
RULE = {"state": "A", "seen": "0", "write": None, "move": 0, "condition_move": 0, "emit": "", "go_to": "halt"}


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        ({**TURING, "looks_at": {"A\nB\ud800" * 99: "all"}}, "should be one of 'program', 'condition', 'work'"),
        ({**TURING, "start": "B"}, "machine.start should be one of the states in looks_at"),
        ({**TURING, "rules": [{**RULE, "go_to": 1}]}, "go_to should be one of the states in looks_at"),
        ({**TURING, "rules": [{**RULE, "state": "halt"}]}, "state should be one of the states in looks_at"),
        ({**TURING, "rules": [RULE, RULE]}, "the only rule for its state and symbol"),
        ({**TURING, "name": "x" * 201}, "a line of text of at most 200 characters"),
        ({**TURING, "name": "\u202e"}, "a line of text"),
        ({"kind": "tree", "name": "t", "trees": {"0" * 5_000: 1}}, "a bit string"),
    ],
)
def test_a_malformed_machine_is_told_in_one_short_line(folder, machine, told):
    with pytest.raises(InputError) as caught:
        verified(folder, changed(GOOD, ("members", 0, "machine"), machine))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_numbers_whose_sums_or_powers_explode_are_refused(folder):
    members = [{**GOOD["members"][0], "machine": {**GOOD["members"][0]["machine"], "name": str(i)}} for i in range(9)]
    priors = [{**member, "prior": f"1/{2**5_000 + 2 * i + 1}"} for i, member in enumerate(members)]
    with pytest.raises(InputError, match="members should be without fractions whose sum has more than"):
        verified(folder, {**GOOD, "members": priors})
    iteration = CERTIFICATES["iteration trees"]
    mass = {format(i, "05b"): f"1/{2**5_000 + 2 * i + 1}" for i in range(9)}
    with pytest.raises(InputError, match=r"stages\[0\].mass should be without fractions whose sum"):
        verified(folder, changed(iteration, ("claims", "stages", 0, "mass"), mass))
    many = changed(iteration, ("claims", "stages"), [iteration["claims"]["stages"][0]] * 9_000)
    many["claims"]["steps"] = 8_999
    with pytest.raises(InputError, match=r"claims.stages should be a shorter list"):
        verified(folder, many)


def test_a_machine_of_an_unknown_kind_is_refused_and_nothing_is_run(folder):
    for kind in ("function", "os.system", ["mealy"], None):
        tampered = changed(GOOD, ("members", 0, "machine", "kind"), kind)
        with pytest.raises(InputError, match=r"members\[0\].machine should be a machine whose kind is one of"):
            verified(folder, tampered)
