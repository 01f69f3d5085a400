"""Small histories, schedules and panels of runs, for the tests of what is drawn of them."""

from cli.render.panels import Curve, Panel
from tests.up.runs.test_overview import a_row, a_step
from up.runs.events import Evaluated, Timing
from up.runs.metrics import History
from up.training.schedule import ScheduleCurves


def a_panel(y, x=None, **changes):
    x = tuple(range(1, len(y) + 1)) if x is None else x
    values = {"title": "Loss", "unit": "bits", "curves": (Curve(name="loss", x=x, y=tuple(y)),), "until": x[-1]}
    return Panel(**{**values, **changes})


def a_history(*, losses=(8.0, 7.0, 6.0), bits=((8, 7.5), (24, 6.5)), data=("stdlib", "pydoc"), batch=8):
    return History(
        steps=tuple(a_step(batch * (i + 1), loss_bits=loss) for i, loss in enumerate(losses)),
        evaluations=tuple(
            Evaluated(instances=at, rows=tuple(a_row(name, tail_bits=value) for name in data)) for at, value in bits
        ),
        timings=tuple(
            Timing(
                instances=batch * (i + 1),
                instances_per_second=20.0 + i,
                source_share=0.25,
                elapsed_seconds=i,
                remaining_seconds=9.0,
            )
            for i in range(len(losses))
        ),
    )


CURVES = ScheduleCurves(
    instances=(0, 8, 16, 63),
    learning_rate=(0.001, 0.002, 0.0015, 0.001),
    batch=(8, 8, 8, 8),
    enabled_blocks=(8, 8, 16, 16),
)
