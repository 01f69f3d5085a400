"""Training: the schedules, the state, and one step."""
