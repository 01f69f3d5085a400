"""Whatever is changed in a certificate is found, and the first wrong item is named."""

import ast
import copy
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import theory
from tests.theory.certificates.cases import (
    CASES,
    CERTIFICATES,
    STATUSES,
    TREES,
    UNIVERSAL,
    at,
    certified,
    changed,
    inner_paths,
    leaf_paths,
    verified,
    without,
)
from tests.theory.strategies import BOUND, tree_machine
from theory.certificates.fields import Field
from theory.certificates.file import read_certificate
from theory.certificates.measures import verify_least
from theory.certificates.runs import Tally, Wrong, verify_runs
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Run, Status

WORDS = ("program", "condition", "work", "end", "halt", "A", "B", "0.", "1h", "h", "dup", "uniform", "tree", "mealy")
OTHERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 9),
    st.floats(),
    st.text("01", max_size=4),
    st.fractions(min_value=0, max_denominator=40).map(str),
    st.sampled_from((*STATUSES, *WORDS, "domination", "embedding", "iteration", [], {}, [[], []], "01x", "\x1b[1m")),
)


def other_values(value):
    """Values near to one that stands in a certificate, and values of other kinds."""
    if isinstance(value, bool):
        return st.just(not value) | OTHERS
    if isinstance(value, int):
        return st.sampled_from([value - 1, value + 1, 2 * value + 3, -value - 1]) | OTHERS
    if isinstance(value, str):
        near = [
            value + "0",
            value + "1",
            value[:-1],
            "1" + value[1:],
            value.replace("1", "2"),
            "0" + value,
            value + "/1",
        ]
        return st.sampled_from([*near, value.translate({48: "1", 49: "0"})]) | OTHERS
    return OTHERS


def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def rewritten(folder, certificate, options):
    """The certificate that the search writes for the class that a certificate defines."""
    path = folder / "tampered.json"
    path.write_text(json.dumps(certificate))
    read = read_certificate(path)
    words = [member.word for member in read.members]
    model_class = ModelClass(
        "tampered",
        tuple(member.machine for member in read.members),
        () if None in words else tuple(words),
        tuple(member.prior for member in read.members),
        read.bound,
        max(map(len, read.conditions)),
    )
    longest = max(map(len, read.conditions))
    if read.check == "iteration":
        longest = max(map(len, certificate["claims"]["stages"][0]["mass"]))
    return certified(read.check, model_class, **(options | {"max_length": longest}))


def rejected(folder, certificate, options):
    """Whether a changed certificate is refused in one line; if it is accepted, it must be true of what it defines."""
    try:
        result = verified(folder, certificate)
    except InputError as error:
        message = str(error)
    else:
        if result.holds:
            assert same(rewritten(folder, certificate, options), certificate)
            return False
        message = result.first_wrong
    assert message
    assert "\n" not in message
    assert len(message) < 600
    return True


# What can be changed without changing anything that is claimed: a looser bound or clock where nothing was cut off, an
# odd length that is halved, rules that no run comes to, labels, other code words as long. `rejected` proves each case.
HARMLESS = {"time", "space", "clock", "length", "wraps", "name", "word"}
HARMLESS |= {"state", "seen", "write", "move", "condition_move", "emit", "go_to"}


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(max_examples=60)
def test_every_changed_value_is_found(folder, name, data):
    certificate = CERTIFICATES[name]
    part = data.draw(st.sampled_from(sorted(certificate)))
    path = data.draw(st.sampled_from(leaf_paths(certificate[part], (part,))))
    new = data.draw(other_values(at(certificate, path)))
    tampered = changed(certificate, path, new)
    if not same(tampered, certificate) and not rejected(folder, tampered, CASES[name][2]):
        assert path[-1] in HARMLESS, (path, at(certificate, path), new)


@pytest.mark.parametrize("name", ["domination trees", "embedding trees", "iteration trees"])
def test_every_string_number_and_missing_part_of_a_small_certificate_is_bound(folder, name):
    certificate, options = CERTIFICATES[name], CASES[name][2]
    for path in leaf_paths(certificate):
        value = at(certificate, path)
        changes = [None, value + 1] if type(value) is int else [None, *STATUSES, "", "0", "1", "00", "1/7", "5/2"]
        for new in changes:
            if new != value and path[-1] not in HARMLESS:
                assert rejected(folder, changed(certificate, path, new), options), (path, new)
    for path in inner_paths(certificate):
        assert rejected(folder, without(certificate, path), options), path


def test_a_certificate_made_to_agree_with_itself_is_still_rejected(folder):
    """Runs, masses and ratios are all recomputed from a false run; only the machine gives it away."""
    honest, forged = CERTIFICATES["domination trees"], copy.deepcopy(TREES)
    members = (tree_machine("fork", ("0", ("11", None))), *forged.members[1:])
    false = certified("domination", replace(forged, members=members))
    false["members"][0]["machine"] = honest["members"][0]["machine"]
    wrong = verified(folder, false).first_wrong
    assert wrong == "member fork, condition ε, program 10: the outcome is 10, the certificate says 11"


def test_a_bound_that_would_let_an_open_run_go_on_is_found(folder):
    tampered = changed(CERTIFICATES["domination universal"], ("bound", "time"), UNIVERSAL.bound.time + 1)
    assert "program" in verified(folder, tampered).first_wrong


def test_mass_cannot_be_hidden(folder):
    """A halting program that is left out, or split into two that do not exist, breaks the Kraft sum or the run."""
    place = ("members", 0, "runs", "")
    missing = without(CERTIFICATES["domination trees"], (*place, "0"))
    assert verified(folder, missing).first_wrong == (
        "member fork, condition ε: programs are missing, the Kraft sum is 1/2 instead of 1"
    )
    split = changed(missing, (*place, "00"), "0")
    at(split, place)["01"] = "0"
    assert "the number of bits read is 1, the certificate says 2" in verified(folder, split).first_wrong
    again = changed(CERTIFICATES["domination trees"], (*place, "00"), "0")
    assert not verified(folder, again).holds


@pytest.mark.parametrize(
    ("name", "path", "new", "named"),
    [
        ("domination mealy", ("members", 1, "prior"), "1/15", "the scale"),
        ("domination mealy", ("members", 1, "word"), "0000", "the words are not prefix-free"),
        ("domination mealy", ("scale",), "1/2", "the scale"),
        ("domination trees", ("members", 1, "prior"), "9/10", "the priors sum to more than 1"),
        ("domination trees", ("members", 1, "prior"), "0", "member copy: the prior is not positive"),
        ("domination trees", ("members", 0, "unresolved"), "0", "member fork: the largest unresolved mass is 1/4"),
        ("domination trees", ("members", 2, "machine", "name"), "copy", "two members have the same name"),
        ("domination trees", ("claims", 1, "constant"), "2/5", "member copy: the constant p(c) is 1/5"),
        ("domination trees", ("claims", 1, "least", "ratio"), "1/4", "member copy: the least m_C/p_c"),
        ("domination trees", ("claims", 1, "least", "x"), "01", "the string x where it is first attained"),
        ("domination trees", ("conditions",), 20, "member fork: runs on 2,097,151 conditions are wanted"),
        ("domination trees", ("conditions",), ["", "0", "1"], "all conditions of up to some number of bits are wanted"),
        ("embedding trees", ("claims", "kappa"), "1", "kappa is"),
        ("embedding trees", ("claims", "prior_of_u"), "1", "p_D(u) is not between 0 and 1"),
        ("embedding trees", ("claims", "prior_of_u"), "0", "p_D(u) is not between 0 and 1"),
        ("embedding trees", ("claims", "prior_of_u"), "1/3", "strings of 0 bits: the least m_D/m_C"),
        ("embedding trees", ("claims", "strings_where_equal"), 7, "the number of strings where p_u = m_C"),
        ("iteration trees", ("claims", "identity"), 2, "the constant p(i) is 2/5, the certificate says 1/5"),
        ("iteration trees", ("claims", "steps"), 3, "the number of steps is 2, the certificate says 3"),
        ("iteration trees", ("claims", "stages", 2, "mass", "1"), "1/2", "stage 2: m^2(1)"),
        ("iteration trees", ("claims", "stages", 0, "mass", "1"), "1/2", "m^0 is not a distribution"),
        ("iteration trees", ("claims", "stages", 2, "least_whole", "ratio"), "1/2", "the least m^2/m^0"),
    ],
)
def test_the_first_wrong_item_is_named(folder, name, path, new, named):
    result = verified(folder, changed(CERTIFICATES[name], path, new))
    assert not result.holds
    assert named in result.first_wrong


def test_a_certificate_about_nothing_is_rejected(folder):
    assert verified(folder, {**CERTIFICATES["domination trees"], "members": [], "claims": []}).first_wrong == (
        "the class has no members"
    )
    tampered = {**CERTIFICATES["domination sources"], "conditions": 1}
    assert "it should be of up to 0 bits" in verified(folder, tampered).first_wrong


def test_the_embedding_needs_words(folder):
    certificate = CERTIFICATES["embedding trees"]
    tampered = {**certificate, "members": [{**member, "word": None} for member in certificate["members"]]}
    assert verified(folder, tampered).first_wrong == "Lemma 4.1 needs a word for each member"


def test_a_member_that_does_not_copy_is_no_identity(folder):
    tampered = changed(CERTIFICATES["iteration trees"], ("claims", "identity"), 2)
    tampered["claims"]["constant"] = "2/5"
    assert verified(folder, tampered).first_wrong == "the identity does not copy ε"


def test_a_claim_about_a_member_that_never_halts_is_no_place_for_a_message(folder):
    members = [tree_machine("silent", None), tree_machine("one", "1")]
    silent = ModelClass.of("silent", members, bound=BOUND, max_length=0)
    honest = certified("domination", silent)
    assert verified(folder, honest).holds
    place = ("claims", 0, "least")
    with pytest.raises(InputError, match=r"claims\[0\].least should be an object"):
        verified(folder, changed(honest, place, "nothing\n\n\x1b[32mverified\x1b[0m: all of 53 items"))
    for ratio, x in (("1", ""), ("0", "0")):
        claim = {"ratio": ratio, "z": "", "x": x}
        assert (
            f"is nothing, the certificate says {ratio}" in verified(folder, changed(honest, place, claim)).first_wrong
        )


def test_runs_that_overlap_are_found_even_if_a_machine_allows_them():
    class Liar:
        name, reads_condition = "liar", False

        def run(self, program, condition, bound):
            del condition, bound
            return Run(Status.HALTED, "", len(program), 0, len(program))

    runs = {"": {"0": "", "00": "", "01": ""}}
    with pytest.raises(Wrong, match="the programs listed are not prefix-free"):
        verify_runs(Tally(), "liar", Liar(), BOUND, [""], runs)


def test_stages_beyond_the_listed_conditions_are_found(folder):
    tampered = copy.deepcopy(CERTIFICATES["iteration mealy"])
    tampered["conditions"] = [""]
    for member in tampered["members"]:
        member["runs"] = {"": member["runs"][""]}
        halts = [program for program, outcome in member["runs"][""].items() if outcome not in STATUSES]
        member["unresolved"] = str(1 - sum(Fraction(1, 2 ** len(program)) for program in halts))
    assert verified(folder, tampered).first_wrong == "stage 0: string 0 is no listed condition"


def test_an_inequality_that_fails_is_found():
    claim = Field({"ratio": "1/4", "z": "", "x": "1"}, "claim")
    ratios = {"1": Fraction(1, 4), "01": Fraction(1, 4), "": Fraction(1, 2)}
    rows = [(ratio, Fraction(1), "", x) for x, ratio in ratios.items()]
    verify_least(Tally(), "m_C/p_c", claim, rows, Fraction(1, 4))
    with pytest.raises(Wrong, match="m_C/p_c is 1/4, less than 1/3"):
        verify_least(Tally(), "m_C/p_c", claim, rows, Fraction(1, 3))


def test_verification_shares_only_the_machines_with_the_search():
    """It is followed import by import, except into the machines themselves and what the checks declare."""
    names = ("machine", "mealy", "named_sources", "turing", "universal.machine")
    machines = {f"machines.{name}" for name in names} | {"numbers.bit_strings", "errors", "words", "checks.registry"}
    left, seen = ["certificates.verify"], set()
    while left:
        name = left.pop()
        if name in seen | machines:
            continue
        seen.add(name)
        tree = ast.parse((Path(theory.__file__).parent / f"{name.replace('.', '/')}.py").read_text())
        modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        modules += [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
        left += [module.removeprefix("theory.") for module in modules if module.startswith("theory.")]
    assert seen == {
        f"certificates.{name}"
        for name in ("verify", "claims", "measures", "interpreter", "runs", "file", "fields", "machines")
    }
