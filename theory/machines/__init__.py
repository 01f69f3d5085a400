"""Machines that read coin flips under a bound, and finite classes of them."""
