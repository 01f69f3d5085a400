"""Weights of another run that a run begins with: copied into its folder, so that it never needs the other run again.

    runs/notes/finetuned/initial.safetensors    the `model.safetensors` of a checkpoint of another run, byte for byte

Which run, which checkpoint, length and SHA-256 stand in the configuration (`up.recipes.config.InitialWeights`); the
copy is verified before it is used. A run that was killed before its first checkpoint begins with it again.
"""

from pathlib import Path

from torch import nn

from up.errors import InputError
from up.recipes.config import InitialWeights
from up.runs.builtin import locate
from up.runs.checkpoint import MODEL_NAME, checkpoint_name, load_tensors, require_shapes
from up.runs.files import replacing

INITIAL_NAME = "initial.safetensors"
_REMEDY = "restore the file, or start a new run"


def copy_initial_weights(weights: InitialWeights, path: Path) -> None:
    """Copy weights out of the run that they are from.

    Raises:
        InputError: that run, or its checkpoint, is gone or was changed.
        OSError: the copy cannot be written.
    """
    checkpoint = locate(weights.run) / "checkpoints" / checkpoint_name(weights.instances)
    file = checkpoint / MODEL_NAME
    load_tensors(file, weights, remedy="name a run that still has the checkpoint, and start a new run")
    with replacing(path) as handle:
        handle.write(file.read_bytes())


def load_initial_weights(path: Path, weights: InitialWeights, model: nn.Module) -> None:
    """Load the copy into a model.

    Raises:
        InputError: it is missing, was changed, or holds the weights of another model.
    """
    if not path.exists():
        raise InputError(f"{path} is missing, with which the run begins", remedy=_REMEDY)
    tensors = load_tensors(path, weights, remedy=_REMEDY)
    require_shapes(path, tensors, model.state_dict())
    model.load_state_dict(tensors)
