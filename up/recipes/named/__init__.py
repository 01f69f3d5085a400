"""Named configurations of runs, one TOML file each; what is not named keeps the default of its dataclass."""
