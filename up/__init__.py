"""The universal pre-training pipeline: random computation in, a zero-shot predictor out."""

__version__ = "0.1.0"
