"""Errors of the pipeline: a user's mistake (`InputError`) and a run that failed (`RunError`)."""

from theory.errors import InputError

__all__ = ["InputError", "RunError"]


class RunError(RuntimeError):
    """A run that started correctly and could not go on; the message is one line that says what to try.

    The terminal program prints it on stderr and exits with code 1.
    """
