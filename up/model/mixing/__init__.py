"""The mixing predictor: experts that count in contexts, and a pre-trained gate that weighs them. See `predictor`."""
