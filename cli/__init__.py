"""The terminal program `up`: the only package that prints."""
