"""What a run tells, as TensorBoard events; needs the extra `tensorboard`.

The x axis is instances, as everywhere. A resumed run hides what an earlier process wrote beyond its checkpoint.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from up.errors import InputError
from up.runs.events import Evaluated, Event, Progress

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardLog:
    """Writes events to a folder that `tensorboard --logdir` reads; a context manager.

    Args:
        folder: of the event files.
        after: instances from which the run continues.

    Raises:
        InputError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path, *, after: int) -> None:
        self._writer = _writer_type()(str(folder), purge_step=after + 1)

    def __enter__(self) -> "TensorBoardLog":
        return self

    def __exit__(self, *exception: object) -> None:
        self._writer.close()

    def write(self, event: Event) -> None:
        """Add the figures of a step or an evaluation."""
        if isinstance(event, Progress):
            record, timing = event.record, event.timing
            scalars = {
                "training/loss_bits": record.loss_bits,
                "training/gradient_norm": record.gradient_norm,
                "training/skipped_steps": record.skipped_steps,
                "schedule/learning_rate": record.learning_rate,
                "schedule/batch": record.batch,
                "schedule/enabled_blocks": record.enabled_blocks,
                "speed/instances_per_second": timing.instances_per_second,
                "speed/source_share": timing.source_share,
            }
        elif isinstance(event, Evaluated):
            scalars = {f"evaluation/{row.data}/bits": row.bits for row in event.rows}
            scalars |= {f"evaluation/{row.data}/tail_bits": row.tail_bits for row in event.rows}
        else:
            return
        for name, value in scalars.items():
            if value is not None:
                self._writer.add_scalar(name, value, event.instances)


def require_tensorboard() -> None:
    """Raise `InputError` unless the package tensorboard is installed."""
    _writer_type()


def _writer_type() -> "type[SummaryWriter]":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError(
            "TensorBoard events need the package tensorboard",
            remedy="pip install 'universal-pretraining[tensorboard]'",
        ) from None
    return SummaryWriter
