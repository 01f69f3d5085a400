"""The target transformer, in the paper's form or a modern one. See `model`."""
