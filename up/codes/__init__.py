"""Description length of a trained network: what its weights cost in bits, and what they save on data."""
