"""Bit strings and codes, logarithms that are compared exactly, and intervals that are rounded outward."""
