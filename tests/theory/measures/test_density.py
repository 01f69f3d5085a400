"""Members given by probabilities: their measures, what takes them, and how wrong ones are refused."""

import json
import time
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.main import main
from theory.checks.domination import check_domination
from theory.checks.iteration import check_iteration
from theory.checks.mix import check_mix
from theory.checks.prediction import check_prediction
from theory.checks.registry import CHECKS
from theory.errors import InputError
from theory.machines.machine import Bound, FunctionMachine
from theory.measures.density import MOST_PREFIXES, Density, bernoulli, density_class
from theory.measures.effort import expected_steps
from theory.measures.measure import output_measure
from theory.measures.mixture import Mixture, prefix_masses
from theory.numbers.bit_strings import strings

EIGHTHS = [Fraction(k, 8) for k in range(1, 8)]
LENGTH = 3


@st.composite
def tables(draw):
    """For each prefix how many of eight equally likely outcomes are a 0, a 1 and the end."""
    table = {}
    for x in strings(LENGTH - 1):
        zero = draw(st.integers(0, 8))
        one = draw(st.integers(0, 8 - zero))
        table[x] = zero, one, 8 - zero - one
    return table


def density(table):
    return Density("d", lambda x: {o: Fraction(k, 8) for o, k in zip("01$", table[x], strict=True)}, LENGTH)


def machine(table):
    """The machine that flips three coins at each symbol, and takes their number as the outcome."""

    def write(tape):
        for _ in range(LENGTH):
            zero, one, _ = table[tape.output]
            number = 4 * tape.read() + 2 * tape.read() + tape.read()
            if number >= zero + one:
                return
            tape.write(int(number >= zero))

    return FunctionMachine("m", write, reads_condition=False)


@given(tables())
def test_a_density_has_the_measure_of_the_machine_that_chooses_with_its_probabilities(table):
    assert density(table).measure() == output_measure(machine(table), "", Bound(time=12, space=3))


@given(tables())
def test_its_measure_sums_to_1_and_its_prefix_masses_are_products_of_predictions(table):
    measure = density(table).measure()
    assert measure.total == 1
    masses = prefix_masses(measure.mass)
    for x in strings(LENGTH):
        assert density(table).prefix_mass(x) == masses.get(x, 0)


@pytest.mark.parametrize("theta", [Fraction(0), Fraction(1, 3), Fraction(5, 8), Fraction(1)])
def test_a_coin_has_the_product_density_also_where_no_machine_that_always_halts_has_it(theta):
    measure = bernoulli(theta, 5).measure()
    for x in strings(5):
        product = theta ** x.count("1") * (1 - theta) ** x.count("0")
        assert measure.lower(x) == (product if len(x) == 5 else 0)


def test_seven_coins_over_six_bits_take_less_than_50_milliseconds():
    seconds = []
    for _ in range(5):
        start = time.process_time()
        mixture = Mixture(density_class("coins", [bernoulli(k, 6) for k in EIGHTHS], prior=[Fraction(1, 7)] * 7))
        assert mixture.measure().total == 1
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05


def test_checks_of_measures_take_densities_and_their_wrong_variants_fail():
    coins = density_class("coins", [bernoulli(theta, 4) for theta in EIGHTHS])
    point = density_class("points", [bernoulli(Fraction(bit), 3) for bit in (0, 1)])
    for model_class in (coins, point):
        assert check_domination(model_class).holds
        assert check_prediction(model_class).holds
    assert not check_domination(point, variant="double-constant").holds
    assert not check_prediction(point, variant="no-end").holds


@pytest.mark.parametrize("wrong", [lambda p, _: p / 2, lambda p, x: p if x[:1] == "1" else p * 0])
def test_a_measure_that_is_not_the_product_of_the_predictions_is_noticed(wrong, monkeypatch):
    right = Density.measure

    def changed(self, condition=""):
        return replace(measure := right(self, condition), mass={x: wrong(p, x) for x, p in measure.mass.items()})

    monkeypatch.setattr(Density, "measure", changed)
    coins = density_class("coins", [bernoulli(theta, 4) for theta in EIGHTHS])
    for check in (check_domination, check_mix):
        assert not check(coins).holds


def test_densities_that_read_the_condition_are_a_kernel_that_can_be_iterated():
    def copy(x, z):
        return {z[len(x)] if len(x) < len(z) else "$": Fraction(1)}

    def noisy(x, z):
        if len(x) == len(z):
            return {"$": 1}
        return {z[len(x)]: Fraction(2, 3), "10"[int(z[len(x)])]: Fraction(1, 3)}

    channel = density_class("channel", [Density(f.__name__, f, 2, reads_condition=True) for f in (copy, noisy)])
    assert Mixture(channel).measure("01").mass == {
        "00": Fraction(1, 9),
        "01": Fraction(13, 18),
        "10": Fraction(1, 18),
        "11": Fraction(1, 9),
    }
    assert check_iteration(channel, steps=3).holds


@pytest.mark.parametrize("name", ["coding", "embedding", "resources"])
def test_a_check_that_lists_programs_refuses_a_density(name, tmp_path):
    class_name = written(tmp_path, 'lambda x: {"0": Fraction(1, 3), "1": Fraction(2, 3)}')
    with pytest.raises(InputError, match="member mine is given by its probabilities and has no programs"):
        CHECKS[name].run({"class_name": class_name})


def test_a_density_is_written_into_no_certificate(tmp_path, capsys):
    class_name = written(tmp_path, 'lambda x: {"0": Fraction(1, 3), "1": Fraction(2, 3)}')
    arguments = ["theory", "check-domination", "--class", class_name]
    assert main([*arguments, "--certificate", str(tmp_path / "c.json")]) == 2
    assert not (tmp_path / "c.json").exists()
    assert "has no programs" in capsys.readouterr().err
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True


WRONG = {
    '{"0": Fraction(1, 2), "1": Fraction(3, 4)} if x == "01" else {"1": Fraction(1, 2), "0": Fraction(1, 2)}': (
        "density mine after 01: the probabilities sum to 5/4: let"
    ),
    '{"0": Fraction(1, 2)}': "density mine after ε: the probabilities sum to 1/2: let",
    '{"0": Fraction(3, 2), "1": Fraction(-1, 2)}': "density mine after ε: the probability of 1 is -1/2: give",
    '{"0": 0.5, "1": 0.5}': "density mine after ε: the probability of 0, 0.5, is no exact fraction",
    '{"2": Fraction(1)}': "density mine after ε: there is no outcome '2'",
    "Fraction(1, 2)": "density mine after ε: Fraction(1, 2) is no mapping",
    'x[7] or {"0": 1}': "density mine fails after ε: IndexError: string index out of range",
}


def written(folder, answer):
    """A user's file with a class of one density."""
    (folder / "mine.py").write_text(
        "from fractions import Fraction\nfrom theory import Density, density_class\n"
        f"CLASS = density_class('one', [Density('mine', {answer}, length=3)])\n"
    )
    return f"{folder / 'mine.py'}:CLASS"


@pytest.mark.parametrize("answer", WRONG)
@pytest.mark.parametrize("check", ["domination", "prediction", "mix"])
def test_a_wrong_density_is_one_line_that_names_the_string_and_exit_2(answer, check, tmp_path, capsys):
    class_name = written(tmp_path, f"lambda x: {answer}")
    assert main(["theory", f"check-{check}", "--class", class_name]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.count("\n") == 1
    assert WRONG[answer] in errors


@pytest.mark.parametrize(
    "line", ["1 / 0", "raise SystemExit('over')", "import absent_module_of_mine", "bernoulli(2, 3)"]
)
def test_a_file_that_raises_is_one_line_and_exit_2(line, tmp_path, capsys):
    (tmp_path / "mine.py").write_text(f"from theory import bernoulli\n{line}\n")
    assert main(["theory", "check-domination", "--class", f"{tmp_path / 'mine.py'}:CLASS"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.count("\n") == 1


def test_a_density_with_too_many_prefixes_is_refused_beforehand_or_when_they_are_met(tmp_path, capsys):
    fair = bernoulli(Fraction(1, 2), 10**9)
    assert fair.prefix_mass("0110") == Fraction(1, 16)
    assert expected_steps(density_class("fair", [fair]), 0) > 10**19
    (tmp_path / "mine.py").write_text(
        "from fractions import Fraction\nfrom theory import bernoulli, density_class\n"
        "CLASS = density_class('long', [bernoulli(Fraction(1, 2), 40)])\n"
    )
    assert main(["theory", "check-domination", "--class", f"{tmp_path / 'mine.py'}:CLASS"]) == 2
    assert "would take about" in capsys.readouterr().err


def test_prefixes_that_cannot_occur_are_not_gone_through(monkeypatch):
    assert Density("ones", lambda _: {"1": 1}, 400).measure().mass == {"1" * 400: 1}
    assert MOST_PREFIXES > 400
    monkeypatch.setattr("theory.measures.density.MOST_PREFIXES", 30)
    assert bernoulli(Fraction(1, 2), 3).measure().total == 1
    with pytest.raises(InputError, match="more than 30 prefixes"):
        bernoulli(Fraction(1, 2), 4).measure()


def test_a_length_that_is_negative_is_refused():
    with pytest.raises(InputError, match="density d: a length is not negative"):
        Density("d", lambda _: {"1": 1}, -1)
