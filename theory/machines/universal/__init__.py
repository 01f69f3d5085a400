"""The bounded universal machine: its language, its measures, and complexity under it."""
