"""The table of contents of the theory: every check as it declares itself.

Nothing here imports the checks themselves; `Check.run` imports the one that it runs. Whoever wants every statement of
section 4 tested goes through `CHECKS`:

    for check in CHECKS.values():
        assert check.run().holds
        for variant in check.variants:
            assert not check.run(variant=variant).holds

Limits: the defaults are sized so that all checks take well under 90 seconds together on one core.
"""

from collections.abc import Mapping

from theory.checks.check import Check, as_given, of_the_class
from theory.checks.option import MAX_LENGTH, Option

_SEED = Option(name="seed", default=0, help="Seed of what is drawn.")

DOMINATION = Check(
    name="domination",
    summary="the mixture dominates each of its members",
    source="section 4.1",
    statement="The mixture gives every string at least p(c) times what member c gives it.",
    formula="m_C(x|z) >= p(c) p_c(x|z)   for all c in C and all x, z",
    module="theory.checks.domination",
    class_name="mealy",
    variants={"double-constant": "claims the constant 2 p(c); without overlap between members it is too large"},
    certificate="m_C(x|z) >= p(c) p_c(x|z)",
    conditions=of_the_class,
    quick={"max_length": 4},
    rough_seconds=2,
)
EMBEDDING = Check(
    name="embedding",
    summary="a class that can run all of C dominates m_C",
    source="section 4.1, Lemma 4.1",
    statement="A class D with a machine u that runs every member of C dominates the mixture m_C.",
    formula="u(code(i) r) = T_i(r)   =>   m_D(x|z) >= p_D(u) kappa m_C(x|z),   kappa = min_i 2^-|code(i)| / p_C(i)",
    module="theory.checks.embedding",
    class_name="mealy",
    options=(MAX_LENGTH,),
    variants={
        "footnote-pairing": "pairs machine and program as footnote 4 does, the program coded once more",
        "without-u": "takes a class D that lacks u",
        "any-prior": "claims the constant p_D(u) for a prior that is not 2^-|code(i)|",
    },
    certificate="m_D(x|z) >= p_D(u) kappa m_C(x|z)",
    is_about_words=True,
    conditions=as_given,
    quick={"max_length": 2},
    rough_seconds=0.1,
)
PREDICTION = Check(
    name="prediction",
    summary="predicting with m_C costs log 1/p(c) bits at most",
    source="section 4.2, Theorem 4.2",
    statement="Predicting symbol by symbol with m_C instead of c costs at most log 1/p(c) bits in expectation.",
    formula="D_n >= 0,   sum_{n>=0} D_n = KL(p_c || m_C) <= log 1/p(c)",
    module="theory.checks.prediction",
    class_name="sources",
    options=(
        Option(name="condition", kind=str, default="", metavar="BITS", help="The string on the conditional tape."),
    ),
    variants={
        "printed-bound": "claims sum D_n <= 1, as the last line of the printed proof does",
        "printed-sign": "claims D_n >= 0 for the D_n that is printed with a minus sign",
        "bits-only": "claims sum D_n = KL(p || q) for the D_n over the outcomes 0 and 1 alone",
        "from-one": "claims sum D_n = KL(p || q) for a sum that starts at n = 1",
        "no-end": "claims p(x_) = p(x0_) + p(x1_), as if no string ended",
        "pointwise": "claims q(b|x) >= p(c) p(b|x) for every single prediction",
        "lacking-dup": "compares dup with the mixture of a class A that lacks it, on strings of 12 bits",
    },
    quick={"max_length": 4},
    rough_seconds=1,
)
ITERATION = Check(
    name="iteration",
    summary="one more random machine loses at most p(i)",
    source="section 4.3, Theorem 4.3",
    statement="One more random machine loses at most the constant p(i), i being the machine that copies.",
    formula="m^{n+1}(x) >= p(i) m^n(x),   m^n(x) >= p(i)^n m^0(x)",
    module="theory.checks.iteration",
    class_name="mealy",
    options=(Option(name="steps", default=8, most=1000, help="How often to pass the strings through the class."),),
    variants={
        "without-identity": "takes a class that lacks the identity: machines that write nothing on 0",
        "one-constant": "claims m^n >= p(i) m^0 for every n, as if the constant did not shrink",
        "entropy-grows": "claims that the entropy never falls: that domination is enrichment",
    },
    certificate="m^{n+1}(x) >= p(i) m^n(x),   m^n(x) >= p(i)^n m^0(x)",
    conditions=of_the_class,
    arithmetic=lambda strings, steps: strings * strings * steps + 10 * strings * steps * steps,  # stages, then pairs
    quick={"max_length": 4, "steps": 3},
    rough_seconds=4,
)
MIX = Check(
    name="mix",
    summary="the buffer's mixture dominates every depth",
    source="section 5.1 and appendix A.1",
    statement="The buffer's mixture over depths dominates every m^n with w_n as constant, as other weights do.",
    formula="m^mix(x) >= w_n m^n(x),   w_n = r (1 - r)^n,   r = R / B",
    module="theory.checks.mix",
    class_name="mealy",
    options=(
        Option(name="steps", default=8, most=1000, help="Look at depths of up to so many machines."),
        Option(name="source_batch", default=138, help="Rows that pass a machine at a time."),
        Option(name="reset_rows", default=40, help="Rows of those that start again from noise."),
    ),
    variants={
        "double-weight": "claims m^mix >= 2 w_n m^n",
        "without-noise": "takes a buffer whose rows have all passed at least one machine, and claims it dominates m^0",
    },
    conditions=of_the_class,
    arithmetic=lambda strings, steps: strings * strings * steps * (100 + steps) // 100,  # fractions grow with the depth
    quick={"max_length": 3},
    rough_seconds=3,
)
LSTM_BALL = Check(
    name="lstm",
    summary="a ball of LSTMs computes a machine's step",
    source="section 4.4, Lemma 4.4",
    statement="An LSTM computes one step of the machine, and so do all LSTMs within a radius of it: p(f) > 0.",
    formula="|w' - w| <= r  =>  f_w' = f_w;   p(f) >= p(|w' - w| <= r) > 0",
    module="theory.checks.lstm",
    options=(
        Option(
            name="machine_name",
            kind=str,
            flag="--machine",
            default="bb2",
            metavar="NAME",
            help="Tape machine: flip, bb2, two-three; or path/to/file.py:NAME.",
        ),
        Option(name="cells", default=6, most=100, help="Cells of the tape."),
        Option(name="attack_cells", default=3, most=100, help="Cells of the tape for attacks."),
        Option(name="samples", default=50, most=100_000, help="Networks drawn at random."),
        _SEED,
    ),
    variants={
        "printed-bias": "the read-out is moved inside by 3 W and b - 1, as the proof prints, and not 3 b - 1",
        "matrix-step": "parameters and inputs may move by p < 1 / (m + |W| + 1), as the proof prints, to move W x by p",
        "outside-radius": "the radius claimed is eight times the certified one",
    },
    quick={"cells": 3, "attack_cells": 1, "samples": 2},
    rough_seconds=3,
)
UNIVERSALITY = Check(
    name="universality",
    summary="iterated random functions dominate a machine",
    source="section 4.4, Theorem 4.5",
    statement="Iterating the class n + 2 times dominates what the machine has written after n steps.",
    formula="m_C^(n+2)(x) >= p(r) p(f)^n p(s) m_UTM^n(x)",
    module="theory.checks.universality",
    options=(
        Option(
            name="machine_name",
            kind=str,
            flag="--machine",
            default="bb2",
            metavar="NAME",
            help="Tape machine: flip, bb2; or path/to/file.py:NAME.",
        ),
        Option(name="steps", default=3, most=1000, help="Steps of the machine."),
        Option(name="cells", default=7, most=100, help="Cells of the tape."),
        Option(
            name="max_length",
            default=4,
            metavar="BITS",
            help="Random strings at the start of up to so many bits.",
        ),
        _SEED,
    ),
    variants={
        "outside-radius": "f is an LSTM whose parameters moved by up to 8 certified radii",
        "without-f": "the class lacks f, the step of the machine",
        "printed-constant": "the constant is p(r) p(i)^n p(s), as the theorem prints it once",
    },
    quick={"cells": 6, "max_length": 2, "steps": 2},
    rough_seconds=1,
)
CODING = Check(
    name="coding",
    summary="the shortest program against the whole mass",
    source="section 4.1",
    statement="The shortest program is no more than the whole mass; with a decoder for m_C, not much less.",
    formula="2^-K_C(x) <= m_C(x)   and   K_{C+decoder}(x) < 2 - log2 m_{C+decoder}(x)",
    module="theory.checks.coding",
    class_name="mealy",
    variants={
        "converse": "claims K_C <= -log m_C + 2 for the class itself, without a decoder",
        "free-name": "does not count the bits that name the machine:"
        " claims 2^-|r| <= m_C(x) for the shortest program r",
    },
    quick={"max_length": 3},
    rough_seconds=0.1,
)
INVARIANCE = Check(
    name="invariance",
    summary="two machines that call each other agree up to a bit",
    source="section 4.1",
    statement="Two machines that call each other at one bit differ by one bit at most, on every string.",
    formula="m_U = m_C/2 + m_V/2,   m_V = sticky/2 + m_U/2,   |log2 m_U(x) / m_V(x)| <= 1",
    module="theory.checks.invariance",
    class_name="mealy",
    variants={
        "half-bit": "claims that the two differ by half a bit at most, less than a call costs",
        "one-way": "lets V call nothing: after 1 it never halts, and what only U's own kind can write is lost to it",
    },
    quick={"max_length": 3},
    rough_seconds=0.1,
)
REGRET = Check(
    name="regret",
    summary="a mixture of N coins loses at most log N bits",
    source="section 4.2",
    statement="The mixture of N coins never falls log2 N bits behind one of them, and learns which one it watches.",
    formula="log2 P_j(x) / m(x) <= log2 N   and   sum_n E (q_n - theta_j)^2 <= (ln N) / 2",
    module="theory.checks.regret",
    options=(Option(name="steps", default=64, most=1000, help="Strings of up to so many bits."),),
    variants={
        "one-member-less": "claims the regret log2(N - 1), as if the best coin were no member of its own mixture",
        "any-parameter": "claims the bound against the best theta in [0, 1], not only against the members",
        "without-weight": "claims that the squares sum to 1/2 at most, whatever the prior of the true coin",
    },
    arithmetic=lambda _, steps: steps**3 // 20,  # n^2 counts, of numbers with n digits
    quick={"steps": 32},
    rough_seconds=1,
)
TREES = Check(
    name="trees",
    summary="weighting context trees costs their description",
    source="section 4.2",
    statement="Weighting all context trees loses to any tree, with any coins at its leaves, no more than the bits that"
    " describe the tree, and log2(n)/2 + 1 for each leaf that saw n bits.",
    formula="log2 P_S,theta(x) / m(x) <= Gamma(S) + sum over leaves of (log2(n_s)/2 + 1)   for all S, theta, x",
    module="theory.checks.trees",
    options=(
        Option(name="depth", default=2, most=3, help="Bits of the longest context."),
        Option(name="steps", default=8, most=1000, help="Strings of up to so many bits."),
    ),
    variants={
        "free-tree": "claims the bound without Gamma(S), as if the tree were known",
        "inner-nodes": "counts in Gamma(S) the inner nodes only, not the leaves that could have been split",
        "one-parameter": "claims log2(n)/2 + 1 once for the whole string, however many leaves there are",
        "half-log": "claims log2(n)/2 for a leaf, without the bit that is added",
        "deeper-tree": "claims the bound for a tree that is deeper than those that are weighted",
    },
    arithmetic=lambda _, steps: 300 << steps,  # 26 trees at depth 3, of some leaves each
    quick={"depth": 1, "steps": 8},
    rough_seconds=0.1,
)
RESOURCES = Check(
    name="resources",
    summary="measures grow with time and space",
    source="section 4.1",
    statement="More time or space takes no mass from any string; charging for time keeps to the order Kt, S, m.",
    formula="m^(T,S)(x) <= m^(T',S')(x) for T <= T', S <= S'   and   2^-Kt(x) <= S(x) <= m(x)",
    module="theory.checks.resources",
    class_name="universal",
    variants={
        "wrapping-tape": "gives the universal machine a tape of S cells that wraps:"
        " more space moves mass between strings",
        "free-time": "leaves the time out of Kt: claims 2^-K(x) <= sum of 2^-|p| / t",
    },
    quick={"class_name": "mealy", "max_length": 3},
    rough_seconds=1,
)
_SHAW, _DESCRIPTION_LENGTH = "Shaw et al. 2025, arXiv 2509.22445", "docs/learn/6-description-length.md"
_INPUT_BITS = Option(name="input_bits", default=1, most=3, metavar="BITS", help="Inputs of so many bits, all of them.")
_REPEATS = Option(name="repeats", default=8, most=1000, help="How often each input comes, with its label.")
CODES = Check(
    name="codes",
    summary="Bayesian, variational and two-part codes in order",
    source="proposition 3, lemmas 1 and 5, eq. 76",
    paper=_SHAW,
    page=_DESCRIPTION_LENGTH,
    statement="For one prior the Bayesian code is the shortest; the best variational one is no longer than two-part.",
    formula="-log2 sum_z 2^-|z| p(Y|X; f_z) <= min_beta L_var(Y|X; beta) <= min_z |z| - log2 p(Y|X; f_z)",
    module="theory.checks.codes",
    class_name="mealy",
    options=(_INPUT_BITS, _REPEATS),
    variants={
        "mean-inside": "takes the variational length from eq. 10 as printed, the logarithm outside the mean",
        "any-posterior": "claims that every variational code is as short as the best two-part one",
        "converse": "claims that the best two-part code is as short as the Bayesian one",
    },
    conditions=lambda _, settings: settings["input_bits"],
    quick={"repeats": 12},
    rough_seconds=0.1,
)
BUDGET = Check(
    name="budget",
    summary="more time or space never lengthens the shortest code",
    source="theorem 1, proposition 2, B.10 and B.11",
    paper=_SHAW,
    page=_DESCRIPTION_LENGTH,
    statement="More time or space never lengthens the shortest code; of a tape only the program costs bits.",
    formula="C_(T,R')(Y|X) <= C_(T,R)(Y|X) for R <= R'   and   L_quasi(Y|X) <= C_(T,R)(Y|X) + log2 R_s",
    module="theory.checks.budget",
    class_name="mealy",
    options=(_INPUT_BITS, _REPEATS),
    variants={
        "whole-tape": "sends all R_s bits of the tape, used or not",
        "free-length": "sends the length of the program for nothing: claims eq. 103 without log2 R_s",
        "space-for-time": "claims that more space makes up for less time",
    },
    conditions=lambda _, settings: settings["input_bits"],
    quick={"repeats": 4},
    rough_seconds=0.1,
)

_PAPER = (DOMINATION, EMBEDDING, PREDICTION, ITERATION, MIX, LSTM_BALL, UNIVERSALITY)
_CLASSICAL = (CODING, INVARIANCE, REGRET, TREES, RESOURCES)
_DESCRIPTIONS = (CODES, BUDGET)
CHECKS: Mapping[str, Check] = {check.name: check for check in (*_PAPER, *_CLASSICAL, *_DESCRIPTIONS)}
"""All checks by name: those of the paper in its order, the classical facts that they rest on, description lengths."""
