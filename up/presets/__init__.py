"""Presets of runs, one TOML file each; settings that are not named keep the defaults of their dataclass."""
