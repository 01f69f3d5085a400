"""Wrong implementations under the checks, each with the checks that must notice it: a check of the checks.

A variant (`--break`) claims something else of right numbers; a mutation takes wrong numbers for right. Each of these is
made in `tests/theory/mutations`, where every command that is named for it is run on it and has to say that the
statement does not hold. `up theory list --mutations` shows them. Limits: these mutations and no others.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """A wrong implementation.

    Attributes:
        name: what the list calls it.
        wrong: what it does, in a line.
        checks: the names of the checks that notice it.

    """

    name: str
    wrong: str
    checks: tuple[str, ...]


_OF_RUNS = ("domination", "embedding", "prediction", "iteration", "mix", "coding", "invariance")
"""The checks that take measures from runs of a class's members; `resources` runs them by itself."""
_OF_PROGRAMS = ("codes", "budget")
"""The checks whose hypotheses are programs."""

MUTATIONS = (
    Mutation(
        "lost-programs",
        "the search loses the last run of every machine that has several",
        (*_OF_RUNS, "resources", *_OF_PROGRAMS),
    ),
    Mutation("thirds", "a program of n bits has mass 3^-n", (*_OF_RUNS, "resources")),
    Mutation("other-output", "the search notes each output with its last bit flipped", ("domination", "mix", "coding")),
    Mutation(
        "no-condition", "machines are run on the empty condition, whatever the condition is", ("domination", "mix")
    ),
    Mutation("nothing-open", "what does not halt is left out of the mass that is open", ("domination", "invariance")),
    Mutation("double-mixture", "m_C has twice its mass", _OF_RUNS),
    Mutation("prior-reversed", "m_C takes the prior from the last member to the first", _OF_RUNS),
    Mutation("member-missing", "m_C leaves out the last member", _OF_RUNS),
    Mutation("stage-skipped", "from n = 1 on m^(n+1) stands where m^n should", ("iteration", "mix")),
    Mutation("even-push", "each string that is passed on counts alike", ("iteration", "mix")),
    Mutation("greatest-ratio", "the least ratio of two measures is the greatest", ("iteration", "mix")),
    Mutation("depth-thirds", "depth n has the weight 3^-(n+1)", ("mix",)),
    Mutation("reset-kept", "a row that is reset keeps its depth", ("mix",)),
    Mutation("reset-rate", "the probability of a reset is 1 - R/B", ("mix",)),
    Mutation("depth-shifted", "m^mix gives each depth the weight of the one before", ("mix",)),
    Mutation("fixed-point", "m_U is (3a + 2b) / 5 and m_V (2a + 3b) / 5", ("invariance",)),
    Mutation("fixed-mean", "m_U and m_V are both (a + b) / 2", ("invariance",)),
    Mutation("fair-sticky", "the sticky source changes its bit half of the time", ("invariance",)),
    Mutation(
        "wrong-member", "u runs the member after the one whose word it reads", ("embedding", "coding", "invariance")
    ),
    Mutation("kappa-one", "the factor kappa is 1 for every prior", ("embedding",)),
    Mutation("long-k", "K_C is one bit more than the shortest program", ("coding",)),
    Mutation("long-words", "Shannon-Fano words are one bit longer than they need to be", ("coding",)),
    Mutation("short-words", "Shannon-Fano words are as long as the logarithm rounded down", ("coding",)),
    Mutation("no-end", "D_n leaves out that the string may end", ("prediction",)),
    Mutation("prefix-twice", "p(x_) counts x itself twice", ("prediction",)),
    Mutation("numerators", "the logarithm of a fraction is that of its numerator", ("prediction",)),
    Mutation("half-ratio", "P_j(x) / m(x) is half of what it is", ("regret",)),
    Mutation("half-squares", "squared errors are half of what they are", ("regret",)),
    Mutation("strings-missing", "strings that are all ones are not counted", ("regret",)),
    Mutation("zeros-free", "a coin pays for its ones and not for its zeros", ("regret",)),
    Mutation("laplace-leaves", "a leaf predicts by Laplace's rule, (b + 1) / (n + 2)", ("trees",)),
    Mutation("third-split", "a node weighs its own estimate 2/3 and its children 1/3", ("trees",)),
    Mutation("one-child", "a node multiplies its estimate by one of its children only", ("trees",)),
    Mutation("ones-before", "the mixture takes ones for what stands before a string", ("trees",)),
    Mutation("leaves-unpriced", "the prior of a tree leaves out that its leaves are not split", ("trees",)),
    Mutation("half-steps", "runs report half of the steps that they took", ("resources",)),
    Mutation("square-time", "the speed prior divides by the square of the time", ("resources",)),
    Mutation("shrinking", "with more time the search loses the fastest string", ("resources",)),
    Mutation("blind-attack", "the gradient attack never finds anything", ("lstm",)),
    Mutation("blind-sampling", "no sampled network is ever found to fail", ("lstm",)),
    Mutation("double-radius", "the certified radius is twice what is certified", ("lstm",)),
    Mutation("fixed-margin", "the margin does not shrink with the radius", ("lstm",)),
    Mutation("root-probability", "log2 p(f) is half of what it is", ("lstm",)),
    Mutation("half-move", "a matrix product moves by half of what it does", ("lstm",)),
    Mutation("no-memory", "the network is run with recurrent weights of 0", ("lstm", "universality")),
    Mutation("iterate-less", "functions are passed one time less often", ("universality",)),
    Mutation("iterate-double", "m_C^(n+2) has twice its mass", ("universality",)),
    Mutation("half-machine", "m_UTM has half of its mass", ("universality",)),
    Mutation("still-network", "f leaves the tape as it is", ("universality",)),
    Mutation("pair-forgotten", "p(Y|X; f) leaves out the last pair", _OF_PROGRAMS),
    Mutation("likeliest-only", "the Bayesian code takes the likeliest function in place of the sum", ("codes",)),
    Mutation("longest-hypothesis", "L(f) is the length of the longest hypothesis for f", ("codes",)),
    Mutation("no-bits-back", "a posterior's own entropy is not given back", ("codes",)),
    Mutation("tape-and-one", "the tape takes a bit more than the program", ("budget",)),
    Mutation("narrow-tape", "programs have to be shorter than the tape", ("budget",)),
    Mutation("first-input", "programs need to halt on all inputs but the last", ("budget",)),
)
