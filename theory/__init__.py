"""Executable theory of universal pre-training: exact arithmetic, no floats in any result that is checked."""
