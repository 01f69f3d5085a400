"""Lemma 4.4 in weights: LSTMs that compute one step of a Turing machine, and how far their weights may move."""
