"""What a run is made of: its configuration, as one tree of settings, and the named presets of it."""
