"""Every verdict is computed from the measurements: it holds for some, does not for others, and is open for the rest."""

import pytest

from up.experiments.bits import (
    ADAPTING,
    BITS,
    CHOSEN_BY,
    GAIN,
    MARKOV,
    PPM,
    TEST,
    TRAINED,
    UNIFORM,
    UNTRAINED,
    VALIDATION,
)
from up.experiments.control_noise import HOUSE, NOISE, ControlNoise
from up.experiments.depth_sweep import DEPTHS, DepthSweep
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Setting, SubRun
from up.experiments.figure_1 import Figure1
from up.experiments.figure_2_4 import Figure24
from up.experiments.figure_6 import Figure6
from up.experiments.measurement import Measurement, Measurements
from up.experiments.power_law import fit_power_law
from up.experiments.registry import EXPERIMENTS, make_experiment
from up.experiments.scaling import Scaling, verdict_of_fit
from up.experiments.sizes import PARAMETERS

SEEDS = (0, 1, 2)
WOBBLE = (-0.01, 0.0, 0.01)
BARS = {UNIFORM: 8.0, MARKOV: 4.0, PPM: 3.0, UNTRAINED: 3.5}


def charged(bits, *, data=CHOSEN_BY, instances=100, bars=BARS, wobble=WOBBLE, **labels):
    """What a model charges, and everything beside it, for each seed and data set."""
    found = []
    for seed, shift in zip(SEEDS, wobble, strict=True):
        for name in data:
            own = {**labels, "seed": seed, "data": name, "text": "0123456789ab"}
            values = {TRAINED: bits + shift, **bars}
            found += [
                Measurement(labels={**own, "of": of}, quantity=BITS, unit="", value=value, instances=instances)
                for of, value in values.items()
            ]
            found += [
                Measurement(
                    labels={**own, "of": of}, quantity=GAIN, unit="", value=bar - values[TRAINED], instances=instances
                )
                for of, bar in bars.items()
            ]
    return found


def verdicts(experiment, measured, about=""):
    """The different verdicts on the claims that hold some words."""
    return {each.verdict for each in experiment.findings(Measurements(measured)) if about in each.claim}


UNSURE = (-0.5, 0.0, 0.6)


class TestControlNoise:
    @pytest.mark.parametrize(
        ("noise", "house", "wobble", "verdict"),
        [(3.6, 2.6, WOBBLE, HOLDS), (2.6, 3.6, WOBBLE, FAILS), (3.0, 2.9, UNSURE, UNKNOWN)],
    )
    def test_computation_teaches_more_if_it_ends_lower_for_certain(self, noise, house, wobble, verdict):
        measured = [*charged(noise, source=NOISE, wobble=WOBBLE), *charged(house, source=HOUSE, wobble=wobble)]
        assert verdicts(ControlNoise(), measured, "teaches what noise does not") == {verdict}

    @pytest.mark.parametrize(("noise", "verdict"), [(3.6, HOLDS), (3.5, HOLDS), (3.2, FAILS)])
    def test_noise_teaches_nothing_unless_it_took_something_off(self, noise, verdict):
        measured = [*charged(noise, source=NOISE), *charged(2.6, source=HOUSE)]
        assert verdicts(ControlNoise(), measured, "Nothing useful") == {verdict}

    def test_every_table_has_the_bars_and_the_architecture_untrained(self):
        measured = [
            *charged(3.6, source=NOISE, data=(*VALIDATION, *TEST)),
            *charged(2.6, source=HOUSE, data=(*VALIDATION, *TEST)),
            *(
                Measurement(
                    labels={"source": source, "of": of, "data": "stdlib", "seed": 0, "bytes": 9},
                    quantity=ADAPTING,
                    unit="",
                    value=2.0,
                )
                for source in (NOISE, HOUSE)
                for of in (TRAINED, UNTRAINED)
            ),
        ]
        *zero_shot, adapting = ControlNoise().tables(Measurements(measured))
        for table in zero_shot:
            assert [row[0] for row in table.rows] == [
                "uniform",
                "Markov, in context",
                "PPM-D with update exclusion",
                "the architecture untrained",
                "trained on noise",
                "trained on random computation",
            ]
        assert [table.columns[1:] for table in zero_shot] == [VALIDATION, TEST]
        assert adapting.rows[0][0] == "the architecture untrained, adapting"
        assert zero_shot[0].rows[-1][1] == "2.600 ± 0.010"


class TestDepthSweep:
    def sweep(self, bits):
        return [each for depth, value in zip(DEPTHS, bits, strict=True) for each in charged(value, depth=depth)]

    @pytest.mark.parametrize(
        ("bits", "first", "more"),
        [
            ((3.6, 3.2, 3.0, 2.9, 2.9), HOLDS, HOLDS),
            ((3.6, 3.2, 3.2, 3.3, 3.5), HOLDS, FAILS),
            ((3.1, 3.2, 3.2, 3.2, 3.2), FAILS, UNKNOWN),
        ],
    )
    def test_depth_pays_if_deeper_ends_lower(self, bits, first, more):
        measured = self.sweep(bits)
        assert verdicts(DepthSweep(), measured, "one random network") == {first}
        assert verdicts(DepthSweep(), measured, "Iterating") == {more}

    def test_the_figure_has_a_panel_for_each_data_set_with_all_depths(self):
        (figure,) = DepthSweep().figures(Measurements(self.sweep((3.6, 3.2, 3.0, 2.9, 2.9))))
        assert [panel.title for panel in figure.panels] == list(CHOSEN_BY)
        assert figure.panels[0].series[0].x == tuple(map(float, DEPTHS))
        assert [line.name for line in figure.panels[0].lines] == [
            "Markov, in context",
            "PPM-D with update exclusion",
            "the architecture untrained",
        ]


class TestFigure6:
    def ablation(self, **bits):
        return [
            each
            for name, value in bits.items()
            for each in charged(value, arch="mixing", source=name.replace("_", "-"))
        ]

    def test_each_claim_compares_two_sources(self):
        measured = self.ablation(lstm=2.7, lstm_nobuf=2.9, lstm_noit=2.6, utm=2.7, noise=5.0)
        experiment = Figure6()
        assert verdicts(experiment, measured, "buffer") == {HOLDS}
        assert verdicts(experiment, measured, "Iterating") == {FAILS}
        assert verdicts(experiment, measured, "universal machine") == {UNKNOWN}
        assert verdicts(experiment, measured, "noise") == {HOLDS}
        assert verdicts(experiment, measured, "restaurants") == set()

    def test_the_best_source_comes_first(self):
        (figure,) = Figure6().figures(Measurements(self.ablation(lstm=2.7, noise=5.0, utm=2.5)))
        assert figure.categories == ("utm", "lstm", "noise")
        table = Figure6().tables(Measurements(self.ablation(lstm=2.7, noise=5.0, utm=2.5)))[0]
        assert [row[0] for row in table.rows][-3:] == ["trained on utm", "trained on lstm", "trained on noise"]

    def test_every_source_of_the_house_is_trained_on_with_five_seeds(self):
        from up.sources.registry import SOURCES

        parts = Figure6().runs(Setting(scale="laptop", seeds=(0, 1, 2, 3, 4)))
        mixing = [part.labels for part in parts if part.labels["arch"] == "mixing"]
        assert {labels["source"] for labels in mixing} >= set(SOURCES)
        assert all(sum(each["source"] == kind for each in mixing) == 5 for kind in SOURCES)
        modern = [part.labels["source"] for part in parts if part.labels["arch"] == "modern"]
        assert modern == ["lstm", "restaurant", "lexicon", "noise"]


class TestSizes:
    def curves(self, *, floor=2.0, fall=20.0, exponent=0.5, per_size=0.3, data=CHOSEN_BY):
        found = []
        for number, size in enumerate((16, 32, 64)):
            for instances in (50, 100, 200, 400, 800):
                bits = floor + fall * instances**-exponent - per_size * number
                found += charged(bits, size=size, instances=instances, data=data)
            found += [
                Measurement(labels={"size": size, "seed": seed}, quantity=PARAMETERS, unit="", value=float(size**2))
                for seed in SEEDS
            ]
        return found

    @pytest.mark.parametrize(("per_size", "verdict"), [(0.3, HOLDS), (-0.3, FAILS), (0.0, UNKNOWN)])
    def test_larger_is_better_if_it_ends_lower(self, per_size, verdict):
        measured = self.curves(per_size=per_size)
        assert verdicts(Scaling(), measured, "Larger models") == {verdict}
        assert verdicts(Figure24(), measured, "improves with scale") == {verdict}

    @pytest.mark.parametrize(("fall", "verdict"), [(20.0, HOLDS), (0.0, FAILS), (-5.0, FAILS)])
    def test_a_power_law_in_instances_holds_if_the_points_fall_and_lie_on_it(self, fall, verdict):
        assert verdicts(Scaling(), self.curves(fall=fall), "power law in instances") == {verdict}

    def test_a_power_law_cannot_be_told_from_points_that_leave_every_exponent_possible(self):
        instances = (50, 100, 200, 400, 800)
        noisy = [2 + count**-0.5 + 0.3 * (-1) ** place for place, count in enumerate(instances)]
        fit = fit_power_law(instances, noisy)
        assert fit.scale > 0
        assert verdict_of_fit(fit) == UNKNOWN

    def test_the_fits_stand_in_a_table_with_their_intervals(self):
        bits, fits = Scaling().tables(Measurements(self.curves()))
        assert [row[0] for row in fits.rows if "instances" in row[0]] == [
            "stdlib, against instances",
            "pydoc, against instances",
        ]
        assert float(fits.rows[0][1]) == pytest.approx(0.5, abs=0.05)
        names = [row[0] for row in bits.rows]
        assert names[:5] == [
            "uniform",
            "Markov, in context",
            "PPM-D with update exclusion",
            "size 16 untrained",
            "size 16 trained",
        ]

    def test_of_mixing_predictors_a_table_says_what_adapting_gives(self):
        adapting = [
            Measurement(labels={"size": 8, "seed": 0, "data": name, "of": of}, quantity=ADAPTING, unit="", value=value)
            for name in CHOSEN_BY
            for of, value in ((TRAINED, 2.0), (UNTRAINED, 2.5))
        ]
        table = Figure24().tables(Measurements([*charged(2.0, size=8), *adapting]))[-1]
        assert table.rows == (
            ("size 8 untrained, adapting", "2.500", "2.500"),
            ("size 8 trained, adapting", "2.000", "2.000"),
        )

    @pytest.mark.parametrize(
        ("bits", "chance", "markov", "synthetic"),
        [(2.0, HOLDS, HOLDS, FAILS), (5.0, HOLDS, FAILS, HOLDS), (9.0, FAILS, FAILS, HOLDS)],
    )
    def test_chance_and_the_markov_model_are_beaten_or_not(self, bits, chance, markov, synthetic):
        measured = charged(bits, size=8, data=(*VALIDATION, *TEST))
        experiment = Figure24()
        assert verdicts(experiment, measured, "better than chance") == {chance}
        assert verdicts(experiment, measured, "In some cases") == {markov}
        assert verdicts(experiment, measured, "most of the synthetic") == {synthetic}

    def test_validation_sets_are_figure_4_and_test_sets_figure_2(self):
        data = (*VALIDATION, *TEST, "german:validation", "german:test")
        figures = {each.name: each for each in Figure24().figures(Measurements(charged(2.0, size=8, data=data)))}
        assert [panel.title for panel in figures["figure-4"].panels] == [*VALIDATION, "german:validation"]
        assert [panel.title for panel in figures["figure-2"].panels] == [*TEST, "german:test"]
        lines = [(line.name, line.value) for line in figures["figure-2"].panels[0].lines]
        assert lines == [("uniform", 8.0), ("Markov, in context", 4.0), ("PPM-D with update exclusion", 3.0)]


class TestFigure1:
    def passes(self, *bits):
        return [
            Measurement(
                labels={"source": "lstm", "seed": seed, "pass": number},
                quantity="Markov",
                unit="",
                value=value + shift,
            )
            for number, value in enumerate(bits)
            for seed, shift in zip(SEEDS, WOBBLE, strict=True)
        ]

    @pytest.mark.parametrize(
        ("bits", "random", "structure"),
        [((6.57, 3.0, 3.0, 2.0), HOLDS, HOLDS), ((5.0, 5.0, 5.0, 6.0), FAILS, FAILS), ((6.57,) * 4, HOLDS, UNKNOWN)],
    )
    def test_noise_is_random_and_structure_appears_or_not(self, bits, random, structure):
        assert verdicts(Figure1(), self.passes(*bits), "fully random") == {random}
        assert verdicts(Figure1(), self.passes(*bits), "partly predictable") == {structure}


@pytest.mark.parametrize("name", EXPERIMENTS)
class TestEvery:
    def test_it_says_what_it_is(self, name):
        experiment = make_experiment(name)
        assert experiment.name == name
        assert experiment.question.endswith("?")
        assert set(experiment.seeds) == set(experiment.arch) == {"smoke", "laptop", "paper"}

    @pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
    @pytest.mark.parametrize("arch", [None, "mixing", "modern", "paper"])
    def test_every_scale_and_architecture_has_parts_that_differ_by_name_and_labels(self, name, scale, arch):
        here = ("german:test", "wp:test")
        parts = make_experiment(name).runs(Setting(scale=scale, arch=arch, seeds=(0, 1), real_data=here))
        names = [part.name for part in parts]
        assert len(set(names)) == len(names) > 0
        assert all(each == each.strip() and "/" not in each for each in names)
        labels = [tuple(sorted(part.labels.items(), key=str)) for part in parts]
        assert len(set(labels)) == len(labels)
        for part in parts:
            if isinstance(part, SubRun) and not callable(part.config) and arch is not None:
                assert part.config.model.arch == arch

    def test_nothing_is_made_of_nothing(self, name):
        experiment = make_experiment(name)
        assert list(experiment.figures(Measurements())) == []
        assert list(experiment.findings(Measurements())) == []
        for table in experiment.tables(Measurements()):
            assert all(len(row) == len(table.columns) for row in table.rows)
