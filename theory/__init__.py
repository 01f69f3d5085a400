"""Exact, executable statements of the theory of universal pre-training.

What a visitor needs lies at the top, and is imported when it is asked for, so that `import theory` costs nothing:

    >>> import theory
    >>> theory.Mixture(theory.mealy_class()).measure("01").total
    Fraction(1, 1)
    >>> theory.check_coding(theory.mealy_class(3)).holds
    True

The rooms, each built on those before it: numbers, machines, measures, lstm, checks, certificates.

Limits: integers and fractions decide everything but what is about networks. The radius of Lemma 4.4 is searched for in
floats and certified in interval arithmetic on floats, every operation rounded outward, so that it is a theorem about
real numbers (`theory.lstm.radius`). The attacks on it run networks in floats: one that fails proves nothing. The
network f of Theorem 4.5 runs in floats as well: f is then the function that the program computes, and all that is said
of it is exact (`theory.checks.universality`).
"""

TYPE_CHECKING = False  # what typing says, whose import would be most of what this package costs
if TYPE_CHECKING:
    from typing import Any

_PUBLIC = {
    "errors": ("InputError",),
    "machines.machine": ("Bound", "FunctionMachine", "Machine", "Run", "Status", "Tape"),
    "machines.mealy": ("MealyMachine", "mealy_class"),
    "machines.turing": ("TuringMachine",),
    "machines.prefix": ("PrefixMachine", "PrefixRule"),
    "machines.one_tape": ("TapeMachine", "TapeRule"),
    "machines.universal.interpreter": ("run_program",),
    "machines.universal.machine": ("UniversalMachine", "universal_class"),
    "machines.named_sources": ("sources_class",),
    "machines.classes": ("ModelClass", "class_names", "load_class"),
    "measures.measure": ("Measure", "output_measure"),
    "measures.density": ("Density", "bernoulli", "density_class"),
    "measures.predictors": (
        "bayes",
        "fixed_share",
        "hidden_markov",
        "krichevsky_trofimov",
        "laplace",
        "markov",
    ),
    "measures.context_trees": ("ContextTrees",),
    "measures.mixture": ("Mixture", "iterates", "length_uniform", "next_symbol"),
    "measures.complexity": ("complexity",),
    "measures.codes": ("FiniteCode", "bayesian", "two_part", "variational"),
    "measures.omega": ("halting_measure",),
    "measures.buffer_depth": ("depth_distributions", "stationary_depth_probability"),
    "lstm.construction": ("step_lstm",),
    "lstm.radius": ("certified_radius",),
    "checks.registry": ("CHECKS",),
    "checks.domination": ("check_domination",),
    "checks.embedding": ("check_embedding",),
    "checks.prediction": ("check_prediction",),
    "checks.iteration": ("check_iteration",),
    "checks.mix": ("check_mix",),
    "checks.lstm": ("check_lstm",),
    "checks.universality": ("check_universality",),
    "checks.coding": ("check_coding",),
    "checks.invariance": ("check_invariance",),
    "checks.regret": ("check_regret",),
    "checks.trees": ("check_trees",),
    "checks.resources": ("check_resources",),
    "checks.codes": ("check_codes",),
    "checks.budget": ("check_budget",),
    "certificates.write": ("certificate_text",),
    "certificates.verify": ("verify_certificate",),
}
_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = sorted(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> "Any":
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
