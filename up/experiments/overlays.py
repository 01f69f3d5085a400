"""Experiments from several folders side by side: which ones may share their figures, and these figures."""

from collections.abc import Mapping

from up.errors import InputError
from up.experiments.figure import Figure, overlay
from up.experiments.folder import ExperimentFolder
from up.experiments.measurement import Measurements
from up.experiments.registry import make_experiment


def overlaid(folders: Mapping[str, ExperimentFolder]) -> tuple[Figure, ...]:
    """Return the figures of one experiment with the series of several folders.

    Args:
        folders: by what their series shall be called, at least one.

    Raises:
        InputError: a folder that cannot be read, another experiment, other data under the same name, or other axes.
    """
    names = {name: folder.record().experiment for name, folder in folders.items()}
    (first, experiment), *others = names.items()
    for name, other in others:
        if other != experiment:
            raise InputError(
                f"{name} is the experiment {other} and {first} is {experiment}: they cannot be overlaid",
                remedy="show them one by one",
            )
    measured = {name: folder.measurements() for name, folder in folders.items()}
    _require_same_texts(measured)
    maker = make_experiment(experiment)
    figures = {name: {each.name: each for each in maker.figures(found)} for name, found in measured.items()}
    stems = dict.fromkeys(stem for drawn in figures.values() for stem in drawn)
    return tuple(overlay({name: drawn[stem] for name, drawn in figures.items() if stem in drawn}) for stem in stems)


def _require_same_texts(measured: Mapping[str, Measurements]) -> None:
    """Refuse figures on data of one name that is not the same bytes, such as the library of another Python."""
    known: dict[object, tuple[object, str]] = {}
    for name, found in measured.items():
        for each in found:
            if "text" in each.labels:
                data, text = each.labels.get("data"), each.labels["text"]
                other, of = known.setdefault(data, (text, name))
                if other != text:
                    raise InputError(
                        f"{data} is not the same bytes in {name} and {of}: they cannot be overlaid",
                        remedy="measure both with one version of Python and the same data, or show them one by one",
                    )
