"""A mixing predictor by the name of its run."""

import torch

from up.errors import InputError
from up.model.mixing.predictor import MixingPredictor
from up.runs.folder import load_model


def load_predictor(name: str) -> MixingPredictor:
    """Return the mixing predictor of a run, on the CPU.

    Args:
        name: folder of a run, or `builtin:NAME`.

    Raises:
        InputError: no run, one that is damaged, or one whose model is another.

    """
    model = load_model(name, torch.device("cpu"))
    if not isinstance(model, MixingPredictor):
        raise InputError(
            "the model of this run is no mixing predictor",
            received=name,
            remedy="name builtin:mixing, or a run that trained one",
        )
    return model
