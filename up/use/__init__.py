"""For people with a model of their own: pre-training it on random computation, and random computation as a data set."""
