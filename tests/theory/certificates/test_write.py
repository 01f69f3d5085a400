"""A true certificate verifies; whatever is changed in it is found, and the first wrong item is named."""

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
from tests.theory.strategies import BOUND, model_classes, tree_machine
from theory.bits import complete_code
from theory.certificates.claims import verify_least
from theory.certificates.fields import Field
from theory.certificates.file import read_certificate
from theory.certificates.runs import Tally, Wrong
from theory.certificates.verify import verify_certificate
from theory.certificates.write import certify, write_certificate
from theory.classes import ModelClass
from theory.errors import InputError
from theory.machine import Bound, FunctionMachine
from theory.mealy import mealy_class
from theory.named_sources import sources_class
from theory.turing import turing_class
from theory.universal.machine import universal_class


def few_members(model_class, step):
    """Every so many members of a class, with a complete code of their own."""
    members = model_class.members[::step]
    return ModelClass.of("few", members, bound=model_class.bound, max_length=model_class.max_length)


FEW_MEALY = few_members(mealy_class(2), 17)
UNIVERSAL = replace(universal_class(1), bound=Bound(time=9, space=4))
TREES = ModelClass.of(
    "trees",
    [tree_machine("fork", ("0", ("10", None))), tree_machine("copy", "copy"), tree_machine("one", "1")],
    bound=BOUND,
    max_length=1,
    prior=[Fraction(1, 3), Fraction(1, 5), Fraction(2, 5)],
)
CASES = {
    "domination mealy": ("domination", FEW_MEALY, {}),
    "domination sources": ("domination", sources_class(3), {}),
    "domination turing": ("domination", few_members(turing_class(1), 400), {}),
    "domination universal": ("domination", UNIVERSAL, {}),
    "domination trees": ("domination", TREES, {}),
    "embedding mealy": ("embedding", FEW_MEALY, {"max_length": 1}),
    "embedding sources": ("embedding", sources_class(2), {}),
    "embedding trees": ("embedding", replace(TREES, words=complete_code(3)), {"max_length": 1}),
    "iteration mealy": ("iteration", FEW_MEALY, {"steps": 3}),
    "iteration trees": ("iteration", TREES, {"steps": 2}),
}
CERTIFICATES = {name: certify(check, cls, **options) for name, (check, cls, options) in CASES.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


def verified(folder, certificate):
    path = folder / "certificate.json"
    path.write_text(json.dumps(certificate))
    return verify_certificate(path)


@pytest.mark.parametrize("name", CASES)
def test_what_the_search_writes_is_verified(tmp_path, name):
    check, model_class, options = CASES[name]
    write_certificate(tmp_path / "c.json", check, model_class, **options)
    result = verify_certificate(tmp_path / "c.json")
    assert result.holds, result.first_wrong
    assert (result.check, result.members) == (check, len(model_class.members))
    assert json.loads((tmp_path / "c.json").read_text()) == CERTIFICATES[name]


def test_class_b_attains_its_constant(tmp_path):
    write_certificate(tmp_path / "c.json", "domination", mealy_class())
    assert verify_certificate(tmp_path / "c.json").holds
    certificate = json.loads((tmp_path / "c.json").read_text())
    assert (
        sum(
            len(runs) - sum(o in STATUSES for o in runs.values())
            for m in certificate["members"]
            for runs in m["runs"].values()
        )
        == 28_152
    )
    tight = [claim for claim in certificate["claims"] if claim["least"]["ratio"] == claim["constant"]]
    assert {claim["constant"] for claim in tight} == {"1/256"}


@given(model_classes(sufficient=False), st.integers(0, 2))
def test_domination_of_random_classes_round_trips(folder, model_class, max_length):
    result = verified(folder, certify("domination", model_class, max_length=max_length))
    assert result.holds, result.first_wrong


@given(model_classes(sufficient=False))
def test_embedding_of_random_classes_round_trips(folder, model_class):
    coded = replace(model_class, words=complete_code(len(model_class.members)))
    result = verified(folder, certify("embedding", coded, max_length=1))
    assert result.holds, result.first_wrong


@given(model_classes(with_identity=True), st.integers(1, 3))
@settings(max_examples=30)
def test_iteration_of_random_classes_round_trips(folder, model_class, steps):
    result = verified(folder, certify("iteration", model_class, steps=steps))
    assert result.holds, result.first_wrong


def leaf_paths(value, path=()):
    """The places of all values that are no objects or lists, and of the empty ones."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [place for key, part in parts for place in leaf_paths(part, (*path, key))]
    return inner or [path]


def inner_paths(value, path=()):
    """The places of everything that can be taken out."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, part in parts for place in ((*path, key), *inner_paths(part, (*path, key)))]


def at(value, path):
    for key in path:
        value = value[key]
    return value


def changed(certificate, path, new):
    tampered = copy.deepcopy(certificate)
    at(tampered, path[:-1])[path[-1]] = new
    return tampered


def without(certificate, path):
    tampered = copy.deepcopy(certificate)
    del at(tampered, path[:-1])[path[-1]]
    return tampered


STATUSES = ("out_of_time", "out_of_space", "stuck")
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
        read.condition_bits,
    )
    longest = read.condition_bits
    if read.check == "iteration":
        longest = max(map(len, certificate["claims"]["stages"][0]["mass"]))
    return certify(read.check, model_class, max_length=longest, steps=options.get("steps", 1))


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
    false = certify("domination", replace(forged, members=members))
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
        ("domination trees", ("condition_bits",), 90_000, "runs for all conditions of up to 90000 bits"),
        ("embedding trees", ("claims", "kappa"), "1", "kappa is"),
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
    tampered = {**CERTIFICATES["domination sources"], "condition_bits": 1}
    assert "condition_bits should be 0" in verified(folder, tampered).first_wrong


def test_a_member_that_does_not_copy_is_no_identity(folder):
    tampered = changed(CERTIFICATES["iteration trees"], ("claims", "identity"), 2)
    tampered["claims"]["constant"] = "2/5"
    assert verified(folder, tampered).first_wrong == "the identity does not copy ε"


def test_an_inequality_that_fails_is_found():
    claim = Field({"ratio": "1/4", "z": "", "x": "1"}, "claim")
    rows = [(Fraction(1, 4), "", "1"), (Fraction(1, 4), "", "01"), (Fraction(1, 2), "", "")]
    verify_least(Tally(), "m_C/p_c", claim, rows, Fraction(1, 4))
    with pytest.raises(Wrong, match="m_C/p_c is 1/4, less than 1/3"):
        verify_least(Tally(), "m_C/p_c", claim, rows, Fraction(1, 3))


GOOD = CERTIFICATES["domination trees"]


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
        (json.dumps({**GOOD, "version": 2}).encode(), "another version (received 2)"),
        (json.dumps({**GOOD, "version": True}).encode(), "another version"),
        (json.dumps({**GOOD, "check": "prediction"}).encode(), "unknown check"),
        (json.dumps({**GOOD, "more": 1}).encode(), "an object with the fields"),
        (json.dumps({**GOOD, "scale": 0.5}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "scale": "2/4"}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "scale": "1" * 4_001}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "scale": float("nan")}).encode(), "a fraction in lowest terms"),
        (json.dumps({**GOOD, "bound": {"time": 10**9, "space": 1}}).encode(), "an integer from 0 to 100000"),
        (json.dumps({**GOOD, "bound": {"time": 1.0, "space": 1}}).encode(), "an integer from 0 to 100000"),
        (json.dumps({**GOOD, "condition_bits": -1}).encode(), "an integer from 0 to 100000"),
        (json.dumps({**GOOD, "members": {}}).encode(), "members should be a list"),
    ],
)
def test_what_is_malformed_is_told_in_one_line(tmp_path, content, told):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        verify_certificate(tmp_path / "c.json")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_machine_of_an_unknown_kind_is_refused_and_nothing_is_run(folder):
    for kind in ("function", "os.system", ["mealy"], None):
        tampered = changed(GOOD, ("members", 0, "machine", "kind"), kind)
        with pytest.raises(InputError, match=r"members\[0\].machine should be a machine whose kind is one of"):
            verified(folder, tampered)


def test_files_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        verify_certificate(tmp_path / "missing.json")
    with pytest.raises(InputError, match="cannot be written"):
        write_certificate(tmp_path / "missing" / "c.json", "domination", TREES)


def test_code_that_reads_much_is_no_tree():
    def until_one(tape):
        while not tape.read():
            pass

    machine = FunctionMachine("until one", until_one, reads_condition=False)
    patient = ModelClass.of("patient", [machine], bound=Bound(time=301, space=1), max_length=0)
    with pytest.raises(InputError, match="machine until one is code that reads too much"):
        certify("domination", patient)
    assert certify("domination", replace(patient, bound=Bound(time=300, space=1)))["members"][0]["unresolved"] != "0"


def test_what_has_no_certificate():
    with pytest.raises(InputError, match="no certificate"):
        certify("prediction", TREES)
    with pytest.raises(InputError, match="needs a code"):
        certify("embedding", TREES)
    with pytest.raises(InputError, match="needs the identity"):
        certify("iteration", sources_class(3))
    with pytest.raises(InputError, match="at least one step"):
        certify("iteration", TREES, steps=0)
    with pytest.raises(InputError, match="bound is too large"):
        certify("domination", replace(TREES, bound=Bound(time=10**6, space=1)))


def test_verification_shares_only_the_machines_with_the_search():
    """It is followed import by import, except into the machines themselves."""
    machines = {"machine", "mealy", "named_sources", "turing", "universal.machine", "bits", "errors"}
    left, seen = ["certificates.verify"], set()
    while left:
        name = left.pop()
        if name in seen | machines:
            continue
        seen.add(name)
        tree = ast.parse((Path(theory.__file__).parent / f"{name.replace('.', '/')}.py").read_text())
        modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        left += [module.removeprefix("theory.") for module in modules if module.startswith("theory.")]
    assert seen == {f"certificates.{name}" for name in ("verify", "claims", "runs", "file", "fields", "machines")}
