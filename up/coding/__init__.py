"""Coding by probabilities: what a model predicts well takes few bytes, and comes back whole."""
