"""Settings shared by all tests."""

import os

import torch
from hypothesis import settings

# Tests run side by side, and their tensors are small: one thread each is fastest and keeps results comparable.
torch.set_num_threads(1)

# Examples are not timed: these machines are shared, and speed is measured in `benchmarks/`.
settings.register_profile("local", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")
