"""Runs: the loop that yields events, and the folder that keeps configuration, checkpoints, metrics, provenance."""
