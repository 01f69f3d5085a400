"""Certificates: what a check found, written as data, and verified by a program that does not search."""
