"""The experiments by name: a new one is a file beside this one, and a line here.

Nothing is imported until an experiment is asked for, so that a help page can list the names.
"""

import difflib
import importlib
from typing import TYPE_CHECKING

from up.errors import InputError

if TYPE_CHECKING:  # imports torch
    from up.experiments.experiment import Experiment

EXPERIMENTS = {
    "figure-1": "up.experiments.figure_1:Figure1",
    "figure-2-4": "up.experiments.figure_2_4:Figure24",
    "figure-6": "up.experiments.figure_6:Figure6",
    "control-noise": "up.experiments.control_noise:ControlNoise",
    "depth-sweep": "up.experiments.depth_sweep:DepthSweep",
    "scaling": "up.experiments.scaling:Scaling",
    "figure-5": "up.experiments.figure_5:Figure5",
    "real-vs-universal": "up.experiments.real_vs_universal:RealVersusUniversal",
    "bayes": "up.experiments.bayes:Bayes",
    "bayes-machines": "up.experiments.bayes_machines:BayesMachines",
    "table-1": "up.experiments.table_1:Table1",
    "table-2": "up.experiments.table_2:Table2",
    "figure-7": "up.experiments.figure_7:Figure7",
    "figure-8": "up.experiments.figure_8:Figure8",
    "figure-9": "up.experiments.figure_9:Figure9",
}
"""Name to `module:class`."""


def make_experiment(name: str) -> "Experiment":
    """Return an experiment by its name.

    Raises:
        InputError: there is none of this name; those that are nearest are named.
    """
    if name not in EXPERIMENTS:
        near = difflib.get_close_matches(name, EXPERIMENTS, n=3, cutoff=0.5)
        remedy = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(EXPERIMENTS)}"
        raise InputError("unknown experiment", received=name, remedy=remedy)
    module, _, member = EXPERIMENTS[name].partition(":")
    return getattr(importlib.import_module(module), member)()
