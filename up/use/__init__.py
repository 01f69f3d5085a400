"""For people with a model or files of their own: pre-training, random computation as a data set, scores of files."""
