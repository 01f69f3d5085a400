"""Settings shared by all tests."""

import os

import pytest
import torch
from hypothesis import settings

# Tests run side by side, and their tensors are small: one thread each is fastest and keeps results comparable.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of programs that tests start: what they train must not depend on who trains

# Examples are not timed: these machines are shared, and speed is measured in `benchmarks/`.
settings.register_profile("local", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded under `summary`, such as the number of kills survived, also from other workers."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [str(value) for report in reports for name, value in report.user_properties if name == "summary"]
    if lines:
        terminalreporter.section("measured by the tests")
        for line in lines:
            terminalreporter.write_line(line)
