"""Zero-shot evaluation: bits per character of a model, beside the in-context Markov baseline."""
