"""What a run tells, as TensorBoard events; needs the extra `tensorboard`.

The x axis is instances, as everywhere. A resumed run hides what an earlier process wrote beyond its checkpoint.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from theory.words import readable
from up.errors import InputError
from up.packages import import_optional
from up.runs.events import Evaluated, Event, Timing
from up.training.step import Step

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardLog:
    """Writes events to a folder that `tensorboard --logdir` reads; a context manager.

    Args:
        folder: of the event files.
        after: instances from which the run continues.

    Raises:
        InputError: see `require_tensorboard`.
    """

    def __init__(self, folder: Path, *, after: int) -> None:
        require_tensorboard(folder)
        self._writer = _writer_type()(str(folder), purge_step=after + 1)

    def __enter__(self) -> "TensorBoardLog":
        return self

    def __exit__(self, *exception: object) -> None:
        self._writer.close()

    def write(self, event: Event) -> None:
        """Add the figures of a step, of its timing, or of an evaluation."""
        if isinstance(event, Step):
            scalars = {
                "training/loss_bits": event.loss_bits,
                "training/gradient_norm": event.gradient_norm,
                "training/skipped_steps": event.skipped_steps,
                "schedule/learning_rate": event.learning_rate,
                "schedule/batch": event.batch,
                "schedule/enabled_blocks": event.enabled_blocks,
            }
        elif isinstance(event, Timing):
            scalars = {
                "speed/instances_per_second": event.instances_per_second,
                "speed/source_share": event.source_share,
            }
        elif isinstance(event, Evaluated):
            scalars = {f"evaluation/{readable(row.data)}/bits": row.bits for row in event.rows}
            scalars |= {f"evaluation/{readable(row.data)}/tail_bits": row.tail_bits for row in event.rows}
        else:
            return
        for name, value in scalars.items():
            if value is not None:
                self._writer.add_scalar(name, value, event.instances)


def require_tensorboard(folder: Path) -> None:
    """Raise `InputError` unless the package tensorboard can be imported and write to a folder that may yet be made."""
    _writer_type()
    name = str(folder)
    if readable(name) != name:
        raise InputError(
            "TensorBoard cannot write to a folder whose name is no text in this locale",
            received=name,
            remedy="choose another --out, or leave --tensorboard out",
        )


def _writer_type() -> "type[SummaryWriter]":
    use = "writing TensorBoard events"
    module = import_optional("torch.utils.tensorboard", package="tensorboard", extra="tensorboard", use=use)
    return module.SummaryWriter
