"""Small certificates of every kind of class and check, and how tests change them."""

import copy
import json
from dataclasses import replace
from fractions import Fraction

from tests.theory.strategies import BOUND, tree_machine
from theory.certificates.verify import verify_certificate
from theory.certificates.write import certify
from theory.checks.registry import CHECKS
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound
from theory.machines.mealy import mealy_class
from theory.machines.named_sources import sources_class
from theory.machines.turing import two_state_class
from theory.machines.universal.machine import universal_class
from theory.measures.mixture import length_uniform
from theory.numbers.bit_strings import complete_code


def few_members(model_class, step):
    """Every so many members of a class, with a complete code of their own."""
    members = model_class.members[::step]
    return ModelClass.of("few", members, bound=model_class.bound, max_length=model_class.max_length)


def result_of(check, model_class, *, max_length=None, **options):
    """The result of a check on a class, with conditions up to a length; of the iteration that of its base strings."""
    if check == "iteration" and max_length is not None:
        options["base"] = length_uniform(max_length)
    elif max_length is not None:
        options["max_length"] = max_length
    return CHECKS[check].function(model_class, **options)


def certified(check, model_class, **options):
    return certify(result_of(check, model_class, **options))


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
    "domination turing": ("domination", few_members(two_state_class(1), 400), {}),
    "domination universal": ("domination", UNIVERSAL, {}),
    "domination trees": ("domination", TREES, {}),
    "embedding mealy": ("embedding", FEW_MEALY, {"max_length": 1}),
    "embedding sources": ("embedding", sources_class(2), {}),
    "embedding trees": ("embedding", replace(TREES, words=complete_code(3)), {"max_length": 1}),
    "iteration mealy": ("iteration", FEW_MEALY, {"steps": 3}),
    "iteration trees": ("iteration", TREES, {"steps": 2}),
}
CERTIFICATES = {name: certified(check, cls, **options) for name, (check, cls, options) in CASES.items()}
GOOD = CERTIFICATES["domination trees"]
STATUSES = ("out_of_time", "out_of_space", "stuck")


def verified(folder, certificate):
    path = folder / "certificate.json"
    path.write_text(json.dumps(certificate))
    return verify_certificate(path)


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
