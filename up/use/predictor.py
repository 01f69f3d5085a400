"""The predictor by its name: the one place where commands that need a mixing predictor load it."""

import os

from up.errors import InputError
from up.model.mixing.predictor import MixingPredictor


def load_predictor(name: str | os.PathLike[str]) -> MixingPredictor:
    """Return the mixing predictor of a run, or of `builtin:NAME`.

    Raises:
        InputError: there is none, or it is another kind of model.

    """
    import torch

    from up.runs.folder import load_model

    model: object = load_model(name, torch.device("cpu"))
    if not isinstance(model, MixingPredictor):
        raise InputError(
            "this model is a transformer, and only a mixing predictor gives the same bits on every machine",
            received=os.fspath(name),
            remedy="use --model builtin:mixing",
        )
    return model
