"""The universal pre-training pipeline: random computation in, a zero-shot predictor out.

The public names, each imported from its module when it is first used; docs/reference/names.md lists them with examples.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from up.errors import InputError, RunError
    from up.evaluation.bits import EvaluationConfig
    from up.model.base import ModelConfig
    from up.model.mixing.config import MixingConfig
    from up.model.mixing.predictor import MixingPredictor
    from up.model.transformer.config import TransformerConfig
    from up.model.transformer.model import Transformer
    from up.recipes.config import RunConfig, TrainingConfig
    from up.recipes.presets import PRESETS, configure
    from up.runs.api import evaluate, load, train
    from up.runs.folder import RunFolder, open_run
    from up.sources.base import ConditionalSource, RowSource, Source, make_source
    from up.sources.buffer import BufferConfig
    from up.sources.noise import NoiseSource
    from up.sources.recurrent import RecurrentSource
    from up.sources.registry import SOURCES
    from up.sources.stream import CadenceConfig, Stream
    from up.training.state import TrainingState
    from up.training.step import Step
    from up.use.dataset import RandomComputation
    from up.use.wrap import Pretraining, wrap

__version__ = "0.1.0"

_MODULES = {
    "up.errors": ("InputError", "RunError"),
    "up.evaluation.bits": ("EvaluationConfig",),
    "up.model.base": ("ModelConfig",),
    "up.model.mixing.config": ("MixingConfig",),
    "up.model.mixing.predictor": ("MixingPredictor",),
    "up.model.transformer.config": ("TransformerConfig",),
    "up.model.transformer.model": ("Transformer",),
    "up.recipes.config": ("RunConfig", "TrainingConfig"),
    "up.recipes.presets": ("PRESETS", "configure"),
    "up.runs.api": ("evaluate", "load", "train"),
    "up.runs.folder": ("RunFolder", "open_run"),
    "up.sources.base": ("ConditionalSource", "RowSource", "Source", "make_source"),
    "up.sources.buffer": ("BufferConfig",),
    "up.sources.noise": ("NoiseSource",),
    "up.sources.recurrent": ("RecurrentSource",),
    "up.sources.registry": ("SOURCES",),
    "up.sources.stream": ("CadenceConfig", "Stream"),
    "up.training.state": ("TrainingState",),
    "up.training.step": ("Step",),
    "up.use.dataset": ("RandomComputation",),
    "up.use.wrap": ("Pretraining", "wrap"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'up' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
