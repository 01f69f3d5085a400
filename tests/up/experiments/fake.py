"""An experiment of two trainings and a step, each a moment long, for tests of what all experiments have in common."""

from tests.up.runs.cases import small_config
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Experiment, Finding, Listing, Step, SubRun, Table
from up.experiments.figure import Figure, Line, Panel, Series
from up.experiments.measurement import Measurement
from up.runs.folder import open_run

LINE = "fake"
CLAIM = "Longer training has a lower loss"


class Fake(Experiment):
    """Losses of short and of long training, and a step that counts."""

    name = LINE
    title = "A fake | of a kind"
    question = "Does it fit together?"
    seeds = {"smoke": 1, "laptop": 2, "paper": 3}  # noqa: RUF012

    def runs(self, setting):
        trainings = [
            SubRun(
                name=f"length-{length}-seed-{seed}",
                labels={"length": length, "seed": seed},
                config=small_config(
                    f"seed={seed}",
                    'evaluation.data=["dyck"]',
                    "training.checkpoint_every=16",
                    "training.evaluate_every=32",
                    instances=length,
                ),
            )
            for seed in setting.seeds
            for length in (32, 64)
        ]
        return [*trainings, Step(name="count", labels={"of": "numbers"})]

    def measure(self, part, folder, setting, progress):  # noqa: ARG002
        if isinstance(part, Step):
            for number in range(4):
                progress(number + 1, 4)
            return [Measurement(labels=dict(part.labels), quantity="count", unit="", value=4.0)]
        step, evaluation = open_run(folder).metrics.latest()
        progress(1, 1)
        bits = evaluation.rows[0]
        labels = {**part.labels, "data": bits.data, "text": bits.identity[:12]}
        return [
            Measurement(labels=labels, quantity="loss", unit="bits", value=step.loss_bits, instances=step.instances),
            Measurement(labels=labels, quantity="bits", unit="bits", value=bits.tail_bits, stderr=bits.tail_stderr),
        ]

    def figures(self, measurements):
        losses = measurements.where("loss")
        if not losses:
            return ()
        lengths = losses.each("length")
        means = [losses.where(length=length).mean() for length in lengths]
        series = Series(
            name="loss",
            x=tuple(map(float, lengths)),
            y=tuple(mean.value for mean in means),
            spread=tuple(mean.spread or 0.0 for mean in means),
        )
        panel = Panel(title="dyck", series=(series,), lines=(Line(name="uniform", value=8.0),))
        return (Figure(name="loss", title='Loss & "length"', x_label="instances", y_label="bits", panels=(panel,)),)

    def tables(self, measurements):
        losses = measurements.where("loss")
        rows = tuple((str(length), str(losses.where(length=length).mean())) for length in losses.each("length"))
        return (Table(title="Losses", columns=("length", "loss"), rows=rows),)

    def findings(self, measurements):
        short, long = (measurements.where("loss", length=length) for length in (32, 64))
        if not (short and long):
            return ()
        fell = short.less(long)
        verdict = {True: HOLDS, False: FAILS, None: UNKNOWN}[fell.is_above()]
        return (Finding(claim=CLAIM, section="6.2", measured=f"it fell by {fell.with_error}", verdict=verdict),)

    def listings(self, measurements):
        return (Listing(title="Backticks", text="```\nup"),) if measurements else ()
