"""Target models: rooms for architectures that share one contract, `base`."""
