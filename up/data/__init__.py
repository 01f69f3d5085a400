"""Real bytes to predict: corpora that every machine has, and files that a user names."""
