"""What a record says about the machine that it was measured on."""

import datetime
import platform

import torch


def environment() -> dict[str, object]:
    """Return date, versions, processor and thread count, ready for a benchmark record."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "torch": f"torch {torch.__version__}",
        "processor": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads(),
    }
