"""Training runs: presets, the plan, the loop that yields events, and the run folder."""
